//! Everything about one piece of work while a command changes it: the work, its shipments and packages, its release.

mod movement;
mod word;

use proto::types::v1::LineQuantity;
use store::{Context, Needs, NewEvent, Rows};
use types::{Fault, FulfillmentOrderId, Id as _, Timestamp};

pub use movement::Movement;
pub use word::{claim, number_needs, said_needs};

use crate::{
    exception::{Exception, LATE_ACCEPTANCE},
    fulfillment_order::{Acceptance, Execution, Fulfillment, FulfillmentOrder, Late, Line, Request},
    keys,
    release::{Book, Release},
    shipment::{Package, Shipment},
    wire,
};

/// Columns that say of which work a shipment or package is.
const WORK: &[&str] = &["fulfillment_order_id"];

/// One piece of work with all that belongs to it.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// The work.
    pub work: Fulfillment,
    /// Its shipments.
    pub shipments: Vec<Shipment>,
    /// Their packages.
    pub packages: Vec<Package>,
    /// Its release.
    pub book: Book,
    was: Fulfillment,
}

impl Dossier {
    /// Asks for what `load` reads.
    pub fn needs(id: &FulfillmentOrderId, rows: &Rows, needs: &mut Needs) {
        needs.row::<FulfillmentOrder>(id);
        needs.under::<Line>(id);
        needs.by::<Shipment>(WORK, id);
        needs.by::<Package>(WORK, id);
        if let Ok(Some(order)) = rows.get::<FulfillmentOrder>(id) {
            Book::needs(&order.order_id, order.release_number, needs);
        }
    }

    /// The work with this id.
    pub fn load(id: &FulfillmentOrderId, rows: &Rows) -> Result<Self, Fault> {
        let order =
            rows.get::<FulfillmentOrder>(id)?.cloned().ok_or_else(|| Fault::not_found("fulfillment order", id))?;
        let book = Book::load(&order.order_id, order.release_number, rows)?
            .ok_or_else(|| Fault::internal(format!("work {id} has no release")))?;
        let lines = rows.under::<Line>(id)?.into_iter().cloned().collect();
        let fulfillment = Fulfillment { order, lines };
        Ok(Self {
            was: fulfillment.clone(),
            work: fulfillment,
            shipments: rows.by::<Shipment>(WORK, id)?.into_iter().cloned().collect(),
            packages: rows.by::<Package>(WORK, id)?.into_iter().cloned().collect(),
            book,
        })
    }

    /// Work that is made now for a release.
    pub fn new(fulfillment: Fulfillment, release: &Release, rows: &Rows) -> Result<Self, Fault> {
        let book = Book::load(&release.order_id, release.release_number, rows)?
            .ok_or_else(|| Fault::internal("work is made for no release"))?;
        Ok(Self { was: fulfillment.clone(), work: fulfillment, shipments: Vec::new(), packages: Vec::new(), book })
    }

    /// The packages of a shipment.
    pub fn packages_of<'a>(&'a self, shipment: &'a Shipment) -> impl Iterator<Item = &'a Package> {
        self.packages.iter().filter(|package| package.shipment_id == shipment.shipment_id)
    }

    /// A shipment as the wire has it.
    pub fn shipment(&self, shipment: &Shipment) -> proto::fulfillment::v1::Shipment {
        let order = &self.work.order;
        wire::shipment(shipment, self.packages_of(shipment), &order.ship_to.0, &order.customer_po)
    }

    /// The release is not given to the node again.
    pub fn exclude_node(&mut self) {
        self.book.release.exclusions.0.insert((self.work.order.node_id.clone(), None));
    }

    /// The item is not looked for at the node again, for this release.
    pub fn exclude_item(&mut self, sku: &str) {
        let excluded = (self.work.order.node_id.clone(), Some(sku.to_owned()));
        self.book.release.exclusions.0.insert(excluded);
    }

    /// Saves what changed, with what follows from it for the states.
    pub fn save(&mut self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        self.work.order.execution_state = self.work.execution();
        if self.work != self.was || self.work.order.version == 0 {
            for line in &mut self.work.lines {
                let key = (line.fulfillment_order_id.clone(), line.line_number);
                if line.version == 0 || rows.get::<Line>(&key)? != Some(line) {
                    *line = rows.put(line.clone());
                }
            }
            self.work.order.update_time = cx.now();
            self.work.order = rows.put(self.work.order.clone());
        }
        for shipment in &mut self.shipments {
            let mut changed = false;
            let id = shipment.shipment_id.clone();
            for package in self.packages.iter_mut().filter(|package| package.shipment_id == id) {
                if package.version == 0 || rows.get::<Package>(&package.package_id)? != Some(package) {
                    *package = rows.put(package.clone());
                    changed = true;
                }
            }
            shipment.derive(self.packages.iter().filter(|package| package.shipment_id == id));
            if changed || shipment.version == 0 || rows.get::<Shipment>(&shipment.shipment_id)? != Some(shipment) {
                shipment.update_time = cx.now();
                *shipment = rows.put(shipment.clone());
            }
        }
        self.book.save(rows, cx)
    }

    /// The work as the wire has it.
    pub fn image(&self) -> proto::fulfillment::v1::FulfillmentOrder {
        wire::fulfillment_order(&self.work)
    }

    /// A fact about the work. To be told after `save`.
    pub fn fact<M: prost::Message + prost::Name>(&self, kind: &'static str, at: Timestamp, payload: &M) -> NewEvent {
        let order = &self.work.order;
        NewEvent::untyped(kind, &order.fulfillment_order_id, order.version, order.version, payload)
            .order(&order.order_id)
            .account(&order.account_id)
            .occurred(at, 0)
    }

    /// Tells the work as it is now.
    pub fn tell_changed(&self, kind: &'static str, at: Timestamp, cx: &mut Context<'_>) {
        let changed = proto::fulfillment::v1::FulfillmentOrderChanged { fulfillment_order: Some(self.image()) };
        cx.emit(self.fact(kind, at, &changed));
    }

    /// Tells what the node is taken to have said by shipping.
    fn tell_answer(&self, at: Timestamp, cx: &mut Context<'_>) {
        let now = self.work.order.request_state;
        if self.was.order.request_state == now {
            return;
        }
        if now == Request::Accepted {
            self.tell_acceptance(Acceptance::Accepted, at, cx);
        } else if now == Request::CancellationRejected {
            self.tell_changed("fulfillment.cancellation_rejected", at, cx);
        }
    }

    /// Tells what a node's yes changed.
    pub fn tell_acceptance(&self, acceptance: Acceptance, at: Timestamp, cx: &mut Context<'_>) {
        match acceptance {
            Acceptance::Accepted => {
                cx.unschedule(keys::ACCEPT, self.work.order.fulfillment_order_id.as_str());
                self.tell_changed("fulfillment.accepted", at, cx);
            }
            Acceptance::Late => {
                self.tell_changed("fulfillment.cancellation_requested", at, cx);
                let facts = [("node_id", self.work.order.node_id.to_string())];
                let summary = "a node took up work that had been taken from it; it is asked to stop".to_owned();
                self.late_acceptance().open(cx, summary, facts);
            }
            Acceptance::Nothing => {}
        }
    }

    /// Tells that units will not be shipped because their cancellation reached the node in time.
    pub fn tell_cancelled(&self, lines: Vec<LineQuantity>, at: Timestamp, cx: &mut Context<'_>) {
        cx.unschedule(keys::ACCEPT, self.work.order.fulfillment_order_id.as_str());
        if !lines.is_empty() {
            let cancelled =
                proto::fulfillment::v1::FulfillmentCancelled { fulfillment_order: Some(self.image()), lines };
            cx.emit(self.fact("fulfillment.cancelled", at, &cancelled));
        }
    }

    /// Tells whether the work has come to its end, and whether a late acceptance has.
    pub fn tell_end(&self, at: Timestamp, cx: &mut Context<'_>) {
        let (was, now) = (self.was.order.execution_state, self.work.order.execution_state);
        match now {
            Execution::Completed if was != now => self.tell_changed("fulfillment.completed", at, cx),
            Execution::Incomplete if was != now => self.tell_changed("fulfillment.incomplete", at, cx),
            // Everything was short: no other fact tells that the work has ended.
            Execution::Cancelled if was != now && self.work.lines.iter().all(|line| line.short == line.quantity) => {
                self.tell_changed("fulfillment.incomplete", at, cx);
            }
            Execution::Open
            | Execution::InProgress
            | Execution::Completed
            | Execution::Incomplete
            | Execution::Cancelled => {}
        }
        let (was, now) = (self.was.order.late_acceptance, self.work.order.late_acceptance);
        if was == Late::Open && now == Late::Resolved {
            self.late_acceptance().resolve(cx, "what the node did is known");
        }
    }

    fn late_acceptance(&self) -> Exception<'_> {
        let order = &self.work.order;
        Exception {
            kind: LATE_ACCEPTANCE,
            subject: order.fulfillment_order_id.to_string(),
            order_id: &order.order_id,
            account_id: &order.account_id,
            key: order.version.to_string(),
        }
    }
}
