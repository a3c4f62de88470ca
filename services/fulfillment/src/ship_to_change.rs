//! A change of the destination of released units: what is known of it by now.

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::FulfillmentShipToChangeSettled,
    types::v1::{Address, LineQuantity},
};
use store::{Context, NewEvent, Proto, Rows};
use types::{AccountId, Fault, OrderId, Timestamp};

use crate::{package::add, process::faster_node::subtract, wire::count};

store::record! {
    /// A change of the destination of the units of a ship-to group of an order.
    pub(crate) struct ShipToChange in "ship_to_changes" key (
        order_id: OrderId, change_number: i64, ship_to_group: i64
    ) {
        /// The order's account.
        account_id: AccountId,
        /// Where the goods should go.
        ship_to: Proto<Address>,
        /// Nodes that are asked and have not answered.
        nodes_asked: i64,
        /// Which units go there by now, and which do not.
        settled: Proto<FulfillmentShipToChangeSettled>,
        /// When it was requested.
        create_time: Timestamp,
    }
}

impl ShipToChange {
    /// A change of which nothing is known yet.
    pub(crate) fn new(
        (order_id, change_number, ship_to_group): (OrderId, i64, i64),
        account_id: AccountId,
        ship_to: Address,
        now: Timestamp,
    ) -> Self {
        let settled = FulfillmentShipToChangeSettled {
            order_id: order_id.to_string(),
            change_number: count(change_number),
            ship_to_group: count(ship_to_group),
            ..FulfillmentShipToChangeSettled::default()
        };
        Self {
            order_id,
            change_number,
            account_id,
            ship_to_group,
            ship_to: Proto(ship_to),
            nodes_asked: 0,
            settled: Proto(settled),
            create_time: now,
            version: 0,
        }
    }

    /// Units go to the new address.
    pub(crate) fn accept(&mut self, units: Vec<LineQuantity>) {
        add(&mut self.settled.0.accepted, units);
    }

    /// Units stay with the old address.
    pub(crate) fn reject(&mut self, units: Vec<LineQuantity>, reason: &str) {
        if !units.is_empty() {
            add(&mut self.settled.0.rejected, units);
            reason.clone_into(&mut self.settled.0.reason);
        }
    }

    /// Units that were counted as staying with the old address go to the new one after all.
    pub(crate) fn accept_late(&mut self, units: Vec<LineQuantity>) {
        subtract(&mut self.settled.0.rejected, &units);
        self.accept(units);
        if self.settled.0.rejected.is_empty() {
            self.settled.0.reason.clear();
        }
    }

    /// Whether, as far as nodes have answered, units stay with the old address and none go to the new one.
    pub(crate) fn is_declined(&self) -> bool {
        self.settled.0.accepted.is_empty() && !self.settled.0.rejected.is_empty()
    }

    /// Saves it; when no node is asked any more, emits what it amounts to.
    pub(crate) fn save(mut self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        self.settled.0.accepted.sort_by_key(|unit| unit.line_number);
        self.settled.0.rejected.sort_by_key(|unit| unit.line_number);
        let key = (self.order_id.clone(), self.change_number, self.ship_to_group);
        if rows.get::<Self>(&key)? == Some(&self) {
            return Ok(());
        }
        let saved = rows.put(self);
        if saved.nodes_asked == 0 {
            let payload = FulfillmentEvent::FulfillmentShipToChangeSettled(saved.settled.0.clone());
            let event_key = format!("ship-to-{}/{}/{}", saved.change_number, saved.ship_to_group, saved.version);
            let event = NewEvent::new(payload, &saved.order_id, saved.version, event_key);
            cx.emit(event.order(&saved.order_id).account(&saved.account_id));
        }
        Ok(())
    }
}
