//! An order should not be shipped any more: what has no node is cancelled, and nodes are asked to stop.

use store::{Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, OrderId};

use crate::{
    dossier::Dossier,
    fulfillment_order::FulfillmentOrder,
    release::{Book, Release},
};

const ORDER: &[&str] = &["order_id"];

/// Cancels all that an order has here, as far as it can still be stopped.
#[derive(Debug)]
pub struct CancelOrder {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: String,
}

impl CancelOrder {
    fn works(&self, rows: &Rows) -> Result<Vec<FulfillmentOrderId>, Fault> {
        let orders = rows.by::<FulfillmentOrder>(ORDER, &self.order_id)?;
        Ok(orders.into_iter().map(|order| order.fulfillment_order_id.clone()).collect())
    }
}

impl Command for CancelOrder {
    type Reply = ();
    const NAME: &'static str = "CancelOrderWork";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.under::<Release>(&self.order_id);
        needs.by::<FulfillmentOrder>(ORDER, &self.order_id);
        for release in rows.under::<Release>(&self.order_id).into_iter().flatten() {
            Book::needs(&release.order_id, release.release_number, needs);
        }
        for id in self.works(rows).into_iter().flatten() {
            Dossier::needs(&id, rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let numbers: Vec<_> = rows.under::<Release>(&self.order_id)?.iter().map(|one| one.release_number).collect();
        for number in numbers {
            if let Some(mut book) = Book::load(&self.order_id, number, rows)? {
                book.cancel(cx.now(), &self.reason);
                book.save(rows, cx)?;
            }
        }
        for id in self.works(rows)? {
            let mut dossier = Dossier::load(&id, rows)?;
            if !dossier.work.ended() {
                dossier.cancel(&self.reason, rows, cx)?;
                dossier.tell_end(cx.now(), cx);
            }
        }
        Ok(())
    }
}
