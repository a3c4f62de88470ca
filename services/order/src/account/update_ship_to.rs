//! Changes whether anything is delivered to a ship-to.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::order::v1 as contract;
use store::{Command, Context, Needs, Rows};
use types::{AccountId, Fault, ShipToId, limits::MAX_TEXT};

use super::{ShipTo, ShipToState};

/// Changes a ship-to. What is ordered already goes on.
#[derive(Debug)]
pub(crate) struct UpdateShipTo {
    account_id: AccountId,
    ship_to_id: ShipToId,
    etag: String,
    state: ShipToState,
    state_reason: String,
}

impl UpdateShipTo {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::UpdateShipToRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let account_id: Option<AccountId> = checks.id("account_id", &request.account_id);
        let ship_to_id = checks.id("ship_to_id", &request.ship_to_id);
        let state = checks.choice("state", request.state).and_then(ShipToState::from_contract);
        let state_reason = match state {
            Some(ShipToState::NotDeliverable) => checks.text("state_reason", &request.state_reason, MAX_TEXT),
            Some(ShipToState::Deliverable) if !request.state_reason.is_empty() => {
                checks.wrong("state_reason", "must be empty when it is DELIVERABLE");
                None
            }
            Some(ShipToState::Deliverable) | None => Some(String::new()),
        };
        checks.done()?;
        let account_id = checked(account_id)?;
        if !caller.sees(&account_id) {
            return Err(Fault::not_found("account", account_id));
        }
        Ok(Self {
            account_id,
            ship_to_id: checked(ship_to_id)?,
            etag: request.etag.clone(),
            state: checked(state)?,
            state_reason: checked(state_reason)?,
        })
    }
}

impl Command for UpdateShipTo {
    type Reply = contract::ShipTo;

    const NAME: &'static str = "UpdateShipTo";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ShipTo>(&self.ship_to_id);
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<contract::ShipTo, Fault> {
        let known = rows.get::<ShipTo>(&self.ship_to_id)?.filter(|known| known.account_id == self.account_id);
        let known = known.cloned().ok_or_else(|| Fault::not_found("ship-to", &self.ship_to_id))?;
        Fault::check_etag("ship-to", &self.etag, known.version)?;
        let changed = ShipTo { state: self.state, state_reason: self.state_reason.clone(), ..known.clone() };
        if changed == known {
            return Ok(crate::wire::ship_to(&known));
        }
        Ok(crate::wire::ship_to(&rows.put(changed)))
    }
}
