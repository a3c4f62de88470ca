//! Answers the calls of the partner service.

pub(crate) mod api_clients;

use chassis::Answers;
use mesh::{
    CallInfo,
    wire::{Checks, checked, one_id},
};
use proto::partner::v1::{
    self, CreatePartnerRequest, GetMessageRequest, GetPartnerRequest, ListMessagesRequest, ListMessagesResponse,
    ListPartnersRequest, ListPartnersResponse, MessageDirection, PartnerMessage, ReplayMessageRequest,
    SubmitReportRequest, UpdatePartnerRequest, partner_service_server::PartnerService,
};
use store::Db;
use types::{Fault, PartnerId};

use crate::{
    create_partner::CreatePartner,
    message::{Content, Direction, MessageState},
    partner::Partner,
    process::report::Reports,
    replay_message::ReplayMessage,
    store as lists,
    submission::Submission,
    update_partner::UpdatePartner,
    visibility, wire,
};

/// Answers calls about partners and their messages.
pub(crate) struct Rpc {
    reports: Reports,
}

impl Answers for Rpc {
    fn db(&self) -> &Db {
        &self.reports.db
    }
}

chassis::rpc! {
    PartnerService for Rpc {
        commands {
            create_partner(CreatePartnerRequest) -> v1::Partner = CreatePartner::parse;
            update_partner(UpdatePartnerRequest) -> v1::Partner = UpdatePartner::parse;
        }
        calls {
            get_partner(GetPartnerRequest) -> v1::Partner;
            list_partners(ListPartnersRequest) -> ListPartnersResponse;
            submit_report(SubmitReportRequest) -> PartnerMessage;
            get_message(GetMessageRequest) -> PartnerMessage;
            list_messages(ListMessagesRequest) -> ListMessagesResponse;
            replay_message(ReplayMessageRequest) -> PartnerMessage;
        }
    }
}

impl Rpc {
    /// Answers from the database of the reports.
    pub(crate) fn new(reports: Reports) -> Self {
        Self { reports }
    }

    async fn get_partner(&self, info: &CallInfo, request: GetPartnerRequest) -> Result<v1::Partner, Fault> {
        let partner_id: PartnerId = one_id("partner_id", &request.partner_id)?;
        let visible = visibility::sees(&info.principal, &partner_id);
        let partner = self.db().load::<Partner>(&partner_id).await?.filter(|_| visible);
        partner.as_ref().map(wire::partner).ok_or_else(|| Fault::not_found("partner", &partner_id))
    }

    async fn list_partners(&self, _: &CallInfo, request: ListPartnersRequest) -> Result<ListPartnersResponse, Fault> {
        let (partners, next_page_token) = lists::partners(self.db(), request.page_size, &request.page_token).await?;
        Ok(ListPartnersResponse { partners: partners.iter().map(wire::partner).collect(), next_page_token })
    }

    async fn submit_report(&self, info: &CallInfo, request: SubmitReportRequest) -> Result<PartnerMessage, Fault> {
        let submission = Submission::parse(request)?;
        if !visibility::may_report_for(&info.principal, &submission.partner_id) {
            return Err(Fault::not_found("partner", &submission.partner_id));
        }
        self.reports.submit(chassis::call(info).batchable(), submission).await
    }

    async fn get_message(&self, info: &CallInfo, request: GetMessageRequest) -> Result<PartnerMessage, Fault> {
        let message_id = one_id("message_id", &request.message_id)?;
        let message = lists::message(self.db(), &message_id, &info.principal).await?;
        let content = self.db().load::<Content>(&message_id).await?;
        let parts = self.reports.parts(&message).await?.iter().map(wire::part).collect();
        let message = wire::message(&message, content.map(|content| content.content).unwrap_or_default());
        Ok(PartnerMessage { parts, ..message })
    }

    async fn list_messages(
        &self,
        info: &CallInfo,
        request: ListMessagesRequest,
    ) -> Result<ListMessagesResponse, Fault> {
        let mut checks = Checks::new();
        let partner_id = checks.optional_id("partner_id", &request.partner_id);
        let order_id = checks.optional_text("order_id", &request.order_id, 128);
        let control_number = checks.optional_text("control_number", &request.control_number, 128);
        let direction = checks.optional_choice::<MessageDirection>("direction", request.direction);
        let states = checks.choices("states", &request.states, MessageState::from_contract);
        checks.done()?;
        let filter = lists::Filter {
            partner_id: checked(partner_id)?,
            order_id: order_id.filter(|order_id| !order_id.is_empty()),
            direction: direction.and_then(Direction::from_contract),
            states: checked(states)?,
            control_number: control_number.filter(|control_number| !control_number.is_empty()),
        };
        let (messages, next_page_token) =
            lists::messages(self.db(), &filter, &info.principal, request.page_size, &request.page_token).await?;
        let messages = messages.iter().map(|message| wire::message(message, Vec::new())).collect();
        Ok(ListMessagesResponse { messages, next_page_token })
    }

    async fn replay_message(&self, info: &CallInfo, request: ReplayMessageRequest) -> Result<PartnerMessage, Fault> {
        let command = ReplayMessage::parse(&request)?;
        let message_id = command.message_id.clone();
        lists::message(self.db(), &message_id, &info.principal).await?;
        self.db().run(chassis::repeatable_call(info, &request)?, command).await?;
        self.reports.apply_replayed(chassis::call(info), &message_id, &request.part_numbers).await?;
        self.get_message(info, GetMessageRequest { message_id: request.message_id }).await
    }
}
