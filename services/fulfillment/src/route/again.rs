//! Something has changed: what waits for a node is routed again.

use std::collections::BTreeSet;

use proto::fulfillment::v1::RetryRoutingResponse;
use store::{Command, Context, Needs, Rows, Task};
use types::{Fault, OrderId};

use crate::{
    keys,
    release::{Book, Release, ReleaseLine, Routing},
};

const WAITING_SKU: &[&str] = &["waiting_sku"];
const ROUTING: &[&str] = &["routing"];

/// A person wants an order's units routed again. Nodes that rejected or shorted them are asked again too: a person knows
/// why.
#[derive(Debug)]
pub struct RetryRouting {
    /// The order.
    pub order_id: OrderId,
}

impl Command for RetryRouting {
    type Reply = RetryRoutingResponse;
    const NAME: &'static str = "RetryRouting";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.under::<Release>(&self.order_id);
        for release in rows.under::<Release>(&self.order_id).into_iter().flatten() {
            Book::needs(&release.order_id, release.release_number, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<RetryRoutingResponse, Fault> {
        let numbers: Vec<_> = rows.under::<Release>(&self.order_id)?.iter().map(|one| one.release_number).collect();
        if numbers.is_empty() {
            return Err(Fault::not_found("release of order", &self.order_id));
        }
        let mut lines = Vec::new();
        for number in numbers {
            let Some(mut book) = Book::load(&self.order_id, number, rows)? else { continue };
            if let Some(decision_id) = &book.release.decision_id {
                // The plan stands; asking for it may have been given up.
                cx.schedule(Task::new(keys::ALLOCATE, decision_id, cx.now()));
                lines.extend(book.planned());
            }
            if book.waits() {
                lines.extend(book.unrouted());
                book.forgive();
                book.route_again();
                book.save(rows, cx)?;
            }
        }
        Ok(RetryRoutingResponse { lines })
    }
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A node.
    Node,
    /// Stock of an item; work of this order did not cause it.
    Stock {
        /// The item.
        sku: String,
        /// The order that caused it, if one did.
        cause: Option<OrderId>,
    },
}

/// Routes again all that waits for it. A plan that is being made is made again, on the facts as they are now.
#[derive(Debug)]
pub struct RouteWaiting {
    /// What has changed.
    pub trigger: Trigger,
}

impl RouteWaiting {
    fn waiting(&self, rows: &Rows) -> Result<BTreeSet<(OrderId, i64)>, Fault> {
        Ok(match &self.trigger {
            Trigger::Node => {
                let mut releases = rows.by::<Release>(ROUTING, &Routing::Parked)?;
                releases.extend(rows.by::<Release>(ROUTING, &Routing::Wanted)?);
                releases.into_iter().map(|release| (release.order_id.clone(), release.release_number)).collect()
            }
            Trigger::Stock { sku, cause } => {
                let lines = rows.by::<ReleaseLine>(WAITING_SKU, sku)?;
                let others = lines.into_iter().filter(|line| Some(&line.order_id) != cause.as_ref());
                others.map(|line| (line.order_id.clone(), line.release_number)).collect()
            }
        })
    }
}

impl Command for RouteWaiting {
    type Reply = ();
    const NAME: &'static str = "RouteWaiting";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        match &self.trigger {
            Trigger::Node => {
                needs.by::<Release>(ROUTING, &Routing::Parked);
                needs.by::<Release>(ROUTING, &Routing::Wanted);
            }
            Trigger::Stock { sku, .. } => needs.by::<ReleaseLine>(WAITING_SKU, sku),
        }
        for (order_id, release_number) in self.waiting(rows).into_iter().flatten() {
            Book::needs(&order_id, release_number, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        for (order_id, release_number) in self.waiting(rows)? {
            let Some(mut book) = Book::load(&order_id, release_number, rows)? else { continue };
            if book.route_again() {
                book.save(rows, cx)?;
            }
        }
        Ok(())
    }
}
