//! The gRPC face: wire in, command or read, wire out.

use std::time::Duration;

use mesh::{
    Principal,
    wire::{Checks, MAX_CHOICES},
};
use proto::partner::v1::{
    CreatePartnerRequest, GetMessageRequest, GetPartnerRequest, ListMessagesRequest, ListMessagesResponse,
    ListPartnersRequest, ListPartnersResponse, MessageDirection, MessageState, Partner as PartnerReply, PartnerMessage,
    ReplayMessageRequest, SubmitReportRequest, UpdatePartnerRequest, partner_service_server::PartnerService,
};
use store::Call;
use tokio::time::timeout;
use tonic::{Request, Response, Status};
use types::{Fault, MessageId, PartnerId, Reason};

use crate::{
    apply::{Applier, Stored},
    conclude::ConcludeReport,
    create::CreatePartner,
    message::{Content, State},
    partner::Partner,
    receive::ReceiveReport,
    replay::ReplayMessage,
    report::Submission,
    store as lists,
    update::UpdatePartner,
    view::View,
    wire,
};

/// How long a partner waits to hear what its report did; less than a call may take, so that it hears at least that the
/// report is stored.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers the calls of the partner service.
pub(crate) struct Rpc {
    applier: Applier,
}

impl Rpc {
    /// Answers with the applier's database.
    pub(crate) fn new(applier: Applier) -> Self {
        Self { applier }
    }

    async fn get_partner(&self, view: &View, request: &GetPartnerRequest) -> Result<PartnerReply, Fault> {
        let partner_id: PartnerId = one_id("partner_id", &request.partner_id)?;
        let partner = self.applier.db().load::<Partner>(&partner_id).await?.filter(|_| view.shows(&partner_id));
        partner.as_ref().map(wire::partner).ok_or_else(|| Fault::not_found("partner", &partner_id))
    }

    /// `reporters` are those the caller may report for.
    async fn submit(
        &self,
        call: Call,
        reporters: &View,
        request: SubmitReportRequest,
    ) -> Result<PartnerMessage, Fault> {
        let submission = Submission::parse(request)?;
        if !reporters.shows(&submission.partner_id) {
            return Err(Fault::not_found("partner", &submission.partner_id));
        }
        let (partner_id, report, content) =
            (submission.partner_id.clone(), submission.report.clone(), submission.content.clone());
        let received = self.applier.db().run(call.clone(), ReceiveReport(submission)).await?;
        let message_id: MessageId = one_id("message_id", &received.message_id)?;
        let told = match received.state() {
            MessageState::Quarantined => {
                let told = format!("{}: {}", received.control_number, received.outcome);
                return Err(Fault::new(Reason::ControlNumberReused, told).fact("message_id", message_id));
            }
            MessageState::Received => {
                let stored = Stored { message_id, partner_id, came: received.create_time, report };
                self.conclude(call, self.applier.apply(stored)).await?.unwrap_or(received)
            }
            _ => received,
        };
        Ok(PartnerMessage { content: content.into(), ..told })
    }

    /// Records what a report did. What takes too long is left to the task.
    async fn conclude(
        &self,
        call: Call,
        applying: impl Future<Output = ConcludeReport>,
    ) -> Result<Option<PartnerMessage>, Fault> {
        match timeout(PATIENCE, applying).await {
            Ok(conclusion) => self.applier.db().run(call, conclusion).await.map(Some),
            Err(_) => {
                tracing::warn!("a report is not applied in time");
                Ok(None)
            }
        }
    }

    async fn message(&self, view: &View, message_id: &MessageId) -> Result<PartnerMessage, Fault> {
        let message = self.applier.message(message_id).await?;
        if !view.shows(&message.partner_id) {
            return Err(Fault::not_found("message", message_id));
        }
        let content = self.applier.db().load::<Content>(message_id).await?;
        Ok(wire::message(&message, content.map(|content| content.content).unwrap_or_default()))
    }

    async fn list_messages(
        &self,
        caller: &Principal,
        request: &ListMessagesRequest,
    ) -> Result<ListMessagesResponse, Fault> {
        let mut checks = Checks::new();
        let partner_id = checks.optional_id("partner_id", &request.partner_id).flatten();
        checks.optional_text("order_id", &request.order_id, 128);
        checks.optional_text("control_number", &request.control_number, 128);
        let direction = checks.optional_choice::<MessageDirection>("direction", request.direction);
        let mut states = Vec::new();
        checks.at_most("states", request.states.len(), MAX_CHOICES);
        for (index, number) in request.states.iter().enumerate().take(MAX_CHOICES) {
            let state = checks.choice::<MessageState>(format!("states[{index}]"), *number);
            states.extend(state.and_then(wire::message_state));
        }
        checks.done()?;
        states.sort_unstable();
        states.dedup();
        let filter = lists::Filter {
            partner_id,
            order_id: request.order_id.clone(),
            direction: direction.and_then(wire::direction),
            states,
            control_number: request.control_number.clone(),
            view: View::of(caller),
            caller: caller.to_string(),
        };
        let db = self.applier.db();
        let (messages, next_page_token) = lists::messages(db, &filter, request.page_size, &request.page_token).await?;
        let messages = messages.iter().map(|message| wire::message(message, Vec::new())).collect();
        Ok(ListMessagesResponse { messages, next_page_token })
    }
}

fn one_id<I: types::Id>(field: &str, text: &str) -> Result<I, Fault> {
    let mut checks = Checks::new();
    let id = checks.id(field, text);
    checks.done()?;
    id.ok_or_else(|| Fault::internal("a checked id can not be read"))
}

/// Who calls, and the trace to go on with.
fn call_of<T>(request: &Request<T>) -> (Call, View) {
    let info = mesh::call(request);
    let trace = Some(info.trace_parent).filter(|trace| !trace.is_empty());
    (Call::new(info.principal.actor()).trace(trace), View::of(&info.principal))
}

fn reply<T>(result: Result<T, Fault>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(mesh::status)
}

#[tonic::async_trait]
impl PartnerService for Rpc {
    async fn create_partner(&self, request: Request<CreatePartnerRequest>) -> Result<Response<PartnerReply>, Status> {
        let (call, _) = call_of(&request);
        let request = request.into_inner();
        let command = CreatePartner::parse(&request).map_err(mesh::status)?;
        reply(self.applier.db().run(call.request(&request.request_id, &request), command).await)
    }

    async fn get_partner(&self, request: Request<GetPartnerRequest>) -> Result<Response<PartnerReply>, Status> {
        let (_, view) = call_of(&request);
        reply(self.get_partner(&view, request.get_ref()).await)
    }

    async fn list_partners(
        &self,
        request: Request<ListPartnersRequest>,
    ) -> Result<Response<ListPartnersResponse>, Status> {
        let request = request.into_inner();
        let listed = lists::partners(self.applier.db(), request.page_size, &request.page_token).await;
        reply(listed.map(|(partners, next_page_token)| ListPartnersResponse {
            partners: partners.iter().map(wire::partner).collect(),
            next_page_token,
        }))
    }

    async fn update_partner(&self, request: Request<UpdatePartnerRequest>) -> Result<Response<PartnerReply>, Status> {
        let (call, _) = call_of(&request);
        let request = request.into_inner();
        let command = UpdatePartner::parse(&request).map_err(mesh::status)?;
        reply(self.applier.db().run(call.request(&request.request_id, &request), command).await)
    }

    async fn submit_report(&self, request: Request<SubmitReportRequest>) -> Result<Response<PartnerMessage>, Status> {
        let (call, _) = call_of(&request);
        let reporters = View::of_reporter(mesh::caller(&request));
        reply(self.submit(call.batchable(), &reporters, request.into_inner()).await)
    }

    async fn get_message(&self, request: Request<GetMessageRequest>) -> Result<Response<PartnerMessage>, Status> {
        let (_, view) = call_of(&request);
        let message_id = one_id("message_id", &request.get_ref().message_id).map_err(mesh::status)?;
        reply(self.message(&view, &message_id).await)
    }

    async fn list_messages(
        &self,
        request: Request<ListMessagesRequest>,
    ) -> Result<Response<ListMessagesResponse>, Status> {
        reply(self.list_messages(mesh::caller(&request), request.get_ref()).await)
    }

    async fn replay_message(&self, request: Request<ReplayMessageRequest>) -> Result<Response<PartnerMessage>, Status> {
        let (call, view) = call_of(&request);
        let request = request.into_inner();
        let command = ReplayMessage::parse(&request).map_err(mesh::status)?;
        let message_id = command.message_id.clone();
        let replayed = async {
            let repeatable = call.clone().request(&request.request_id, &request);
            self.applier.db().run(repeatable, command).await?;
            let message = self.applier.message(&message_id).await?;
            if message.state == State::Received {
                self.conclude(call, self.applier.apply_stored(&message)).await?;
            }
            self.message(&view, &message_id).await
        };
        reply(replayed.await)
    }
}
