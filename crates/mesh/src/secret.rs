//! Texts that must not be printed.

use std::fmt;

/// A text that is not shown by accident: no log, no error and no debug output has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_only_when_asked_for() {
        let secret = Secret::from("s3cr3t".to_owned());
        assert!(!format!("{secret:?} {:?}", Some(&secret)).contains("s3cr3t"));
        assert_eq!(secret.reveal(), "s3cr3t");
    }
}
