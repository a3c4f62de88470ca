//! Packages: cartons and pallets of a shipment.

use proto::{
    fulfillment::v1::{ProofOfDelivery, ReportedPackage},
    types::v1::LineQuantity,
};
use store::Proto;
use types::{Fault, FulfillmentOrderId, Id as _, PackageId, ShipmentId, Timestamp};

use crate::{
    milestone::MilestoneCode,
    package_status::Tracking,
    shipment::{Shipment, derived_id},
};

store::record! {
    /// One carton or pallet.
    pub(crate) struct Package in "packages" key (package_id: PackageId) {
        /// The shipment.
        shipment_id: ShipmentId,
        /// The fulfillment order that it comes from.
        fulfillment_order_id: FulfillmentOrderId,
        /// The carrier's number.
        tracking_number: String,
        /// Serial shipping container code.
        sscc: String,
        /// Its contents, as reported.
        contents: Proto<ReportedPackage>,
        /// Whether it left, and who reported that.
        departure: Departure,
        /// When it left.
        ship_time: Option<Timestamp>,
        /// Its status, as the carrier reports it.
        status: MilestoneCode,
        /// When it reached the status.
        status_time: Option<Timestamp>,
        /// When the carrier expects to deliver.
        estimated_delivery_time: Option<Timestamp>,
        /// When it was delivered.
        deliver_time: Option<Timestamp>,
        /// The newest proof of delivery.
        proof: Option<Proto<ProofOfDelivery>>,
        /// When it was first reported.
        create_time: Timestamp,
    }
}

store::text_enum! {
    /// Whether a package left.
    pub(crate) enum Departure {
        /// Only its label is known.
        None = "NONE",
        /// The warehouse reported its departure.
        Reported = "REPORTED",
        /// A carrier's report implies its departure; the warehouse has not reported it yet.
        Inferred = "INFERRED",
    }
}

impl Package {
    /// A package that has not left. The same shipment and tracking number are the same package.
    pub(crate) fn new(shipment: &Shipment, contents: ReportedPackage, now: Timestamp) -> Result<Self, Fault> {
        Ok(Self {
            package_id: derived_id(shipment.shipment_id.as_str(), &contents.tracking_number)?,
            shipment_id: shipment.shipment_id.clone(),
            fulfillment_order_id: shipment.fulfillment_order_id.clone(),
            tracking_number: contents.tracking_number.clone(),
            sscc: contents.sscc.clone(),
            contents: Proto(contents),
            departure: Departure::None,
            ship_time: None,
            status: MilestoneCode::Unspecified,
            status_time: None,
            estimated_delivery_time: None,
            deliver_time: None,
            proof: None,
            create_time: now,
            version: 0,
        })
    }

    /// Its contents by line.
    pub(crate) fn lines(&self) -> &[LineQuantity] {
        &self.contents.0.lines
    }

    /// Whether these units are its contents.
    pub(crate) fn holds(&self, units: &[LineQuantity]) -> bool {
        let sorted = |units: &[LineQuantity]| {
            let mut sorted: Vec<_> = units.iter().map(|unit| (unit.line_number, unit.quantity)).collect();
            sorted.sort_unstable();
            sorted
        };
        sorted(self.lines()) == sorted(units)
    }

    /// Whether it left.
    pub(crate) fn has_left(&self) -> bool {
        self.departure != Departure::None
    }

    /// Takes over what its authoritative reports amount to; returns whether it is delivered only now.
    pub(crate) fn apply(&mut self, tracking: &Tracking) -> bool {
        let delivered = self.deliver_time.is_none() && tracking.deliver_time().is_some();
        if let Some((code, at)) = tracking.status {
            self.status = code;
            self.status_time = Some(at);
        }
        self.estimated_delivery_time = tracking.estimated_delivery_time;
        self.deliver_time = tracking.deliver_time();
        self.proof = tracking.proof.clone().map(Proto);
        delivered
    }
}

/// Units of several packages by line.
pub(crate) fn sum<'a>(packages: impl IntoIterator<Item = &'a Package>) -> Vec<LineQuantity> {
    let mut sums: Vec<LineQuantity> = Vec::new();
    for package in packages {
        add(&mut sums, package.lines().to_vec());
    }
    sums.sort_by_key(|sum| sum.line_number);
    sums
}

/// Adds units to those of the same line.
pub(crate) fn add(sums: &mut Vec<LineQuantity>, units: Vec<LineQuantity>) {
    for unit in units {
        match sums.iter_mut().find(|sum| sum.line_number == unit.line_number) {
            Some(sum) => sum.quantity = sum.quantity.saturating_add(unit.quantity),
            None => sums.push(unit),
        }
    }
}
