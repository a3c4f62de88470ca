//! Money in minor units, and the one rounding rule.

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

/// A text that is no ISO 4217 code in capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 4217 currency code in capitals")]
pub struct UnknownCurrency;

impl Currency {
    /// The code, three capital letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let known = CURRENCIES.split_ascii_whitespace().any(|code| code == text);
        let code = text.as_bytes().try_into().map_err(|_| UnknownCurrency)?;
        known.then_some(Self(code)).ok_or(UnknownCurrency)
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

/// What `quantity` units cost: quantity × unit price less discount, rounded half away from zero, once.
///
/// `unit_price_minor` and the answer are in minor units of the same currency. `None` when the answer does not fit.
pub fn line_amount(quantity: i64, unit_price_minor: i64, discount: BasisPoints) -> Option<i64> {
    let full = i128::from(quantity) * i128::from(unit_price_minor);
    let exact = full.checked_mul(i128::from(10_000 - discount.0))?;
    let half = if exact < 0 { -5_000 } else { 5_000 };
    i64::try_from((exact + half) / 10_000).ok()
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
