//! Returns' events: what may come back, and what did.

use async_trait::async_trait;
use proto::{
    event::v1::Event,
    returns::v1::{Return, ReturnChanged, ReturnReceived, ReturnState},
};
use store::Reactions;
use types::Fault;

use super::{Commands, id, payload};
use crate::{fact::Returned, record::RecordReturn};

/// Follows returns.
#[derive(Debug)]
pub struct Returns;

#[async_trait]
impl Reactions for Returns {
    fn name(&self) -> &'static str {
        "order.returns"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["return.authorized", "return.cancelled", "return.received", "return.over_received", "return.closed"]
    }

    async fn react(&self, event: &Event) -> Result<Commands, Fault> {
        let image = if event.r#type.ends_with("received") {
            payload::<ReturnReceived>(event)?.r#return
        } else {
            payload::<ReturnChanged>(event)?.r#return
        };
        let image = image.ok_or_else(|| Fault::internal("an event about a return without the return"))?;
        Ok(vec![Box::new(RecordReturn {
            order_id: id("order_id", &image.order_id)?,
            return_id: id("return_id", &image.return_id)?,
            return_version: id("etag", &image.etag)?,
            lines: lines(&image),
        })])
    }
}

/// How the lines stand. What did not come by the end of a return is not expected any more.
fn lines(image: &Return) -> Vec<Returned> {
    let ended = matches!(image.state(), ReturnState::Closed | ReturnState::Cancelled);
    let line = |line: &proto::returns::v1::ReturnLine| Returned {
        line_number: line.line_number.into(),
        authorized: if ended { line.authorized.min(line.received) } else { line.authorized },
        received: line.received,
    };
    image.lines.iter().map(line).collect()
}
