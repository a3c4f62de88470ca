//! Creating a partner.

use mesh::wire::Checks;
use proto::partner::v1::{CreatePartnerRequest, Partner as PartnerReply, PartnerChanged, PartnerKind};
use store::{Command, Context, Needs, NewEvent, Rows};
use types::{Fault, PartnerId, Reason};

use crate::{
    connectors::rest,
    partner::{Kind, Partner, State, is_scac},
    wire,
};

/// Creates a partner.
pub(crate) struct CreatePartner {
    partner_id: Option<PartnerId>,
    name: String,
    kind: Kind,
    scac: String,
    endpoint_url: String,
}

impl CreatePartner {
    /// Reads the request.
    pub(crate) fn parse(request: &CreatePartnerRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let partner_id = checks.optional_id("partner_id", &request.partner_id);
        let name = checks.text("name", &request.name, 200);
        let kind = checks.choice::<PartnerKind>("kind", request.kind).and_then(wire::kind);
        if !request.scac.is_empty() && !is_scac(&request.scac) {
            checks.wrong("scac", "must be 2 to 4 capitals");
        }
        if let Err(wrong) = rest::check_endpoint(&request.endpoint_url) {
            checks.wrong("endpoint_url", wrong);
        }
        checks.done()?;
        let (Some(partner_id), Some(name), Some(kind)) = (partner_id, name, kind) else {
            return Err(Fault::internal("a checked request can not be read"));
        };
        Ok(Self { partner_id, name, kind, scac: request.scac.clone(), endpoint_url: request.endpoint_url.clone() })
    }
}

impl Command for CreatePartner {
    type Reply = PartnerReply;
    const NAME: &'static str = "CreatePartner";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        if let Some(partner_id) = &self.partner_id {
            needs.row::<Partner>(partner_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerReply, Fault> {
        if let Some(partner_id) = &self.partner_id
            && rows.get::<Partner>(partner_id)?.is_some()
        {
            return Err(Fault::new(Reason::AlreadyExists, format!("partner {partner_id} exists already")));
        }
        let partner = rows.put(Partner {
            partner_id: self.partner_id.clone().unwrap_or_else(|| cx.new_id()),
            name: self.name.clone(),
            kind: self.kind,
            scac: self.scac.clone(),
            endpoint_url: self.endpoint_url.clone(),
            state: State::Live,
            create_time: cx.now(),
            update_time: cx.now(),
            version: 0,
        });
        let told = wire::partner(&partner);
        let fact = PartnerChanged { partner: Some(told.clone()) };
        cx.emit(NewEvent::untyped("partner.created", &partner.partner_id, partner.version, partner.version, &fact));
        Ok(told)
    }
}
