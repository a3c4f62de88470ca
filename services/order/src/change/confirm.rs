//! Confirms a change: makes it as it was shown.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::order::v1 as contract;
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId, limits::MAX_TEXT};

use super::{growth, withdraw};
use crate::{aggregate::OrderAggregate, node::Nodes, order::Action, process::ship_window};

/// Confirms a change.
#[derive(Debug)]
pub(crate) struct ConfirmChange {
    order_id: OrderId,
    change_number: i64,
    etag: String,
    consent_note: String,
    caller: Arc<Principal>,
}

impl ConfirmChange {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::ConfirmOrderChangeRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        if request.change_number < 1 {
            checks.wrong("change_number", "must be at least 1");
        }
        if request.etag.is_empty() {
            checks.wrong("etag", "is required: the order_etag of the change as it was shown");
        }
        let consent_note = checks.optional_text("consent_note", &request.consent_note, MAX_TEXT);
        checks.done()?;
        Ok(Self {
            order_id: checked(order_id)?,
            change_number: request.change_number.into(),
            etag: request.etag.clone(),
            consent_note: checked(consent_note)?,
            caller: caller.clone(),
        })
    }
}

impl Command for ConfirmChange {
    type Reply = contract::OrderChange;

    const NAME: &'static str = "ConfirmOrderChange";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs_with_holds(&self.order_id, rows, needs);
        needs.row::<Nodes>(&Nodes::key());
        growth::needs(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::OrderChange, Fault> {
        let action = Action::ConfirmChange;
        let mut aggregate = OrderAggregate::load_for(&self.order_id, &self.etag, &self.caller, action, rows)?;
        let change = withdraw::proposed(&aggregate, self.change_number)?;
        if change.needs_customer_consent && self.caller.is_staff() && self.consent_note.is_empty() {
            let description = "is required: an item is replaced, and the customer has to consent";
            return Err(Fault::invalid("consent_note", description));
        }
        let times = change.times.is_some();
        let (now, mut outcome) = (cx.now(), Ok(()));
        aggregate.change(now, |order| outcome = order.confirm_change(&self.consent_note, now));
        outcome
            .map_err(|problem| Fault::not_supported(format!("the change is not possible: {}", problem.description)))?;
        if let Some(made) = &aggregate.change {
            growth::check_account(&aggregate.order, &made.change.change.0, rows)?;
        }
        withdraw::EXPIRE.drop(&self.order_id, self.change_number, cx);
        if times {
            ship_window::schedule(&aggregate.order, cx);
        }
        checked(aggregate.save(rows, cx)?.change_to_contract())
    }
}
