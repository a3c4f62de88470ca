//! Creating a consumer.

use mesh::wire::Checks;
use proto::partner::v1::{Consumer as ConsumerReply, ConsumerKind, CreateConsumerRequest};
use store::{Command, Context, Needs, Work};
use types::{ConsumerId, Fault, PartnerId, Reason};

use super::{Consumer, Kind, State, access, told, wire};
use crate::partner::Partner;

/// Creates a consumer.
pub(crate) struct CreateConsumer {
    consumer_id: Option<ConsumerId>,
    name: String,
    kind: Kind,
    access: access::Access,
    partner_id: Option<PartnerId>,
    contact: String,
}

impl CreateConsumer {
    /// Reads the request.
    pub(crate) fn parse(request: &CreateConsumerRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let consumer_id = checks.optional_id("consumer_id", &request.consumer_id);
        let name = checks.text("name", &request.name, 200);
        let kind = checks.choice::<ConsumerKind>("kind", request.kind).and_then(wire::kind);
        let access = kind.map(|kind| access::read(&mut checks, kind, request.access.as_ref()));
        let partner_id = match kind {
            Some(Kind::Partner) => checks.id("partner_id", &request.partner_id).map(Some),
            _ if request.partner_id.is_empty() => Some(None),
            _ => {
                checks.wrong("partner_id", "only partners' programs belong to a partner");
                None
            }
        };
        let contact = checks.optional_text("contact", &request.contact, 200);
        checks.done()?;
        let read = || {
            let (kind, access, partner_id) = (kind?, access?, partner_id?);
            Some(Self { consumer_id: consumer_id?, name: name?, kind, access, partner_id, contact: contact? })
        };
        read().ok_or_else(|| Fault::internal("a checked request can not be read"))
    }
}

impl Command for CreateConsumer {
    type Reply = ConsumerReply;
    const NAME: &'static str = "CreateConsumer";

    fn needs(&self, _: &Work, needs: &mut Needs) {
        if let Some(consumer_id) = &self.consumer_id {
            needs.row::<Consumer>(consumer_id);
        }
        if let Some(partner_id) = &self.partner_id {
            needs.row::<Partner>(partner_id);
        }
    }

    fn decide(&self, work: &mut Work, cx: &mut Context<'_>) -> Result<ConsumerReply, Fault> {
        if let Some(consumer_id) = &self.consumer_id
            && work.get::<Consumer>(consumer_id)?.is_some()
        {
            return Err(Fault::new(Reason::AlreadyExists, format!("consumer {consumer_id} exists already")));
        }
        if let Some(partner_id) = &self.partner_id
            && work.get::<Partner>(partner_id)?.is_none()
        {
            return Err(Fault::invalid("partner_id", format!("there is no partner {partner_id}")));
        }
        let consumer = work.put(Consumer {
            consumer_id: self.consumer_id.clone().unwrap_or_else(|| cx.new_id()),
            name: self.name.clone(),
            kind: self.kind,
            roles: self.access.roles.clone(),
            account_ids: self.access.account_ids.clone(),
            partner_id: self.partner_id.clone(),
            contact: self.contact.clone(),
            state: State::Live,
            keys_made: 0,
            create_time: cx.now(),
            update_time: cx.now(),
            version: 0,
        });
        cx.emit(told("consumer.created", &consumer));
        Ok(wire::consumer(&consumer))
    }
}
