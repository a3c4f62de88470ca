//! Lines of the order service's events.

use proto::{
    events::OrderEvent,
    order::v1::{
        AccountChanged, AccountReceivablesRecorded, LineChangeKind, OrderChange, OrderConfirmed, OrderCreditProposed,
        OrderHoldChanged, OrderInvoiceReady, OrderInvoiced, OrderPromiseChanged, OrderReleased, OrderSubmitted,
        ShipToChanged,
    },
};

use super::{
    exception,
    format::{colon, count, items, line_items, list, lowercase, money, one_line, place, units, utc},
};

pub(super) fn line(event: OrderEvent) -> Option<String> {
    Some(match event {
        OrderEvent::AccountCreated(payload) => format!("account {} added", account(payload)?),
        OrderEvent::AccountUpdated(payload) => format!("account {} changed", account(payload)?),
        OrderEvent::AccountPricesChanged(payload) => {
            format!("own prices of {} of {} changed", count(payload.prices.len(), "item"), payload.account_id)
        }
        OrderEvent::AccountReceivablesRecorded(payload) => receivables(payload)?,
        OrderEvent::ShipToCreated(payload) => format!("ship-to {} added", ship_to(payload)?),
        OrderEvent::ShipToUpdated(payload) => format!("ship-to {} changed", ship_to(payload)?),
        OrderEvent::PriceListCreated(payload) => {
            format!("price list {} added with prices of {}", payload.price_list_id, count(payload.prices.len(), "item"))
        }
        OrderEvent::PriceListUpdated(payload) => {
            format!("price list {}: prices of {} changed", payload.price_list_id, count(payload.prices.len(), "item"))
        }
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
            let what = if payload.lines.is_empty() { "released units".to_owned() } else { line_items(&payload.lines) };
            format!("cancellation of {what} requested{}", colon(&payload.reason))
        }
        OrderEvent::OrderShipToChangeRequested(payload) => {
            let group = match payload.ship_to_group {
                0 => String::new(),
                group => format!(" of group {group}"),
            };
            format!("change of the destination{group} to {} requested", place(&payload.ship_to?))
        }
        OrderEvent::OrderChangeProposed(payload) => change(payload.change?, "proposed")?,
        OrderEvent::OrderChangeConfirmed(payload) => change(payload.change?, "confirmed")?,
        OrderEvent::OrderChangeEnded(payload) => {
            let change = payload.change?;
            let state = lowercase(change.state().as_str_name(), "ORDER_CHANGE_STATE_");
            format!("change {} {state}{}", change.change_number, colon(&change.end_reason))
        }
        OrderEvent::OrderPromiseSet(payload) => format!("promised: {}", promises(&payload)),
        OrderEvent::OrderPromiseChanged(payload) => format!("promise changed: {}", promises(&payload)),
        OrderEvent::OrderCancelled(payload) => format!("order cancelled{}", colon(&payload.reason)),
        OrderEvent::OrderCancelLost(payload) => {
            format!("cancellation came too late: {} had shipped {}", payload.shipment_id, line_items(&payload.lines))
        }
        OrderEvent::OrderInvoiceReady(payload) => invoice_ready(payload)?,
        OrderEvent::OrderCreditProposed(payload) => credit_proposed(payload)?,
        OrderEvent::OrderCreditRefused(payload) => {
            format!("no credit for {}: they were not to be paid", line_items(&payload.lines))
        }
        OrderEvent::OrderInvoiced(payload) => invoiced(payload, "invoiced")?,
        OrderEvent::OrderCreditPosted(payload) => invoiced(payload, "credited")?,
        OrderEvent::OrderClosed(payload) => {
            format!("order closed: {}", lowercase(payload.status().as_str_name(), "ORDER_STATUS_"))
        }
        OrderEvent::ExceptionOpened(payload) => exception::opened(&payload),
        OrderEvent::ExceptionResolved(payload) => exception::resolved(&payload),
    })
}

/// `TEA by 2026-12-04 22:59 UTC (stock arrived)`: when each line is delivered, or leaves where nobody knows that.
fn promises(payload: &OrderPromiseChanged) -> String {
    let lines = payload.lines.iter().map(|line| {
        let promise = line.after.clone().unwrap_or_default();
        let date = match (promise.promised_delivery_time, promise.promised_ship_time) {
            (Some(delivery), _) => format!("by {}", utc(&delivery)),
            (None, Some(ship)) => format!("leaves by {}", utc(&ship)),
            (None, None) => "without a date".to_owned(),
        };
        format!("{} {date} ({})", line.sku, lowercase(line.reason().as_str_name(), "PROMISE_REASON_"))
    });
    list(&lines.collect::<Vec<_>>(), "lines")
}

fn change(change: OrderChange, what: &str) -> Option<String> {
    let lines = change.lines.iter().map(|line| match line.kind() {
        LineChangeKind::Added if line.substitutes > 0 => {
            format!("{} {} in place of line {}", line.quantity_after, line.sku, line.substitutes)
        }
        LineChangeKind::Added => format!("{} {} more", line.quantity_after, line.sku),
        LineChangeKind::Removed => format!("no {}", line.sku),
        LineChangeKind::Changed | LineChangeKind::Unspecified if line.quantity_before == line.quantity_after => {
            format!("another price for {}", line.sku)
        }
        LineChangeKind::Changed | LineChangeKind::Unspecified => {
            format!("{} {} instead of {}", line.quantity_after, line.sku, line.quantity_before)
        }
    });
    let places = change.ship_tos.iter().filter_map(|to| to.ship_to_after.as_ref()?.address.as_ref());
    let places = places.map(|address| format!("to {}", place(address)));
    let times = change.times.map(|_| "other times".to_owned());
    let parts: Vec<_> = lines.chain(places).chain(times).collect();
    let total = change.total_after.map(|total| format!(", now {}", money(&total))).unwrap_or_default();
    Some(format!("change {} {what}: {}{total}", change.change_number, parts.join(", ")))
}

fn account(payload: AccountChanged) -> Option<String> {
    let account = payload.account?;
    Some(format!("{} ({})", one_line(&account.name), account.account_id))
}

fn receivables(payload: AccountReceivablesRecorded) -> Option<String> {
    let credit = payload.credit?;
    Some(format!("{} owes {} for its invoices", credit.account_id, money(credit.receivables.as_ref()?)))
}

fn ship_to(payload: ShipToChanged) -> Option<String> {
    let ship_to = payload.ship_to?;
    Some(format!("{} of {}", ship_to.ship_to_id, ship_to.account_id))
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

fn invoiced(payload: OrderInvoiced, what: &str) -> Option<String> {
    let invoice = payload.invoice?;
    let amount = money(invoice.amount.as_ref()?);
    let quantity = invoice.lines.iter().map(|line| line.quantity).sum();
    Some(format!("{amount} {what} for {} with {}", units(quantity), one_line(&invoice.invoice_number)))
}
