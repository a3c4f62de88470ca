//! Packages as a warehouse reports them: labelled, or left.

use mesh::wire::Checks;
use proto::fulfillment::v1::ReportedPackage;
use store::{Context, Needs, Proto, Rows};
use types::{Fault, FulfillmentOrderId, PartnerId, ShipmentId, Timestamp};

use super::named;
use crate::{
    dossier::{Dossier, Movement, said_needs},
    shipment::{Departure, Package, Shipment, State, package_id, shipment_id},
    tracking::Code,
};

/// What a warehouse reports of a shipment.
#[derive(Debug)]
pub struct Report {
    /// The work.
    pub fulfillment_order_id: FulfillmentOrderId,
    /// The warehouse's number of the shipment.
    pub shipment_reference: String,
    /// Partner that carries it.
    pub carrier_id: Option<PartnerId>,
    /// The packages.
    pub packages: Vec<ReportedPackage>,
    /// When; now when absent.
    pub occur_time: Option<Timestamp>,
}

/// A report on its way into the books.
pub(super) struct Entry {
    pub(super) dossier: Dossier,
    pub(super) at: Timestamp,
    /// The shipment that the report is about.
    pub(super) shipment_id: ShipmentId,
    /// Places of the reported packages, and whether they were known before.
    pub(super) places: Vec<(usize, Known)>,
    /// The shipment that has a carrier since the report, and how its packages move by what that carrier had said when it
    /// is another one than the report is about.
    named: Option<(ShipmentId, Movement)>,
}

/// Whether a package was known before a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It was.
    Before,
    /// It is since this report.
    Now,
}

impl Report {
    pub(super) fn needs(&self, rows: &Rows, needs: &mut Needs) {
        Dossier::needs(&self.fulfillment_order_id, rows, needs);
        for package in &self.packages {
            said_needs(&package.tracking_number, rows, needs);
        }
        if self.carrier_id.is_some() {
            Dossier::needs_unnamed(&self.fulfillment_order_id, rows, needs);
        }
    }

    /// Enters the packages. One that the work has already, in whatever shipment, is the same one.
    pub(super) fn enter(&self, rows: &Rows, cx: &Context<'_>) -> Result<Entry, Fault> {
        let mut dossier = Dossier::load(&self.fulfillment_order_id, rows)?;
        let mut checks = Checks::new();
        let mut contents = Vec::with_capacity(self.packages.len());
        for (at, package) in self.packages.iter().enumerate() {
            let field = format!("packages[{at}].lines");
            let lines = named(&dossier.work, &field, &package.lines, &mut checks);
            contents.push(ReportedPackage { lines, ..package.clone() });
        }
        checks.done()?;

        let unreadable = || Fault::internal("an id can not be made");
        let own = shipment_id(&self.fulfillment_order_id, &self.shipment_reference).ok_or_else(unreadable)?;
        let mut places = Vec::with_capacity(contents.len());
        for reported in contents {
            let known = dossier.packages.iter().position(|one| one.tracking_number == reported.tracking_number);
            if let Some(place) = known {
                places.push((place, Known::Before));
                continue;
            }
            let package_id = package_id(&own, &reported.tracking_number).ok_or_else(unreadable)?;
            places.push((dossier.packages.len(), Known::Now));
            dossier.packages.push(Package {
                package_id,
                shipment_id: own.clone(),
                fulfillment_order_id: self.fulfillment_order_id.clone(),
                tracking_number: reported.tracking_number.clone(),
                sscc: reported.sscc.clone(),
                contents: Proto(reported),
                departure: Departure::None,
                ship_time: None,
                status: Code::Unspecified,
                status_time: None,
                estimated_delivery_time: None,
                deliver_time: None,
                proof: None,
                create_time: cx.now(),
                version: 0,
            });
        }
        let first = places.first().and_then(|(place, _)| dossier.packages.get(*place));
        let shipment_id = match first {
            Some(first) if places.iter().all(|(_, known)| *known == Known::Before) => first.shipment_id.clone(),
            _ => own,
        };
        let named = self.open_shipment(&shipment_id, &mut dossier, cx);
        let at = self.occur_time.unwrap_or_else(|| cx.now());
        let named = named.then(|| (shipment_id.clone(), Movement::default()));
        Ok(Entry { dossier, at, shipment_id, places, named })
    }

    /// Answers whether a shipment that was known has a carrier only now.
    fn open_shipment(&self, shipment_id: &ShipmentId, dossier: &mut Dossier, cx: &Context<'_>) -> bool {
        let carrier_id = self.carrier_id.as_ref().map(ToString::to_string).unwrap_or_default();
        if dossier.shipments.iter().any(|shipment| shipment.shipment_id == *shipment_id) {
            return dossier.name_carrier(shipment_id, &carrier_id);
        }
        let order = &dossier.work.order;
        dossier.shipments.push(Shipment {
            shipment_id: shipment_id.clone(),
            fulfillment_order_id: order.fulfillment_order_id.clone(),
            order_id: order.order_id.clone(),
            account_id: order.account_id.clone(),
            node_id: order.node_id.clone(),
            partner_id: order.partner_id.clone(),
            shipment_reference: self.shipment_reference.clone(),
            carrier_id,
            state: State::Labelled,
            ship_time: None,
            deliver_time: None,
            create_time: cx.now(),
            update_time: cx.now(),
            version: 0,
        });
        false
    }
}

impl Entry {
    /// Packages leave with what the report says is in them, which is newer than what their labels said.
    pub(super) fn depart(&mut self, leaving: &[usize], report: &Report, movement: &mut Movement) {
        for place in leaving {
            let Some(package) = self.dossier.packages.get_mut(*place) else { continue };
            let reported = report.packages.iter().find(|one| one.tracking_number == package.tracking_number);
            if let Some(reported) = reported {
                let lines = reported.lines.iter().filter_map(|unit| self.dossier.work.named(unit)).collect();
                package.contents = Proto(ReportedPackage { lines, ..reported.clone() });
            }
        }
        self.dossier.depart(leaving, self.at, Departure::Reported, movement);
        self.name_what_leaves(leaving);
    }

    /// A report that repeats earlier packages is about the shipment of those that leave now: only that one changes.
    fn name_what_leaves(&mut self, leaving: &[usize]) {
        let mut shipments =
            leaving.iter().filter_map(|place| self.dossier.packages.get(*place)).map(|package| &package.shipment_id);
        let first = shipments.next();
        if let Some(first) = first
            && *first != self.shipment_id
            && !shipments.any(|other| *other == self.shipment_id)
        {
            self.shipment_id = first.clone();
        }
    }

    /// Packages that are new, or whose carrier is, follow what their carrier said before.
    pub(super) fn catch_up(&mut self, rows: &mut Rows, movement: &mut Movement) -> Result<(), Fault> {
        for (place, _) in self.places.iter().filter(|(_, known)| *known == Known::Now) {
            self.dossier.begin_to_hear(*place, rows, movement)?;
        }
        if let Some((shipment_id, others)) = &mut self.named {
            let same = *shipment_id == self.shipment_id;
            self.dossier.begin_to_hear_all(shipment_id, rows, if same { movement } else { others })?;
        }
        Ok(())
    }

    /// Tells what carriers had said of the new packages, then what moved. To be told after `save`.
    pub(super) fn tell(&self, rows: &Rows, movement: Movement, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Some(shipment) = self.shipment() else { return Ok(()) };
        self.dossier.tell_movement(shipment, movement, cx);
        for (place, _) in self.places.iter().filter(|(_, known)| *known == Known::Now) {
            let Some(package) = self.dossier.packages.get(*place) else { continue };
            self.dossier.tell_said(shipment, package, rows, cx)?;
            self.dossier.open_foreign(shipment, package, rows, cx)?;
        }
        if let Some((shipment_id, movement)) = &self.named
            && let Some(shipment) = self.dossier.shipments.iter().find(|one| one.shipment_id == *shipment_id)
        {
            self.dossier.tell_movement(shipment, movement.clone(), cx);
            self.dossier.tell_named(shipment, rows, cx)?;
        }
        Ok(())
    }

    /// Whether a shipment that was known has a carrier since the report.
    pub(super) fn names_carrier(&self) -> bool {
        self.named.is_some()
    }

    pub(super) fn shipment(&self) -> Option<&Shipment> {
        self.dossier.shipments.iter().find(|shipment| shipment.shipment_id == self.shipment_id)
    }

    /// The shipment as the wire has it.
    pub(super) fn image(&self) -> Result<proto::fulfillment::v1::Shipment, Fault> {
        let shipment = self.shipment().ok_or_else(|| Fault::internal("a shipment is missing"))?;
        Ok(self.dossier.shipment(shipment))
    }
}
