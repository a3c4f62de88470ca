//! Single values, from JSON and from text in a path or a query.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use prost_reflect::{DynamicMessage, EnumDescriptor, Kind, MessageDescriptor, Value};
use serde_json::{Number, Value as Json};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The largest integer up to which every integer is exact as a float.
const EXACT: f64 = 9_007_199_254_740_991.0;

/// Reads a value that is not a message from JSON; the error names what was expected.
pub(super) fn from_json(kind: &Kind, json: Json) -> Result<Value, String> {
    match kind {
        Kind::String => {
            let Json::String(text) = json else { return Err("expected a string".to_owned()) };
            Ok(Value::String(text))
        }
        Kind::Bool => json.as_bool().map(Value::Bool).ok_or_else(|| "expected true or false".to_owned()),
        Kind::Bytes => json.as_str().and_then(bytes).ok_or_else(|| "expected base64".to_owned()),
        Kind::Enum(described) => match &json {
            Json::String(name) => enum_name(described, name),
            Json::Number(number) => Ok(Value::EnumNumber(integer(number)?)),
            Json::Null if described.full_name() == "google.protobuf.NullValue" => Ok(Value::EnumNumber(0)),
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => Err(expected_enum(described)),
        },
        Kind::Double | Kind::Float => {
            let value = match &json {
                Json::Number(number) => number.as_f64(),
                Json::String(text) => float(text),
                Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
            };
            let value = value.ok_or("expected a number")?;
            if *kind == Kind::Double {
                return Ok(Value::F64(value));
            }
            #[expect(clippy::cast_possible_truncation, reason = "precision may be lost, range is checked")]
            let narrow = value as f32;
            if narrow.is_infinite() && value.is_finite() {
                return Err("out of the range of a 32-bit float".to_owned());
            }
            Ok(Value::F32(narrow))
        }
        Kind::Message(_) => Err("expected an object".to_owned()),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => integer(&number(json)?).map(Value::I32),
        Kind::Uint32 | Kind::Fixed32 => integer(&number(json)?).map(Value::U32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => integer(&number(json)?).map(Value::I64),
        Kind::Uint64 | Kind::Fixed64 => integer(&number(json)?).map(Value::U64),
    }
}

/// The number that is to be an integer. A number in quotes has the grammar of JSON, with exponents.
fn number(json: Json) -> Result<Number, String> {
    let number = match json {
        Json::Number(number) => Some(number),
        Json::String(text) => text.parse().ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    };
    number.ok_or_else(|| "expected an integer".to_owned())
}

/// Reads a value from text in a path or a query.
#[expect(clippy::wildcard_enum_match_arm, reason = "text of every other kind has the form of its JSON")]
pub(super) fn from_text(kind: &Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Bool => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("expected true or false".to_owned()),
        },
        Kind::Enum(described) => match text.parse() {
            Ok(number) => Ok(Value::EnumNumber(number)),
            Err(_) => enum_name(described, text),
        },
        Kind::Message(descriptor) => {
            if descriptor.full_name().ends_with("Value") {
                let field = descriptor.get_field_by_name("value").ok_or("is not a single value")?;
                let value = from_text(&field.kind(), text)?;
                let mut wrapper = DynamicMessage::new(descriptor.clone());
                wrapper.set_field(&field, value);
                return Ok(Value::Message(wrapper));
            }
            // Masks are often typed by hand, with the names of the proto.
            let text = match descriptor.full_name() {
                "google.protobuf.FieldMask" => camel(text),
                _ => text.to_owned(),
            };
            known(descriptor, Json::String(text)).map(Value::Message)
        }
        _ => from_json(kind, Json::String(text.to_owned())),
    }
}

/// Reads a message that has a special JSON form.
pub(super) fn known(descriptor: &MessageDescriptor, json: Json) -> Result<DynamicMessage, String> {
    if let ("google.protobuf.Timestamp" | "google.protobuf.Duration", Json::String(text)) =
        (descriptor.full_name(), &json)
        && let Some((_, after)) = text.split_once('.')
        && after.bytes().take_while(u8::is_ascii_digit).count() > 9
    {
        return Err("is more precise than a nanosecond".to_owned());
    }
    DynamicMessage::deserialize(descriptor.clone(), json).map_err(|error| error.to_string())
}

fn camel(path: &str) -> String {
    let mut camel = String::with_capacity(path.len());
    let mut upper = false;
    for c in path.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                camel.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => camel.push(c),
        }
    }
    camel
}

fn bytes(text: &str) -> Option<Value> {
    let decoded = match STANDARD.decode(text) {
        Ok(decoded) => decoded,
        Err(_) => URL_SAFE.decode(text).ok()?,
    };
    Some(Value::Bytes(decoded.into()))
}

fn enum_name(described: &EnumDescriptor, name: &str) -> Result<Value, String> {
    match described.get_value_by_name(name) {
        Some(value) => Ok(Value::EnumNumber(value.number())),
        None => Err(expected_enum(described)),
    }
}

fn expected_enum(described: &EnumDescriptor) -> String {
    let names: Vec<_> = described.values().take(20).map(|value| value.name().to_owned()).collect();
    format!("expected one of {}", names.join(", "))
}

fn float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => text.parse::<Number>().ok()?.as_f64(),
    }
}

/// The integer value of a number; `1.0` and `1e3` are integers too.
fn integer<T: TryFrom<i128>>(number: &Number) -> Result<T, String> {
    let wide = if let Some(value) = number.as_i64() {
        i128::from(value)
    } else if let Some(value) = number.as_u64() {
        i128::from(value)
    } else {
        let value = number.as_f64().unwrap_or(f64::NAN);
        if value.fract() != 0.0 {
            return Err("expected an integer".to_owned());
        }
        if value.abs() > EXACT {
            return Err("out of range, or too large to be exact with a fraction or an exponent".to_owned());
        }
        #[expect(clippy::cast_possible_truncation, reason = "a cast from a float saturates, and the range is checked")]
        let wide = value as i128;
        wide
    };
    T::try_from(wide).map_err(|_| "out of range".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_integer_may_be_written_in_every_way_json_has() {
        for (kind, json, expected) in [
            (Kind::Int32, json!(1.0), Value::I32(1)),
            (Kind::Int32, json!(1e3), Value::I32(1000)),
            (Kind::Int32, json!("-5"), Value::I32(-5)),
            (Kind::Uint32, json!("1e3"), Value::U32(1000)),
            (Kind::Int64, json!("1e3"), Value::I64(1000)),
            (Kind::Int64, json!("9223372036854775807"), Value::I64(i64::MAX)),
            (Kind::Int64, json!(i64::MIN), Value::I64(i64::MIN)),
            (Kind::Uint64, json!(u64::MAX), Value::U64(u64::MAX)),
            (Kind::Uint64, json!("18446744073709551615"), Value::U64(u64::MAX)),
        ] {
            assert_eq!(from_json(&kind, json.clone()), Ok(expected), "{json}");
        }
    }

    #[test]
    fn what_is_no_integer_of_the_kind_is_refused() {
        for (kind, json) in [
            (Kind::Int32, json!(1.5)),
            (Kind::Int32, json!(2_147_483_648_u32)),
            (Kind::Int32, json!("")),
            (Kind::Int32, json!(" 1")),
            (Kind::Int32, json!("+1")),
            (Kind::Int32, json!("0x1")),
            (Kind::Int32, json!(true)),
            (Kind::Uint32, json!(-1)),
            (Kind::Int64, json!("9223372036854775808")),
            (Kind::Int64, json!(1e19)),
            (Kind::Uint64, json!("1e30")),
        ] {
            assert!(from_json(&kind, json.clone()).is_err(), "{json}");
        }
    }

    #[test]
    fn floats_have_names_and_a_range() {
        assert_eq!(from_json(&Kind::Double, json!("-Infinity")), Ok(Value::F64(f64::NEG_INFINITY)));
        assert!(matches!(from_json(&Kind::Float, json!("NaN")), Ok(Value::F32(v)) if v.is_nan()));
        assert_eq!(from_json(&Kind::Double, json!("1.5e2")), Ok(Value::F64(150.0)));
        for bad in [json!("inf"), json!("nan"), json!(""), json!(true)] {
            assert!(from_json(&Kind::Double, bad.clone()).is_err(), "{bad}");
        }
        assert!(from_json(&Kind::Float, json!(1e39)).is_err());
    }

    #[test]
    fn bytes_are_base64_of_either_alphabet() {
        for text in ["+/8=", "-_8=", "-_8", "+/8"] {
            assert_eq!(from_json(&Kind::Bytes, json!(text)), Ok(Value::Bytes(vec![0xfb, 0xff].into())), "{text}");
        }
        assert!(from_json(&Kind::Bytes, json!("a b")).is_err());
    }
}
