//! Money in minor units, and the one rounding rule: half away from zero, once.
//!
//! Waybill computes no tax; the ERP adds it to the invoice.

use std::{fmt, str::FromStr};

/// An ISO 4217 currency code of a currency in circulation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Codes in circulation (ISO 4217 list one, 2024), without funds and metals.
const CURRENCIES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP \
     BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF \
     GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD \
     LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR \
     PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY \
     TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";

/// A text that is not the code of a currency in circulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyError;

impl fmt::Display for CurrencyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be the ISO 4217 code of a currency in circulation")
    }
}

impl std::error::Error for CurrencyError {}

impl Currency {
    /// The code, three capital letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }

    /// How many decimals an amount has (ISO 4217, minor unit): an amount in minor units is divided by ten to that power.
    pub fn decimals(&self) -> usize {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
            | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        let known = CURRENCIES.split_ascii_whitespace().any(|code| code == text);
        let code = text.as_bytes().try_into().map_err(|_| CurrencyError)?;
        known.then_some(Self(code)).ok_or(CurrencyError)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A share in hundredths of a percent, 0 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct BasisPoints(i64);

impl BasisPoints {
    /// `None` outside 0 to 10,000.
    pub fn new(points: i64) -> Option<Self> {
        (0..=10_000).contains(&points).then_some(Self(points))
    }

    /// The number, 0 to 10,000.
    pub fn get(self) -> i64 {
        self.0
    }
}

/// `numerator / denominator`, rounded half away from zero: the one rounding rule for money. `None` when the denominator is
/// zero, or when the result does not fit.
pub fn divide_rounded(numerator: i128, denominator: i128) -> Option<i64> {
    let twice = denominator.checked_mul(2)?;
    let half = if (numerator < 0) == (denominator < 0) { denominator } else { denominator.checked_neg()? };
    i64::try_from(numerator.checked_mul(2)?.checked_add(half)?.checked_div(twice)?).ok()
}

/// The price of `quantity` units: quantity × unit price less discount, rounded once.
///
/// `unit_price_minor` and the result are in minor units of the same currency. `None` when the result does not fit.
pub fn line_amount(quantity: i64, unit_price_minor: i64, discount: BasisPoints) -> Option<i64> {
    line_amount_of((quantity, 1), unit_price_minor, discount)
}

/// As [`line_amount`] of a quantity that is a fraction: its numerator and its denominator.
pub fn line_amount_of(quantity: (i64, i64), unit_price_minor: i64, discount: BasisPoints) -> Option<i64> {
    let full = i128::from(quantity.0) * i128::from(unit_price_minor);
    divide_rounded(full.checked_mul(i128::from(10_000 - discount.0))?, i128::from(quantity.1) * 10_000)
}

/// The price of `units` of a line of `ordered` units, in minor units: their share of the line's amount, rounded. It is the
/// whole amount for `ordered` units or more, and zero for no units or fewer.
///
/// What is invoiced or credited for some units is the difference of two such shares, so that the parts add up to the whole
/// however a line is divided, and units are credited at what they were invoiced for. A share of the exact price instead
/// can differ by a cent.
pub fn share_of_line(amount_minor: i64, ordered: i64, units: i64) -> i64 {
    if units >= ordered {
        return amount_minor;
    }
    let part = i128::from(amount_minor) * i128::from(units.max(0));
    divide_rounded(part, i128::from(ordered)).unwrap_or(amount_minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_cent_is_rounded_away_from_zero() {
        let half = BasisPoints::new(5_000).unwrap();
        assert_eq!(line_amount(1, 1, half), Some(1));
        assert_eq!(line_amount(-1, 1, half), Some(-1));
        assert_eq!(line_amount(12, 1_400, BasisPoints::default()), Some(16_800));
        // 2.5 × 0.33 is 0.825, and 0.333 × 10.01 less 10 % is 2.999997.
        assert_eq!(line_amount_of((25, 10), 33, BasisPoints::default()), Some(83));
        assert_eq!(line_amount_of((333, 1_000), 1_001, BasisPoints::new(1_000).unwrap()), Some(300));
    }

    #[test]
    fn shares_of_a_line_are_rounded_half_up_and_add_up() {
        assert_eq!([0, 1, 2, 3, 4].map(|units| share_of_line(100, 3, units)), [0, 33, 67, 100, 100]);
        assert_eq!([0, 1, 2].map(|units| share_of_line(101, 2, units)), [0, 51, 101]);
        assert_eq!(share_of_line(1, 2, 1), 1);
        assert_eq!(share_of_line(i64::MAX, i64::MAX, i64::MAX - 1), i64::MAX - 1);
        assert_eq!((share_of_line(100, 0, 0), share_of_line(100, 3, -1)), (100, 0));
    }

    #[test]
    fn a_division_is_rounded_half_away_from_zero() {
        assert_eq!(
            [5, -5, 4, -4].map(|numerator| divide_rounded(numerator, 10)),
            [Some(1), Some(-1), Some(0), Some(0)]
        );
        assert_eq!([5, -5].map(|numerator| divide_rounded(numerator, -10)), [Some(-1), Some(1)]);
        assert_eq!(divide_rounded(1, 0), None);
    }

    #[test]
    fn an_amount_that_does_not_fit_is_none() {
        assert_eq!(line_amount(i64::MAX, i64::MAX, BasisPoints::default()), None);
    }

    #[test]
    fn only_currencies_in_circulation_are_known() {
        assert!("USD".parse::<Currency>().is_ok());
        assert!("usd".parse::<Currency>().is_err());
        assert!("XXX".parse::<Currency>().is_err());
    }
}
