//! What the returns service tells.

use proto::{
    event::v1::Event,
    returns::v1::{DispositionKind, Return, ReturnChanged, ReturnDisposed, ReturnLine, ReturnReceived},
};
use store::payload;

use super::words::{because, goods, lines, money};

pub(super) fn line(event: &Event) -> Option<String> {
    Some(match event.r#type.as_str() {
        "return.authorized" => {
            let it = changed(event)?;
            let what = units(&it, |line| line.authorized);
            format!("{} authorized: {what} may come back{}", it.return_id, because(&it.reason))
        }
        "return.cancelled" => format!("{} cancelled", changed(event)?.return_id),
        "return.received" => {
            let fact: ReturnReceived = payload(event)?;
            format!("{} came back with {}", lines(&fact.lines), fact.r#return?.return_id)
        }
        "return.over_received" => {
            let fact: ReturnReceived = payload(event)?;
            format!("{} came back with {}, more than was authorized", lines(&fact.lines), fact.r#return?.return_id)
        }
        "return.inspected" => {
            let it = changed(event)?;
            format!("{} inspected: {}", it.return_id, units(&it, |line| line.inspected))
        }
        "return.disposed" => disposed(&payload(event)?),
        "return.credit_proposed" => {
            let it = changed(event)?;
            format!("credit of {} proposed for {}", money(it.credit.as_ref()?), it.return_id)
        }
        "return.closed" => format!("{} closed", changed(event)?.return_id),
        _ => return None,
    })
}

fn changed(event: &Event) -> Option<Return> {
    payload::<ReturnChanged>(event)?.r#return
}

fn units(it: &Return, of: fn(&ReturnLine) -> i64) -> String {
    goods(it.lines.iter().map(|line| (line.sku.as_str(), of(line))))
}

fn disposed(fact: &ReturnDisposed) -> String {
    let kinds = [
        (DispositionKind::Restock, "back on hand"),
        (DispositionKind::Quarantine, "kept apart"),
        (DispositionKind::Scrap, "scrapped"),
        (DispositionKind::ReturnToVendor, "back to the vendor"),
        (DispositionKind::ReturnToCustomer, "back to the customer"),
        (DispositionKind::Unspecified, "undecided"),
    ];
    let parts: Vec<String> = kinds
        .into_iter()
        .filter_map(|(kind, fate)| {
            let of_kind = || fact.lines.iter().filter(move |line| line.kind() == kind);
            of_kind().next()?;
            Some(format!("{} {fate}", goods(of_kind().map(|line| (line.sku.as_str(), line.quantity)))))
        })
        .collect();
    if parts.is_empty() {
        "returned goods: nothing decided".to_owned()
    } else {
        format!("returned goods: {}", parts.join("; "))
    }
}
