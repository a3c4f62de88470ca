//! Tracking reports: milestones and proofs of delivery, by the tracking number that they name.

use proto::fulfillment::v1 as contract;
use store::Proto;
use types::Timestamp;

store::text_enum! {
    /// What a carrier reports of a package.
    pub enum MilestoneCode = contract::MilestoneCode {
        /// A code that is not known here.
        Unspecified = "UNSPECIFIED",
        /// A label exists.
        LabelCreated = "LABEL_CREATED",
        /// Picked up.
        PickedUp = "PICKED_UP",
        /// In transit.
        InTransit = "IN_TRANSIT",
        /// At customs.
        Customs = "CUSTOMS",
        /// Late.
        Delayed = "DELAYED",
        /// A new estimate.
        Estimated = "ESTIMATED",
        /// On the last leg.
        OutForDelivery = "OUT_FOR_DELIVERY",
        /// Arrived at the consignee.
        ArrivedDelivery = "ARRIVED_DELIVERY",
        /// To be picked up by the consignee.
        AvailableForPickup = "AVAILABLE_FOR_PICKUP",
        /// A delivery was attempted.
        DeliveryAttempted = "DELIVERY_ATTEMPTED",
        /// Delivered.
        Delivered = "DELIVERED",
        /// Refused by the consignee.
        Refused = "REFUSED",
        /// Damaged.
        Damaged = "DAMAGED",
        /// Returned to the sender.
        ReturnedToSender = "RETURNED_TO_SENDER",
        /// Lost.
        Lost = "LOST",
        /// An unspecified failure.
        Failure = "FAILURE",
    }
}

store::record! {
    /// One row for all reports and packages with a tracking number. Whoever adds a report or a package, or names the carrier of
    /// one, writes it, so that of two replicas neither misses the other's.
    pub(crate) struct TrackingNumber in "tracking_numbers" key (tracking_number: String) {}
}

store::record! {
    /// One milestone. The same number, reporter, code, raw code and time are the same milestone. The reporter is a partner,
    /// or empty for the distributor.
    pub struct Milestone in "milestones" key (
        tracking_number: String, reporter_id: String, code: MilestoneCode, occur_time: Timestamp, raw_code: String
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
        /// What proves the delivery.
        proof: Proto<contract::ProofOfDelivery>,
        /// Who carries the package; empty when not known.
        carrier_id: String,
        /// When it was recorded here.
        record_time: Timestamp,
    }
}

impl MilestoneCode {
    /// The rank of a status that no later report changes: the lowest of several ranks stays.
    pub(crate) fn terminal_rank(self) -> Option<usize> {
        [Self::Delivered, Self::ReturnedToSender, Self::Lost].iter().position(|code| *code == self)
    }

    /// Whether it is a status of a package.
    pub(crate) const fn is_status(self) -> bool {
        !matches!(self, Self::Unspecified | Self::Estimated)
    }

    /// Whether a carrier can report it only of goods that left the node.
    pub(crate) const fn implies_departure(self) -> bool {
        !matches!(self, Self::Unspecified | Self::LabelCreated | Self::Delayed | Self::Estimated | Self::Failure)
    }
}

impl Milestone {
    /// The key of its event, which distinguishes it from other milestones.
    pub(crate) fn event_key(&self) -> String {
        let Self { tracking_number, reporter_id, code, occur_time, raw_code, .. } = self;
        let key = format!("{tracking_number}/{}/{}/{raw_code}", code.as_str(), occur_time.as_micros());
        if reporter_id.is_empty() { key } else { format!("{key}/{reporter_id}") }
    }
}
