//! Stores a report as it was received, once for each control number.

use proto::{event::v1::ExceptionType, events::PartnerEvent, partner::v1::PartnerMessage};
use store::{Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, MessageId, PartnerId, retry::report::BY_TASK_AFTER};

use super::task;
use crate::{
    events,
    fulfillment_request::FulfillmentRequest,
    message::{Arrival, BY_CONTROL_NUMBER, Content, ControlNumber, Direction, Message, MessageState},
    partner::{Partner, PartnerKind},
    report_kind,
    submission::{self, Submission},
    wire,
};

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
            recorded_as: String::new(),
            retracted_by: None,
            content_type: submission::CONTENT_TYPE.to_owned(),
            content_hash: submission.content_hash.clone(),
            attempts: 0,
            duplicates: 0,
            replays: 0,
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
