//! Noting that a key is used.

use std::time::Duration;

use store::{Command, Context, Needs, Rows};
use types::{ApiKeyId, Fault, Timestamp};

use super::key::ApiKey;

/// How exact the time of the last use is: a busy key is not written more often.
const EXACT: Duration = Duration::from_mins(5);

/// Whether the use of a key is to be noted at this time.
pub(crate) fn is_news(key: &ApiKey, now: Timestamp) -> bool {
    let known = key.last_use_time.map_or(i64::MIN, Timestamp::as_micros);
    let exact = i64::try_from(EXACT.as_micros()).unwrap_or(i64::MAX);
    known <= now.as_micros().saturating_sub(exact)
}

/// Notes that a key is used. Not a fact of the business, so nothing is told.
pub(crate) struct NoteUse(pub ApiKeyId);

impl Command for NoteUse {
    type Reply = ();
    const NAME: &'static str = "NoteUse";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ApiKey>(&self.0);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let used = rows.get::<ApiKey>(&self.0)?.filter(|key| is_news(key, cx.now())).cloned();
        if let Some(used) = used {
            rows.put(ApiKey { last_use_time: Some(cx.now()), ..used });
        }
        Ok(())
    }
}
