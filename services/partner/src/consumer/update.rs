//! Changing a consumer.

use mesh::wire::Checks;
use proto::partner::v1::{Consumer as ConsumerReply, ConsumerAccess, ConsumerState, UpdateConsumerRequest};
use store::{Command, Context, Needs, Work};
use types::{ConsumerId, Fault};

use super::{Consumer, State, access, told, wire};

/// Changes the fields of a consumer that are set.
pub(crate) struct UpdateConsumer {
    consumer_id: ConsumerId,
    etag: String,
    name: Option<String>,
    access: Option<ConsumerAccess>,
    contact: Option<String>,
    state: Option<State>,
}

impl UpdateConsumer {
    /// Reads the request. What access it may have depends on the consumer, and is read when that is known.
    pub(crate) fn parse(request: &UpdateConsumerRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let consumer_id = checks.id("consumer_id", &request.consumer_id);
        let name = request.name.as_deref().and_then(|name| checks.text("name", name, 200));
        let contact = request.contact.as_deref().and_then(|contact| checks.optional_text("contact", contact, 200));
        let state = request.state.and_then(|state| checks.optional_choice::<ConsumerState>("state", state));
        checks.done()?;
        Ok(Self {
            consumer_id: consumer_id.ok_or_else(|| Fault::internal("a checked request can not be read"))?,
            etag: request.etag.clone(),
            name,
            access: request.access.clone(),
            contact,
            state: state.map(wire::state),
        })
    }
}

impl Command for UpdateConsumer {
    type Reply = ConsumerReply;
    const NAME: &'static str = "UpdateConsumer";

    fn needs(&self, _: &Work, needs: &mut Needs) {
        needs.row::<Consumer>(&self.consumer_id);
    }

    fn decide(&self, work: &mut Work, cx: &mut Context<'_>) -> Result<ConsumerReply, Fault> {
        let present = work.get::<Consumer>(&self.consumer_id)?.cloned();
        let present = present.ok_or_else(|| Fault::not_found("consumer", &self.consumer_id))?;
        Fault::check_etag("consumer", &self.etag, present.version)?;
        let mut changed = Consumer {
            name: self.name.clone().unwrap_or_else(|| present.name.clone()),
            contact: self.contact.clone().unwrap_or_else(|| present.contact.clone()),
            state: self.state.unwrap_or(present.state),
            ..present.clone()
        };
        if self.access.is_some() {
            let mut checks = Checks::new();
            let access = access::read(&mut checks, present.kind, self.access.as_ref());
            checks.done()?;
            (changed.roles, changed.account_ids) = (access.roles, access.account_ids);
        }
        if changed == present {
            return Ok(wire::consumer(&present));
        }
        let changed = work.put(Consumer { update_time: cx.now(), ..changed });
        cx.emit(told("consumer.updated", &changed));
        Ok(wire::consumer(&changed))
    }
}
