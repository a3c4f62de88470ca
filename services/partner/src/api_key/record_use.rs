//! Records when a key was last used.

use std::time::Duration;

use store::{Command, Context, Needs, Rows};
use types::{ApiKeyId, Fault, Timestamp};

use super::ApiKey;

/// Precision of the last use: a busy key is not written more often.
const PRECISION: Duration = Duration::from_mins(5);

/// Whether a use of a key at this time is recorded.
pub(crate) fn is_due(key: &ApiKey, now: Timestamp) -> bool {
    let known = key.last_use_time.map_or(i64::MIN, Timestamp::as_micros);
    let precision = i64::try_from(PRECISION.as_micros()).unwrap_or(i64::MAX);
    known <= now.as_micros().saturating_sub(precision)
}

/// Records that a key was used. This is no business fact, so no event is emitted.
pub(crate) struct RecordUse(pub ApiKeyId);

impl Command for RecordUse {
    type Reply = ();
    const NAME: &'static str = "RecordUse";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ApiKey>(&self.0);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let used = rows.get::<ApiKey>(&self.0)?.filter(|key| is_due(key, cx.now())).cloned();
        if let Some(used) = used {
            rows.put(ApiKey { last_use_time: Some(cx.now()), ..used });
        }
        Ok(())
    }
}
