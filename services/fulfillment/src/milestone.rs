//! What carriers report of packages.

use proto::fulfillment::v1 as contract;

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

impl MilestoneCode {
    /// Whether it is a status of a package.
    pub(crate) const fn is_status(self) -> bool {
        !matches!(self, Self::Unspecified | Self::Estimated)
    }

    /// Whether a carrier can report it only of goods that left the node.
    pub(crate) const fn implies_departure(self) -> bool {
        !matches!(self, Self::Unspecified | Self::LabelCreated | Self::Delayed | Self::Estimated | Self::Failure)
    }
}
