//! A node finds units after all that it had reported as not found.
//!
//! 1. `RetractPick` (`report/corrections.rs`) names short units. The node is to ship them again, as long as no other node has
//!    them: inventory has not deallocated them yet, or they are unrouted in the release (`aggregate/corrections.rs`,
//!    `FulfillmentOrder::find`). `fulfillment.pick_retracted` has them as `found`. The order service counts them as no longer short.
//! 2. Otherwise it is refused, and [`whereabouts`] says where the units are: a node that ships them all the same reports the
//!    shipment (`process/faster_node.rs`), and units that the order waits for are on hand again with the next count. While they
//!    are being routed it is refused as UNAVAILABLE, since they have a node or none a moment later.
//!    The units of such a shipment are not short any more; inventory puts them on hand again by itself before they leave
//!    (`services/inventory/src/process/short_pick.rs`).
//! 3. [`allocate_found`] reacts to the event, after the reaction to the short pick: inventory puts the units on hand again as
//!    of the pick, so that a count since has them already, and allocates them at the node.

use std::collections::BTreeMap;

use proto::{
    event::v1::Event,
    fulfillment::v1::{FulfillmentOrder as WireOrder, FulfillmentPickRetracted},
    types::v1::LineQuantity,
};
use store::{AnyCommand, Needs, Rows};
use types::{Fault, FulfillmentOrderId};

use super::{cancellation::ORDER, deallocation::present};
use crate::{
    fulfillment_order::{FulfillmentLine, FulfillmentOrderHeader},
    inventory::Inventory,
    keys,
    release::ReleaseLine,
};

/// Requests the other fulfillment orders of an order, by which [`whereabouts`] finds units.
pub(crate) fn needs(id: &FulfillmentOrderId, rows: &Rows, needs: &mut Needs) {
    let Ok(Some(own)) = rows.get::<FulfillmentOrderHeader>(id) else { return };
    needs.by::<FulfillmentOrderHeader>(ORDER, &own.order_id);
    for other in rows.by::<FulfillmentOrderHeader>(ORDER, &own.order_id).into_iter().flatten() {
        needs.under::<FulfillmentLine>(&other.fulfillment_order_id);
    }
}

/// Refuses to give units of a line back to a node, and says where they are.
pub(crate) fn whereabouts(id: &FulfillmentOrderId, line: &ReleaseLine, rows: &Rows) -> Result<Fault, Fault> {
    if line.planned > 0 {
        return Ok(Fault::unavailable(format!("units of line {} are being routed", line.line_number)));
    }
    let mut places = Vec::new();
    for other in rows.by::<FulfillmentOrderHeader>(ORDER, &line.order_id)? {
        let is_other = other.fulfillment_order_id != *id && other.release_number == line.release_number;
        let lines = rows.under::<FulfillmentLine>(&other.fulfillment_order_id)?;
        let has_units = lines.iter().any(|one| one.line_number == line.line_number && one.open() + one.shipped > 0);
        if is_other && has_units {
            places.push(format!("{} at {}", other.fulfillment_order_id, other.node_id));
        }
    }
    if line.returned_to_order > 0 {
        places.push("the order, which waits for stock".to_owned());
    }
    if line.cancelled > 0 {
        places.push("nobody, since the order cancelled them".to_owned());
    }
    let places = if places.is_empty() { "the order".to_owned() } else { places.join(", ") };
    Ok(Fault::not_supported(format!("units of line {} are with {places}", line.line_number)).fact("with", places))
}

/// Has found units put on hand and allocated at their node again.
pub(crate) async fn allocate_found(
    inventory: &Inventory,
    event: &Event,
    payload: FulfillmentPickRetracted,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let FulfillmentPickRetracted { fulfillment_order, found, .. } = payload;
    let order: WireOrder = present(fulfillment_order)?;
    if !found.is_empty() {
        let mut items: BTreeMap<&str, i64> = BTreeMap::new();
        for LineQuantity { sku, quantity, .. } in &found {
            *items.entry(sku).or_default() += quantity;
        }
        inventory.put_back(&keys::found(&event.event_id), event, &order, &items, &found).await?;
    }
    Ok(Vec::new())
}
