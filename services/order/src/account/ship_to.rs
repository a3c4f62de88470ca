//! Adds a ship-to to an account.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{events::OrderEvent, order::v1 as contract, types::v1::Address};
use store::{Command, Context, Needs, Proto, Rows};
use types::{AccountId, Fault, Reason, ShipToId, Zone};

use super::{Account, ShipTo, ShipToState};

/// Adds a ship-to.
#[derive(Debug)]
pub(crate) struct CreateShipTo {
    account_id: AccountId,
    /// Its id; made when `None`.
    ship_to_id: Option<ShipToId>,
    address: Address,
    time_zone: String,
}

impl CreateShipTo {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::CreateShipToRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let account_id = checks.id("account_id", &request.account_id);
        let ship_to_id = checks.optional_id("ship_to_id", &request.ship_to_id);
        if !request.ship_to_id.is_empty() && !caller.is_staff() {
            // The refusal of a taken id would disclose a ship-to of another account.
            checks.wrong("ship_to_id", "is chosen by the service");
        }
        let address = checks.address("address", request.address.as_ref());
        check_time_zone(&request.time_zone, &mut checks);
        checks.done()?;
        let (account_id, ship_to_id, address) = (checked(account_id)?, checked(ship_to_id)?, checked(address)?);
        if !caller.sees(&account_id) {
            return Err(Fault::not_found("account", account_id));
        }
        Ok(Self { account_id, ship_to_id, address, time_zone: request.time_zone.clone() })
    }
}

impl Command for CreateShipTo {
    type Reply = contract::ShipTo;

    const NAME: &'static str = "CreateShipTo";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Account>(&self.account_id);
        if let Some(ship_to_id) = &self.ship_to_id {
            needs.row::<ShipTo>(ship_to_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::ShipTo, Fault> {
        if rows.get::<Account>(&self.account_id)?.is_none() {
            return Err(Fault::not_found("account", &self.account_id));
        }
        if let Some(ship_to_id) = &self.ship_to_id
            && rows.get::<ShipTo>(ship_to_id)?.is_some()
        {
            let message = format!("ship-to {ship_to_id} exists already");
            return Err(Fault::new(Reason::AlreadyExists, message).fact("ship_to_id", ship_to_id));
        }
        let ship_to = ShipTo {
            ship_to_id: self.ship_to_id.clone().unwrap_or_else(|| cx.new_id()),
            account_id: self.account_id.clone(),
            address: Proto(self.address.clone()),
            time_zone: self.time_zone.clone(),
            state: ShipToState::Deliverable,
            state_reason: String::new(),
            create_time: cx.now(),
            version: 0,
        };
        Ok(ship_to.save(OrderEvent::ShipToCreated, rows, cx))
    }
}

/// Refuses what is no time zone. An empty one is that of the node.
pub(super) fn check_time_zone(time_zone: &str, checks: &mut Checks) {
    if !time_zone.is_empty() && Zone::named(time_zone).is_none() {
        checks.wrong("time_zone", "must be an IANA time zone, such as Europe/Berlin");
    }
}
