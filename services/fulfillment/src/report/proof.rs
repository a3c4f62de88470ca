//! Proof that a package was delivered. A proof is a delivery.

use proto::fulfillment::v1::{RecordProofOfDeliveryResponse, ShipmentMilestoneRecorded};
use store::{Command, Context, Needs, NewEvent, Rows};
use types::Fault;

use super::word::{Word, counting, word_needs};
use crate::{
    tracking::{Code, Proof},
    wire,
};

/// What proves a delivery. The same proof again changes nothing.
#[derive(Debug)]
pub struct RecordProof(pub Proof);

impl Command for RecordProof {
    type Reply = RecordProofOfDeliveryResponse;
    const NAME: &'static str = "RecordProofOfDelivery";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        word_needs(&self.0.tracking_number, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<RecordProofOfDeliveryResponse, Fault> {
        let proof = Proof { record_time: cx.now(), ..self.0.clone() };
        let (number, reporter_id) = (&proof.tracking_number, &proof.reporter_id);
        if rows.get::<Proof>(&(number.clone(), reporter_id.clone(), proof.sign_time))?.is_none() {
            rows.put(proof.clone());
            let word = Word { number, reporter_id, carrier_id: &proof.carrier_id };
            let matched = word.reach(rows, cx, |dossier, shipment, package, cx| {
                dossier.tell_proof(shipment, package, proof.sign_time, cx);
            })?;
            if !matched {
                cx.emit(unmatched(&proof));
            }
        }
        let Some((shipment, package)) = counting(number, reporter_id, rows)? else {
            return Ok(RecordProofOfDeliveryResponse::default());
        };
        Ok(RecordProofOfDeliveryResponse {
            shipment_id: package.shipment_id.to_string(),
            package_id: package.package_id.to_string(),
            order_id: shipment.order_id.to_string(),
        })
    }
}

/// A proof of a package nobody reported yet, told as the delivery it is.
fn unmatched(proof: &Proof) -> NewEvent {
    let (number, sign_time) = (&proof.tracking_number, proof.sign_time);
    let milestone = proto::fulfillment::v1::Milestone {
        tracking_number: number.clone(),
        code: wire::code(Code::Delivered).into(),
        raw_code: "POD".to_owned(),
        occur_time: Some(mesh::wire::timestamp(sign_time)),
        ..proto::fulfillment::v1::Milestone::default()
    };
    let status = milestone.code;
    let told = ShipmentMilestoneRecorded { milestone: Some(milestone), status, ..ShipmentMilestoneRecorded::default() };
    let key = format!("{number}/POD/{}/{}", sign_time.as_micros(), proof.reporter_id);
    NewEvent::untyped("shipment.unmatched_milestone_recorded", number, 0, key, &told).occurred(sign_time, 0)
}
