//! A partner's report, from receipt to effect.
//!
//! 1. **Submitted**: `rpc.rs` `submit_report` refuses callers that may not report for the partner; `submission.rs`
//!    checks the fields. Nothing is stored of what is refused here.
//! 2. **Received**: [`ReceiveReport`] stores message and content as they were received, RECEIVED, and schedules
//!    [`ApplyReports`].
//!    - *Duplicate*, the control number was used for the same content: `partner.duplicate_ignored`; the caller is
//!      answered with the first message. The process ends.
//!    - *Conflict*, it was used for other content: QUARANTINED, `partner.duplicate_conflict`, exception
//!      CONTROL_NUMBER_REUSED; the caller is refused. The process ends, unless a person replays the message (step 7).
//! 3. **Checked**: `reporter.rs` refuses a report on another partner's subject.
//! 4. **Called**: `report_kind.rs` makes the call that the report becomes, under the message id as request id.
//! 5. **Recorded**: fulfillment or inventory records it and emits its own events. A milestone or proof of delivery of
//!    an *unmatched* package is kept by fulfillment (`shipment.unmatched_milestone_recorded`) until a package for which
//!    the partner is an authoritative reporter has the tracking number; the message is APPLIED, and its outcome says
//!    so.
//! 6. [`RecordReportAttempt`] records the result here.
//!    - **Applied**: APPLIED, `partner.message_applied`; an exception REPORT_DELAYED is resolved.
//!    - **Rejected** for good: REJECTED, `partner.message_rejected`, exception REPORT_REJECTED.
//!    - **Delayed**, a service is not available: still RECEIVED, `partner.message_received` the first time; the task
//!      repeats steps 3 to 6 after growing pauses; after 20 attempts exception REPORT_DELAYED.
//! 7. **Replayed**: `replay_message.rs` makes a REJECTED or QUARANTINED message RECEIVED again,
//!    `partner.message_replayed`, resolves its exception, and steps 3 to 6 are repeated.
//!
//! A report that answers a request makes fulfillment emit an event, which `process/outbound_message.rs` reacts to.

use async_trait::async_trait;
use mesh::{
    Channel, Principal,
    wire::{one_id, timestamp},
};
use proto::{
    event::v1::ExceptionType,
    events::PartnerEvent,
    fulfillment::v1::fulfillment_service_client::FulfillmentServiceClient,
    inventory::v1::inventory_service_client::InventoryServiceClient,
    partner::v1::{self, PartnerMessage, submit_report_request::Report},
};
use store::{AnyCommand, Call, Command, Context, Db, Needs, Rows, Task, TaskHandler, Value};
use tokio::time::timeout;
use types::{
    Fault, FulfillmentOrderId, MessageId, PartnerId, Reason, Timestamp,
    retry::{
        self,
        report::{ATTEMPTS_BEFORE_EXCEPTION, BY_TASK_AFTER, FIRST_PAUSE, LONGEST_PAUSE, WITHIN_CALL},
    },
};

use crate::{
    events,
    fulfillment_request::FulfillmentRequest,
    message::{Arrival, BY_CONTROL_NUMBER, Content, ControlNumber, Direction, Message, MessageState},
    partner::Partner,
    report_kind::{self, Services},
    reporter,
    submission::{self, Submission},
    wire,
};

/// The task that applies a stored report.
const APPLY: &str = "partner.apply";

/// The task that applies a report.
pub(crate) fn task(message: &Message, due: Timestamp) -> Task {
    Task::new(APPLY, &message.message_id, due).order(&message.order_id, message.account_id.as_ref())
}

/// A stored report that is to be applied.
#[derive(Debug)]
pub(crate) struct StoredReport {
    /// The message it is stored as.
    pub message_id: MessageId,
    /// The partner that reports.
    pub partner_id: PartnerId,
    /// When it was received.
    pub receive_time: Option<prost_types::Timestamp>,
    /// The report.
    pub report: Report,
}

/// What a report did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    /// For people.
    pub outcome: String,
    /// The order it belongs to; empty when not known.
    pub order_id: String,
    /// The account of the order; empty when not known.
    pub account_id: String,
}

/// Takes and applies reports. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reports {
    /// The database they are stored in.
    pub db: Db,
    services: Services,
}

impl Reports {
    /// Calls are made as this service, whoever submitted the report: a partner may not call the services itself, and a
    /// repeat by the task needs the same caller.
    pub(crate) fn new(db: Db, fulfillment: &Channel, inventory: &Channel) -> Self {
        let caller = Principal::service(crate::NAME);
        let services = Services {
            fulfillment: FulfillmentServiceClient::new(fulfillment.for_principal(&caller)),
            inventory: InventoryServiceClient::new(inventory.for_principal(&caller)),
        };
        Self { db, services }
    }

    /// Stores a report, and applies it unless that takes too long. Returns its message.
    pub(crate) async fn submit(&self, call: Call, submission: Submission) -> Result<PartnerMessage, Fault> {
        let Submission { partner_id, report, content, .. } = submission.clone();
        let received = self.db.run(call.clone(), ReceiveReport(submission)).await?;
        let message_id: MessageId = one_id("message_id", &received.message_id)?;
        if received.state() == v1::MessageState::Quarantined {
            let problem = format!("{}: {}", received.control_number, received.outcome);
            return Err(Fault::new(Reason::ControlNumberReused, problem).fact("message_id", message_id));
        }
        let message = if received.state() == v1::MessageState::Received {
            let stored = StoredReport { message_id, partner_id, receive_time: received.create_time, report };
            self.within_call(call, self.apply(stored)).await?.unwrap_or(received)
        } else {
            received
        };
        Ok(PartnerMessage { content: content.into(), ..message })
    }

    /// Applies a replayed report, unless that takes too long. Does nothing with a message in another state.
    pub(crate) async fn apply_replayed(&self, call: Call, message_id: &MessageId) -> Result<(), Fault> {
        let message = self.message(message_id).await?;
        if message.state == MessageState::Received {
            self.within_call(call, self.apply_stored(&message)).await?;
        }
        Ok(())
    }

    /// The message; a fault when there is none.
    pub(crate) async fn message(&self, message_id: &MessageId) -> Result<Message, Fault> {
        let message = self.db.load::<Message>(message_id).await?;
        message.ok_or_else(|| Fault::not_found("message", message_id))
    }

    /// Records an attempt. One that takes too long is left to the task.
    async fn within_call(
        &self,
        call: Call,
        attempt: impl Future<Output = RecordReportAttempt>,
    ) -> Result<Option<PartnerMessage>, Fault> {
        match timeout(WITHIN_CALL, attempt).await {
            Ok(attempt) => self.db.run(call, attempt).await.map(Some),
            Err(_) => {
                tracing::warn!("a report was not applied within its call");
                Ok(None)
            }
        }
    }

    async fn apply_stored(&self, message: &Message) -> RecordReportAttempt {
        match self.stored(message).await {
            Ok(stored) => self.apply(stored).await,
            Err(fault) => RecordReportAttempt { message_id: message.message_id.clone(), result: Err(fault) },
        }
    }

    async fn stored(&self, message: &Message) -> Result<StoredReport, Fault> {
        let content = self.db.load::<Content>(&message.message_id).await?;
        let content = content.ok_or_else(|| Fault::internal("a stored report has no content"))?;
        Ok(StoredReport {
            message_id: message.message_id.clone(),
            partner_id: message.partner_id.clone(),
            receive_time: Some(timestamp(message.create_time)),
            report: submission::decode(&content.content)?,
        })
    }

    async fn apply(&self, stored: StoredReport) -> RecordReportAttempt {
        RecordReportAttempt { message_id: stored.message_id.clone(), result: self.effect(stored).await }
    }

    async fn effect(&self, stored: StoredReport) -> Result<Effect, Fault> {
        let partner = self.db.load::<Partner>(&stored.partner_id).await?;
        let partner = partner.ok_or_else(|| Fault::not_found("partner", &stored.partner_id))?;
        let kind = report_kind::of(&stored.report);
        let order_id = reporter::check(&self.db, &self.services, kind, &partner).await?;
        let effect = self.services.record(stored, &partner).await?;
        let order_id = if effect.order_id.is_empty() { order_id } else { effect.order_id };
        self.link_trace(&order_id).await;
        Ok(Effect { order_id, ..effect })
    }

    /// Links the report's trace with that of its order, so that each is found from the other.
    async fn link_trace(&self, order_id: &str) {
        if order_id.is_empty() || !mesh::telemetry::is_recorded() {
            return;
        }
        let first = "WHERE order_id = $1 ORDER BY fulfillment_order_id LIMIT 1";
        match self.db.list::<FulfillmentRequest>(first, vec![Value::Text(order_id.to_owned())]).await {
            Ok(requests) => {
                for request in requests {
                    mesh::telemetry::link(&request.trace_parent, "partner report", order_id);
                }
            }
            Err(fault) => tracing::debug!(%fault, order_id, "the trace of an order was not found"),
        }
    }
}

/// Stores a report. Replies with its message: a new one, the first one when the same report was received before, or the
/// quarantined one when its control number was used before for other content.
pub(crate) struct ReceiveReport(pub Submission);

impl ReceiveReport {
    fn key(&self) -> (PartnerId, String) {
        (self.0.partner_id.clone(), self.0.control_number.clone())
    }

    fn same_control_number(&self) -> (PartnerId, Direction, String) {
        (self.0.partner_id.clone(), Direction::In, self.0.control_number.clone())
    }

    fn fulfillment_order_id(&self) -> Option<FulfillmentOrderId> {
        self.0.subject.parse().ok()
    }

    fn new_message(&self, rows: &mut Rows, cx: &Context<'_>) -> Result<Message, Fault> {
        let submission = &self.0;
        let request = match self.fulfillment_order_id() {
            Some(id) => rows.get::<FulfillmentRequest>(&id)?,
            None => None,
        };
        // The id of an order that is another partner's is not shown.
        let request = request.filter(|request| request.partner_id == submission.partner_id);
        let account_id = request.map(|request| request.account_id.clone());
        let order_id = request.map(|request| request.order_id.clone()).unwrap_or_default();
        let message_id: MessageId = cx.new_id();
        rows.put(Content { message_id: message_id.clone(), content: submission.content.clone(), version: 0 });
        Ok(Message {
            message_id,
            partner_id: submission.partner_id.clone(),
            direction: Direction::In,
            control_number: submission.control_number.clone(),
            message_type: submission.message_type.to_owned(),
            state: MessageState::Received,
            subject: submission.subject.clone(),
            order_id,
            account_id,
            outcome: String::new(),
            content_type: submission::CONTENT_TYPE.to_owned(),
            content_hash: submission.content_hash.clone(),
            attempts: 0,
            duplicates: 0,
            arrival: Arrival::Impossible,
            create_time: cx.now(),
            update_time: cx.now(),
            version: 0,
        })
    }
}

impl Command for ReceiveReport {
    type Reply = PartnerMessage;
    const NAME: &'static str = "ReceiveReport";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Partner>(&self.0.partner_id);
        needs.row::<ControlNumber>(&self.key());
        // Most control numbers are new, and then no message has it.
        if let Ok(Some(_)) = rows.get::<ControlNumber>(&self.key()) {
            needs.by::<Message>(BY_CONTROL_NUMBER, &self.same_control_number());
        }
        if let Some(fulfillment_order_id) = self.fulfillment_order_id() {
            needs.row::<FulfillmentRequest>(&fulfillment_order_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerMessage, Fault> {
        let partner = rows.get::<Partner>(&self.0.partner_id)?;
        partner.ok_or_else(|| Fault::not_found("partner", &self.0.partner_id))?.check_live()?;

        let is_used = rows.get::<ControlNumber>(&self.key())?.is_some();
        let earlier =
            if is_used { rows.by::<Message>(BY_CONTROL_NUMBER, &self.same_control_number())? } else { Vec::new() };
        let same = earlier.into_iter().find(|message| message.content_hash == self.0.content_hash).cloned();
        let message = if let Some(same) = same {
            let message = rows.put(Message { duplicates: same.duplicates + 1, update_time: cx.now(), ..same });
            cx.emit(events::message(PartnerEvent::PartnerDuplicateIgnored, &message));
            message
        } else if is_used {
            let outcome = "the control number was used before, for other content".to_owned();
            let message = self.new_message(rows, cx)?;
            let message = rows.put(Message { state: MessageState::Quarantined, outcome, ..message });
            cx.emit(events::message(PartnerEvent::PartnerDuplicateConflict, &message));
            events::open_exception(cx, ExceptionType::ControlNumberReused, &message);
            message
        } else {
            let message = self.new_message(rows, cx)?;
            let message = rows.put(message);
            let (partner_id, control_number) = self.key();
            let message_id = message.message_id.clone();
            rows.put(ControlNumber { partner_id, control_number, message_id, version: 0 });
            cx.schedule(task(&message, cx.now().after(BY_TASK_AFTER)));
            message
        };
        Ok(wire::message(&message, Vec::new()))
    }
}

/// Records an attempt to apply a report. Does nothing when the message is not RECEIVED any more.
pub(crate) struct RecordReportAttempt {
    /// The message.
    pub message_id: MessageId,
    /// What it did, or why it had no effect. After a transient fault it is applied again.
    pub result: Result<Effect, Fault>,
}

impl Command for RecordReportAttempt {
    type Reply = PartnerMessage;
    const NAME: &'static str = "RecordReportAttempt";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Message>(&self.message_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerMessage, Fault> {
        let present = rows.get::<Message>(&self.message_id)?.cloned();
        let present = present.ok_or_else(|| Fault::not_found("message", &self.message_id))?;
        if present.state != MessageState::Received {
            return Ok(wire::message(&present, Vec::new()));
        }
        let attempts = present.attempts + 1;
        let tried = Message { attempts, update_time: cx.now(), ..present };
        let (event, changed) = match &self.result {
            Ok(Effect { outcome, order_id, account_id }) => {
                let order_id = if order_id.is_empty() { tried.order_id.clone() } else { order_id.clone() };
                let account_id = account_id.parse().ok().or_else(|| tried.account_id.clone());
                let (state, outcome) = (MessageState::Applied, outcome.clone());
                let applied = Message { state, outcome, order_id, account_id, ..tried };
                (PartnerEvent::PartnerMessageApplied as fn(_) -> _, applied)
            }
            Err(fault) if fault.is_transient() => {
                let delayed = rows.put(Message { outcome: format!("not applied yet: {}", fault.message), ..tried });
                if attempts == 1 {
                    cx.emit(events::message(PartnerEvent::PartnerMessageReceived, &delayed));
                }
                if attempts == ATTEMPTS_BEFORE_EXCEPTION {
                    events::open_exception(cx, ExceptionType::ReportDelayed, &delayed);
                }
                let pause = retry::doubling(FIRST_PAUSE, LONGEST_PAUSE, attempts);
                cx.schedule(task(&delayed, cx.now().after(pause)));
                return Ok(wire::message(&delayed, Vec::new()));
            }
            Err(fault) => {
                let rejected = Message { state: MessageState::Rejected, outcome: explanation(fault), ..tried };
                (PartnerEvent::PartnerMessageRejected as fn(_) -> _, rejected)
            }
        };
        let message = rows.put(changed);
        cx.unschedule(APPLY, &self.message_id.to_string());
        cx.emit(events::message(event, &message));
        events::move_exception(cx, MessageState::Received, &message, &message.outcome);
        if attempts > ATTEMPTS_BEFORE_EXCEPTION {
            events::resolve_exception(cx, ExceptionType::ReportDelayed, &message, "the report was applied or rejected");
        }
        Ok(wire::message(&message, Vec::new()))
    }
}

/// A refusal for the partner: the reason, and every wrong field.
fn explanation(fault: &Fault) -> String {
    let wrong: Vec<_> = fault.violations.iter().map(|one| format!("{}: {}", one.field, one.description)).collect();
    let text = if wrong.is_empty() { fault.message.clone() } else { wrong.join("; ") };
    format!("{}: {text}", fault.reason.as_str())
}

/// Applies reports whose call did not: after a crash, or while a service was not available.
pub(crate) struct ApplyReports(pub Reports);

#[async_trait]
impl TaskHandler for ApplyReports {
    fn kind(&self) -> &'static str {
        APPLY
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let message_id: MessageId = task.key.parse().map_err(|_| Fault::internal("a task without a message id"))?;
        let message = self.0.message(&message_id).await?;
        if message.state != MessageState::Received {
            return Ok(Vec::new());
        }
        Ok(vec![Box::new(self.0.apply_stored(&message).await)])
    }
}
