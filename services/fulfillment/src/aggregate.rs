//! A fulfillment order with its shipments, packages and release, while a command changes it.
//!
//! Its methods change state and collect pending events. [`FulfillmentOrderAggregate::save`] ends the aggregate: it writes the
//! rows and emits the events, with the versions and snapshots that the rows then have. Nothing else emits them.

mod answers;
mod corrections;
mod destination;
mod events;
mod packages;
mod tracking;

use std::collections::{BTreeMap, BTreeSet};

use proto::{fulfillment::v1, types::v1::LineQuantity};
use store::{Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, PackageId, ShipmentId};

use crate::{
    buffered_reports,
    doubts::Doubts,
    fulfillment_order::{FulfillmentLine, FulfillmentOrder, FulfillmentOrderHeader, RequestState},
    package::{Package, sum},
    problem::Problem,
    process::acceptance_timeout,
    release::ReleaseAggregate,
    ship_to_change::ShipToChange,
    shipment::Shipment,
    wire,
};
pub(crate) use answers::Returned;
use events::PendingEvent;
pub(crate) use events::open_implausible;
pub(crate) use tracking::ReportChange;

/// The column by which shipments and packages of a fulfillment order are found.
const FULFILLMENT_ORDER: &[&str] = &["fulfillment_order_id"];

/// A fulfillment order with everything that belongs to it.
#[derive(Debug)]
pub(crate) struct FulfillmentOrderAggregate {
    order: FulfillmentOrder,
    shipments: Vec<Shipment>,
    packages: Vec<Package>,
    release: ReleaseAggregate,
    /// The fulfillment order as it was loaded.
    loaded: FulfillmentOrder,
    /// What is doubtful about the reports of each shipment, as it was loaded.
    loaded_doubts: BTreeMap<ShipmentId, Doubts>,
    /// Problems of packages, as they were loaded.
    loaded_problems: BTreeMap<PackageId, Problem>,
    /// Packages that come back to their sender, as they were loaded.
    loaded_returning: BTreeSet<PackageId>,
    /// Keys whose reports are applied: a rival may add one.
    keys: BTreeSet<String>,
    pending: Vec<PendingEvent>,
    /// The units of a request for another destination that ended without an acceptance, and why.
    ended_change: Option<(Vec<LineQuantity>, String)>,
    /// Whether the node accepted the request for another destination: its command saves the change.
    answered_ship_to: bool,
}

impl FulfillmentOrderAggregate {
    /// Requests the rows that [`load`](Self::load) reads.
    pub(crate) fn needs(id: &FulfillmentOrderId, rows: &Rows, needs: &mut Needs) {
        needs.row::<FulfillmentOrderHeader>(id);
        needs.under::<FulfillmentLine>(id);
        needs.by::<Shipment>(FULFILLMENT_ORDER, id);
        needs.by::<Package>(FULFILLMENT_ORDER, id);
        if let Ok(Some(order)) = rows.get::<FulfillmentOrderHeader>(id) {
            ReleaseAggregate::needs(&order.order_id, order.release_number, needs);
            if let Some(change) = &order.ship_to_change {
                let number = i64::from(change.0.change_number);
                needs.row::<ShipToChange>(&(order.order_id.clone(), number, order.ship_to_group));
            }
        }
    }

    /// The fulfillment order with this id.
    pub(crate) fn load(id: &FulfillmentOrderId, rows: &Rows) -> Result<Self, Fault> {
        let header = rows.get::<FulfillmentOrderHeader>(id)?.cloned();
        let header = header.ok_or_else(|| Fault::not_found("fulfillment order", id))?;
        let order =
            FulfillmentOrder { header, lines: rows.under::<FulfillmentLine>(id)?.into_iter().cloned().collect() };
        let packages: Vec<_> = rows.by::<Package>(FULFILLMENT_ORDER, id)?.into_iter().cloned().collect();
        Ok(Self {
            shipments: rows.by::<Shipment>(FULFILLMENT_ORDER, id)?.into_iter().cloned().collect(),
            loaded_doubts: doubts(&packages),
            loaded_problems: packages.iter().filter_map(|one| Some((one.package_id.clone(), one.problem?))).collect(),
            loaded_returning: returning(&packages),
            packages,
            ..Self::new(order, rows)?
        })
    }

    /// A fulfillment order that is not stored yet. Its release is.
    fn new(order: FulfillmentOrder, rows: &Rows) -> Result<Self, Fault> {
        let FulfillmentOrderHeader { order_id, release_number, .. } = &order.header;
        let release = ReleaseAggregate::load(order_id, *release_number, rows)?;
        let missing = || Fault::internal(format!("release {release_number} of order {order_id} is missing"));
        Ok(Self {
            release: release.ok_or_else(missing)?,
            loaded: order.clone(),
            order,
            shipments: Vec::new(),
            packages: Vec::new(),
            loaded_doubts: BTreeMap::new(),
            loaded_problems: BTreeMap::new(),
            loaded_returning: BTreeSet::new(),
            keys: BTreeSet::new(),
            pending: Vec::new(),
            ended_change: None,
            answered_ship_to: false,
        })
    }

    /// The fulfillment order.
    pub(crate) fn order(&self) -> &FulfillmentOrder {
        &self.order
    }

    /// Refuses a command that acts on an older version of the fulfillment order.
    pub(crate) fn check_etag(&self, etag: &str) -> Result<(), Fault> {
        let checked = Fault::check_etag("fulfillment order", etag, self.loaded.header.version);
        checked.map_err(|fault| self.refreshed(fault))
    }

    /// A refusal with what the fulfillment order supports.
    pub(crate) fn refreshed(&self, fault: Fault) -> Fault {
        fault.refreshed(&self.loaded.supported_actions(), self.loaded.header.version)
    }

    /// Saves what changed and emits the events.
    pub(crate) fn save(mut self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<SavedFulfillmentOrder, Fault> {
        let change = self.follow_ship_to_change(rows, cx)?;
        self.save_order(rows, cx)?;
        self.save_shipments(rows, cx)?;
        for key in &self.keys {
            buffered_reports::write_key(key, rows)?;
        }
        let Self { order, shipments, packages, release, loaded, loaded_doubts, loaded_problems, .. } = self;
        release.save(rows, cx)?;
        let was_unanswered = loaded.header.request_state == RequestState::Submitted;
        if was_unanswered && !matches!(order.header.request_state, RequestState::Submitted | RequestState::TimedOut) {
            acceptance_timeout::cancel(&order.header.fulfillment_order_id, cx);
        }
        let saved = SavedFulfillmentOrder { order, shipments, packages };
        for event in self.pending {
            event.emit(&saved, &loaded, cx);
        }
        saved.emit_problems(&loaded_problems, cx);
        saved.emit_returning(&self.loaded_returning, cx);
        saved.resolve_doubts(&loaded_doubts, cx);
        if let Some(change) = change {
            change.save(rows, cx)?;
        }
        Ok(saved)
    }

    fn save_order(&mut self, rows: &mut Rows, cx: &Context<'_>) -> Result<(), Fault> {
        let packed = sum(self.packages.iter().filter(|package| package.void_time.is_none()));
        let written_off = sum(self.packages.iter().filter(|package| package.remedy.is_some()));
        self.order.pack(&packed, &written_off);
        self.order.header.execution_state = self.order.execution();
        if self.order == self.loaded && self.order.header.version > 0 {
            return Ok(());
        }
        for line in &mut self.order.lines {
            let key = (line.fulfillment_order_id.clone(), line.line_number);
            if line.version == 0 || rows.get::<FulfillmentLine>(&key)? != Some(line) {
                *line = rows.put(line.clone());
            }
        }
        self.order.header.size_bytes = self.order.lines_bytes();
        self.order.header.update_time = cx.now();
        self.order.header = rows.put(self.order.header.clone());
        Ok(())
    }

    fn save_shipments(&mut self, rows: &mut Rows, cx: &Context<'_>) -> Result<(), Fault> {
        for shipment in &mut self.shipments {
            let mut changed = false;
            let id = shipment.shipment_id.clone();
            for package in self.packages.iter_mut().filter(|package| package.shipment_id == id) {
                let is_new = package.version == 0;
                let stored = if is_new { None } else { rows.get::<Package>(&package.package_id)? };
                if stored != Some(&*package) {
                    // A report of a stranger leaves what parties see of the shipment as it is.
                    let seen = stored.map(|stored| Package { doubts: package.doubts, ..stored.clone() });
                    changed |= seen.as_ref() != Some(&*package);
                    *package = rows.put(package.clone());
                }
            }
            shipment.derive_state(self.packages.iter().filter(|package| package.shipment_id == id));
            if changed || shipment.version == 0 || rows.get::<Shipment>(&shipment.shipment_id)? != Some(shipment) {
                shipment.measure(self.packages.iter().filter(|package| package.shipment_id == id));
                shipment.update_time = cx.now();
                *shipment = rows.put(shipment.clone());
            }
        }
        Ok(())
    }
}

/// The packages that come back to their sender, also those that are written off.
fn returning(packages: &[Package]) -> BTreeSet<PackageId> {
    packages.iter().filter(|package| package.is_returning()).map(|package| package.package_id.clone()).collect()
}

/// What is doubtful about the reports of each shipment.
fn doubts(packages: &[Package]) -> BTreeMap<ShipmentId, Doubts> {
    let mut doubts: BTreeMap<ShipmentId, Doubts> = BTreeMap::new();
    for package in packages.iter().filter(|package| package.doubts != Doubts::default()) {
        let of_shipment = doubts.entry(package.shipment_id.clone()).or_default();
        *of_shipment = of_shipment.with(package.doubts);
    }
    doubts
}

/// A fulfillment order as it is stored after a command.
#[derive(Debug)]
pub(crate) struct SavedFulfillmentOrder {
    order: FulfillmentOrder,
    shipments: Vec<Shipment>,
    packages: Vec<Package>,
}

impl SavedFulfillmentOrder {
    /// Its snapshot.
    pub(crate) fn snapshot(&self) -> v1::FulfillmentOrder {
        wire::fulfillment_order(&self.order)
    }

    /// The snapshot of one of its shipments.
    pub(crate) fn shipment_snapshot(&self, shipment_id: &ShipmentId) -> Result<v1::Shipment, Fault> {
        let shipment = self.shipments.iter().find(|shipment| shipment.shipment_id == *shipment_id);
        let shipment = shipment.ok_or_else(|| Fault::internal(format!("shipment {shipment_id} is missing")))?;
        Ok(self.snapshot_of(shipment))
    }

    fn snapshot_of(&self, shipment: &Shipment) -> v1::Shipment {
        let packages = self.packages.iter().filter(|package| package.shipment_id == shipment.shipment_id);
        let header = &self.order.header;
        wire::shipment(shipment, packages, &header.ship_to.0, &header.customer_po)
    }
}
