//! What the order service tells.

use proto::{
    event::v1::Event,
    order::v1::{
        AccountChanged, OrderBackordered, OrderCancelLost, OrderCancelRequested, OrderCancelled, OrderClosed,
        OrderConfirmed, OrderHoldChanged, OrderInvoiceReady, OrderLinesCancelled, OrderRejected, OrderReleased,
        OrderSubmitted,
    },
};
use store::payload;

use super::words::{because, count, goods, lines, money, one_line, plain, units};

pub(super) fn line(event: &Event) -> Option<String> {
    Some(match event.r#type.as_str() {
        "account.created" => format!("account {} added", account(event)?),
        "account.updated" => format!("account {} changed", account(event)?),
        "order.submitted" => submitted(payload(event)?)?,
        "order.confirmed" => confirmed(&payload(event)?),
        "order.rejected" => {
            let fact: OrderRejected = payload(event)?;
            format!("order rejected{}", because(&fact.reason))
        }
        "order.backordered" => {
            let fact: OrderBackordered = payload(event)?;
            format!("{} backordered until there is stock", lines(&fact.lines))
        }
        "order.released" => released(&payload(event)?),
        "order.hold_placed" => {
            let fact: OrderHoldChanged = payload(event)?;
            format!("put on hold: {}", hold(&fact))
        }
        "order.hold_released" => {
            let fact: OrderHoldChanged = payload(event)?;
            let left = match fact.open_holds {
                0 => String::new(),
                1 => "; 1 hold still stands".to_owned(),
                more => format!("; {more} holds still stand"),
            };
            format!("hold released: {}{left}", hold(&fact))
        }
        "order.line_cancelled" => {
            let fact: OrderLinesCancelled = payload(event)?;
            format!("cancelled {} before their release{}", lines(&fact.lines), because(&fact.reason))
        }
        "order.cancel_requested" => {
            let fact: OrderCancelRequested = payload(event)?;
            format!("cancellation of released units asked for{}", because(&fact.reason))
        }
        "order.cancelled" => {
            let fact: OrderCancelled = payload(event)?;
            format!("order cancelled{}", because(&fact.reason))
        }
        "order.cancel_lost" => {
            let fact: OrderCancelLost = payload(event)?;
            format!("cancellation came too late: {} had shipped {}", fact.shipment_id, lines(&fact.lines))
        }
        "order.invoice_ready" => invoice_ready(payload(event)?)?,
        "order.closed" => {
            let fact: OrderClosed = payload(event)?;
            format!("order closed: {}", plain(fact.status().as_str_name(), "ORDER_STATUS_"))
        }
        _ => return None,
    })
}

fn account(event: &Event) -> Option<String> {
    let account = payload::<AccountChanged>(event)?.account?;
    Some(format!("{} ({})", one_line(&account.name), account.account_id))
}

fn submitted(fact: OrderSubmitted) -> Option<String> {
    let order = fact.order?;
    let total = order.total.as_ref().map(|total| format!(", {}", money(total))).unwrap_or_default();
    let (number, account, po) = (count(order.lines.len(), "line"), &order.account_id, one_line(&order.customer_po));
    Some(format!("order placed: {number}{total} for {account} {po}").trim_end().to_owned())
}

fn confirmed(fact: &OrderConfirmed) -> String {
    let counters = || fact.lines.iter().filter_map(|line| line.counters.as_ref());
    // Units may have left the reserved ones already.
    let promised: i64 = counters().map(|line| line.reserved + line.released + line.shipped).sum();
    let waiting: i64 = counters().map(|line| line.backordered).sum();
    let waiting = if waiting > 0 { format!(", {waiting} backordered") } else { String::new() };
    format!("order confirmed: {} reserved{waiting}", units(promised))
}

fn released(fact: &OrderReleased) -> String {
    let what = goods(fact.lines.iter().map(|line| (line.sku.as_str(), line.quantity)));
    let which = if fact.release_number > 1 { format!(" (release {})", fact.release_number) } else { String::new() };
    format!("released {what} to be fulfilled{which}")
}

fn hold(fact: &OrderHoldChanged) -> String {
    let Some(hold) = &fact.hold else { return "no reason given".to_owned() };
    let note = if hold.note.is_empty() { String::new() } else { format!(", {}", one_line(&hold.note)) };
    format!("{}{note}", plain(hold.reason().as_str_name(), "HOLD_REASON_"))
}

fn invoice_ready(fact: OrderInvoiceReady) -> Option<String> {
    let readiness = fact.readiness?;
    let amount = money(readiness.amount.as_ref()?);
    let what = goods(readiness.lines.iter().map(|line| (line.sku.as_str(), line.quantity)));
    Some(format!("{amount} ready to invoice for {what}{}", because(&readiness.reason)))
}
