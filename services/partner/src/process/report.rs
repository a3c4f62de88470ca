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
//!    - **Partially applied**: parts of it were refused and wait, PARTIALLY_APPLIED (`process/report_parts.rs`).
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
use store::{AnyCommand, Call, Column as _, Command, Context, Db, Needs, Rows, Task, TaskHandler, Value};
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
    partner::{Partner, PartnerKind},
    process::report_parts::{self, RecordPartAttempts},
    report_kind::{self, Services},
    report_part::{self, BadElement, PartState, ReportPart},
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

/// Drops the task that applies a report.
pub(crate) fn unschedule(message: &Message, cx: &mut Context<'_>) {
    cx.unschedule(APPLY, &message.message_id.to_string());
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
    /// Parts of it that were refused when the rest took effect, or before the rest does.
    pub parts: Vec<ReportPart>,
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
            let receive_time = received.create_time;
            let stored = StoredReport { message_id, partner_id, receive_time, report, parts: Vec::new() };
            self.within_call(self.apply_recorded(call, stored)).await?.unwrap_or(received)
        } else {
            received
        };
        Ok(PartnerMessage { content: content.into(), ..message })
    }

    /// Applies a replayed report or parts of it, all when none is named, unless that takes too long. Does nothing with a message
    /// in another state.
    pub(crate) async fn apply_replayed(&self, call: Call, message_id: &MessageId, parts: &[i32]) -> Result<(), Fault> {
        let message = self.message(message_id).await?;
        if message.state == MessageState::Received {
            let stored = self.stored(&message).await?;
            self.within_call(self.apply_recorded(call, stored)).await?;
        } else if message.state == MessageState::PartiallyApplied {
            let applying = async { self.db.run(call, self.apply_parts(&message, parts).await?).await };
            self.within_call(applying).await?;
        }
        Ok(())
    }

    /// The message; a fault when there is none.
    pub(crate) async fn message(&self, message_id: &MessageId) -> Result<Message, Fault> {
        let message = self.db.load::<Message>(message_id).await?;
        message.ok_or_else(|| Fault::not_found("message", message_id))
    }

    /// An attempt that takes too long is left to the task.
    async fn within_call(
        &self,
        applying: impl Future<Output = Result<PartnerMessage, Fault>>,
    ) -> Result<Option<PartnerMessage>, Fault> {
        match timeout(WITHIN_CALL, applying).await {
            Ok(message) => message.map(Some),
            Err(_) => {
                tracing::warn!("a report was not applied within its call");
                Ok(None)
            }
        }
    }

    /// Applies a report and records that, again without its parts while some are refused.
    async fn apply_recorded(&self, call: Call, mut stored: StoredReport) -> Result<PartnerMessage, Fault> {
        loop {
            let attempt = self.apply(stored).await;
            let (message_id, is_split) = (attempt.message_id.clone(), !attempt.bad.is_empty());
            let message = self.db.run(call.clone(), attempt).await?;
            if !is_split || message.state() != v1::MessageState::Received {
                return Ok(message);
            }
            stored = self.stored(&self.message(&message_id).await?).await?;
        }
    }

    async fn apply_stored(&self, message: &Message) -> RecordReportAttempt {
        match self.stored(message).await {
            Ok(stored) => self.apply(stored).await,
            Err(fault) => RecordReportAttempt::failed(&message.message_id, fault),
        }
    }

    /// Applies waiting parts of a message, all when none is named.
    async fn apply_parts(&self, message: &Message, named: &[i32]) -> Result<RecordPartAttempts, Fault> {
        let stored = self.stored(message).await?;
        let mut results = Vec::new();
        for part in stored.parts.iter().filter(|part| part.state == PartState::Waiting) {
            if !named.is_empty() && !named.iter().any(|number| i64::from(*number) == part.part_number) {
                continue;
            }
            let report = report_part::only(stored.report.clone(), part);
            let request_id = format!("{}/{}", message.message_id, part.part_number);
            results.push((part.part_number, self.record(&stored, report, request_id).await));
        }
        Ok(RecordPartAttempts { message_id: message.message_id.clone(), results })
    }

    /// The parts of a message.
    pub(crate) async fn parts(&self, message: &Message) -> Result<Vec<ReportPart>, Fault> {
        if message.parts == 0 {
            return Ok(Vec::new());
        }
        let of_message = vec![message.message_id.to_value()];
        self.db.list("WHERE message_id = $1 ORDER BY part_number", of_message).await
    }

    async fn stored(&self, message: &Message) -> Result<StoredReport, Fault> {
        let content = self.db.load::<Content>(&message.message_id).await?;
        let content = content.ok_or_else(|| Fault::internal("a stored report has no content"))?;
        Ok(StoredReport {
            message_id: message.message_id.clone(),
            partner_id: message.partner_id.clone(),
            receive_time: Some(timestamp(message.create_time)),
            report: submission::decode(&content.content)?,
            parts: self.parts(message).await?,
        })
    }

    async fn apply(&self, stored: StoredReport) -> RecordReportAttempt {
        let report = report_part::without(stored.report.clone(), &stored.parts);
        let result = self.record(&stored, report, stored.message_id.to_string()).await;
        let refused = |fault| report_part::refused(&stored.report, &stored.parts, fault);
        let bad = result.as_ref().err().map(refused).unwrap_or_default();
        let left_out = i64::try_from(stored.parts.len()).unwrap_or(i64::MAX);
        RecordReportAttempt { message_id: stored.message_id, result, bad, left_out }
    }

    /// Makes the call that a report, or what is left of it, becomes.
    async fn record(&self, stored: &StoredReport, report: Report, request_id: String) -> Result<Effect, Fault> {
        let partner = self.db.load::<Partner>(&stored.partner_id).await?;
        let partner = partner.ok_or_else(|| Fault::not_found("partner", &stored.partner_id))?;
        let kind = report_kind::of(&report);
        let order_id = reporter::check(&self.db, &self.services, kind, &partner).await?;
        let effect = self.services.record(report, request_id, stored.receive_time, &partner).await?;
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

    /// Refuses a report of goods that leave with a carrier that is not known.
    fn check_carrier(&self, rows: &Rows) -> Result<(), Fault> {
        let Some((field, carrier_id)) = report_kind::carrier(&self.0.report) else { return Ok(()) };
        let carrier = match carrier_id.parse() {
            Ok(carrier_id) => rows.get::<Partner>(&carrier_id)?.filter(|partner| partner.kind == PartnerKind::Carrier),
            Err(_) => None,
        };
        carrier.map(|_| ()).ok_or_else(|| Fault::invalid(field, "is not a carrier that is known"))
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
            parts: 0,
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
        if let Some(carrier_id) = report_kind::carrier(&self.0.report).and_then(|(_, id)| id.parse().ok()) {
            needs.row::<Partner>(&carrier_id);
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
            self.check_carrier(rows)?;
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
    /// The elements that were refused, when the rest may take effect.
    pub bad: Vec<BadElement>,
    /// How many parts were left out.
    pub left_out: i64,
}

impl RecordReportAttempt {
    fn failed(message_id: &MessageId, fault: Fault) -> Self {
        Self { message_id: message_id.clone(), result: Err(fault), bad: Vec::new(), left_out: 0 }
    }
}

impl Command for RecordReportAttempt {
    type Reply = PartnerMessage;
    const NAME: &'static str = "RecordReportAttempt";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Message>(&self.message_id);
        report_parts::need(&self.message_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerMessage, Fault> {
        let present = rows.get::<Message>(&self.message_id)?.cloned();
        let present = present.ok_or_else(|| Fault::not_found("message", &self.message_id))?;
        if present.state != MessageState::Received {
            return Ok(wire::message(&present, Vec::new()));
        }
        if !self.bad.is_empty() {
            // Another attempt may have set the same elements aside.
            let present =
                if self.left_out == present.parts { report_parts::split(present, &self.bad, rows) } else { present };
            cx.schedule(task(&present, cx.now()));
            return Ok(wire::message(&present, Vec::new()));
        }
        let attempts = present.attempts + 1;
        let tried = Message { attempts, update_time: cx.now(), ..present };
        let (event, changed) = match &self.result {
            Ok(Effect { outcome, order_id, account_id }) => {
                let order_id = if order_id.is_empty() { tried.order_id.clone() } else { order_id.clone() };
                let account_id = account_id.parse().ok().or_else(|| tried.account_id.clone());
                let applied = Message { outcome: outcome.clone(), order_id, account_id, ..tried };
                unschedule(&applied, cx);
                let applied = report_parts::finish(applied, self.left_out, rows, cx)?;
                (PartnerEvent::PartnerMessageApplied as fn(_) -> _, applied)
            }
            // The report took effect with other parts than were left out now.
            Err(fault) if fault.reason == Reason::RequestIdReused && tried.parts > 0 => {
                unschedule(&tried, cx);
                (PartnerEvent::PartnerMessageApplied as fn(_) -> _, report_parts::finish(tried, 0, rows, cx)?)
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
        if message.state == MessageState::Rejected {
            unschedule(&message, cx);
        }
        cx.emit(events::message(event, &message));
        events::move_exception(cx, MessageState::Received, &message, &message.outcome);
        if attempts > ATTEMPTS_BEFORE_EXCEPTION {
            events::resolve_exception(cx, ExceptionType::ReportDelayed, &message, "the report was applied or rejected");
        }
        Ok(wire::message(&message, Vec::new()))
    }
}

/// A refusal for the partner: the reason, and every wrong field.
pub(crate) fn explanation(fault: &Fault) -> String {
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
        Ok(match message.state {
            MessageState::Received => vec![Box::new(self.0.apply_stored(&message).await)],
            MessageState::PartiallyApplied => vec![Box::new(self.0.apply_parts(&message, &[]).await?)],
            MessageState::Applied
            | MessageState::Rejected
            | MessageState::Quarantined
            | MessageState::Pending
            | MessageState::Sent
            | MessageState::InDoubt
            | MessageState::Acknowledged
            | MessageState::Failed => Vec::new(),
        })
    }
}
