//! What is still to be sent to a partner that gets an endpoint.

use store::{Context, Needs, Rows};
use types::{Fault, PartnerId};

use super::outbound_message::{UNSENT, task};
use crate::message::{Arrival, BY_PARTNER_AND_STATE, Message};

/// Needs the messages that [`send`] may schedule.
pub(crate) fn need(partner_id: &PartnerId, needs: &mut Needs) {
    UNSENT.iter().for_each(|state| needs.by::<Message>(BY_PARTNER_AND_STATE, &(partner_id.clone(), *state)));
}

/// Schedules what is unsent for a partner that now has an endpoint. The partner may have fetched it, or received it at an
/// earlier endpoint, so it is asked first.
pub(crate) fn send(partner_id: &PartnerId, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
    let mut unsent = Vec::new();
    for state in UNSENT {
        let in_state = rows.by::<Message>(BY_PARTNER_AND_STATE, &(partner_id.clone(), *state))?;
        unsent.extend(in_state.into_iter().cloned());
    }
    for message in unsent {
        cx.schedule(task(&message, cx.now()));
        rows.put(Message { arrival: Arrival::Possible, ..message });
    }
    Ok(())
}
