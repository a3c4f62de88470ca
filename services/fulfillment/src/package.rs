//! Packages: cartons and pallets of a shipment.

use std::collections::HashMap;

use prost::Message as _;
use proto::{
    fulfillment::v1::{ProofOfDelivery, ReportedPackage},
    types::v1::{Address, LineQuantity},
};
use store::Proto;
use types::{Fault, FulfillmentOrderId, Id as _, PackageId, ShipmentId, Timestamp};

use crate::{
    doubts::Doubts,
    milestone::MilestoneCode,
    package_key,
    package_status::Tracking,
    problem::{Problem, Remedy, SILENCE},
    shipment::{Shipment, derived_id},
};

store::record! {
    /// One carton or pallet.
    pub(crate) struct Package in "packages" key (package_id: PackageId) {
        /// The shipment.
        shipment_id: ShipmentId,
        /// The fulfillment order that it comes from.
        fulfillment_order_id: FulfillmentOrderId,
        /// The carrier's number; empty when it has none.
        tracking_number: String,
        /// What reports name it with: its number, else the node and the reference of its shipment.
        package_key: String,
        /// Serial shipping container code.
        sscc: String,
        /// Its contents, as reported.
        contents: Proto<ReportedPackage>,
        /// Where it goes, when that is not where its shipment goes.
        ship_to: Option<Proto<Address>>,
        /// When it was labelled, as the node last reported it; none when only its departure is reported.
        label_time: Option<Timestamp>,
        /// Whether it left, and who reported that.
        departure: Departure,
        /// When it left, as the node reports it.
        report_time: Option<Timestamp>,
        /// When its departure was counted to have been: the time of what made it count first, which is what stock and order have.
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
        /// Why it may not reach the customer.
        problem: Option<Problem>,
        /// When the next report of it is due while it is under way.
        report_due: Option<Timestamp>,
        /// When its label was voided.
        void_time: Option<Timestamp>,
        /// What happens to its units, once it is written off.
        remedy: Option<Remedy>,
        /// What is doubtful about its reports.
        doubts: Doubts,
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

/// About how long a package is without its contents and its proof, when it is encoded.
const PACKAGE_BYTES: usize = 300;

impl Package {
    /// About how long it is when it is encoded.
    pub(crate) fn bytes(&self) -> usize {
        let proof = self.proof.as_ref().map_or(0, |proof| proof.0.encoded_len());
        let ship_to = self.ship_to.as_ref().map_or(0, |ship_to| ship_to.0.encoded_len());
        PACKAGE_BYTES + self.contents.0.encoded_len() + proof + ship_to
    }

    /// A package that is neither labelled nor has left. The same shipment and tracking number, or SSCC without one, are the
    /// same package.
    pub(crate) fn new(shipment: &Shipment, contents: ReportedPackage, now: Timestamp) -> Result<Self, Fault> {
        let number = package_key::of_number(&contents.tracking_number);
        let package_key = match number.as_str() {
            "" => package_key::of_reference(shipment.node_id.as_str(), &shipment.shipment_reference),
            number => number.to_owned(),
        };
        let identity = if number.is_empty() { &contents.sscc } else { &number };
        Ok(Self {
            package_id: derived_id(shipment.shipment_id.as_str(), identity)?,
            shipment_id: shipment.shipment_id.clone(),
            fulfillment_order_id: shipment.fulfillment_order_id.clone(),
            tracking_number: contents.tracking_number.clone(),
            package_key,
            sscc: contents.sscc.clone(),
            contents: Proto(contents),
            ship_to: None,
            label_time: None,
            departure: Departure::None,
            report_time: None,
            ship_time: None,
            status: MilestoneCode::Unspecified,
            status_time: None,
            estimated_delivery_time: None,
            deliver_time: None,
            proof: None,
            problem: None,
            report_due: None,
            void_time: None,
            remedy: None,
            doubts: Doubts::default(),
            create_time: now,
            version: 0,
        })
    }

    /// The keys of what reports may name it with.
    pub(crate) fn keys(&self) -> Vec<String> {
        let sscc = (!self.sscc.is_empty()).then(|| package_key::of_sscc(&self.sscc));
        std::iter::once(self.package_key.clone()).chain(sscc).collect()
    }

    /// Takes over a name that a later report has in addition.
    pub(crate) fn name_also(&mut self, reported: &ReportedPackage) {
        if self.sscc.is_empty() {
            self.sscc.clone_from(&reported.sscc);
        }
        if self.tracking_number.is_empty() && !reported.tracking_number.is_empty() {
            self.tracking_number.clone_from(&reported.tracking_number);
            self.package_key = package_key::of_number(&reported.tracking_number);
        }
    }

    /// The node reports that it left at an instant. Of several reports the earliest counts.
    pub(crate) fn report_departure(&mut self, at: Timestamp) {
        self.report_time = Some(self.report_time.map_or(at, |reported| reported.min(at)));
    }

    /// From when until when it was with its node: the first and the last of its label and its departure, as far as the node's
    /// reports of them stand. When none does, the time at which it was first reported.
    pub(crate) fn at_node(&self) -> (Timestamp, Timestamp) {
        let reported = || self.label_time.into_iter().chain(self.report_time);
        (reported().min().unwrap_or(self.create_time), reported().max().unwrap_or(self.create_time))
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        let named = [self.tracking_number.as_str(), &self.sscc];
        named.into_iter().find(|name| !name.is_empty()).unwrap_or(self.package_id.as_str())
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

    /// Whether a person may end the wait for it.
    pub(crate) fn can_be_written_off(&self) -> bool {
        self.has_left() && self.deliver_time.is_none() && self.remedy.is_none()
    }

    /// Names of the methods that may be called now.
    pub(crate) fn supported_actions(&self) -> Vec<&'static str> {
        if self.can_be_written_off() { vec!["WriteOffPackage"] } else { Vec::new() }
    }

    /// When it left, if it did: the node knows better than the reports of a carrier, which come first at times.
    pub(crate) fn left_time(&self) -> Option<Timestamp> {
        self.ship_time.map(|counted| self.report_time.unwrap_or(counted))
    }

    /// Whether it left.
    pub(crate) fn has_left(&self) -> bool {
        self.departure != Departure::None
    }

    /// Whether it comes back to its sender.
    pub(crate) fn is_returning(&self) -> bool {
        self.has_left() && self.status == MilestoneCode::ReturnedToSender
    }

    /// Takes over what its authoritative reports amount to. Whether it left is not among it.
    pub(crate) fn apply(&mut self, tracking: &Tracking) {
        let (code, at) = tracking.status.unzip();
        self.status = code.unwrap_or(MilestoneCode::Unspecified);
        self.status_time = at;
        self.estimated_delivery_time = tracking.estimated_delivery_time;
        // What happens to a package that is written off changes nothing more for the order.
        let counts = self.remedy.is_none();
        self.deliver_time = tracking.deliver_time().filter(|_| counts);
        self.problem = tracking.problem.filter(|_| counts && self.has_left());
        let under_way = counts && self.has_left() && !tracking.is_terminal();
        let last_sign =
            tracking.last_record_time.into_iter().chain(self.ship_time).fold(self.create_time, Timestamp::max);
        self.report_due = under_way.then(|| last_sign.after(SILENCE));
        self.proof = tracking.proof.clone().map(Proto);
    }
}

/// The packages of a fulfillment order, to find those that are reported again: with the same number, or with the same SSCC where
/// one has no number, or without both in the same shipment.
#[derive(Debug, Default)]
pub(crate) struct KnownPackages {
    by_number: HashMap<String, usize>,
    /// With whether the package has a number too.
    by_sscc: HashMap<String, (usize, bool)>,
    nameless: HashMap<ShipmentId, usize>,
}

impl KnownPackages {
    /// Of these packages, by their positions.
    pub(crate) fn of(packages: &[Package]) -> Self {
        let mut known = Self::default();
        packages.iter().enumerate().for_each(|(index, package)| known.add(index, package));
        known
    }

    /// Adds the package at a position.
    pub(crate) fn add(&mut self, index: usize, package: &Package) {
        let numbered = !package.tracking_number.is_empty();
        if numbered {
            self.by_number.insert(package.package_key.clone(), index);
        }
        if !package.sscc.is_empty() {
            self.by_sscc.entry(package.sscc.clone()).or_insert((index, numbered));
        } else if !numbered {
            self.nameless.insert(package.shipment_id.clone(), index);
        }
    }

    /// The position of a package that is reported again with a shipment.
    pub(crate) fn find(&self, reported: &ReportedPackage, shipment_id: &ShipmentId) -> Option<usize> {
        let number = package_key::of_number(&reported.tracking_number);
        if number.is_empty() && reported.sscc.is_empty() {
            return self.nameless.get(shipment_id).copied();
        }
        // An SSCC with another number is another package.
        let by_sscc = self.by_sscc.get(&reported.sscc).filter(|(_, numbered)| number.is_empty() || !numbered);
        self.by_number.get(&number).copied().or(by_sscc.map(|(index, _)| *index))
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

/// Units of `more` beyond those of `less`, by line.
pub(crate) fn difference(more: &[LineQuantity], less: &[LineQuantity]) -> Vec<LineQuantity> {
    let sum = |units: &[LineQuantity]| {
        let mut sums = Vec::new();
        add(&mut sums, units.to_vec());
        sums
    };
    let (mut beyond, less) = (sum(more), sum(less));
    for unit in &mut beyond {
        let taken = less.iter().filter(|one| one.line_number == unit.line_number).map(|one| one.quantity).sum::<i64>();
        unit.quantity -= taken;
    }
    beyond.retain(|unit| unit.quantity > 0);
    beyond
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
