//! Orders give units out, and call them off.

use proto::{
    event::v1::Event,
    order::v1::{OrderCancelRequested, OrderReleased, ReleasedLine},
};
use store::{AnyCommand, Proto, Reactions};
use types::{Fault, OrderId, Timestamp};

use super::{id, read};
use crate::{
    node::HandlingClass,
    release::{Release, ReleaseLine, Routing},
    report::CancelOrder,
    route::AcceptRelease,
    routing::Exclusions,
    wire,
};

/// Follows the order service's log.
#[derive(Debug, Clone, Copy)]
pub struct OnOrder;

#[async_trait::async_trait]
impl Reactions for OnOrder {
    fn name(&self) -> &'static str {
        "fulfillment.order"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["order.released", "order.cancel_requested"]
    }

    async fn react(&self, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        Ok(match event.r#type.as_str() {
            "order.released" => vec![Box::new(released(read(event)?)?)],
            "order.cancel_requested" => {
                let OrderCancelRequested { order_id, reason } = read(event)?;
                vec![Box::new(CancelOrder { order_id: id(&order_id)?, reason })]
            }
            _ => Vec::new(),
        })
    }
}

fn released(told: OrderReleased) -> Result<AcceptRelease, Fault> {
    let order_id: OrderId = id(&told.order_id)?;
    let release_number = i64::from(told.release_number);
    let ship_to = told.ship_to.ok_or_else(|| Fault::internal("a release has no address"))?;
    let lines = told.lines.into_iter().map(|released| line(&order_id, release_number, released));
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
    let release = Release {
        order_id,
        release_number,
        account_id: id(&told.account_id)?,
        customer_po: told.customer_po,
        ship_to: Proto(ship_to),
        requested_ship_time: told.requested_ship_time.as_ref().and_then(mesh::wire::from_timestamp),
        routing: Routing::Wanted,
        attempt: 1,
        try_number: 1,
        decision_id: None,
        exclusions: Exclusions::default(),
        unassigned_time: None,
        cancel_time: None,
        cancel_reason: String::new(),
        create_time: Timestamp::default(),
        version: 0,
    };
    Ok(AcceptRelease { release, lines })
}

fn line(order_id: &OrderId, release_number: i64, released: ReleasedLine) -> Result<ReleaseLine, Fault> {
    let class = released.handling_class().as_str_name();
    let handling_class: HandlingClass = wire::named(class, "HANDLING_CLASS_")
        .ok_or_else(|| Fault::internal(format!("line {} has no handling class", released.line_number)))?;
    Ok(ReleaseLine {
        order_id: order_id.clone(),
        release_number,
        line_number: i64::from(released.line_number),
        waiting_sku: None,
        sku: released.sku,
        handling_class,
        quantity: released.quantity,
        unrouted: released.quantity,
        planned: 0,
        assigned: 0,
        given_back: 0,
        cancelled: 0,
        version: 0,
    })
}
