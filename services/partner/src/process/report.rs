//! A partner's report, from receipt to effect.
//!
//! 1. **Submitted**: `rpc.rs` `submit_report` refuses callers that may not report for the partner; `submission.rs`
//!    checks the fields. Nothing is stored of what is refused here.
//! 2. **Received**: [`ReceiveReport`] (`report/receive.rs`) stores message and content as they were received, RECEIVED, and schedules
//!    [`ApplyReports`].
//!    - *Duplicate*, the control number was used for the same content: `partner.duplicate_ignored`; the caller is
//!      answered with the first message. The process ends.
//!    - *Conflict*, it was used for other content: QUARANTINED, `partner.duplicate_conflict`, exception
//!      CONTROL_NUMBER_REUSED; the caller is refused. The process ends, unless a person replays the message (step 7).
//! 3. **Checked**: `reporter.rs` refuses a report on another partner's subject.
//! 4. **Called**: `report_kind.rs` makes the call that the report becomes, under the message id as request id. A report that
//!    takes back or corrects an earlier one does that first, and waits until the earlier one is applied (`report/take_back.rs`).
//! 5. **Recorded**: fulfillment or inventory records it and emits its own events. A milestone or proof of delivery of
//!    an *unmatched* package is kept by fulfillment (`shipment.unmatched_milestone_recorded`) until a package for which
//!    the partner is an authoritative reporter has the tracking number; the message is APPLIED, and its outcome says
//!    so.
//! 6. [`RecordReportAttempt`] (`report/attempt.rs`) records the result here.
//!    - **Applied**: APPLIED, `partner.message_applied`; an exception REPORT_DELAYED is resolved.
//!    - **Partially applied**: parts of it were refused and wait, PARTIALLY_APPLIED (`process/report_parts.rs`).
//!    - **Rejected** for good: REJECTED, `partner.message_rejected`, exception REPORT_REJECTED.
//!    - **Delayed**, a service is not available: still RECEIVED, `partner.message_received` the first time; the task
//!      repeats steps 3 to 6 after growing pauses; after 20 attempts exception REPORT_DELAYED.
//! 7. **Replayed**: `replay_message.rs` makes a REJECTED or QUARANTINED message RECEIVED again,
//!    `partner.message_replayed`, resolves its exception, and steps 3 to 6 are repeated.
//!
//! A report that answers a request makes fulfillment emit an event, which `process/outbound_message.rs` reacts to.

mod attempt;
mod receive;
pub(crate) mod take_back;

use async_trait::async_trait;
use mesh::{
    Channel, Principal,
    wire::{one_id, timestamp},
};
use proto::{
    fulfillment::v1::fulfillment_service_client::FulfillmentServiceClient,
    inventory::v1::inventory_service_client::InventoryServiceClient,
    partner::v1::{self, PartnerMessage, submit_report_request::Report},
};
use store::{AnyCommand, Call, Column as _, Context, Db, Task, TaskHandler, Value};
use tokio::time::timeout;
use types::{Fault, MessageId, PartnerId, Reason, Timestamp, retry::report::WITHIN_CALL};

pub(crate) use self::attempt::explanation;
use self::{attempt::RecordReportAttempt, receive::ReceiveReport, take_back::About};
use crate::{
    fulfillment_request::FulfillmentRequest,
    message::{Content, Message, MessageState},
    partner::Partner,
    process::report_parts::RecordPartAttempts,
    report_kind::{self, Services},
    report_part::{self, PartState, ReportPart},
    reporter,
    submission::{self, Submission},
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
    /// The partner's own number of it.
    pub control_number: String,
    /// Control number of the earlier report that it corrects; empty when it corrects none.
    pub corrects: String,
    /// How often it was replayed.
    pub replays: i64,
    /// The report.
    pub report: Report,
    /// Parts of it that were refused when the rest took effect, or before the rest does.
    pub parts: Vec<ReportPart>,
}

/// What a report did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    /// For people.
    pub outcome: String,
    /// The order it belongs to; empty when not known.
    pub order_id: String,
    /// The account of the order; empty when not known.
    pub account_id: String,
    /// What it was recorded as: a tracking report or a shipment; empty otherwise.
    pub recorded_as: String,
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
        let Submission { partner_id, control_number, corrects, report, content, .. } = submission.clone();
        let received = self.db.run(call.clone(), ReceiveReport(submission)).await?;
        let message_id: MessageId = one_id("message_id", &received.message_id)?;
        if received.state() == v1::MessageState::Quarantined {
            let problem = format!("{}: {}", received.control_number, received.outcome);
            return Err(Fault::new(Reason::ControlNumberReused, problem).fact("message_id", message_id));
        }
        let message = if received.state() == v1::MessageState::Received {
            let stored = if corrects.is_empty() {
                let (receive_time, replays, parts) = (received.create_time, 0, Vec::new());
                StoredReport { message_id, partner_id, receive_time, control_number, corrects, replays, report, parts }
            } else {
                // It may be a repeat of one that was replayed.
                self.stored(&self.message(&message_id).await?).await?
            };
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
        let (report, corrects) = submission::decode(&content.content)?;
        Ok(StoredReport {
            message_id: message.message_id.clone(),
            partner_id: message.partner_id.clone(),
            receive_time: Some(timestamp(message.create_time)),
            control_number: message.control_number.clone(),
            corrects,
            replays: message.replays,
            report,
            parts: self.parts(message).await?,
        })
    }

    async fn apply(&self, stored: StoredReport) -> RecordReportAttempt {
        let report = report_part::without(stored.report.clone(), &stored.parts);
        let (mut taken_back, mut about) = (Vec::new(), About::default());
        let result = if let Report::Retracted(retraction) = &report {
            self.retract(&stored, retraction, &mut taken_back, &mut about).await
        } else if stored.corrects.is_empty() {
            self.record(&stored, report, stored.message_id.to_string()).await
        } else {
            self.correct(&stored, report, &mut taken_back, &mut about).await
        };
        let refused = |fault| report_part::refused(&stored.report, &stored.parts, fault);
        let bad = result.as_ref().err().map(refused).unwrap_or_default();
        let left_out = i64::try_from(stored.parts.len()).unwrap_or(i64::MAX);
        RecordReportAttempt { message_id: stored.message_id, result, bad, left_out, taken_back, about }
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
            | MessageState::Retracted
            | MessageState::Pending
            | MessageState::Held
            | MessageState::Sent
            | MessageState::InDoubt
            | MessageState::Acknowledged
            | MessageState::Failed => Vec::new(),
        })
    }
}
