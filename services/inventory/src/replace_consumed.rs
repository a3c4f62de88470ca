//! Units of a package that was written off. The package's units stay consumed: they are gone. When it is to be replaced, others are
//! reserved for them; units that nobody wanted are forgotten.

use mesh::wire::one_id;
use proto::{
    events::InventoryEvent,
    fulfillment::v1::{ShipmentWrittenOff, WriteOffRemedy},
    inventory::v1::ReplacementReserved,
    types::v1::LineQuantity,
};
use store::{Command, Context, Needs, NewEvent, Rows};
use types::{AccountId, Fault, OrderId};

use crate::{
    ledger::Cause, quantity::RequestedLine, reservation::LineKey, wire::reservations_of, working_set::WorkingSet,
};

/// Units to reserve again, or to forget.
pub(crate) struct ReplaceConsumed {
    replaces: bool,
    package_id: String,
    shipment_id: String,
    order_id: OrderId,
    account_id: AccountId,
    lines: Vec<RequestedLine>,
}

impl ReplaceConsumed {
    /// The units of a package that is written off.
    pub(crate) fn of(written_off: ShipmentWrittenOff) -> Result<Self, Fault> {
        let replaces = written_off.remedy() == WriteOffRemedy::Replace;
        let shipment = written_off.shipment.unwrap_or_default();
        let lines = RequestedLine::of_event(written_off.lines);
        Ok(Self {
            replaces,
            package_id: written_off.package_id,
            order_id: one_id("shipment.order_id", &shipment.order_id)?,
            account_id: one_id("shipment.account_id", &shipment.account_id)?,
            shipment_id: shipment.shipment_id,
            lines,
        })
    }

    fn keys(&self) -> impl Iterator<Item = LineKey> {
        self.lines.iter().map(|line| line.key(&self.order_id))
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::of_lines(self.keys());
        self.lines.iter().for_each(|line| set.units_become_free(rows, &line.sku));
        set
    }
}

impl Command for ReplaceConsumed {
    type Reply = ();
    const NAME: &'static str = "ReplaceConsumed";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        ledger.check_items("lines", self.lines.iter().map(|line| &line.sku))?;
        for (key, line) in self.keys().zip(&self.lines) {
            if self.replaces {
                ledger.replace(&key, line.quantity)?;
            } else {
                ledger.forget_unwanted(&key, line.quantity);
            }
        }
        ledger.save(&Cause::Shipment(&self.order_id, &self.shipment_id, Some(&self.account_id)), rows, cx)?;
        if !self.replaces {
            return Ok(());
        }
        let replacement = Replacement {
            order_id: &self.order_id,
            account_id: Some(&self.account_id),
            shipment_id: &self.shipment_id,
            lines: &self.lines,
            key: &self.package_id,
        };
        replacement.emit(rows, cx)
    }
}

/// Units of a shipment that are reserved again.
pub(crate) struct Replacement<'a> {
    pub(crate) order_id: &'a OrderId,
    pub(crate) account_id: Option<&'a AccountId>,
    pub(crate) shipment_id: &'a str,
    pub(crate) lines: &'a [RequestedLine],
    /// What makes its event unique among those of the shipment.
    pub(crate) key: &'a str,
}

impl Replacement<'_> {
    /// Tells the order, with its reservations as they are now.
    pub(crate) fn emit(&self, rows: &Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let quantity = |line: &RequestedLine| LineQuantity {
            line_number: i32::try_from(line.line_number).unwrap_or(i32::MAX),
            sku: line.sku.clone(),
            quantity: line.quantity,
        };
        let payload = InventoryEvent::InventoryReplacementReserved(ReplacementReserved {
            order_id: self.order_id.to_string(),
            shipment_id: self.shipment_id.to_owned(),
            lines: self.lines.iter().map(quantity).collect(),
            reservations: reservations_of(rows, self.lines.iter().map(|line| line.key(self.order_id)))?,
        });
        let event = NewEvent::new(payload, self.shipment_id, 1, self.key).order(self.order_id);
        cx.emit(match self.account_id {
            Some(account_id) => event.account(account_id),
            None => event,
        });
        Ok(())
    }
}
