//! Lines of the order service's events.

use proto::{
    events::OrderEvent,
    order::v1::{
        AccountChanged, OrderConfirmed, OrderCreditProposed, OrderHoldChanged, OrderInvoiceReady, OrderReleased,
        OrderSubmitted,
    },
};

use super::{
    exception,
    format::{colon, count, items, line_items, lowercase, money, one_line, units},
};

pub(super) fn line(event: OrderEvent) -> Option<String> {
    Some(match event {
        OrderEvent::AccountCreated(payload) => format!("account {} added", account(payload)?),
        OrderEvent::AccountUpdated(payload) => format!("account {} changed", account(payload)?),
        OrderEvent::OrderSubmitted(payload) => submitted(payload)?,
        OrderEvent::OrderConfirmed(payload) => confirmed(&payload),
        OrderEvent::OrderRejected(payload) => format!("order rejected{}", colon(&payload.reason)),
        OrderEvent::OrderBackordered(payload) => {
            format!("{} backordered until there is stock", line_items(&payload.lines))
        }
        OrderEvent::OrderReleased(payload) => released(&payload),
        OrderEvent::OrderReleaseSuperseded(payload) => {
            format!("{} of {} are not to be shipped again", line_items(&payload.lines), payload.shipment_id)
        }
        OrderEvent::OrderHoldPlaced(payload) => format!("put on hold: {}", hold(&payload)),
        OrderEvent::OrderHoldReleased(payload) => {
            let remaining = match payload.open_holds {
                0 => String::new(),
                1 => "; 1 hold remains".to_owned(),
                more => format!("; {more} holds remain"),
            };
            format!("hold released: {}{remaining}", hold(&payload))
        }
        OrderEvent::OrderLineCancelled(payload) => {
            format!("cancelled {} before their release{}", line_items(&payload.lines), colon(&payload.reason))
        }
        OrderEvent::OrderCancelRequested(payload) => {
            format!("cancellation of released units requested{}", colon(&payload.reason))
        }
        OrderEvent::OrderCancelled(payload) => format!("order cancelled{}", colon(&payload.reason)),
        OrderEvent::OrderCancelLost(payload) => {
            format!("cancellation came too late: {} had shipped {}", payload.shipment_id, line_items(&payload.lines))
        }
        OrderEvent::OrderInvoiceReady(payload) => invoice_ready(payload)?,
        OrderEvent::OrderCreditProposed(payload) => credit_proposed(payload)?,
        OrderEvent::OrderCreditRefused(payload) => {
            format!("no credit for {}: they were not to be paid", line_items(&payload.lines))
        }
        OrderEvent::OrderClosed(payload) => {
            format!("order closed: {}", lowercase(payload.status().as_str_name(), "ORDER_STATUS_"))
        }
        OrderEvent::ExceptionOpened(payload) => exception::opened(&payload),
        OrderEvent::ExceptionResolved(payload) => exception::resolved(&payload),
    })
}

fn account(payload: AccountChanged) -> Option<String> {
    let account = payload.account?;
    Some(format!("{} ({})", one_line(&account.name), account.account_id))
}

fn submitted(payload: OrderSubmitted) -> Option<String> {
    let order = payload.order?;
    let total = order.total.as_ref().map(|total| format!(", {}", money(total))).unwrap_or_default();
    let (number, account, po) = (count(order.lines.len(), "line"), &order.account_id, one_line(&order.customer_po));
    Some(format!("order placed: {number}{total} for {account} {po}").trim_end().to_owned())
}

fn confirmed(payload: &OrderConfirmed) -> String {
    let counters = || payload.lines.iter().filter_map(|line| line.counters.as_ref());
    // Some units may have been released since they were reserved.
    let reserved: i64 = counters().map(|line| line.reserved + line.released + line.shipped).sum();
    let backordered: i64 = counters().map(|line| line.backordered).sum();
    let backordered = if backordered > 0 { format!(", {backordered} backordered") } else { String::new() };
    format!("order confirmed: {} reserved{backordered}", units(reserved))
}

fn released(payload: &OrderReleased) -> String {
    let released = items(payload.lines.iter().map(|line| (line.sku.as_str(), line.quantity)));
    let number = payload.release_number;
    let number = if number > 1 { format!(" (release {number})") } else { String::new() };
    format!("released {released} to be fulfilled{number}")
}

fn hold(payload: &OrderHoldChanged) -> String {
    let Some(hold) = &payload.hold else { return "no reason given".to_owned() };
    let note = if hold.note.is_empty() { String::new() } else { format!(", {}", one_line(&hold.note)) };
    let lines = hold.line_numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let lines = if lines.is_empty() { String::new() } else { format!(" of lines {lines}") };
    format!("{}{lines}{note}", lowercase(hold.reason().as_str_name(), "HOLD_REASON_"))
}

fn credit_proposed(payload: OrderCreditProposed) -> Option<String> {
    let credit = payload.credit?;
    let amount = money(credit.amount.as_ref()?);
    let credited = items(credit.lines.iter().map(|line| (line.sku.as_str(), line.quantity)));
    Some(format!("credit of {amount} proposed for {credited}{}", colon(&credit.reason)))
}

fn invoice_ready(payload: OrderInvoiceReady) -> Option<String> {
    let readiness = payload.readiness?;
    let amount = money(readiness.amount.as_ref()?);
    let invoiced = items(readiness.lines.iter().map(|line| (line.sku.as_str(), line.quantity)));
    Some(format!("{amount} ready to invoice for {invoiced}{}", colon(&readiness.reason)))
}
