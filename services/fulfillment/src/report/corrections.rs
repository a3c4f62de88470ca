//! A node takes back or corrects what it reported: labels, departures, contents, picked and short units.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{
    fulfillment::v1::{
        self, CorrectShipmentRequest, ReportedPackage, RetractPickRequest, RetractShipmentRequest, VoidLabelsRequest,
    },
    types::v1::LineQuantity,
};
use store::{Command, Context, Needs, Rows};
use types::{
    Fault, FulfillmentOrderId, Timestamp,
    limits::{MAX_LINES, MAX_OUTSIDE_NUMBER, MAX_TEXT},
};

use super::packages::check_packages;
use crate::{
    aggregate::FulfillmentOrderAggregate,
    process::{faster_node, found_units},
    tracking_report::believed,
    wire::{check_units, known_lines},
};

/// Which packages of a shipment.
#[derive(Debug)]
struct Named {
    fulfillment_order_id: FulfillmentOrderId,
    shipment_reference: String,
    /// Numbers or SSCCs; all packages when empty.
    names: Vec<String>,
    occur_time: Option<Timestamp>,
}

impl Named {
    fn parse(
        fulfillment_order_id: &str,
        reference: &str,
        names: &[String],
        reason: &str,
        occur_time: Option<&prost_types::Timestamp>,
    ) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let id = checks.id("fulfillment_order_id", fulfillment_order_id);
        let reference = checks.text("shipment_reference", reference, MAX_OUTSIDE_NUMBER);
        if checks.at_most("package_names", names.len(), MAX_LINES) {
            for (at, name) in names.iter().enumerate() {
                checks.text(format!("package_names[{at}]"), name, MAX_OUTSIDE_NUMBER);
            }
        }
        checks.text("reason", reason, MAX_TEXT);
        let occur_time = checks.optional_time("occur_time", occur_time);
        checks.done()?;
        let (names, occur_time) = (names.to_vec(), checked(occur_time)?);
        Ok(Self { fulfillment_order_id: checked(id)?, shipment_reference: checked(reference)?, names, occur_time })
    }
}

/// Voids the labels of packages that have not left.
#[derive(Debug)]
pub(crate) struct VoidLabels(Named);

/// Takes back that packages left.
#[derive(Debug)]
pub(crate) struct RetractShipment(Named);

/// Corrects the contents of packages that left.
#[derive(Debug)]
pub(crate) struct CorrectShipment {
    named: Named,
    packages: Vec<ReportedPackage>,
}

/// Takes back that units were picked, or could not be found.
#[derive(Debug)]
pub(crate) struct RetractPick {
    fulfillment_order_id: FulfillmentOrderId,
    picked: Vec<LineQuantity>,
    short: Vec<LineQuantity>,
    occur_time: Option<Timestamp>,
}

impl VoidLabels {
    /// Reads the request.
    pub(crate) fn parse(request: &VoidLabelsRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let VoidLabelsRequest { fulfillment_order_id, shipment_reference, package_names, reason, .. } = request;
        let at = request.occur_time.as_ref();
        Named::parse(fulfillment_order_id, shipment_reference, package_names, reason, at).map(Self)
    }
}

impl RetractShipment {
    /// Reads the request.
    pub(crate) fn parse(request: &RetractShipmentRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let RetractShipmentRequest { fulfillment_order_id, shipment_reference, package_names, reason, .. } = request;
        let at = request.occur_time.as_ref();
        Named::parse(fulfillment_order_id, shipment_reference, package_names, reason, at).map(Self)
    }
}

impl CorrectShipment {
    /// Reads the request.
    pub(crate) fn parse(request: &CorrectShipmentRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        check_packages(&request.packages, &mut checks);
        checks.done()?;
        let CorrectShipmentRequest { fulfillment_order_id, shipment_reference, reason, .. } = request;
        let at = request.occur_time.as_ref();
        let named = Named::parse(fulfillment_order_id, shipment_reference, &[], reason, at)?;
        Ok(Self { named, packages: request.packages.clone() })
    }
}

impl RetractPick {
    /// Reads the request.
    pub(crate) fn parse(request: &RetractPickRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let id = checks.id("fulfillment_order_id", &request.fulfillment_order_id);
        check_units("picked", &request.picked, 1, &mut checks);
        check_units("short", &request.short, 1, &mut checks);
        if request.picked.is_empty() && request.short.is_empty() {
            checks.wrong("picked", "must not be empty when short is");
        }
        checks.text("reason", &request.reason, MAX_TEXT);
        let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref());
        checks.done()?;
        let (picked, short) = (request.picked.clone(), request.short.clone());
        Ok(Self { fulfillment_order_id: checked(id)?, picked, short, occur_time: checked(occur_time)? })
    }
}

impl Command for VoidLabels {
    type Reply = v1::Shipment;
    const NAME: &'static str = "VoidLabels";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.0.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::Shipment, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.0.fulfillment_order_id, rows)?;
        let at = believed(self.0.occur_time, cx.now());
        let voided = aggregate.void_labels(&self.0.shipment_reference, &self.0.names, at);
        let shipment_id = voided.map_err(|fault| aggregate.refreshed(fault))?;
        aggregate.save(rows, cx)?.shipment_snapshot(&shipment_id)
    }
}

impl Command for RetractShipment {
    type Reply = v1::Shipment;
    const NAME: &'static str = "RetractShipment";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        let id = &self.0.fulfillment_order_id;
        FulfillmentOrderAggregate::needs(id, rows, needs);
        let reference = &self.0.shipment_reference;
        FulfillmentOrderAggregate::needs_reports(id, |_, one| one.shipment_reference == *reference, rows, needs);
        faster_node::needs_others(id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::Shipment, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.0.fulfillment_order_id, rows)?;
        let retracted = aggregate.retract_departures(&self.0.shipment_reference, &self.0.names, rows);
        let shipment_id = retracted.map_err(|fault| aggregate.refreshed(fault))?;
        faster_node::give_back(&mut aggregate, &shipment_id, rows, cx)?;
        aggregate.save(rows, cx)?.shipment_snapshot(&shipment_id)
    }
}

impl Command for CorrectShipment {
    type Reply = v1::Shipment;
    const NAME: &'static str = "CorrectShipment";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.named.fulfillment_order_id, rows, needs);
        faster_node::needs_others(&self.named.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::Shipment, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.named.fulfillment_order_id, rows)?;
        let mut checks = Checks::new();
        for (at, package) in self.packages.iter().enumerate() {
            known_lines(aggregate.order(), &format!("packages[{at}].lines"), &package.lines, &mut checks);
        }
        checks.done()?;
        let corrected = aggregate.correct_contents(&self.named.shipment_reference, &self.packages);
        let shipment_id = corrected.map_err(|fault| aggregate.refreshed(fault))?;
        faster_node::give_back(&mut aggregate, &shipment_id, rows, cx)?;
        aggregate.save(rows, cx)?.shipment_snapshot(&shipment_id)
    }
}

impl Command for RetractPick {
    type Reply = v1::FulfillmentOrder;
    const NAME: &'static str = "RetractPick";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.fulfillment_order_id, rows, needs);
        if !self.short.is_empty() {
            found_units::needs(&self.fulfillment_order_id, rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::FulfillmentOrder, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.fulfillment_order_id, rows)?;
        let mut checks = Checks::new();
        let picked = known_lines(aggregate.order(), "picked", &self.picked, &mut checks);
        let short = known_lines(aggregate.order(), "short", &self.short, &mut checks);
        checks.done()?;
        let retracted = aggregate.retract_pick(&picked, &short, believed(self.occur_time, cx.now()), rows);
        retracted.map_err(|fault| aggregate.refreshed(fault))?;
        Ok(aggregate.save(rows, cx)?.snapshot())
    }
}
