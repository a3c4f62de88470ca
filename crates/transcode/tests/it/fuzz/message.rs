//! Random bytes of a message: fields in any order, repeated, split, overwritten and unknown.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "any value will do")]

use prost::{
    Message as _,
    encoding::{WireType, encode_key, encode_varint},
};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::dice::Dice;
use crate::depot::message_type;

/// How deep messages are nested.
const DEPTH: u32 = 3;

/// Appends records of a few fields, so that most of them come more than once: they merge, add up or overwrite.
pub(super) fn message(dice: &mut Dice, descriptor: &MessageDescriptor, depth: u32, out: &mut Vec<u8>) {
    if known(dice, descriptor, out) {
        return;
    }
    let usable = |field: &FieldDescriptor| depth < DEPTH || field.kind().as_message().is_none();
    let fields: Vec<_> = descriptor.fields().filter(usable).collect();
    if fields.is_empty() {
        return;
    }
    let most = if depth == 0 { 30 } else { 8 / u64::from(depth) };
    let few: Vec<_> = (0..=most / 2).map(|_| dice.index(fields.len())).collect();
    for _ in 0..dice.below(most + 1) {
        if dice.below(15) == 0 {
            unknown(dice, out);
        }
        let field = &fields[few[dice.index(few.len())]];
        record(dice, field, depth, out);
    }
}

/// A field that no message of the tests has, of any wire type.
fn unknown(dice: &mut Dice, out: &mut Vec<u8>) {
    let number = 15_000 + dice.below(3) as u32;
    match dice.below(5) {
        0 => {
            encode_key(number, WireType::Varint, out);
            encode_varint(dice.number(), out);
        }
        1 => {
            encode_key(number, WireType::SixtyFourBit, out);
            out.extend(dice.number().to_le_bytes());
        }
        2 => {
            encode_key(number, WireType::ThirtyTwoBit, out);
            out.extend((dice.number() as u32).to_le_bytes());
        }
        3 => {
            encode_key(number, WireType::LengthDelimited, out);
            delimited(dice.text().as_bytes(), out);
        }
        _ => {
            encode_key(number, WireType::StartGroup, out);
            if dice.below(2) == 0 {
                unknown(dice, out);
            }
            encode_key(number, WireType::EndGroup, out);
        }
    }
}

fn delimited(bytes: &[u8], out: &mut Vec<u8>) {
    encode_varint(bytes.len() as u64, out);
    out.extend(bytes);
}

fn record(dice: &mut Dice, field: &FieldDescriptor, depth: u32, out: &mut Vec<u8>) {
    let kind = field.kind();
    let packable = !matches!(kind, Kind::String | Kind::Bytes | Kind::Message(_));
    if field.is_group() {
        let Some(descriptor) = kind.as_message() else { return };
        encode_key(field.number(), WireType::StartGroup, out);
        message(dice, descriptor, depth + 1, out);
        encode_key(field.number(), WireType::EndGroup, out);
    } else if field.is_list() && packable && dice.below(2) == 0 {
        // A writer may pack a list or not, whatever the contract says.
        let mut packed = Vec::new();
        (0..dice.below(4)).for_each(|_| value(dice, &kind, depth, &mut packed));
        encode_key(field.number(), WireType::LengthDelimited, out);
        delimited(&packed, out);
    } else {
        encode_key(field.number(), kind.wire_type(), out);
        value(dice, &kind, depth, out);
    }
}

fn value(dice: &mut Dice, kind: &Kind, depth: u32, out: &mut Vec<u8>) {
    match kind {
        Kind::Double => {
            let numbers = [0.0, -0.0, 1.5, f64::NAN, f64::INFINITY, f64::MIN, 1e300, 0.1, 5e-324];
            out.extend(numbers[dice.index(numbers.len())].to_le_bytes());
        }
        Kind::Float => {
            let numbers = [0.0, -0.0, 1.5, f32::NAN, f32::NEG_INFINITY, f32::MAX, 1e-40, 0.1, 16_777_216.0];
            out.extend(numbers[dice.index(numbers.len())].to_le_bytes());
        }
        Kind::Fixed32 | Kind::Sfixed32 => out.extend((dice.number() as u32).to_le_bytes()),
        Kind::Fixed64 | Kind::Sfixed64 => out.extend(dice.number().to_le_bytes()),
        Kind::String => delimited(dice.text().as_bytes(), out),
        Kind::Bytes => delimited(&dice.number().to_be_bytes()[dice.index(8)..], out),
        Kind::Message(descriptor) => {
            let mut inner = Vec::new();
            message(dice, descriptor, depth + 1, &mut inner);
            delimited(&inner, out);
        }
        Kind::Enum(_) => encode_varint([0, 1, 2, -7_i64 as u64, 5][dice.index(5)], out),
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Sint32 | Kind::Sint64 | Kind::Bool => {
            padded(dice, out);
        }
    }
}

/// A number, sometimes with more bytes than it needs.
fn padded(dice: &mut Dice, out: &mut Vec<u8>) {
    let number = dice.number();
    if number < 0x4000 && dice.below(4) == 0 {
        out.extend([number as u8 | 0x80, (number >> 7) as u8 | 0x80, 0]);
    } else {
        encode_varint(number, out);
    }
}

/// Types with values that have no JSON form.
fn known(dice: &mut Dice, descriptor: &MessageDescriptor, out: &mut Vec<u8>) -> bool {
    let bytes = match descriptor.full_name() {
        "google.protobuf.Timestamp" => {
            let seconds = dice.below(300_000_000_000) as i64 - 62_135_596_800;
            prost_types::Timestamp { seconds, nanos: (dice.below(4) * 250_000_000) as i32 }.encode_to_vec()
        }
        "google.protobuf.Duration" => {
            let sign = dice.below(2) as i64 * 2 - 1;
            let (seconds, nanos) = (dice.below(500) as i64, dice.below(1000) as i64 * 1_000_000);
            // Both parts are always set: merged parts of two durations could have two signs, which has no JSON form.
            let mut duration = Vec::new();
            for (number, part) in [(1, seconds), (2, nanos)] {
                encode_key(number, WireType::Varint, &mut duration);
                encode_varint((part * sign) as u64, &mut duration);
            }
            duration
        }
        "google.protobuf.FieldMask" => {
            let paths = (0..dice.below(3)).map(|at| format!("crate_id.x{at}")).collect();
            prost_types::FieldMask { paths }.encode_to_vec()
        }
        // prost-reflect writes a wrapped NaN as null.
        "google.protobuf.DoubleValue" => (dice.below(3) as f64 / 2.0).encode_to_vec(),
        "google.protobuf.FloatValue" => (dice.below(3) as f32 / 2.0).encode_to_vec(),
        "google.protobuf.Value" => json(dice, 0).encode_to_vec(),
        "google.protobuf.Struct" => {
            let fields = (0..dice.below(3)).map(|_| (dice.text(), json(dice, 1))).collect();
            prost_types::Struct { fields }.encode_to_vec()
        }
        "google.protobuf.ListValue" => {
            prost_types::ListValue { values: (0..dice.below(3)).map(|_| json(dice, 1)).collect() }.encode_to_vec()
        }
        "google.protobuf.Any" => {
            let mut value = Vec::new();
            let descriptor = match dice.below(3) {
                0 => message_type("Crate"),
                1 => message_type("Legacy"),
                _ => message_type("Everything"),
            };
            message(dice, &descriptor, 2, &mut value);
            // Both parts are always set, so that a second Any replaces the first one as a whole.
            let mut any = Vec::new();
            encode_key(1, WireType::LengthDelimited, &mut any);
            delimited(format!("type.googleapis.com/{}", descriptor.full_name()).as_bytes(), &mut any);
            encode_key(2, WireType::LengthDelimited, &mut any);
            delimited(&value, &mut any);
            any
        }
        _ => return false,
    };
    out.extend(bytes);
    true
}

fn json(dice: &mut Dice, depth: u32) -> prost_types::Value {
    use prost_types::value::Kind;
    let kind = match dice.below(if depth > 2 { 4 } else { 6 }) {
        0 => Kind::NullValue(0),
        1 => Kind::BoolValue(dice.below(2) == 1),
        2 => Kind::NumberValue(dice.below(100) as f64 / 4.0),
        3 => Kind::StringValue(dice.text()),
        4 => Kind::ListValue(prost_types::ListValue {
            values: (0..dice.below(3)).map(|_| json(dice, depth + 1)).collect(),
        }),
        _ => Kind::StructValue(prost_types::Struct {
            fields: (0..dice.below(3)).map(|_| (dice.text(), json(dice, depth + 1))).collect(),
        }),
    };
    prost_types::Value { kind: Some(kind) }
}
