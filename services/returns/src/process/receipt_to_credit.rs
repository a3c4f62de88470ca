//! From the authorization of a return to its credit.
//!
//! 1. Fulfillment emits `shipment.delivered`: `CountDelivery` (`copy.rs`) makes the units returnable.
//! 2. `AuthorizeReturn` (`authorize.rs`): [`authorize`] accepts units that can still come back, and `return.authorized` is
//!    emitted. The order service counts them (`services/order/src/process/returned_units.rs`), as it does in 3 to 6.
//! 3. `ReceiveReturn` (`receive.rs`): [`ReturnAggregate::receive`] records what came back, `return.received`. Units that
//!    were not authorized are recorded too: `return.over_received` and the exception OVER_RECEIVED.
//!    `RetractReceipt` (`retract_receipt.rs`) takes back what was not inspected: `return.receipt_retracted`.
//! 4. `InspectReturn` (`inspect.rs`): [`ReturnAggregate::inspect`] records what the units are fit for, `return.inspected`.
//!    Inventory follows `return.disposed` and puts units to restock on hand (`services/inventory/src/process/restock.rs`).
//! 5. The order service follows `return.inspected` and decides what the customer gets back of what it owes
//!    (`services/order/src/process/settlement.rs`): `order.credit_proposed` or `order.credit_refused`. `RecordCredit`
//!    (`record_credit.rs`) counts it, `return.credit_proposed`.
//! 6. `CloseReturn` or `CancelReturn` (`end.rs`): [`ReturnAggregate::end`] lets units that did not come back be returned
//!    otherwise, `return.closed` or `return.cancelled`. Goods that come after the end are received as in 3; none of them
//!    is authorized.

use std::collections::BTreeMap;

use proto::{returns::v1::DisposedLine, types::v1::LineQuantity};
use types::{Fault, ReturnId, Timestamp};

use crate::{
    aggregate::ReturnAggregate,
    events::PendingEvent,
    order::DeliveredLine,
    return_line::{Disposition, ReturnLine},
    rma::{Action, ReturnState},
    wire::{self, LineUnits},
};

/// What the order service decided about inspected units of a line.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CreditedUnits {
    /// The line.
    pub(crate) line_number: i64,
    /// Units that a credit is proposed for.
    pub(crate) credited: i64,
    /// Units that earn none.
    pub(crate) refused: i64,
    /// The credit.
    pub(crate) amount_minor: i64,
}

/// The lines of a new return. Refused when fewer units of a line can still come back.
pub(crate) fn authorize(
    return_id: &ReturnId,
    lines: &[LineUnits],
    order_lines: &BTreeMap<i64, DeliveredLine>,
) -> Result<BTreeMap<i64, ReturnLine>, Fault> {
    let mut authorized = BTreeMap::new();
    for (index, (line_number, units)) in lines.iter().enumerate() {
        let order_line = order_lines.get(line_number).ok_or_else(|| wire::unknown_line(index, "order"))?;
        order_line.line.check_returnable(order_line.delivered, *units)?;
        let sku = order_line.line.sku.clone();
        authorized.insert(*line_number, ReturnLine::new(return_id.clone(), *line_number, sku, *units));
    }
    Ok(authorized)
}

impl ReturnAggregate {
    /// Records units that came back at a time, whether they were authorized or not.
    pub(crate) fn receive(&mut self, lines: &[LineUnits], time: Timestamp) -> Result<(), Fault> {
        if self.rma.state.is_ended() {
            self.lines.values_mut().for_each(ReturnLine::expect_no_more);
        }
        let (mut expected, mut unexpected): (Vec<LineQuantity>, Vec<LineQuantity>) = Default::default();
        for (index, (line_number, units)) in lines.iter().enumerate() {
            let order_line = self.order_lines.get(line_number);
            let order_line = order_line.ok_or_else(|| wire::unknown_line(index, "order"))?;
            let line = self.lines.entry(*line_number).or_insert_with(|| {
                ReturnLine::new(self.rma.return_id.clone(), *line_number, order_line.line.sku.clone(), 0)
            });
            let over_received = line.receive(*units);
            expected.extend(wire::some_units(line, *units - over_received));
            unexpected.extend(wire::some_units(line, over_received));
        }
        self.rma.move_to(ReturnState::of_lines(self.lines.values()), self.lines.values());
        if !expected.is_empty() {
            self.pending.push(PendingEvent::Received(expected, time));
        }
        if !unexpected.is_empty() {
            self.pending.push(PendingEvent::OverReceived(unexpected, time));
        }
        Ok(())
    }

    /// Records what received units are fit for.
    pub(crate) fn inspect(&mut self, lines: &[(i64, Vec<(Disposition, i64)>)]) -> Result<(), Fault> {
        self.rma.check_supported(self.lines.values(), Action::Inspect)?;
        let mut disposed = Vec::new();
        for (index, (line_number, dispositions)) in lines.iter().enumerate() {
            let line = self.lines.get_mut(line_number).ok_or_else(|| wire::unknown_line(index, "return"))?;
            for (disposition, units) in dispositions {
                line.dispose(*disposition, *units)?;
                disposed.push(DisposedLine {
                    line_number: wire::number(*line_number),
                    sku: line.sku.clone(),
                    kind: proto::returns::v1::DispositionKind::from(*disposition).into(),
                    quantity: *units,
                });
            }
        }
        self.rma.move_to(ReturnState::of_lines(self.lines.values()), self.lines.values());
        self.pending.extend([PendingEvent::Inspected, PendingEvent::Disposed(disposed)]);
        Ok(())
    }

    /// Counts units that the order service decided about: credited with an amount in minor units, or refused a credit.
    pub(crate) fn decide_credit(&mut self, decided: &[CreditedUnits]) {
        let mut proposed = false;
        for CreditedUnits { line_number, credited, refused, amount_minor } in decided {
            if let Some(line) = self.lines.get_mut(line_number) {
                line.credited += credited;
                line.credit_refused += refused;
                line.credit_minor += amount_minor;
                proposed |= *amount_minor > 0;
            }
        }
        self.rma.move_to(self.rma.state, self.lines.values());
        if proposed {
            self.pending.push(PendingEvent::CreditProposed);
        }
    }

    /// Units that were received and not inspected did not come back after all. An ended return stays ended.
    pub(crate) fn retract_receipt(&mut self, lines: &[LineUnits]) -> Result<(), Fault> {
        let mut retracted = Vec::new();
        for (index, (line_number, units)) in lines.iter().enumerate() {
            let line = self.lines.get_mut(line_number).ok_or_else(|| wire::unknown_line(index, "return"))?;
            line.retract(*units)?;
            retracted.extend(wire::some_units(line, *units));
        }
        if !self.rma.state.is_ended() {
            self.rma.move_to(ReturnState::of_lines(self.lines.values()), self.lines.values());
        }
        self.pending.push(PendingEvent::ReceiptRetracted(retracted));
        Ok(())
    }

    /// Cancels it before anything came back.
    pub(crate) fn cancel(&mut self) {
        self.rma.move_to(ReturnState::Cancelled, self.lines.values());
        self.pending.push(PendingEvent::Cancelled);
    }

    /// Authorizes it again after it was cancelled: the goods come back after all.
    pub(crate) fn authorize_again(&mut self) {
        self.rma.move_to(ReturnState::Authorized, self.lines.values());
        self.pending.push(PendingEvent::Authorized);
    }

    /// Closes or cancels the return: what did not come back can be returned otherwise.
    pub(crate) fn end(&mut self, action: Action, state: ReturnState, event: PendingEvent) -> Result<(), Fault> {
        self.rma.check_supported(self.lines.values(), action)?;
        self.rma.move_to(state, self.lines.values());
        self.pending.push(event);
        Ok(())
    }
}
