//! Inventory has units back from a node: they are found another one, or the order has them back.

use proto::{fulfillment::v1::FulfillmentUnfulfillable, inventory::v1::Reservation, types::v1::LineQuantity};
use store::{Command, Context, Needs, NewEvent, Rows};
use types::{Fault, FulfillmentOrderId};

use crate::dossier::Dossier;

/// Why inventory has units back.
#[derive(Debug, Clone, PartialEq)]
pub enum Returned {
    /// The node would not do the work: its stock is still there.
    Untouched,
    /// The node could not find them. The order holds other units, or waits for stock as these reservations say.
    Short(Vec<Reservation>),
}

/// Moves units that were taken from a node, once inventory has them back.
#[derive(Debug)]
pub struct TakeBack {
    /// The work they were taken from.
    pub fulfillment_order_id: FulfillmentOrderId,
    /// The units.
    pub lines: Vec<LineQuantity>,
    /// Why.
    pub returned: Returned,
    /// The event that told of it.
    pub event_id: String,
}

impl Command for TakeBack {
    type Reply = ();
    const NAME: &'static str = "TakeBack";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        Dossier::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut dossier = Dossier::load(&self.fulfillment_order_id, rows)?;
        // What the node shipped after all meanwhile is not on its way back any more.
        let back = dossier.work.returned(&self.lines);
        if back.is_empty() {
            return Ok(());
        }
        let cancelled = dossier.book.release.cancel_time.is_some();
        let lost = if cancelled { Vec::new() } else { self.waits_for_stock(&back) };
        dossier.book.each(&back, |line, quantity| {
            line.assigned -= quantity;
            line.unrouted += quantity;
        });
        dossier.book.each(&lost, |line, quantity| {
            line.unrouted -= quantity;
            line.given_back += quantity;
        });
        dossier.book.route_again();
        dossier.save(rows, cx)?;
        if !lost.is_empty() {
            self.tell_unfulfillable(&dossier, lost, cx);
        }
        Ok(())
    }
}

impl TakeBack {
    /// Of units that came back short, those the order waits for now.
    ///
    /// Orders that wait are served first from whatever is free. So when a line waits for units at all, nothing was free
    /// for those that came back: the lesser of both is what waits because of them. Were it ever too many, the order would
    /// find units reserved that it has back, and release them again.
    fn waits_for_stock(&self, back: &[LineQuantity]) -> Vec<LineQuantity> {
        let Returned::Short(reservations) = &self.returned else { return Vec::new() };
        let waits = |unit: &LineQuantity| {
            let reservation = reservations.iter().find(|reservation| reservation.line_number == unit.line_number);
            let quantity = unit.quantity.min(reservation.map_or(0, |reservation| reservation.backordered));
            (quantity > 0).then(|| LineQuantity { quantity, ..unit.clone() })
        };
        back.iter().filter_map(waits).collect()
    }

    fn tell_unfulfillable(&self, dossier: &Dossier, lines: Vec<LineQuantity>, cx: &mut Context<'_>) {
        let Returned::Short(reservations) = &self.returned else { return };
        let order = &dossier.work.order;
        let told = FulfillmentUnfulfillable {
            order_id: order.order_id.to_string(),
            lines,
            reservations: reservations.clone(),
        };
        let version = dossier.book.release.version;
        let draft = NewEvent::untyped("fulfillment.unfulfillable", &order.order_id, version, &self.event_id, &told);
        cx.emit(draft.order(&order.order_id).account(&order.account_id));
    }
}
