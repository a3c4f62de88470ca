//! What carriers say of a package, folded by the time it happened.
//!
//! The status is a function of the set of reports alone: in whatever order and however often they arrive, the same
//! reports give the same status. The newest one by the time it happened counts; terminal ones stay. When carriers
//! contradict themselves with two terminal reports, the one that knows more of where the goods are stays: delivered
//! before returned, returned before lost. So a package once delivered is never anything else again.

use store::Proto;
use types::Timestamp;

use proto::fulfillment::v1 as wire;

store::text_enum! {
    /// What a carrier says of a package.
    pub enum Code {
        /// Not known to us.
        Unspecified = "UNSPECIFIED",
        /// A label exists.
        LabelCreated = "LABEL_CREATED",
        /// Picked up.
        PickedUp = "PICKED_UP",
        /// On its way.
        InTransit = "IN_TRANSIT",
        /// At customs.
        Customs = "CUSTOMS",
        /// Late.
        Delayed = "DELAYED",
        /// A new estimate.
        Estimated = "ESTIMATED",
        /// On the last leg.
        OutForDelivery = "OUT_FOR_DELIVERY",
        /// At the consignee's.
        ArrivedDelivery = "ARRIVED_DELIVERY",
        /// Waits to be picked up by the consignee.
        AvailableForPickup = "AVAILABLE_FOR_PICKUP",
        /// Nobody took it.
        DeliveryAttempted = "DELIVERY_ATTEMPTED",
        /// Delivered.
        Delivered = "DELIVERED",
        /// The consignee refused it.
        Refused = "REFUSED",
        /// Damaged.
        Damaged = "DAMAGED",
        /// Came back.
        ReturnedToSender = "RETURNED_TO_SENDER",
        /// Lost.
        Lost = "LOST",
        /// Something went wrong.
        Failure = "FAILURE",
    }
}

store::record! {
    /// Stands for what is said of a number and for the packages that have it. A report finds no package, or a package no
    /// report, only as long as nobody else writes this row.
    pub struct TrackingNumber in "tracking_numbers" key (tracking_number: String) {}
}

store::record! {
    /// One report of a carrier. The same number, reporter, code, raw code and time are the same report. The reporter is a
    /// partner, or empty when it is the distributor itself.
    pub struct Milestone in "milestones" key (
        tracking_number: String, reporter_id: String, code: Code, occur_time: Timestamp, raw_code: String
    ) {
        /// Minutes east of UTC at the place.
        occur_offset_minutes: i64,
        /// Where, for people.
        place: String,
        /// When the carrier expects to deliver.
        estimated_delivery_time: Option<Timestamp>,
        /// Who carries the package; empty when not known.
        carrier_id: String,
        /// When it was recorded here.
        record_time: Timestamp,
    }
}

store::record! {
    /// One proof of delivery. The same number, reporter and time are the same proof.
    pub struct Proof in "proofs" key (tracking_number: String, reporter_id: String, sign_time: Timestamp) {
        /// What proves it.
        proof: Proto<wire::ProofOfDelivery>,
        /// Who carries the package; empty when not known.
        carrier_id: String,
        /// When it was recorded here.
        record_time: Timestamp,
    }
}

/// What all reports of a package come to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tracking {
    /// The status and when that was.
    pub status: Option<(Code, Timestamp)>,
    /// When the carrier expects to deliver, as it said last.
    pub estimated_delivery_time: Option<Timestamp>,
    /// The first report that it can only give of goods that left.
    pub depart_time: Option<Timestamp>,
    /// The newest proof.
    pub proof: Option<wire::ProofOfDelivery>,
}

impl Code {
    /// Whether the status stays; the least of several stays.
    const fn terminal(self) -> Option<u8> {
        match self {
            Self::Delivered => Some(0),
            Self::ReturnedToSender => Some(1),
            Self::Lost => Some(2),
            Self::Unspecified
            | Self::LabelCreated
            | Self::PickedUp
            | Self::InTransit
            | Self::Customs
            | Self::Delayed
            | Self::Estimated
            | Self::OutForDelivery
            | Self::ArrivedDelivery
            | Self::AvailableForPickup
            | Self::DeliveryAttempted
            | Self::Refused
            | Self::Damaged
            | Self::Failure => None,
        }
    }

    /// Whether it says where the package is.
    const fn is_status(self) -> bool {
        !matches!(self, Self::Unspecified | Self::Estimated)
    }

    /// Whether a carrier can only say it of goods that left the node.
    pub const fn implies_departure(self) -> bool {
        match self {
            Self::PickedUp
            | Self::InTransit
            | Self::Customs
            | Self::OutForDelivery
            | Self::ArrivedDelivery
            | Self::AvailableForPickup
            | Self::DeliveryAttempted
            | Self::Delivered
            | Self::Refused
            | Self::Damaged
            | Self::ReturnedToSender
            | Self::Lost => true,
            Self::Unspecified | Self::LabelCreated | Self::Delayed | Self::Estimated | Self::Failure => false,
        }
    }
}

impl Milestone {
    /// Tells this report from others of the package.
    pub fn fact_key(&self) -> String {
        let Self { tracking_number, reporter_id, code, occur_time, raw_code, .. } = self;
        let key = format!("{tracking_number}/{}/{}/{raw_code}", code.as_str(), occur_time.as_micros());
        if reporter_id.is_empty() { key } else { format!("{key}/{reporter_id}") }
    }
}

impl Tracking {
    /// When the package was delivered, if it was.
    pub fn deliver_time(&self) -> Option<Timestamp> {
        self.status.filter(|(code, _)| *code == Code::Delivered).map(|(_, at)| at)
    }
}

/// Folds all reports of one tracking number.
pub fn fold<'a>(
    milestones: impl IntoIterator<Item = &'a Milestone>,
    proofs: impl IntoIterator<Item = &'a Proof>,
) -> Tracking {
    let milestones: Vec<_> = milestones.into_iter().collect();
    let proofs: Vec<_> = proofs.into_iter().collect();
    let said = milestones.iter().map(|milestone| (milestone.code, milestone.occur_time));
    let said: Vec<_> = said.chain(proofs.iter().map(|proof| (Code::Delivered, proof.sign_time))).collect();

    let terminal = said.iter().filter_map(|(code, at)| Some((code.terminal()?, *at, *code))).min();
    let newest = said.iter().filter(|(code, _)| code.is_status()).max_by_key(|(code, at)| (*at, *code)).copied();
    let estimates = milestones.iter().filter_map(|milestone| Some((milestone, milestone.estimated_delivery_time?)));
    let estimate = estimates.max_by_key(|(milestone, estimate)| (milestone.occur_time, *estimate));
    Tracking {
        status: terminal.map(|(_, at, code)| (code, at)).or(newest),
        estimated_delivery_time: estimate.map(|(_, estimate)| estimate),
        depart_time: said.iter().filter(|(code, _)| code.implies_departure()).map(|(_, at)| *at).min(),
        proof: proofs.iter().max_by_key(|proof| proof.sign_time).map(|proof| proof.proof.0.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, option, prelude::*, sample::select};

    use super::*;

    fn milestone(code: Code, at: i64) -> Milestone {
        Milestone {
            tracking_number: "1Z".to_owned(),
            reporter_id: String::new(),
            code,
            occur_time: Timestamp::from_micros(at),
            raw_code: String::new(),
            occur_offset_minutes: 0,
            place: String::new(),
            estimated_delivery_time: None,
            carrier_id: String::new(),
            record_time: Timestamp::default(),
            version: 0,
        }
    }

    fn proof(at: i64) -> Proof {
        let sign_time = Timestamp::from_micros(at);
        Proof {
            tracking_number: "1Z".to_owned(),
            reporter_id: String::new(),
            sign_time,
            proof: Proto(wire::ProofOfDelivery { signed_by: format!("at {at}"), ..Default::default() }),
            carrier_id: String::new(),
            record_time: Timestamp::default(),
            version: 0,
        }
    }

    fn status(milestones: &[Milestone], proofs: &[Proof]) -> Option<(Code, i64)> {
        fold(milestones, proofs).status.map(|(code, at)| (code, at.as_micros()))
    }

    #[test]
    fn the_newest_by_the_time_it_happened_counts() {
        let late = [milestone(Code::OutForDelivery, 5), milestone(Code::PickedUp, 1)];
        assert_eq!(status(&late, &[]), Some((Code::OutForDelivery, 5)));
    }

    #[test]
    fn a_delivered_package_stays_delivered() {
        let after = [milestone(Code::Delivered, 5), milestone(Code::InTransit, 9), milestone(Code::Lost, 2)];
        assert_eq!(status(&after, &[]), Some((Code::Delivered, 5)));
        assert_eq!(status(&[milestone(Code::Lost, 2)], &[proof(7)]), Some((Code::Delivered, 7)));
    }

    #[test]
    fn estimates_and_unknown_codes_move_no_status() {
        let mut estimate = milestone(Code::Estimated, 9);
        estimate.estimated_delivery_time = Some(Timestamp::from_micros(50));
        let said = [milestone(Code::LabelCreated, 1), estimate, milestone(Code::Unspecified, 10)];
        let tracking = fold(&said, &[]);
        assert_eq!(tracking.status, Some((Code::LabelCreated, Timestamp::from_micros(1))));
        assert_eq!(tracking.estimated_delivery_time, Some(Timestamp::from_micros(50)));
        assert_eq!(tracking.depart_time, None);
    }

    fn sets() -> impl Strategy<Value = (Vec<Milestone>, Vec<Proof>)> {
        let one = (select(Code::ALL), 0..6_i64, option::of(0..9_i64));
        let milestones = vec(one, 0..8).prop_map(|said| {
            let keyed = said.into_iter().map(|(code, at, estimate)| {
                let estimated_delivery_time = estimate.map(Timestamp::from_micros);
                ((code, at), Milestone { estimated_delivery_time, ..milestone(code, at) })
            });
            keyed.collect::<BTreeMap<_, _>>().into_values().collect::<Vec<_>>()
        });
        (milestones, vec(0..6_i64, 0..3).prop_map(|times| times.into_iter().map(proof).collect()))
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_of_the_same_reports_give_the_same_status(
            (milestones, proofs) in sets(),
            order in vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let mut shuffled = milestones.clone();
            for at in &order {
                if !milestones.is_empty() {
                    let again = shuffled.remove(at.index(milestones.len()));
                    shuffled.push(again.clone());
                    shuffled.push(again);
                }
            }
            let backwards: Vec<_> = proofs.iter().rev().chain(&proofs).cloned().collect();
            prop_assert_eq!(fold(&milestones, &proofs), fold(&shuffled, &backwards));
        }

        #[test]
        fn what_was_delivered_is_never_anything_else_again((milestones, proofs) in sets(), at in 0..9_i64) {
            let mut milestones = milestones;
            milestones.push(milestone(Code::Delivered, at));
            prop_assert_eq!(fold(&milestones, &proofs).status.map(|(code, _)| code), Some(Code::Delivered));
        }
    }
}
