//! Country codes.

/// User-assigned codes that postal operators, carriers and customs use as those of countries: `XK` for Kosovo, which has no
/// official code, and `XI` for Northern Ireland in the trade of goods with the EU, which carriers ask for to leave out customs.
/// The other user-assigned codes say nothing about a place (`XN` stands for an organization, `XX` and `ZZ` for nowhere), and
/// `XB` and `XC` (parts of Spain) are countries in statistics only, which carriers reach by `ES`.
const USER_ASSIGNED: [&str; 2] = ["XI", "XK"];

/// Officially assigned ISO 3166-1 alpha-2 codes.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
     BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI \
     FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR \
     IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM \
     MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT \
     PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM \
     TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Whether `code` is the code of a country, in capitals: officially assigned by ISO 3166-1, or in general use.
pub fn is_country(code: &str) -> bool {
    COUNTRIES.split_ascii_whitespace().chain(USER_ASSIGNED).any(|country| country == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_assigned_codes_and_those_in_general_use_are_countries() {
        assert!(is_country("DE") && is_country("GB") && is_country("XK") && is_country("XI"));
        assert!(!is_country("XX") && !is_country("ZZ") && !is_country("XN"));
        assert!(!is_country("UK") && !is_country("de") && !is_country(""));
        assert_eq!(COUNTRIES.split_ascii_whitespace().count(), 249);
    }
}
