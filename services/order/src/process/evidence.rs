//! What was reported of the shipments of an order, to show with what becomes ready to invoice, and to tell which units are proven to
//! be delivered.
//!
//! 1. Events of fulfillment about a shipment that has left carry it as it is: `shipment.shipped`, `shipment.delivered` and what takes them
//!    back (`record.rs`), `shipment.pod_captured` and `shipment.report_retracted` (`record_proof.rs`). [`ChangingOrder::take_evidence`] takes it
//!    over, unless it has a newer version.
//! 2. With ON_PROOF_OF_DELIVERY and ON_COMPLETION units become ready later than they are reported, so it is stored with the order. With
//!    the other policies the report that is at hand is enough, and nothing is stored.
//! 3. [`ChangingOrder::evidence`] chooses the packages for units that become ready (`process/settlement.rs`).

use std::collections::BTreeMap;

use mesh::wire::from_timestamp;
use proto::{
    event::v1::Event,
    fulfillment::v1::{MilestoneCode, Package, Shipment, WriteOffRemedy},
    order::v1::{PackageEvidence, ShipmentEvidence},
};
use store::{Proto, Rows};
use types::{Fault, OrderId, ShipmentId, Timestamp};

use crate::{account::InvoicePolicy, aggregate::ChangingOrder, order::Order, report::read_id};

store::record! {
    /// What was last reported of a shipment.
    pub(crate) struct OrderShipment in "order_shipments" key (order_id: OrderId, shipment_id: ShipmentId) {
        /// Version of the shipment.
        shipment_version: i64,
        /// Its packages that have left.
        evidence: Proto<ShipmentEvidence>,
    }
}

impl InvoicePolicy {
    /// Whether units become ready later than they are reported, so that the reports are stored.
    pub(crate) fn keeps_evidence(self) -> bool {
        matches!(self, Self::OnProofOfDelivery | Self::OnCompletion)
    }

    /// When a package became ready by what was reported of it, if it did.
    fn ready_time(self, package: &PackageEvidence) -> Option<Timestamp> {
        let time = match self {
            Self::OnShipment => package.ship_time,
            Self::OnDelivery | Self::OnCompletion => package.deliver_time,
            Self::OnProofOfDelivery => package.sign_time,
        };
        time.as_ref().and_then(from_timestamp)
    }
}

impl OrderShipment {
    /// Reads the shipment that an event carries.
    pub(crate) fn read(shipment: &Shipment, event: &Event) -> Result<Self, Fault> {
        // Only an event that is replayed is older than the last one, so that one without a version may count.
        let shipment_version = shipment.etag.parse().unwrap_or_default();
        let packages = shipment.packages.iter().filter(|package| package.ship_time.is_some()).map(of_package);
        let evidence = ShipmentEvidence {
            shipment_id: shipment.shipment_id.clone(),
            event_id: event.event_id.clone(),
            occur_time: event.occur_time,
            packages: packages.collect(),
        };
        Ok(Self {
            order_id: read_id(&shipment.order_id)?,
            shipment_id: read_id(&shipment.shipment_id)?,
            shipment_version,
            evidence: Proto(evidence),
            version: 0,
        })
    }

    /// Writes it, if it has changed.
    pub(crate) fn save(self, rows: &mut Rows) -> Result<Self, Fault> {
        let stored = rows.get::<Self>(&(self.order_id.clone(), self.shipment_id.clone()))?;
        Ok(if stored == Some(&self) { self } else { rows.put(self) })
    }
}

/// A package that was written off does not reach the customer, whatever is reported of it.
fn of_package(package: &Package) -> PackageEvidence {
    let counts = package.write_off_remedy() == WriteOffRemedy::Unspecified;
    let is_delivered = counts && package.status() == MilestoneCode::Delivered;
    let proof = package.proof_of_delivery.as_ref().filter(|_| is_delivered);
    let (signed_by, drop_location, image_uri) = proof
        .map(|proof| (proof.signed_by.clone(), proof.drop_location.clone(), proof.image_uri.clone()))
        .unwrap_or_default();
    PackageEvidence {
        package_id: package.package_id.clone(),
        tracking_number: package.tracking_number.clone(),
        sscc: package.sscc.clone(),
        lines: package.lines.clone(),
        ship_time: package.ship_time,
        deliver_time: package.status_time.filter(|_| is_delivered),
        sign_time: proof.and_then(|proof| proof.sign_time),
        signed_by,
        drop_location,
        image_uri,
    }
}

impl ChangingOrder {
    /// Takes over a shipment as it was reported.
    pub(crate) fn take_evidence(&mut self, reported: &OrderShipment) {
        let known = self.shipments.iter_mut().find(|known| known.shipment_id == reported.shipment_id);
        match known {
            Some(known) if known.shipment_version > reported.shipment_version => {}
            Some(known) => *known = OrderShipment { version: known.version, ..reported.clone() },
            None => self.shipments.push(reported.clone()),
        }
    }

    /// Units of each line in packages whose delivery is proven.
    pub(crate) fn proven(&self) -> BTreeMap<i64, i64> {
        let mut proven = BTreeMap::new();
        let packages = self.shipments.iter().flat_map(|shipment| &shipment.evidence.0.packages);
        for unit in packages.filter(|package| package.sign_time.is_some()).flat_map(|package| &package.lines) {
            let units: &mut i64 = proven.entry(i64::from(unit.line_number)).or_default();
            *units = units.saturating_add(unit.quantity);
        }
        proven
    }

    /// The packages that units of some lines are in: those of a shipment that became ready about when it was reported, or those of all
    /// shipments.
    pub(crate) fn evidence(&self, shipment_id: Option<&ShipmentId>, units: &[(i32, i64)]) -> Vec<ShipmentEvidence> {
        let Order { invoice_policy: policy, .. } = self.order;
        let wanted = |shipment: &&OrderShipment| shipment_id.is_none_or(|wanted| shipment.shipment_id == *wanted);
        let chosen = self.shipments.iter().filter(wanted).map(|shipment| {
            let evidence = &shipment.evidence.0;
            let mut ready: Vec<_> =
                evidence.packages.iter().filter_map(|one| Some((policy.ready_time(one)?, one))).collect();
            if shipment_id.is_some() {
                let at = evidence.occur_time.as_ref().and_then(from_timestamp).unwrap_or_default();
                ready.sort_by_key(|(time, _)| time.as_micros().abs_diff(at.as_micros()));
            }
            let mut left: BTreeMap<i32, i64> = units.iter().copied().collect();
            let is_wanted = |(_, package): (Timestamp, &PackageEvidence)| {
                let mut is_wanted = false;
                for unit in &package.lines {
                    if let Some(left) = left.get_mut(&unit.line_number).filter(|left| **left > 0) {
                        *left -= unit.quantity;
                        is_wanted = true;
                    }
                }
                is_wanted.then(|| package.clone())
            };
            let packages = ready.into_iter().filter_map(is_wanted).collect();
            ShipmentEvidence { packages, ..evidence.clone() }
        });
        chosen.filter(|shipment| !shipment.packages.is_empty()).collect()
    }
}
