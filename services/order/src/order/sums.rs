//! What an order keeps of its lines, so that a list of orders need not read them.

use mesh::wire::timestamp;
use prost::Message as _;
use proto::order::v1 as contract;

use super::Order;
use crate::{invoice::Balance, order_line::OrderLine, own_fields, promise, wire};

/// About how long an order is without its texts, when it is encoded.
const ORDER_BYTES: usize = 300;

/// The same of a line, with its counters.
const LINE_BYTES: usize = 150;

/// The same of a hold, with its note.
const HOLD_BYTES: usize = 700;

/// About how long a line is, when it is encoded.
pub(crate) fn line_bytes(line: &OrderLine) -> usize {
    LINE_BYTES + line.sku.len() + line.name.len() + own_fields::size(&line.own_fields)
}

impl Order {
    /// Keeps the sums over all its lines.
    pub(crate) fn sum_up(&mut self, lines: &[OrderLine]) {
        let mut units = contract::LineCounters::default();
        let (mut returnable, mut bytes) = (0, 0);
        for line in lines {
            add(&mut units, &wire::counters(line));
            if !line.is_service() {
                returnable += (line.delivered - line.return_authorized).max(0);
            }
            bytes += line_bytes(line);
        }
        self.line_count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        let balance = Balance::of(lines);
        let sum = |minor: fn(&OrderLine) -> i64| lines.iter().map(minor).fold(0, i64::saturating_add);
        let money = |minor: i64| Some(wire::money(self.currency, minor));
        self.sums.0 = contract::Order {
            units: Some(units),
            wanted_total: money(sum(OrderLine::wanted_minor)),
            invoicing_status: self.invoicing_status(lines, &balance).into(),
            invoiced_total: money(sum(|line| line.invoiced_minor)),
            credit_posted_total: money(sum(|line| line.credit_posted_minor)),
            to_invoice_total: money(balance.to_invoice_minor),
            to_credit_total: money(balance.to_credit_minor),
            ..contract::Order::default()
        };
        self.sum_up_promises(lines);
        self.returnable = returnable;
        self.size_bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    }

    /// Keeps when it is promised to be delivered.
    pub(crate) fn sum_up_promises(&mut self, lines: &[OrderLine]) {
        let (promised_delivery_time, promise_is_partial) = promise::promised_delivery(lines);
        self.sums.0.promised_delivery_time = promised_delivery_time.map(timestamp);
        self.sums.0.promise_is_partial = promise_is_partial;
    }

    /// About how long it is without lines and holds, when it is encoded.
    pub(crate) fn summary_bytes(&self) -> usize {
        let texts = self.customer_po.len() + self.reason.len() + self.ship_to.0.encoded_len();
        ORDER_BYTES + texts + own_fields::size(&self.own_fields)
    }

    /// About how long it is with them.
    pub(crate) fn full_bytes(&self) -> usize {
        let holds = usize::try_from(self.open_holds).unwrap_or(0).saturating_mul(HOLD_BYTES);
        let lines = usize::try_from(self.size_bytes).unwrap_or(usize::MAX);
        self.summary_bytes().saturating_add(lines).saturating_add(holds)
    }
}

/// Adds counters of a line.
pub(crate) fn add(sum: &mut contract::LineCounters, line: &contract::LineCounters) {
    let contract::LineCounters {
        ordered,
        cancelled,
        unallocated,
        backordered,
        reserved,
        released,
        picked,
        shipped,
        delivered,
        short,
        over_shipped,
        invoice_ready,
        return_authorized,
        return_received,
        credited,
        cancel_requested,
        invoiced,
        credit_posted,
        to_invoice,
        to_credit,
    } = line;
    sum.ordered += ordered;
    sum.cancelled += cancelled;
    sum.unallocated += unallocated;
    sum.backordered += backordered;
    sum.reserved += reserved;
    sum.released += released;
    sum.picked += picked;
    sum.shipped += shipped;
    sum.delivered += delivered;
    sum.short += short;
    sum.over_shipped += over_shipped;
    sum.invoice_ready += invoice_ready;
    sum.return_authorized += return_authorized;
    sum.return_received += return_received;
    sum.credited += credited;
    sum.cancel_requested += cancel_requested;
    sum.invoiced = sum.invoiced.saturating_add(*invoiced);
    sum.credit_posted = sum.credit_posted.saturating_add(*credit_posted);
    sum.to_invoice += to_invoice;
    sum.to_credit = sum.to_credit.saturating_add(*to_credit);
}
