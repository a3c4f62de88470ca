//! Changes whether anything is delivered to a ship-to, and its time zone.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{events::OrderEvent, order::v1 as contract};
use store::{Command, Context, Needs, Rows};
use types::{AccountId, Fault, ShipToId, limits::MAX_TEXT};

use super::{ShipTo, ShipToState, check_time_zone};

/// Changes a ship-to. Orders that are placed have a copy of it, and go on as they are.
#[derive(Debug)]
pub(crate) struct UpdateShipTo {
    account_id: AccountId,
    ship_to_id: ShipToId,
    etag: String,
    /// The new state and its reason.
    state: Option<(ShipToState, String)>,
    time_zone: Option<String>,
}

impl UpdateShipTo {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::UpdateShipToRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let account_id: Option<AccountId> = checks.id("account_id", &request.account_id);
        let ship_to_id = checks.id("ship_to_id", &request.ship_to_id);
        let state = checks.optional_choice("state", request.state);
        let state =
            state.map(|state| read_state(ShipToState::from_contract(state), &request.state_reason, &mut checks));
        if let Some(time_zone) = &request.time_zone {
            check_time_zone(time_zone, &mut checks);
        }
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
            time_zone: request.time_zone.clone(),
        })
    }
}

/// The new state with its reason; `None` when it stays.
fn read_state(state: Option<ShipToState>, reason: &str, checks: &mut Checks) -> Option<(ShipToState, String)> {
    let reason = match state {
        Some(ShipToState::NotDeliverable) => checks.text("state_reason", reason, MAX_TEXT).unwrap_or_default(),
        Some(ShipToState::Deliverable) | None => {
            if !reason.is_empty() {
                checks.wrong("state_reason", "must be empty unless the state becomes NOT_DELIVERABLE");
            }
            String::new()
        }
    };
    Some((state?, reason))
}

impl Command for UpdateShipTo {
    type Reply = contract::ShipTo;

    const NAME: &'static str = "UpdateShipTo";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ShipTo>(&self.ship_to_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::ShipTo, Fault> {
        let known = rows.get::<ShipTo>(&self.ship_to_id)?.filter(|known| known.account_id == self.account_id);
        let known = known.cloned().ok_or_else(|| Fault::not_found("ship-to", &self.ship_to_id))?;
        Fault::check_etag("ship-to", &self.etag, known.version)?;
        let (state, state_reason) = self.state.clone().unwrap_or_else(|| (known.state, known.state_reason.clone()));
        let time_zone = self.time_zone.clone().unwrap_or_else(|| known.time_zone.clone());
        let changed = ShipTo { state, state_reason, time_zone, ..known.clone() };
        if changed == known {
            return Ok(crate::wire::ship_to(&known));
        }
        Ok(changed.save(OrderEvent::ShipToUpdated, rows, cx))
    }
}
