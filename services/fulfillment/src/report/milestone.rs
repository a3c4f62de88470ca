//! A carrier says where a package is.

use proto::fulfillment::v1::{RecordMilestoneResponse, ShipmentMilestoneRecorded};
use store::{Command, Context, Needs, NewEvent, Rows};
use types::Fault;

use super::word::{Word, counting, word_needs};
use crate::{
    tracking::{Code, Milestone, fold},
    wire,
};

/// A carrier's report. The same report again changes nothing.
#[derive(Debug)]
pub struct RecordMilestone(pub Milestone);

impl Command for RecordMilestone {
    type Reply = RecordMilestoneResponse;
    const NAME: &'static str = "RecordMilestone";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        word_needs(&self.0.tracking_number, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<RecordMilestoneResponse, Fault> {
        let said = Milestone { record_time: cx.now(), ..self.0.clone() };
        let (number, reporter_id) = (&said.tracking_number, &said.reporter_id);
        let key = (number.clone(), reporter_id.clone(), said.code, said.occur_time, said.raw_code.clone());
        if rows.get::<Milestone>(&key)?.is_none() {
            rows.put(said.clone());
            let word = Word { number, reporter_id, carrier_id: &said.carrier_id };
            let matched = word.reach(rows, cx, |dossier, shipment, package, cx| {
                dossier.tell_milestone(shipment, package, &said, cx);
            })?;
            if !matched {
                cx.emit(unmatched(&said, rows)?);
            }
        }
        let Some((shipment, package)) = counting(number, reporter_id, rows)? else {
            let status = wire::code(own_status(&said, rows)?).into();
            return Ok(RecordMilestoneResponse { status, ..RecordMilestoneResponse::default() });
        };
        Ok(RecordMilestoneResponse {
            shipment_id: package.shipment_id.to_string(),
            package_id: package.package_id.to_string(),
            status: wire::code(package.status).into(),
            order_id: shipment.order_id.to_string(),
        })
    }
}

/// What the reporter's own reports of a number come to.
fn own_status(said: &Milestone, rows: &Rows) -> Result<Code, Fault> {
    let milestones = rows.under::<Milestone>(said.tracking_number.as_str())?.into_iter();
    let tracking = fold(milestones.filter(|one| one.reporter_id == said.reporter_id), []);
    Ok(tracking.status.map_or(Code::Unspecified, |(code, _)| code))
}

/// A report of a package nobody reported yet.
fn unmatched(said: &Milestone, rows: &Rows) -> Result<NewEvent, Fault> {
    let status = wire::code(own_status(said, rows)?).into();
    let milestone = Some(wire::milestone(said));
    let told = ShipmentMilestoneRecorded { milestone, status, ..ShipmentMilestoneRecorded::default() };
    let fact =
        NewEvent::untyped("shipment.unmatched_milestone_recorded", &said.tracking_number, 0, said.fact_key(), &told);
    Ok(fact.occurred(said.occur_time, wire::count(said.occur_offset_minutes)))
}
