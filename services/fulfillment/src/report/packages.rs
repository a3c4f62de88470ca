//! A node reports that packages are labelled, or that they left.

use std::{collections::BTreeSet, sync::Arc};

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::fulfillment::v1::{self, RecordLabelsRequest, RecordShipmentRequest, ReportedPackage};
use store::{Command, Context, Needs, Rows};
use types::{
    Fault, FulfillmentOrderId, Id as _, PartnerId, Timestamp,
    limits::{MAX_LINES, MAX_OUTSIDE_NUMBER},
};

use crate::{
    aggregate::{FulfillmentOrderAggregate, ReportChange},
    buffered_reports,
    fulfillment_order::FulfillmentOrderHeader,
    package::Package,
    package_key::{self, check_number, check_sscc},
    shipment::Shipment,
    wire::check_units,
};

/// What a node reports of a shipment.
#[derive(Debug)]
pub struct PackageReport {
    /// The fulfillment order.
    pub fulfillment_order_id: FulfillmentOrderId,
    /// The node's number of the shipment.
    pub shipment_reference: String,
    /// Partner that carries it.
    pub carrier_id: Option<PartnerId>,
    /// The packages.
    pub packages: Vec<ReportedPackage>,
    /// When; now when absent.
    pub occur_time: Option<Timestamp>,
}

/// Records packages that are packed and labelled. Nothing has left.
#[derive(Debug)]
pub struct RecordLabels(pub PackageReport);

/// Records packages that left.
#[derive(Debug)]
pub struct RecordShipment(pub PackageReport);

impl RecordLabels {
    /// Reads the request.
    pub(crate) fn parse(request: &RecordLabelsRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let (id, reference) = (&request.fulfillment_order_id, &request.shipment_reference);
        let (carrier_id, occur_time) = (&request.carrier_id, request.occur_time.as_ref());
        PackageReport::parse(id, reference, carrier_id, &request.packages, occur_time).map(Self)
    }
}

impl RecordShipment {
    /// Reads the request.
    pub(crate) fn parse(request: &RecordShipmentRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let (id, reference) = (&request.fulfillment_order_id, &request.shipment_reference);
        let (carrier_id, occur_time) = (&request.carrier_id, request.occur_time.as_ref());
        PackageReport::parse(id, reference, carrier_id, &request.packages, occur_time).map(Self)
    }
}

impl PackageReport {
    fn parse(
        fulfillment_order_id: &str,
        shipment_reference: &str,
        carrier_id: &str,
        packages: &[ReportedPackage],
        occur_time: Option<&prost_types::Timestamp>,
    ) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let id = checks.id("fulfillment_order_id", fulfillment_order_id);
        let reference = checks.text("shipment_reference", shipment_reference, MAX_OUTSIDE_NUMBER);
        let carrier_id = checks.optional_id("carrier_id", carrier_id);
        let occur_time = checks.optional_time("occur_time", occur_time);
        check_packages(packages, &mut checks);
        checks.done()?;
        Ok(Self {
            fulfillment_order_id: checked(id)?,
            shipment_reference: checked(reference)?,
            carrier_id: checked(carrier_id)?,
            packages: packages.to_vec(),
            occur_time: checked(occur_time)?,
        })
    }

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        let id = &self.fulfillment_order_id;
        FulfillmentOrderAggregate::needs(id, rows, needs);
        let keys = self.keys(rows);
        keys.iter().for_each(|key| buffered_reports::needs(key, rows, needs));
        let carrier_id = self.carrier_id.as_ref().map(ToString::to_string).unwrap_or_default();
        let is_followed = |package: &Package, shipment: &Shipment| {
            let is_named = package.keys().iter().any(|key| keys.contains(key));
            is_named || !carrier_id.is_empty() && shipment.carrier_id != carrier_id
        };
        FulfillmentOrderAggregate::needs_reports(id, is_followed, rows, needs);
        for rival in self.rivals(&keys, rows) {
            FulfillmentOrderAggregate::needs(&rival, rows, needs);
            let is_named = |package: &Package, _: &Shipment| package.keys().iter().any(|key| keys.contains(key));
            FulfillmentOrderAggregate::needs_reports(&rival, is_named, rows, needs);
        }
    }

    /// The keys of the reported packages.
    fn keys(&self, rows: &Rows) -> BTreeSet<String> {
        let header = rows.get::<FulfillmentOrderHeader>(&self.fulfillment_order_id).ok().flatten();
        let Some(header) = header else { return BTreeSet::new() };
        let mut keys = BTreeSet::new();
        for package in &self.packages {
            keys.insert(match package.tracking_number.as_str() {
                "" => package_key::of_reference(header.node_id.as_str(), &self.shipment_reference),
                number => package_key::of_number(number),
            });
            if !package.sscc.is_empty() {
                keys.insert(package_key::of_sscc(&package.sscc));
            }
        }
        keys
    }

    /// Other fulfillment orders with packages of the keys: a report may turn out to be about another one of them.
    fn rivals(&self, keys: &BTreeSet<String>, rows: &Rows) -> BTreeSet<FulfillmentOrderId> {
        let packages = keys.iter().filter_map(|key| buffered_reports::packages(key, rows).ok()).flatten();
        let orders = packages.map(|package| package.fulfillment_order_id.clone());
        orders.filter(|order| *order != self.fulfillment_order_id).collect()
    }

    /// Folds the reports of packages of other fulfillment orders again, once the packages of this one are saved.
    fn follow_rivals(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let keys = self.keys(rows);
        for rival in self.rivals(&keys, rows) {
            let mut aggregate = FulfillmentOrderAggregate::load(&rival, rows)?;
            aggregate.follow_reports(&keys, ReportChange::default(), rows)?;
            aggregate.save(rows, cx)?;
        }
        Ok(())
    }
}

/// Checks reported packages, each once.
pub(super) fn check_packages(packages: &[ReportedPackage], checks: &mut Checks) {
    if packages.is_empty() || packages.len() > MAX_LINES {
        checks.wrong("packages", "must have 1 to 5,000 packages");
    }
    let mut names = BTreeSet::new();
    for (at, package) in packages.iter().enumerate().take(MAX_LINES) {
        let field = format!("packages[{at}]");
        let number = format!("{field}.tracking_number");
        checks.optional_text(&number, &package.tracking_number, MAX_OUTSIDE_NUMBER);
        check_sscc(format!("{field}.sscc"), &package.sscc, checks);
        let name = match package.tracking_number.as_str() {
            "" if package.sscc.is_empty() && packages.len() > 1 => {
                checks.wrong(&number, "is required, or sscc, unless it is the only package");
                None
            }
            "" => Some(package_key::of_sscc(&package.sscc)),
            reported => {
                check_number(number.clone(), reported, checks);
                Some(package_key::of_number(reported))
            }
        };
        if name.is_some_and(|name| !names.insert(name)) {
            let named = if package.tracking_number.is_empty() { format!("{field}.sscc") } else { number };
            checks.wrong(named, "is reported twice");
        }
        if package.lines.is_empty() {
            checks.wrong(format!("{field}.lines"), "must not be empty");
        }
        check_units(&format!("{field}.lines"), &package.lines, 1, checks);
    }
}

impl Command for RecordLabels {
    type Reply = v1::Shipment;
    const NAME: &'static str = "RecordLabels";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::Shipment, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.0.fulfillment_order_id, rows)?;
        let shipment_id = aggregate.label(&self.0, rows, cx.now())?;
        let saved = aggregate.save(rows, cx)?;
        self.0.follow_rivals(rows, cx)?;
        saved.shipment_snapshot(&shipment_id)
    }
}

impl Command for RecordShipment {
    type Reply = v1::Shipment;
    const NAME: &'static str = "RecordShipment";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::Shipment, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.0.fulfillment_order_id, rows)?;
        let shipment_id = aggregate.ship(&self.0, rows, cx.now())?;
        let saved = aggregate.save(rows, cx)?;
        self.0.follow_rivals(rows, cx)?;
        saved.shipment_snapshot(&shipment_id)
    }
}
