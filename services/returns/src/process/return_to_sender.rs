//! A package that a carrier brings back to its sender.
//!
//! 1. Fulfillment emits `shipment.returned_to_sender` (`services/fulfillment/src/process/undelivered.rs`):
//!    [`ExpectReturnToSender`] authorizes a return of the package's units to the node that they left, `return.authorized`.
//! 2. `ReceiveReturn` and `InspectReturn` as for a customer's return (`process/receipt_to_credit.rs`): units to restock go on
//!    hand. The units were not delivered, so they count against no customer's return and there is no credit: what happens to the
//!    order's units is decided by writing the package off.
//! 3. `shipment.recovered`, the package does not come back after all: [`CancelReturnToSender`] cancels the return, unless
//!    units of it came back.
//! 4. `shipment.returned_to_sender` again, as what said the contrary was taken back: the same return is authorized again.

use std::collections::BTreeMap;

use proto::fulfillment::v1::ShipmentUndelivered;
use store::{Command, Context, Needs, Rows};
use types::{Fault, NodeId, OrderId, PackageId, ReturnId};

use crate::{
    aggregate::ReturnAggregate,
    copy::read_id,
    events::PendingEvent,
    order::{DeliveredLine, Order},
    return_line::ReturnLine,
    rma::{CreditState, Return, ReturnState},
};

/// Why such a return is there.
const REASON: &str = "returned to the sender by the carrier";

/// Expects the units of a package back.
pub(crate) struct ExpectReturnToSender {
    package_id: PackageId,
    order_id: OrderId,
    node_id: NodeId,
    /// Base units by line.
    lines: BTreeMap<i64, i64>,
}

/// Expects the units of a package no longer.
pub(crate) struct CancelReturnToSender {
    package_id: PackageId,
}

/// The return of a package: a package comes back at most once.
fn return_id(package_id: &PackageId) -> Result<ReturnId, Fault> {
    let id = package_id.to_string();
    let number = id.split_once('_').map_or(id.as_str(), |(_, number)| number);
    read_id(&format!("rma_{number}"))
}

impl ExpectReturnToSender {
    /// Reads the event.
    pub(crate) fn read(event: ShipmentUndelivered) -> Result<Self, Fault> {
        let shipment = event.shipment.ok_or_else(|| Fault::internal("an event without its shipment"))?;
        let mut lines: BTreeMap<i64, i64> = BTreeMap::new();
        for line in event.lines {
            *lines.entry(line.line_number.into()).or_default() += line.quantity.max(0);
        }
        Ok(Self {
            package_id: read_id(&event.package_id)?,
            order_id: read_id(&shipment.order_id)?,
            node_id: read_id(&shipment.node_id)?,
            lines,
        })
    }
}

impl Command for ExpectReturnToSender {
    type Reply = ();
    const NAME: &'static str = "ExpectReturnToSender";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        if let Ok(return_id) = return_id(&self.package_id) {
            needs.row::<Return>(&return_id);
            needs.under::<ReturnLine>(&return_id);
        }
        needs.row::<Order>(&self.order_id);
        self.lines.keys().for_each(|line_number| DeliveredLine::needs(&self.order_id, *line_number, needs));
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let return_id = return_id(&self.package_id)?;
        if let Some(known) = rows.get::<Return>(&return_id)?.cloned() {
            if known.state == ReturnState::Cancelled {
                let mut aggregate = ReturnAggregate::load_any(known, &[], rows)?;
                aggregate.authorize_again();
                aggregate.save(rows, cx)?;
            }
            return Ok(());
        }
        let order = rows.get::<Order>(&self.order_id)?.cloned();
        let order = order.ok_or_else(|| Fault::not_found("order", &self.order_id))?;
        let order_lines = DeliveredLine::load(&self.order_id, self.lines.keys().copied(), rows)?;
        let mut lines = BTreeMap::new();
        for (line_number, units) in &self.lines {
            let order_line = order_lines.get(line_number);
            let order_line = order_line.ok_or_else(|| Fault::internal("a package with a line that its order lacks"))?;
            let sku = order_line.line.sku.clone();
            lines.insert(*line_number, ReturnLine::new(return_id.clone(), *line_number, sku, *units));
        }
        let rma = Return {
            return_id,
            order_id: order.order_id,
            account_id: order.account_id,
            state: ReturnState::Authorized,
            reason: REASON.to_owned(),
            node_id: self.node_id.clone(),
            package_id: Some(self.package_id.clone()),
            currency: order.currency,
            credit_state: CreditState::NotRefundable,
            create_time: cx.now(),
            update_time: cx.now(),
            overdue_time: None,
            size_bytes: 0,
            version: 0,
        };
        ReturnAggregate::new(rma, lines, order_lines, PendingEvent::Authorized).save(rows, cx).map(|_| ())
    }
}

impl CancelReturnToSender {
    /// Reads the event.
    pub(crate) fn read(event: &ShipmentUndelivered) -> Result<Self, Fault> {
        Ok(Self { package_id: read_id(&event.package_id)? })
    }
}

impl Command for CancelReturnToSender {
    type Reply = ();
    const NAME: &'static str = "CancelReturnToSender";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        if let Ok(return_id) = return_id(&self.package_id) {
            ReturnAggregate::needs(&return_id, &[], rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let return_id = return_id(&self.package_id)?;
        let Some(rma) = rows.get::<Return>(&return_id)?.filter(|rma| rma.state == ReturnState::Authorized) else {
            return Ok(());
        };
        let mut aggregate = ReturnAggregate::load_any(rma.clone(), &[], rows)?;
        aggregate.cancel();
        aggregate.save(rows, cx).map(|_| ())
    }
}
