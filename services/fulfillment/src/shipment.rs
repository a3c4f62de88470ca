//! Shipments and their packages: what left a node, and how far it is.
//!
//! A package is the grain: a label, a departure and an arrival are facts of packages, and the shipment's state is a
//! function of those that left. So a second package is added and never replaces the first, and a package that is
//! reported twice counts once.

use proto::{
    fulfillment::v1::{ProofOfDelivery, ReportedPackage},
    types::v1::LineQuantity,
};
use sha2::{Digest, Sha256};
use store::Proto;
use types::{AccountId, FulfillmentOrderId, Id, NodeId, OrderId, PackageId, PartnerId, ShipmentId, Timestamp};

use crate::tracking::{Code, Tracking};

store::record! {
    /// Goods that leave a node together.
    pub struct Shipment in "shipments" key (shipment_id: ShipmentId) {
        /// The work it comes from.
        fulfillment_order_id: FulfillmentOrderId,
        /// The order.
        order_id: OrderId,
        /// The account.
        account_id: AccountId,
        /// The node.
        node_id: NodeId,
        /// The partner that ran the node.
        partner_id: PartnerId,
        /// The node's own number for it.
        shipment_reference: String,
        /// Partner that carries it; empty when not known.
        carrier_id: String,
        /// How far it is; derived from the packages.
        state: State,
        /// When the first of it left.
        ship_time: Option<Timestamp>,
        /// When all of it had arrived.
        deliver_time: Option<Timestamp>,
        /// When it was first heard of.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

store::record! {
    /// One carton or pallet.
    pub struct Package in "packages" key (package_id: PackageId) {
        /// The shipment.
        shipment_id: ShipmentId,
        /// The work it comes from.
        fulfillment_order_id: FulfillmentOrderId,
        /// The carrier's number.
        tracking_number: String,
        /// Serial shipping container code.
        sscc: String,
        /// What is in it, as it was reported.
        contents: Proto<ReportedPackage>,
        /// Whether it left, and who said so.
        departure: Departure,
        /// When it left.
        ship_time: Option<Timestamp>,
        /// What the carrier says.
        status: Code,
        /// When that was.
        status_time: Option<Timestamp>,
        /// When the carrier expects to deliver.
        estimated_delivery_time: Option<Timestamp>,
        /// When it arrived.
        deliver_time: Option<Timestamp>,
        /// What proves the delivery.
        proof: Option<Proto<ProofOfDelivery>>,
        /// When it was first heard of.
        create_time: Timestamp,
    }
}

store::text_enum! {
    /// How far a shipment is.
    pub enum State {
        /// Labels are printed; nothing left.
        Labelled = "LABELLED",
        /// It left.
        Shipped = "SHIPPED",
        /// Some packages arrived.
        PartiallyDelivered = "PARTIALLY_DELIVERED",
        /// All packages that left arrived.
        Delivered = "DELIVERED",
        /// Called off before it left.
        Voided = "VOIDED",
    }
}

store::text_enum! {
    /// Whether a package left.
    pub enum Departure {
        /// Only its label is known.
        None = "NONE",
        /// The warehouse said that it left.
        Reported = "REPORTED",
        /// The carrier has it; the warehouse has not said so yet.
        Inferred = "INFERRED",
    }
}

/// The id of a shipment: the same work and reference are the same shipment.
pub fn shipment_id(work: &FulfillmentOrderId, reference: &str) -> Option<ShipmentId> {
    derived(work.as_str(), reference)
}

/// The id of a package: the same shipment and tracking number are the same package.
pub fn package_id(shipment: &ShipmentId, tracking_number: &str) -> Option<PackageId> {
    derived(shipment.as_str(), tracking_number)
}

fn derived<I: Id>(parent: &str, number: &str) -> Option<I> {
    let hash = Sha256::new().chain_update(parent).chain_update([0]).chain_update(number).finalize();
    let body: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{}_{body}", I::PREFIX).parse().ok()
}

impl Package {
    /// What is in it.
    pub fn lines(&self) -> &[LineQuantity] {
        &self.contents.0.lines
    }

    /// Whether these units are what is in it.
    pub fn holds(&self, units: &[LineQuantity]) -> bool {
        let sorted = |units: &[LineQuantity]| {
            let mut sorted: Vec<_> = units.iter().map(|unit| (unit.line_number, unit.quantity)).collect();
            sorted.sort_unstable();
            sorted
        };
        sorted(self.lines()) == sorted(units)
    }

    /// Whether it left.
    pub fn left(&self) -> bool {
        self.departure != Departure::None
    }

    /// Takes over what all reports come to; answers whether it arrived only now.
    pub fn follow(&mut self, tracking: &Tracking) -> bool {
        let arrived = self.deliver_time.is_none() && tracking.deliver_time().is_some();
        if let Some((code, at)) = tracking.status {
            self.status = code;
            self.status_time = Some(at);
        }
        self.estimated_delivery_time = tracking.estimated_delivery_time;
        self.deliver_time = tracking.deliver_time();
        self.proof = tracking.proof.clone().map(Proto);
        arrived
    }
}

impl Shipment {
    /// Whether a reporter's word counts for its packages: the distributor's own, its carrier's, its node's.
    pub fn hears(&self, reporter_id: &str) -> bool {
        reporter_id.is_empty() || reporter_id == self.carrier_id || reporter_id == self.partner_id.as_str()
    }

    /// Derives the state from the packages.
    pub fn derive<'a>(&mut self, packages: impl IntoIterator<Item = &'a Package>) {
        let left: Vec<_> = packages.into_iter().filter(|package| package.left()).collect();
        let arrived = left.iter().filter(|package| package.deliver_time.is_some()).count();
        self.ship_time = left.iter().filter_map(|package| package.ship_time).min();
        self.deliver_time = None;
        self.state = if left.is_empty() {
            State::Labelled
        } else if arrived == 0 {
            State::Shipped
        } else if arrived < left.len() {
            State::PartiallyDelivered
        } else {
            self.deliver_time = left.iter().filter_map(|package| package.deliver_time).max();
            State::Delivered
        };
    }
}

/// Units of several packages by line.
pub fn sum<'a>(packages: impl IntoIterator<Item = &'a Package>) -> Vec<LineQuantity> {
    let mut sums: Vec<LineQuantity> = Vec::new();
    for unit in packages.into_iter().flat_map(Package::lines) {
        match sums.iter_mut().find(|sum| sum.line_number == unit.line_number) {
            Some(sum) => sum.quantity = sum.quantity.saturating_add(unit.quantity),
            None => sums.push(unit.clone()),
        }
    }
    sums.sort_by_key(|sum| sum.line_number);
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(number: &str, left: bool, arrived: Option<i64>) -> Package {
        let shipment: ShipmentId = "shm_1".parse().unwrap();
        Package {
            package_id: package_id(&shipment, number).unwrap(),
            shipment_id: shipment,
            fulfillment_order_id: "ful_1".parse().unwrap(),
            tracking_number: number.to_owned(),
            sscc: String::new(),
            contents: Proto(ReportedPackage {
                lines: vec![LineQuantity { line_number: 1, sku: "A".to_owned(), quantity: 2 }],
                ..Default::default()
            }),
            departure: if left { Departure::Reported } else { Departure::None },
            ship_time: left.then(|| Timestamp::from_micros(1)),
            status: Code::Unspecified,
            status_time: None,
            estimated_delivery_time: None,
            deliver_time: arrived.map(Timestamp::from_micros),
            proof: None,
            create_time: Timestamp::default(),
            version: 0,
        }
    }

    fn state(packages: &[Package]) -> State {
        let mut shipment = Shipment {
            shipment_id: "shm_1".parse().unwrap(),
            fulfillment_order_id: "ful_1".parse().unwrap(),
            order_id: "ord_1".parse().unwrap(),
            account_id: "acc_1".parse().unwrap(),
            node_id: "nod_1".parse().unwrap(),
            partner_id: "par_1".parse().unwrap(),
            shipment_reference: "S1".to_owned(),
            carrier_id: String::new(),
            state: State::Labelled,
            ship_time: None,
            deliver_time: None,
            create_time: Timestamp::default(),
            update_time: Timestamp::default(),
            version: 0,
        };
        shipment.derive(packages);
        shipment.state
    }

    #[test]
    fn the_state_is_that_of_all_packages_that_left() {
        assert_eq!(state(&[package("1", false, None)]), State::Labelled);
        assert_eq!(state(&[package("1", true, None), package("2", true, None)]), State::Shipped);
        assert_eq!(state(&[package("1", true, Some(5)), package("2", true, None)]), State::PartiallyDelivered);
        assert_eq!(state(&[package("1", true, Some(5)), package("2", true, Some(6))]), State::Delivered);
    }

    #[test]
    fn a_label_moves_no_shipment_that_left() {
        assert_eq!(state(&[package("1", true, Some(5)), package("2", false, None)]), State::Delivered);
    }

    #[test]
    fn ids_are_made_from_what_they_name() {
        let work: FulfillmentOrderId = "ful_1".parse().unwrap();
        assert_eq!(shipment_id(&work, "S1"), shipment_id(&work, "S1"));
        assert_ne!(shipment_id(&work, "S1"), shipment_id(&work, "S2"));
        assert!(shipment_id(&work, "S1").is_some());
    }

    #[test]
    fn units_are_summed_by_line() {
        let both = [package("1", true, None), package("2", true, None)];
        assert_eq!(sum(&both).iter().map(|unit| unit.quantity).collect::<Vec<_>>(), [4]);
    }
}
