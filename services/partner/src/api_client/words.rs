//! A list of words in one column.

use store::{Column, Kind, Value};

/// Words without spaces in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Words(pub Vec<String>);

impl Column for Words {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        Value::Text(self.0.join(" "))
    }

    fn from_value(value: Value) -> Option<Self> {
        String::from_value(value).map(|text| Self(text.split_whitespace().map(str::to_owned).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_as_they_were_written() {
        for words in [&[][..], &["*"], &["acc_1", "acc_2"]] {
            let words = Words(words.iter().map(|word| (*word).to_owned()).collect());
            assert_eq!(Words::from_value(words.to_value()), Some(words));
        }
    }
}
