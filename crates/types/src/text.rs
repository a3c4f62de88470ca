//! Text that parties outside write: its one form, and how their numbers are compared.
//!
//! The same text may be written in several ways that nobody can tell apart: with a blank behind it, or with an umlaut in two
//! characters. It is put into one form before it is stored or compared.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// The one form of a text: Unicode's NFC, without what cannot be seen at its ends. Control characters stay where they are, so
/// that they are refused and not hidden.
pub fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text.trim_matches(is_blank));
    }
    let composed: String = text.nfc().collect();
    Cow::Owned(composed.trim_matches(is_blank).to_owned())
}

/// Puts a text into its one form.
pub fn normalize(text: &mut String) {
    let normal = normal(text);
    let is_same = matches!(normal, Cow::Borrowed(same) if same.len() == text.len());
    if !is_same {
        *text = normal.into_owned();
    }
}

/// Whether a text is given of which nothing is to be seen.
pub fn is_blank_text(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_blank)
}

/// Whether nothing is to be seen of a character, which is no control character.
fn is_blank(one: char) -> bool {
    if one.is_ascii() {
        return one == ' ';
    }
    (one.is_whitespace() && !one.is_control()) || is_invisible(one)
}

/// Characters without width, marks of direction, and what Unicode promises never to assign.
fn is_invisible(one: char) -> bool {
    let code = u32::from(one);
    matches!(
        code,
        0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x202A..=0x202E
            | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFDD0..=0xFDEF | 0xE0000..=0xE0FFF
    ) || code & 0xFFFE == 0xFFFE
}

/// A number of a carrier or a warehouse as it is compared: without spaces, dashes and case.
pub fn compared_number(number: &str) -> String {
    let kept = number.chars().filter(|one| !one.is_whitespace() && *one != '-');
    kept.flat_map(char::to_uppercase).collect()
}

/// A text without these ASCII separators, so that it can stand between two of them: they are percent-encoded, and so is `%`.
pub fn escaped(text: &str, separators: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for one in text.chars() {
        if one == '%' || separators.contains(&one) {
            escaped.push_str(&format!("%{:02X}", u32::from(one)));
        } else {
            escaped.push(one);
        }
    }
    escaped
}

/// The text that [`escaped`] was given; `None` when it cannot have been its result.
pub fn unescaped(escaped: &str) -> Option<String> {
    let mut parts = escaped.split('%');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        text.push(char::from(u8::from_str_radix(code, 16).ok().filter(u8::is_ascii)?));
        text.push_str(rest);
    }
    Some(text)
}

/// The words of a name as they are searched: letters and digits, in small letters.
pub fn search_words(name: &str) -> impl Iterator<Item = String> + '_ {
    let words = name.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.to_lowercase().nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(text: &str) -> String {
        let mut text = text.to_owned();
        normalize(&mut text);
        text
    }

    #[test]
    fn blanks_at_the_ends_and_the_ways_to_write_a_letter_make_no_difference() {
        for (text, expected) in [
            ("PO-1", "PO-1"),
            ("", ""),
            ("  PO 1 ", "PO 1"),
            ("\u{a0}PO-1\u{2009}", "PO-1"),
            ("\u{feff}PO-1\u{200b}", "PO-1"),
            ("Mu\u{308}ller", "M\u{fc}ller"),
            ("M\u{fc}ller ", "M\u{fc}ller"),
            ("\u{212b}", "\u{c5}"),
            (" \u{200b}\u{2060}\u{ffff}\u{fdd0} ", ""),
        ] {
            assert_eq!(normalized(text), expected, "{text:?}");
            assert_eq!(normal(text), expected, "{text:?}");
        }
    }

    #[test]
    fn control_characters_stay_to_be_refused() {
        for text in ["\tPO-1", "PO-1\n", "\r", "PO\u{85}"] {
            assert_eq!(normalized(text), text);
        }
    }

    #[test]
    fn a_form_does_not_change_any_more() {
        // Every character between others that it may join with.
        for code in (0..=0x2_FFFF).filter_map(char::from_u32) {
            for text in
                [format!("{code}"), format!(" {code}\u{308} "), format!("a{code}\u{200b}"), format!("{code}\u{3099}a")]
            {
                let once = normal(&text).into_owned();
                assert_eq!(normal(&once), once, "{text:?}");
                assert_eq!(normalized(&text), once, "{text:?}");
            }
        }
    }

    #[test]
    fn numbers_are_compared_without_spaces_dashes_and_case() {
        assert_eq!(compared_number(" 1z-999 aa\t1 "), "1Z999AA1");
        assert_ne!(compared_number("1Z9"), compared_number("1Z_9"));
    }

    #[test]
    fn what_is_escaped_has_no_separator_and_is_read_back() {
        for text in ["", "A", "A;B%3B", "100 %", ";;%", "Größe; 4/5"] {
            let safe = escaped(text, &[';']);
            assert!(!safe.contains(';'), "{safe}");
            assert_eq!(unescaped(&safe).as_deref(), Some(text));
        }
        assert_eq!((unescaped("%"), unescaped("%zz"), unescaped("%FF")), (None, None, None));
    }

    #[test]
    fn the_words_of_a_name_are_letters_and_digits() {
        let words: Vec<_> = search_words("Müller & Söhne GmbH-3").collect();
        assert_eq!(words, ["müller", "söhne", "gmbh", "3"]);
    }
}
