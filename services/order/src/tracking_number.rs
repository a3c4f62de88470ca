//! Tracking numbers of the packages of orders, so that an order is found by one.
//!
//! A number stays when a node corrects it: whoever has the old label finds the order too.

use proto::fulfillment::v1::Shipment;
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{AccountId, Fault, OrderId, text::compared_number};

use crate::{order::Order, report::read_id};

store::record! {
    /// A tracking number, as it is compared, of a package of an order.
    pub(crate) struct TrackingNumber in "tracking_numbers" key (tracking_number: String, order_id: OrderId) {
        /// The account of the order.
        account_id: AccountId,
    }
}

/// Keeps the tracking numbers of a shipment.
#[derive(Debug)]
pub(crate) struct KeepTrackingNumbers {
    order_id: OrderId,
    numbers: Vec<String>,
}

impl KeepTrackingNumbers {
    /// The command for a shipment; none when its packages have no numbers.
    pub(crate) fn of(shipment: Option<&Shipment>) -> Result<Option<Box<dyn AnyCommand>>, Fault> {
        let shipment = shipment.ok_or_else(|| Fault::internal("an event without its shipment"))?;
        let mut numbers: Vec<_> =
            shipment.packages.iter().map(|package| compared_number(&package.tracking_number)).collect();
        numbers.retain(|number| !number.is_empty());
        numbers.sort();
        numbers.dedup();
        if numbers.is_empty() {
            return Ok(None);
        }
        Ok(Some(Box::new(Self { order_id: read_id(&shipment.order_id)?, numbers })))
    }
}

impl Command for KeepTrackingNumbers {
    type Reply = ();

    const NAME: &'static str = "KeepTrackingNumbers";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Order>(&self.order_id);
        for number in &self.numbers {
            needs.row::<TrackingNumber>(&(number.clone(), self.order_id.clone()));
        }
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        let order = rows.get::<Order>(&self.order_id)?.ok_or_else(|| Fault::not_found("order", &self.order_id))?;
        let account_id = order.account_id.clone();
        for tracking_number in &self.numbers {
            let (tracking_number, order_id) = (tracking_number.clone(), self.order_id.clone());
            if rows.get::<TrackingNumber>(&(tracking_number.clone(), order_id.clone()))?.is_none() {
                rows.put(TrackingNumber { tracking_number, order_id, account_id: account_id.clone(), version: 0 });
            }
        }
        Ok(())
    }
}
