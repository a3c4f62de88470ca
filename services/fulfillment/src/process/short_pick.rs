//! A node picks, and cannot find some of the units.
//!
//! 1. `RecordPick` ([`RecordPick`]) counts picked and short units, and excludes the node for the short items
//!    (`aggregate/answers.rs`): `fulfillment.picked`, `fulfillment.short_picked`. The order service counts both.
//! 2. [`deallocate_short`] reacts to the second: inventory deallocates the units, takes them off hand at the node, and reserves
//!    others or puts the order on backorder (`inventory.Deallocate` with SHORT,
//!    `services/inventory/src/process/short_pick.rs`).
//! 3. `RecordDeallocation` (`process/deallocation.rs`) makes units that inventory reserved unrouted; the release is routed again
//!    without the node for the item (`RouteTask`, `process/routing.rs`).
//! 4. Units that the order now waits for are returned to it (`process/unfulfillable.rs`).
//! 5. The node finds them after all and takes the short pick back (`process/found_units.rs`).

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{
    event::v1::Event,
    fulfillment::v1::{FulfillmentOrder, FulfillmentPicked, RecordPickRequest},
    inventory::v1::DeallocationPolicy,
    types::v1::LineQuantity,
};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, Timestamp};

use super::deallocation;
use crate::{
    aggregate::FulfillmentOrderAggregate,
    inventory::Inventory,
    keys,
    tracking_report::believed,
    wire::{check_units, known_lines},
};

/// Records units that were picked, or could not be found.
#[derive(Debug)]
pub(crate) struct RecordPick {
    fulfillment_order_id: FulfillmentOrderId,
    /// Units picked now.
    picked: Vec<LineQuantity>,
    /// Units not found now.
    short: Vec<LineQuantity>,
    /// When; now when absent.
    occur_time: Option<Timestamp>,
}

impl RecordPick {
    /// Reads the request.
    pub(crate) fn parse(request: &RecordPickRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let id = checks.id("fulfillment_order_id", &request.fulfillment_order_id);
        check_units("picked", &request.picked, 0, &mut checks);
        check_units("short", &request.short, 0, &mut checks);
        if request.picked.is_empty() && request.short.is_empty() {
            checks.wrong("picked", "must not be empty when short is");
        }
        let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref());
        checks.done()?;
        let (picked, short) = (request.picked.clone(), request.short.clone());
        Ok(Self { fulfillment_order_id: checked(id)?, picked, short, occur_time: checked(occur_time)? })
    }
}

impl Command for RecordPick {
    type Reply = FulfillmentOrder;
    const NAME: &'static str = "RecordPick";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<FulfillmentOrder, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.fulfillment_order_id, rows)?;
        let mut checks = Checks::new();
        let picked = known_lines(aggregate.order(), "picked", &self.picked, &mut checks);
        let short = known_lines(aggregate.order(), "short", &self.short, &mut checks);
        checks.done()?;
        aggregate.pick(picked, &short, believed(self.occur_time, cx.now()));
        Ok(aggregate.save(rows, cx)?.snapshot())
    }
}

/// Has short units deallocated.
pub(crate) async fn deallocate_short(
    inventory: &Inventory,
    event: &Event,
    payload: FulfillmentPicked,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let FulfillmentPicked { fulfillment_order, lines } = payload;
    let (request_id, policy) = (keys::deallocation(&event.event_id), DeallocationPolicy::Short);
    deallocation::deallocate(inventory, request_id, event, fulfillment_order, lines, policy).await
}
