//! Proof that a package was delivered. A proof is a delivery.

use proto::fulfillment::v1::{RecordProofOfDeliveryResponse, ShipmentMilestoneRecorded};
use store::{Command, Context, Draft, Needs, Work};
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

    fn needs(&self, work: &Work, needs: &mut Needs) {
        word_needs(&self.0.tracking_number, work, needs);
    }

    fn decide(&self, work: &mut Work, cx: &mut Context<'_>) -> Result<RecordProofOfDeliveryResponse, Fault> {
        let proof = Proof { record_time: cx.now(), ..self.0.clone() };
        let (number, reporter_id) = (&proof.tracking_number, &proof.reporter_id);
        if work.get::<Proof>(&(number.clone(), reporter_id.clone(), proof.sign_time))?.is_none() {
            work.put(proof.clone());
            let word = Word { number, reporter_id, carrier_id: &proof.carrier_id };
            let matched = word.reach(work, cx, |dossier, shipment, package, cx| {
                dossier.tell_proof(shipment, package, proof.sign_time, cx);
            })?;
            if !matched {
                cx.emit(unmatched(&proof));
            }
        }
        let Some((shipment, package)) = counting(number, reporter_id, work)? else {
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
fn unmatched(proof: &Proof) -> Draft {
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
    Draft::new("shipment.unmatched_milestone_recorded", number, 0, key, &told).occurred(sign_time, 0)
}
