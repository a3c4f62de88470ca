//! The tables write the same JSON as prost-reflect, for random bytes of a message.
//!
//! Each case is derived from its number. `WAYBILL_FUZZ_CASES` sets how many there are, `WAYBILL_FUZZ_SEED` the first one.

mod dice;
mod message;

use bytes::Bytes;
use dice::Dice;
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde_json::Value;

use crate::depot::{Answering, message_type};

/// The number of cases when it is not set.
const CASES: u64 = 2_500;

/// The numbers of the cases.
fn cases() -> std::ops::Range<u64> {
    #[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
    let asked = |name: &str| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    let first = asked("WAYBILL_FUZZ_SEED").unwrap_or(1);
    first..first.saturating_add(asked("WAYBILL_FUZZ_CASES").unwrap_or(CASES))
}

fn encoded(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    message::message(dice, &message_type("Everything"), 0, &mut bytes);
    bytes
}

/// The JSON of these bytes; `None` when they are not a message or have no JSON form.
fn written_by_oracle(bytes: &[u8]) -> Option<Value> {
    let message = DynamicMessage::decode(message_type("Everything"), bytes).ok()?;
    let mut written = serde_json::Serializer::new(Vec::new());
    message.serialize_with_options(&mut written, &SerializeOptions::new().skip_default_fields(false)).ok()?;
    Some(serde_json::from_slice(&written.into_inner()).unwrap())
}

/// Prints which case failed and how to repeat it.
macro_rules! hold {
    ($seed:ident, $bytes:ident, $held:expr, $($message:tt)*) => {
        assert!(
            $held,
            "{}\nbytes: {:02x?}\nagain: WAYBILL_FUZZ_SEED={} WAYBILL_FUZZ_CASES=1",
            format!($($message)*), $bytes, $seed
        )
    };
}

#[tokio::test]
async fn a_message_is_written_as_prost_reflect_writes_it() {
    let service = Answering::new();
    let mut written = 0_usize;
    for seed in cases() {
        let bytes = encoded(&mut Dice::new(seed));
        let reply = service.reply(Bytes::from(bytes.clone())).await;
        match written_by_oracle(&bytes) {
            Some(expected) => {
                hold!(seed, bytes, reply.status == 200, "{reply:?}");
                let answered = reply.json();
                hold!(seed, bytes, answered == expected, "answered {answered}\nexpected {expected}");
                written += 1;
            }
            None => hold!(seed, bytes, reply.status == 500, "{reply:?}"),
        }
    }
    let all = usize::try_from(cases().end - cases().start).unwrap();
    assert_eq!(written, all, "messages without JSON");
}

#[tokio::test]
async fn bytes_that_are_cut_or_broken_are_an_answer_or_an_error_and_never_a_panic() {
    let service = Answering::new();
    let mut refused = 0_usize;
    for seed in cases() {
        let mut dice = Dice::new(seed);
        let mut bytes = encoded(&mut dice);
        dice.damage(&mut bytes);
        let reply = service.reply(Bytes::from(bytes.clone())).await;
        let answered: Result<Value, _> = serde_json::from_slice(&reply.body);
        hold!(seed, bytes, answered.is_ok(), "{reply:?}");
        hold!(seed, bytes, reply.status == 200 || reply.status == 500, "{reply:?}");
        // Bytes that are still a message are still written. Prost-reflect accepts a map entry of any wire type, and a
        // message that it accepts inside an Any may be base64 here.
        let comparable = reply.status == 200 && !reply.body.windows(7).any(|part| part == b"\"@type\"");
        if let (true, Some(expected)) = (comparable, written_by_oracle(&bytes)) {
            hold!(seed, bytes, answered.as_ref().ok() == Some(&expected), "answered {reply:?}\nexpected {expected}");
        }
        refused += usize::from(reply.status == 500);
    }
    assert!(refused > 0 || cases().end - cases().start < 100, "nothing was broken");
}
