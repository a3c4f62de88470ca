//! How many exceptions of an order are open: an order with any needs a person.

use proto::{events::OperationsEvent, operations::v1::OrderExceptionsChanged};
use store::{Context, Needs, NewEvent, Rows};
use types::{AccountId, Fault, OrderId};

use super::Exception;

store::record! {
    /// How many exceptions of an order are open. An order without any exception has no row.
    pub(crate) struct OrderExceptions in "order_exceptions" key (order_id: OrderId) {
        open_exceptions: i64,
    }
}

/// Asks for the count of the order with this id; a text that is no order's id has none.
pub(super) fn needs(order_id: &str, needs: &mut Needs) {
    if let Ok(order_id) = order_id.parse::<OrderId>() {
        needs.row::<OrderExceptions>(&order_id);
    }
}

/// Counts a changed exception of an order, and tells the order's followers when the first one opens or the last is closed.
pub(super) fn count(
    before: Option<&Exception>,
    after: &Exception,
    rows: &mut Rows,
    cx: &mut Context<'_>,
) -> Result<(), Fault> {
    let order_of = |exception: &Exception| exception.order_id.parse::<OrderId>().ok();
    let was_of = before.filter(|exception| exception.is_open()).and_then(order_of);
    let is_of = Some(after).filter(|exception| exception.is_open()).and_then(order_of);
    if was_of == is_of {
        return Ok(());
    }
    for (order_id, delta) in was_of.map(|id| (id, -1)).into_iter().chain(is_of.map(|id| (id, 1))) {
        add(order_id, delta, after.account_id.as_ref(), rows, cx)?;
    }
    Ok(())
}

fn add(
    order_id: OrderId,
    delta: i64,
    account_id: Option<&AccountId>,
    rows: &mut Rows,
    cx: &mut Context<'_>,
) -> Result<(), Fault> {
    let known = rows.get::<OrderExceptions>(&order_id)?;
    let (before, version) = known.map_or((0, 0), |known| (known.open_exceptions, known.version));
    let open_exceptions = before + delta;
    let row = rows.put(OrderExceptions { order_id, open_exceptions, version });
    if (before > 0) == (open_exceptions > 0) {
        return Ok(());
    }
    let payload = OperationsEvent::ExceptionOrderChanged(OrderExceptionsChanged {
        order_id: row.order_id.to_string(),
        open_exceptions: i32::try_from(open_exceptions).unwrap_or(i32::MAX),
    });
    let event = NewEvent::new(payload, &row.order_id, row.version, row.version).order(&row.order_id);
    cx.emit(match account_id {
        Some(account_id) => event.account(account_id),
        None => event,
    });
    Ok(())
}
