//! Checks of postal addresses, and of how their recipients are reached.

use proto::types::v1::Address;
use types::limits::{MAX_NAME, MAX_STREET_LINES, MAX_TEXT};

use super::Checks;

/// The most characters of a telephone number of a recipient.
const MAX_PHONE: usize = 40;

/// The most characters of an e-mail address, as RFC 5321 has it.
const MAX_EMAIL: usize = 254;

impl Checks {
    /// A postal address with a name, a city and a country.
    pub fn address(&mut self, field: &str, address: Option<&Address>) -> Option<Address> {
        let Some(address) = address else {
            self.wrong(field, "is required");
            return None;
        };
        let name = self.text(format!("{field}.name"), &address.name, MAX_NAME);
        let street = self.optional_text(format!("{field}.street"), &address.street, MAX_TEXT);
        let additional_street_lines = self.street_lines(field, address);
        let city = self.text(format!("{field}.city"), &address.city, MAX_NAME);
        let region = self.optional_text(format!("{field}.region"), &address.region, MAX_NAME);
        let postal_code = self.optional_text(format!("{field}.postal_code"), &address.postal_code, 32);
        let country = self.country(format!("{field}.country"), &address.country);
        let phone = self.recipient_phone(format!("{field}.phone"), &address.phone);
        let email = self.recipient_email(format!("{field}.email"), &address.email);
        Some(Address {
            name: name?,
            street: street?,
            city: city?,
            region: region?,
            postal_code: postal_code?,
            country: country?,
            additional_street_lines: additional_street_lines?,
            phone: phone?,
            email: email?,
        })
    }

    /// The lines of a street address after the first, which is there when they are.
    fn street_lines(&mut self, field: &str, address: &Address) -> Option<Vec<String>> {
        let (name, lines) = (format!("{field}.additional_street_lines"), &address.additional_street_lines);
        if !self.at_most(name.clone(), lines.len(), MAX_STREET_LINES) {
            return None;
        }
        if !lines.is_empty() && types::text::normal(&address.street).is_empty() {
            self.wrong(format!("{field}.street"), "is required before additional_street_lines");
        }
        let read = lines.iter().enumerate().map(|(at, line)| self.text(format!("{name}[{at}]"), line, MAX_NAME));
        read.collect::<Vec<_>>().into_iter().collect()
    }

    /// A telephone number as people write it, perhaps with an extension; may be empty.
    fn recipient_phone(&mut self, field: String, text: &str) -> Option<String> {
        let phone = self.optional_text(field.clone(), text, MAX_PHONE)?;
        let digits = phone.chars().filter(char::is_ascii_digit).count();
        let is_part = |one: char| one.is_ascii_alphanumeric() || " +-/.,()#*\u{a0}".contains(one);
        if phone.is_empty() || (digits >= 3 && phone.chars().all(is_part)) {
            return Some(phone);
        }
        self.wrong(field, "must be a telephone number with at least 3 digits");
        None
    }

    /// An e-mail address: something, one `@`, and a domain; may be empty.
    fn recipient_email(&mut self, field: String, text: &str) -> Option<String> {
        let email = self.optional_text(field.clone(), text, MAX_EMAIL)?;
        if email.is_empty() || is_email(&email) {
            return Some(email);
        }
        self.wrong(field, "must be an e-mail address with one '@' and a domain");
        None
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_label = |label: &str| {
        let is_inner = |one: char| one.is_alphanumeric() || one == '-';
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(is_inner)
    };
    !local.is_empty()
        && !text.chars().any(char::is_whitespace)
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        let text = str::to_owned;
        Address { name: text("Praxis"), city: text("Köln"), country: text("DE"), ..Address::default() }
    }

    fn wrong(address: &Address) -> Vec<String> {
        let mut checks = Checks::new();
        checks.address("ship_to", Some(address));
        checks.done().err().into_iter().flat_map(|fault| fault.violations).map(|wrong| wrong.field).collect()
    }

    #[test]
    fn a_recipient_is_reached_by_what_looks_like_a_number_and_an_address() {
        for (phone, email) in [
            ("", ""),
            ("+49 (0)221 / 12-34.5", "lager+wareneingang@praxis-köln.example"),
            ("221 1234 ext. 5", "a@b.co"),
            ("112", "müller@ärzte.example.org"),
        ] {
            let given = Address { phone: phone.to_owned(), email: email.to_owned(), ..address() };
            assert!(wrong(&given).is_empty(), "{phone} {email}");
        }
        for phone in ["12", "none", "a\u{7}123", "12<3>4", &"1".repeat(41)] {
            assert_eq!(wrong(&Address { phone: phone.to_owned(), ..address() }), ["ship_to.phone"], "{phone}");
        }
        let long = format!("{}@b.co", "a".repeat(250));
        for email in ["a", "@b.co", "a@", "a@b", "a@b@c.de", "a b@c.de", "a@b..de", "a@-b.de", long.as_str()] {
            assert_eq!(wrong(&Address { email: email.to_owned(), ..address() }), ["ship_to.email"], "{email}");
        }
    }

    #[test]
    fn further_lines_of_a_street_follow_a_first_one() {
        let lines = |count: usize| vec!["2. OG".to_owned(); count];
        let street = "Domstr. 1".to_owned();
        assert!(wrong(&Address { street: street.clone(), additional_street_lines: lines(4), ..address() }).is_empty());
        let without = Address { additional_street_lines: lines(1), ..address() };
        assert_eq!(wrong(&without), ["ship_to.street"]);
        let many = Address { street: street.clone(), additional_street_lines: lines(5), ..address() };
        assert_eq!(wrong(&many), ["ship_to.additional_street_lines"]);
        let blank = Address { street, additional_street_lines: vec!["\u{200b} ".to_owned()], ..address() };
        assert_eq!(wrong(&blank), ["ship_to.additional_street_lines[0]"]);
    }

    #[test]
    fn an_address_is_kept_in_its_one_form() {
        let given = Address { name: " Praxis Mu\u{308}ller ".to_owned(), country: "DE ".to_owned(), ..address() };
        let kept = Checks::new().address("ship_to", Some(&given)).unwrap();
        assert_eq!((kept.name.as_str(), kept.country.as_str()), ("Praxis M\u{fc}ller", "DE"));
    }
}
