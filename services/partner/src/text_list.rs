//! A list of texts, stored in one column.

use store::{Column, Kind, Value};

/// Texts without spaces in them, stored with a space between two.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TextList(pub Vec<String>);

impl Column for TextList {
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
    fn texts_are_read_back_as_they_were_written() {
        for texts in [&[][..], &["*"], &["acc_1", "acc_2"]] {
            let texts = TextList(texts.iter().map(|text| (*text).to_owned()).collect());
            assert_eq!(TextList::from_value(texts.to_value()), Some(texts));
        }
    }
}
