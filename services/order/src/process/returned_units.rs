//! Units that may come back and units that came back, as the order counts them.
//!
//! 1. `AuthorizeReturn`, an action that the order supports while it has delivered units without a return, is a call of
//!    the returns service; the whole process is in `services/returns/src/process/receipt_to_credit.rs`.
//! 2. `return.authorized`, `return.received`, `return.over_received`, `return.inspected`, `return.cancelled` and
//!    `return.closed` carry the return as it is: [`RecordReturn`] keeps its lines, unless it has kept a newer version.
//! 3. [`ChangingOrder::count_returns`] sets the counters of a line to the sums over all its returns. No more units come
//!    back than are shipped, and none of a service: when `shipment.shipped` comes late, the counters are set again (`record.rs`).
//! 4. Inspected units may earn a credit (`process/settlement.rs`).
//! 5. State and status of the order stay as they are; its supported actions follow from the counters.

use std::collections::BTreeMap;

use proto::returns::v1::{DispositionKind, Return, ReturnLine, ReturnState};
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId, ReturnId};

use crate::{
    aggregate::{ChangingOrder, OrderAggregate},
    order_line::LineUnits,
    report::read_id,
};

store::record! {
    /// A line of a return, as last reported.
    pub(crate) struct OrderReturnLine in "order_return_lines"
        key (order_id: OrderId, return_id: ReturnId, line_number: i64)
    {
        /// Version of the return.
        return_version: i64,
        /// Units authorized to come back.
        authorized: i64,
        /// Units that came back.
        received: i64,
        /// Units that came back and were inspected, and for which a credit is due if the customer owes them.
        creditable: i64,
    }
}

/// Units of a line in all returns together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReturnedUnits {
    /// The line.
    pub(crate) line_number: i64,
    /// Units authorized to come back.
    pub(crate) authorized: i64,
    /// Units that came back; may be more than are reported shipped by now.
    pub(crate) received: i64,
    /// Units of those for which a credit is due if the customer owes them.
    pub(crate) creditable: i64,
}

/// The units of all returns of an order, by line.
pub(crate) fn sums(order_id: &OrderId, rows: &Rows) -> Result<Vec<ReturnedUnits>, Fault> {
    let mut lines: BTreeMap<i64, ReturnedUnits> = BTreeMap::new();
    for line in rows.under::<OrderReturnLine>(order_id)? {
        let line_number = line.line_number;
        let none = ReturnedUnits { line_number, authorized: 0, received: 0, creditable: 0 };
        let sum = lines.entry(line_number).or_insert(none);
        sum.authorized = sum.authorized.saturating_add(line.authorized);
        sum.received = sum.received.saturating_add(line.received);
        sum.creditable = sum.creditable.saturating_add(line.creditable);
    }
    Ok(lines.into_values().collect())
}

impl ChangingOrder {
    /// Sets the counters of returned units.
    pub(crate) fn count_returns(&mut self, returned: &[ReturnedUnits]) {
        for units in returned {
            let ReturnedUnits { line_number, authorized, received, creditable } = *units;
            self.with_line(line_number, |line| {
                if !line.is_service() {
                    line.set_returned(authorized, received, creditable);
                }
            });
        }
    }
}

/// Records a return as it is at one of its versions.
#[derive(Debug)]
pub(crate) struct RecordReturn {
    order_id: OrderId,
    return_id: ReturnId,
    lines: Vec<OrderReturnLine>,
}

impl RecordReturn {
    /// Reads the return of an event. Units that did not come back by its end are not authorized any more.
    pub(crate) fn read(report: Option<Return>) -> Result<Self, Fault> {
        let report = report.ok_or_else(|| Fault::internal("an event without its return"))?;
        let ended = matches!(report.state(), ReturnState::Closed | ReturnState::Cancelled);
        let order_id: OrderId = read_id(&report.order_id)?;
        let return_id: ReturnId = read_id(&report.return_id)?;
        let return_version = report.etag.parse().map_err(|_| Fault::internal("a return whose etag is not a number"))?;
        let line = |line: &ReturnLine| OrderReturnLine {
            order_id: order_id.clone(),
            return_id: return_id.clone(),
            line_number: line.line_number.into(),
            return_version,
            authorized: if ended { line.authorized.min(line.received) } else { line.authorized },
            received: line.received,
            creditable: creditable(line),
            version: 0,
        };
        // What a carrier brings back to the sender was not delivered.
        let of_customer = report.package_id.is_empty();
        let lines = report.lines.iter().filter(|_| of_customer).map(line).collect();
        Ok(Self { order_id, return_id, lines })
    }
}

/// Inspected units, except those that go back to the customer.
fn creditable(line: &ReturnLine) -> i64 {
    let credited = line.dispositions.iter().filter(|one| one.kind() != DispositionKind::ReturnToCustomer);
    credited.map(|one| one.quantity).fold(0, i64::saturating_add)
}

impl Command for RecordReturn {
    type Reply = ();

    const NAME: &'static str = "RecordReturn";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs(&self.order_id, rows, needs);
        needs.under::<OrderReturnLine>(&self.order_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut inspected = Vec::new();
        for line in &self.lines {
            let key = (line.order_id.clone(), line.return_id.clone(), line.line_number);
            let known = rows.get::<OrderReturnLine>(&key)?;
            if known.is_none_or(|known| known.return_version < line.return_version) {
                let (version, before) = known.map_or((0, 0), |known| (known.version, known.creditable));
                let quantity = line.creditable - before;
                if quantity > 0 {
                    inspected.push(LineUnits { line_number: line.line_number, quantity });
                }
                rows.put(OrderReturnLine { version, ..line.clone() });
            }
        }
        let returned = sums(&self.order_id, rows)?;
        let mut aggregate = OrderAggregate::load(&self.order_id, rows)?;
        aggregate.check_lines(returned.iter().map(|units| units.line_number))?;
        let now = cx.now();
        aggregate.change(now, |aggregate| {
            aggregate.count_returns(&returned);
            aggregate.settle_return(&self.return_id, &inspected, now);
        });
        aggregate.save(rows, cx).map(|_| ())
    }
}
