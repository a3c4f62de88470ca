//! Adding a ship-to to an account.

use proto::{order::v1 as wire, types::v1::Address};
use store::{Command, Context, Needs, Proto, Rows};
use types::{AccountId, Fault, Reason, ShipToId};

use super::{Account, ShipTo};

/// Adds a ship-to.
#[derive(Debug)]
pub struct CreateShipTo {
    /// The account.
    pub account_id: AccountId,
    /// Its id; made when `None`.
    pub ship_to_id: Option<ShipToId>,
    /// Where it is.
    pub address: Address,
}

impl Command for CreateShipTo {
    type Reply = wire::ShipTo;

    const NAME: &'static str = "CreateShipTo";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Account>(&self.account_id);
        if let Some(ship_to_id) = &self.ship_to_id {
            needs.row::<ShipTo>(ship_to_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ShipTo, Fault> {
        if rows.get::<Account>(&self.account_id)?.is_none() {
            return Err(Fault::not_found("account", &self.account_id));
        }
        if let Some(ship_to_id) = &self.ship_to_id
            && rows.get::<ShipTo>(ship_to_id)?.is_some()
        {
            let message = format!("ship-to {ship_to_id} exists already");
            return Err(Fault::new(Reason::AlreadyExists, message).fact("ship_to_id", ship_to_id));
        }
        let ship_to = rows.put(ShipTo {
            ship_to_id: self.ship_to_id.clone().unwrap_or_else(|| cx.new_id()),
            account_id: self.account_id.clone(),
            address: Proto(self.address.clone()),
            create_time: cx.now(),
            version: 0,
        });
        Ok(crate::wire::ship_to(&ship_to))
    }
}
