//! Lines of the returns service's events.

use proto::{
    events::ReturnsEvent,
    returns::v1::{DispositionKind, Return, ReturnDisposed, ReturnLine, ReturnReceived},
};

use super::{
    exception,
    format::{colon, items, line_items, money},
};

pub(super) fn line(event: ReturnsEvent) -> Option<String> {
    Some(match event {
        ReturnsEvent::ReturnAuthorized(payload) => {
            let it = payload.r#return?;
            let authorized = units(&it, |line| line.authorized);
            format!("{} authorized: {authorized} may come back{}", it.return_id, colon(&it.reason))
        }
        ReturnsEvent::ReturnCancelled(payload) => format!("{} cancelled", payload.r#return?.return_id),
        ReturnsEvent::ReturnReceived(payload) => received(payload)?,
        ReturnsEvent::ReturnOverReceived(payload) => format!("{}, more than was authorized", received(payload)?),
        ReturnsEvent::ReturnReceiptRetracted(payload) => {
            format!("{} did not come back with {} after all", line_items(&payload.lines), payload.r#return?.return_id)
        }
        ReturnsEvent::ReturnInspected(payload) => {
            let it = payload.r#return?;
            format!("{} inspected: {}", it.return_id, units(&it, |line| line.inspected))
        }
        ReturnsEvent::ReturnDisposed(payload) => disposed(&payload),
        ReturnsEvent::ReturnCreditProposed(payload) => {
            let it = payload.r#return?;
            format!("credit of {} proposed for {}", money(it.credit.as_ref()?), it.return_id)
        }
        ReturnsEvent::ReturnClosed(payload) => format!("{} closed", payload.r#return?.return_id),
        ReturnsEvent::ExceptionOpened(payload) => exception::opened(&payload),
        ReturnsEvent::ExceptionResolved(payload) => exception::resolved(&payload),
    })
}

fn units(it: &Return, of: fn(&ReturnLine) -> i64) -> String {
    items(it.lines.iter().map(|line| (line.sku.as_str(), of(line))))
}

fn received(payload: ReturnReceived) -> Option<String> {
    Some(format!("{} came back with {}", line_items(&payload.lines), payload.r#return?.return_id))
}

fn disposed(payload: &ReturnDisposed) -> String {
    let kinds = [
        (DispositionKind::Restock, "back on hand"),
        (DispositionKind::Quarantine, "quarantined"),
        (DispositionKind::Scrap, "scrapped"),
        (DispositionKind::ReturnToVendor, "back to the vendor"),
        (DispositionKind::ReturnToCustomer, "back to the customer"),
        (DispositionKind::Unspecified, "undecided"),
    ];
    let parts: Vec<String> = kinds
        .into_iter()
        .filter_map(|(kind, disposition)| {
            let of_kind = || payload.lines.iter().filter(move |line| line.kind() == kind);
            of_kind().next()?;
            Some(format!("{} {disposition}", items(of_kind().map(|line| (line.sku.as_str(), line.quantity)))))
        })
        .collect();
    if parts.is_empty() {
        "returned goods: nothing decided".to_owned()
    } else {
        format!("returned goods: {}", parts.join("; "))
    }
}
