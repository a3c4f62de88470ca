//! Tasks about the holds and the changes of an order, which have numbers.

use store::{AnyCommand, Context, Task, TaskHandler};
use types::{Fault, OrderId, Timestamp};

/// A kind of task about a numbered thing of an order. Its key is `order/number`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NumberedTask {
    /// The kind.
    pub(crate) kind: &'static str,
    /// The command that is due.
    pub(crate) command: fn(OrderId, i64) -> Box<dyn AnyCommand>,
}

impl NumberedTask {
    /// Schedules the task; one of the same thing that is scheduled already is due then instead.
    pub(crate) fn schedule(&self, order_id: &OrderId, number: i64, due: Timestamp, cx: &mut Context<'_>) {
        cx.schedule(Task::new(self.kind, key(order_id, number), due));
    }

    /// Drops the task, if there is one.
    pub(crate) fn drop(&self, order_id: &OrderId, number: i64, cx: &mut Context<'_>) {
        cx.unschedule(self.kind, &key(order_id, number));
    }
}

fn key(order_id: &OrderId, number: i64) -> String {
    format!("{order_id}/{number}")
}

fn parse(key: &str) -> Option<(OrderId, i64)> {
    let (order_id, number) = key.split_once('/')?;
    Some((order_id.parse().ok()?, number.parse().ok()?))
}

#[async_trait::async_trait]
impl TaskHandler for NumberedTask {
    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let unreadable = || Fault::internal(format!("{:?} names no order with a number", task.key));
        let (order_id, number) = parse(&task.key).ok_or_else(unreadable)?;
        Ok(vec![(self.command)(order_id, number)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let order_id: OrderId = "ord_1".parse().unwrap();
        assert_eq!(parse(&key(&order_id, 7)), Some((order_id, 7)));
        for wrong in ["", "ord_1", "ord_1/", "/7", "ord_1/x"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
