//! A report that takes back an earlier one of the partner, or stands in the place of one.
//!
//! 1. **Found**: every message of the partner with the control number, which are several when it was used again for other
//!    content. While none is received or one is not applied yet, the report waits as for a service that is not available:
//!    reports come in any order. A control number of another partner is none of this one's.
//! 2. **Refused** by field, when the earlier report is of a kind that cannot be taken back (`retraction.rs`), or, to be
//!    corrected, of another kind.
//! 3. **Taken back**: what the earlier report did, without its parts that wait. One that was REJECTED or QUARANTINED did nothing, and
//!    one that is RETRACTED is taken back already. The call is made under the ids of both messages, so that a repeat after
//!    a crash takes it back once.
//! 4. **Recorded** in its place, when the report is a correction. A milestone, a proof, and a shipment of the same packages are
//!    corrected by the call that records them. When the correction is refused, the earlier report is recorded again, and stays as it was.
//! 5. [`RecordReportAttempt`](super::attempt::RecordReportAttempt) ties the report to the order of the earlier one, also when it is
//!    refused ([`About`]), so that the order shows its exception. It marks the earlier messages with the result ([`mark`]): RETRACTED,
//!    `partner.message_retracted`. Their parts are dropped, their exceptions are resolved, and `ReplayMessage` refuses them.

use proto::{
    events::PartnerEvent,
    fulfillment::v1::{
        CorrectShipmentRequest, GetShipmentRequest, RecordMilestoneRequest, RecordProofOfDeliveryRequest,
        RecordShipmentRequest, VoidLabelsRequest,
    },
    partner::v1::{RetractReport, submit_report_request::Report},
};
use store::{Column as _, Context, Rows};
use types::{AccountId, Fault, MessageId, Reason};

use super::{Effect, Reports, StoredReport, unschedule};
use crate::{
    events,
    message::{Direction, Message, MessageState},
    process::report_parts,
    report_kind, report_part,
    report_part::PartState,
    retraction::{self, Recorded, Retraction},
};

/// An earlier message that a report takes back, as it was when that was decided.
#[derive(Debug, Clone)]
pub(crate) struct TakenBack {
    /// The message.
    pub(crate) message_id: MessageId,
    /// Its state.
    pub(crate) state: MessageState,
}

/// The order that earlier messages belong to, as far as they name one.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    /// The order; empty when not known.
    pub(crate) order_id: String,
    /// The account of the order.
    pub(crate) account_id: Option<AccountId>,
}

impl About {
    fn of(messages: &[Message]) -> Self {
        let named = messages.iter().rev().find(|message| !message.order_id.is_empty());
        named.map_or_else(Self::default, |message| Self {
            order_id: message.order_id.clone(),
            account_id: message.account_id.clone(),
        })
    }
}

impl From<&Message> for TakenBack {
    fn from(message: &Message) -> Self {
        Self { message_id: message.message_id.clone(), state: message.state }
    }
}

/// Marks a message as taken back by a later one.
pub(crate) fn mark(message: Message, by: &MessageId, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
    report_parts::drop_waiting(&message, rows)?;
    let left = message.state;
    let outcome = format!("{}; taken back by {by}", message.outcome).trim_start_matches("; ").to_owned();
    let (state, retracted_by) = (MessageState::Retracted, Some(by.clone()));
    let message = rows.put(Message { state, outcome, retracted_by, update_time: cx.now(), ..message });
    unschedule(&message, cx);
    cx.emit(events::message(PartnerEvent::PartnerMessageRetracted, &message));
    events::move_exception(cx, left, &message, &message.outcome);
    Ok(())
}

/// Whether a message did something that is not taken back.
fn has_effect(message: &Message) -> bool {
    matches!(message.state, MessageState::Applied | MessageState::PartiallyApplied)
}

impl Reports {
    /// Takes back an earlier report. Adds to `taken_back` what is undone, also when something else is refused then, and sets
    /// `about` to the order that it is about.
    pub(super) async fn retract(
        &self,
        stored: &StoredReport,
        retraction: &RetractReport,
        taken_back: &mut Vec<TakenBack>,
        about: &mut About,
    ) -> Result<Effect, Fault> {
        let RetractReport { control_number, reason } = retraction;
        let earlier = self.earlier(stored, control_number).await?;
        *about = About::of(&earlier);
        for message in &earlier {
            if !retraction::is_possible(&self.stored(message).await?.report) {
                let description = format!("names a {}, which cannot be taken back", message.message_type);
                return Err(Fault::invalid("retracted.control_number", description));
            }
        }
        let mut effect = Effect::default();
        for message in &earlier {
            let Message { message_id, message_type, state, .. } = message;
            let outcome = if *state == MessageState::Retracted {
                format!("{message_id} was taken back already")
            } else if has_effect(message) {
                self.undo(stored, message, reason).await?;
                format!("took back {message_type} {message_id}")
            } else {
                format!("nothing to take back: {message_id} was {}", state.as_str())
            };
            if *state != MessageState::Retracted {
                taken_back.push(message.into());
            }
            effect = Effect {
                outcome: format!("{}; {outcome}", effect.outcome).trim_start_matches("; ").to_owned(),
                order_id: message.order_id.clone(),
                account_id: message.account_id.as_ref().map(ToString::to_string).unwrap_or_default(),
                recorded_as: String::new(),
            };
        }
        Ok(effect)
    }

    /// Records a report in the place of an earlier one, which is taken back. When it is refused, the earlier one is as before.
    pub(super) async fn correct(
        &self,
        stored: &StoredReport,
        report: Report,
        taken_back: &mut Vec<TakenBack>,
        about: &mut About,
    ) -> Result<Effect, Fault> {
        let own_type = report_kind::of(&report).message_type;
        let earlier = self.earlier(stored, &stored.corrects).await?;
        *about = About::of(&earlier);
        // A control number that was used again for another kind of report is refused as that, and corrects nothing.
        let other = earlier.iter().find(|one| one.state != MessageState::Quarantined && one.message_type != own_type);
        if let Some(other) = other {
            let description = format!("names a {}, and this is a {own_type}", other.message_type);
            return Err(Fault::invalid("corrects", description));
        }
        let request_id = stored.message_id.to_string();
        let (undone, without_effect): (Vec<_>, Vec<_>) = earlier.iter().partition(|message| has_effect(message));
        let marked = without_effect.iter().filter(|message| message.state != MessageState::Retracted);
        if let [message] = undone.as_slice()
            && let Some(correction) = self.in_one_call(stored, message, &report).await?
        {
            let effect = self.record(stored, correction, request_id).await?;
            taken_back.extend(marked.chain([message]).map(|message| TakenBack::from(*message)));
            return Ok(effect);
        }
        for message in &undone {
            self.undo(stored, message, &format!("corrected by {}", stored.control_number)).await?;
        }
        let effect = match self.record(stored, report.clone(), request_id).await {
            Err(fault) if !fault.is_transient() => {
                for message in &undone {
                    match self.redo(stored, message).await {
                        Err(fault) if fault.is_transient() => return Err(fault),
                        Err(_) => taken_back.push((*message).into()),
                        Ok(()) => {}
                    }
                }
                return Err(fault);
            }
            recorded => recorded?,
        };
        for message in &undone {
            self.void_others(stored, message, &report).await?;
        }
        taken_back.extend(marked.chain(&undone).map(|message| TakenBack::from(*message)));
        Ok(effect)
    }

    /// The partner's messages with a control number, oldest first, all of which were applied or refused.
    async fn earlier(&self, stored: &StoredReport, control_number: &str) -> Result<Vec<Message>, Fault> {
        let with_number = vec![control_number.to_owned().to_value(), stored.partner_id.to_value()];
        let tail = "WHERE control_number = $1 AND partner_id = $2 ORDER BY message_id";
        let mut earlier = self.db.list::<Message>(tail, with_number).await?;
        earlier.retain(|one| one.state.direction() == Direction::In && one.message_id != stored.message_id);
        if earlier.is_empty() {
            return Err(Fault::unavailable(format!("no report {control_number} is received yet")));
        }
        if let Some(waiting) = earlier.iter().find(|one| one.state == MessageState::Received) {
            return Err(Fault::unavailable(format!(
                "report {control_number} is not applied yet: {}",
                waiting.message_id
            )));
        }
        Ok(earlier)
    }

    /// Undoes what an earlier report did.
    async fn undo(&self, stored: &StoredReport, message: &Message, reason: &str) -> Result<(), Fault> {
        let (report, recorded) = self.recorded(message).await?;
        // That it is possible was checked: by `retract`, and of a correction by `submission.rs`.
        let Retraction::By(takes_back) = retraction::of(&report, &recorded, reason) else { return Ok(()) };
        let request_id = self.step(stored, message, "undo").await?;
        self.record(stored, *takes_back, request_id).await.map(|_| ())
    }

    /// Records an earlier report again whose correction was refused.
    async fn redo(&self, stored: &StoredReport, message: &Message) -> Result<(), Fault> {
        let (report, _) = self.recorded(message).await?;
        let request_id = self.step(stored, message, "redo").await?;
        self.record(&self.stored(message).await?, report, request_id).await.map(|_| ())
    }

    /// What an earlier report said, without its parts that wait, and what is known of it.
    async fn recorded(&self, message: &Message) -> Result<(Report, Recorded), Fault> {
        let earlier = self.stored(message).await?;
        let waiting: Vec<_> = earlier.parts.into_iter().filter(|part| part.state == PartState::Waiting).collect();
        let report = report_part::without(earlier.report, &waiting);
        let shipment_reference = match report_kind::shipment_reference(&report) {
            Some(reported) => self.shipment_reference(&message.recorded_as, reported).await?,
            None => String::new(),
        };
        let (recorded_as, receive_time) = (message.recorded_as.clone(), earlier.receive_time);
        Ok((report, Recorded { recorded_as, shipment_reference, receive_time }))
    }

    /// The reference of a shipment. It may differ from the reported one: packages that were known before stay in their shipment.
    async fn shipment_reference(&self, shipment_id: &str, reported: &str) -> Result<String, Fault> {
        if shipment_id.is_empty() {
            return Ok(reported.to_owned());
        }
        let request = GetShipmentRequest { shipment_id: shipment_id.to_owned() };
        let shipment = self.services.fulfillment.clone().get_shipment(request).await;
        shipment.map(|shipment| shipment.into_inner().shipment_reference).map_err(|status| mesh::fault(&status))
    }

    /// The id of a request by which a report undoes an earlier one. With other parts applied, and when a correction is replayed
    /// that was refused, it is another request.
    async fn step(&self, stored: &StoredReport, message: &Message, step: &str) -> Result<String, Fault> {
        let parts = self.parts(message).await?;
        let waiting = parts.iter().filter(|part| part.state == PartState::Waiting).count();
        Ok(format!("{}/{step}/{}/{waiting}/{}", stored.message_id, message.message_id, stored.replays))
    }

    /// The report that records a correction and takes the earlier report back in one call, if there is one.
    async fn in_one_call(
        &self,
        stored: &StoredReport,
        message: &Message,
        report: &Report,
    ) -> Result<Option<Report>, Fault> {
        let corrects = message.recorded_as.clone();
        if let Report::Milestone(request) = report {
            return Ok(Some(Report::Milestone(RecordMilestoneRequest { corrects, ..request.clone() })));
        }
        if let Report::ProofOfDelivery(request) = report {
            return Ok(Some(Report::ProofOfDelivery(RecordProofOfDeliveryRequest { corrects, ..request.clone() })));
        }
        let Report::Shipped(request) = report else { return Ok(None) };
        let (Report::Shipped(earlier), recorded) = self.recorded(message).await? else { return Ok(None) };
        if !has_same_packages(&earlier, request) {
            return Ok(None);
        }
        Ok(Some(Report::ShipmentCorrected(CorrectShipmentRequest {
            fulfillment_order_id: request.fulfillment_order_id.clone(),
            shipment_reference: recorded.shipment_reference,
            packages: request.packages.clone(),
            reason: format!("corrected by {}", stored.control_number),
            occur_time: request.occur_time,
            ..Default::default()
        })))
    }

    /// Voids the labels of packages that did not leave and that the report in their place does not name. A package that left
    /// according to its carrier keeps its label.
    async fn void_others(&self, stored: &StoredReport, message: &Message, report: &Report) -> Result<(), Fault> {
        let (Report::Shipped(report), (Report::Shipped(earlier), recorded)) = (report, self.recorded(message).await?)
        else {
            return Ok(());
        };
        let (names, mut others) = (retraction::names(&report.packages), retraction::names(&earlier.packages));
        others.retain(|name| !names.contains(name));
        if others.is_empty() {
            return Ok(());
        }
        let void = Report::Voided(VoidLabelsRequest {
            fulfillment_order_id: earlier.fulfillment_order_id,
            shipment_reference: recorded.shipment_reference,
            package_names: others,
            reason: format!("corrected by {}", stored.control_number),
            ..Default::default()
        });
        let request_id = self.step(stored, message, "void").await?;
        match self.record(stored, void, request_id).await {
            Err(fault) if fault.reason != Reason::ActionNotSupported => Err(fault),
            _ => Ok(()),
        }
    }
}

/// Whether two reports are of the same packages of one shipment that left at the same time, so that only contents may differ.
fn has_same_packages(earlier: &RecordShipmentRequest, later: &RecordShipmentRequest) -> bool {
    let mut names = [retraction::names(&earlier.packages), retraction::names(&later.packages)];
    names.iter_mut().for_each(|names| names.sort_unstable());
    earlier.fulfillment_order_id == later.fulfillment_order_id
        && earlier.shipment_reference == later.shipment_reference
        && earlier.carrier_id == later.carrier_id
        && later.occur_time.is_none_or(|at| earlier.occur_time == Some(at))
        && names[0] == names[1]
}
