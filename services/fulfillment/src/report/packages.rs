//! A node reports that packages are labelled, or that they left.

use std::{collections::BTreeSet, sync::Arc};

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::fulfillment::v1::{RecordLabelsRequest, RecordShipmentRequest, ReportedPackage, Shipment};
use store::{Command, Context, Needs, Rows};
use types::{
    Fault, FulfillmentOrderId, PartnerId, Timestamp,
    limits::{MAX_LINES, MAX_OUTSIDE_NUMBER},
};

use crate::{aggregate::FulfillmentOrderAggregate, buffered_reports::BufferedReports, wire::check_units};

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
        if packages.is_empty() || packages.len() > MAX_LINES {
            checks.wrong("packages", "must have 1 to 5,000 packages");
        }
        let mut numbers = BTreeSet::new();
        for (at, package) in packages.iter().enumerate().take(MAX_LINES) {
            let field = format!("packages[{at}]");
            let number = checks.text(format!("{field}.tracking_number"), &package.tracking_number, MAX_OUTSIDE_NUMBER);
            if number.is_some_and(|number| !numbers.insert(number)) {
                checks.wrong(format!("{field}.tracking_number"), "is reported twice");
            }
            let sscc = &package.sscc;
            if !sscc.is_empty() && (sscc.len() != 18 || !sscc.bytes().all(|byte| byte.is_ascii_digit())) {
                checks.wrong(format!("{field}.sscc"), "must have 18 digits");
            }
            if package.lines.is_empty() {
                checks.wrong(format!("{field}.lines"), "must not be empty");
            }
            check_units(&format!("{field}.lines"), &package.lines, 1, &mut checks);
        }
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
        FulfillmentOrderAggregate::needs(&self.fulfillment_order_id, rows, needs);
        for package in &self.packages {
            BufferedReports::needs(&package.tracking_number, rows, needs);
        }
        if self.carrier_id.is_some() {
            FulfillmentOrderAggregate::needs_reports_without_carrier(&self.fulfillment_order_id, rows, needs);
        }
    }
}

impl Command for RecordLabels {
    type Reply = Shipment;
    const NAME: &'static str = "RecordLabels";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Shipment, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.0.fulfillment_order_id, rows)?;
        let shipment_id = aggregate.label(&self.0, rows, cx.now())?;
        aggregate.save(rows, cx)?.shipment_snapshot(&shipment_id)
    }
}

impl Command for RecordShipment {
    type Reply = Shipment;
    const NAME: &'static str = "RecordShipment";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Shipment, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.0.fulfillment_order_id, rows)?;
        let shipment_id = aggregate.ship(&self.0, rows, cx.now())?;
        aggregate.save(rows, cx)?.shipment_snapshot(&shipment_id)
    }
}
