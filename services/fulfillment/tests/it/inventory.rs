//! An inventory under the test's control: keyed answers, partial allocation, outages.

mod ledger;
mod service;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

use proto::{
    inventory::v1::{AllocateResponse, DeallocateResponse, Reservation},
    types::v1::{HandlingClass, LineQuantity},
};
use tokio::sync::Notify;
use tonic::{Response, Status};

/// An inventory. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inventory(Arc<Mutex<Ledger>>);

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    /// It does not arrive.
    Before,
    /// It takes effect, but the answer is lost.
    After,
}

#[derive(Debug, Default)]
struct Ledger {
    items: BTreeMap<String, HandlingClass>,
    levels: BTreeMap<(String, String), Level>,
    reservations: BTreeMap<(String, i32), Reservation>,
    at_nodes: BTreeMap<(String, i32, String), i64>,
    allocations: BTreeMap<String, AllocateResponse>,
    deallocations: BTreeMap<String, DeallocateResponse>,
    releases: BTreeMap<String, Vec<Reservation>>,
    receipts: BTreeSet<String>,
    outages: VecDeque<(&'static str, Outage)>,
    calls: Vec<(&'static str, String)>,
    not_found: Vec<Option<prost_types::Timestamp>>,
    found: Vec<Option<prost_types::Timestamp>>,
    /// While it does not answer about availability: notified of each such call.
    hangs: Option<Arc<Notify>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Level {
    on_hand: i64,
    allocated: i64,
    /// Units that it reports as available but does not have.
    overstated: i64,
}

impl Inventory {
    /// An item and how it must be stored.
    pub(crate) fn item(&self, sku: &str, class: HandlingClass) {
        self.0.lock().unwrap().items.insert(sku.to_owned(), class);
    }

    /// More units at a node.
    pub(crate) fn stock(&self, sku: &str, node: &str, quantity: i64) {
        self.0.lock().unwrap().levels.entry((sku.to_owned(), node.to_owned())).or_default().on_hand += quantity;
    }

    /// Units that it reports as available at a node but does not allocate.
    pub(crate) fn overstate(&self, sku: &str, node: &str, quantity: i64) {
        self.0.lock().unwrap().levels.entry((sku.to_owned(), node.to_owned())).or_default().overstated = quantity;
    }

    /// Reserves units for an order.
    pub(crate) fn reserve(&self, order: &str, line: i32, sku: &str, quantity: i64) {
        let mut ledger = self.0.lock().unwrap();
        let reservation = ledger.reservations.entry((order.to_owned(), line)).or_insert_with(|| Reservation {
            order_id: order.to_owned(),
            line_number: line,
            sku: sku.to_owned(),
            ..Reservation::default()
        });
        reservation.requested += quantity;
        reservation.reserved += quantity;
        reservation.version += 1;
    }

    /// The order releases units by itself.
    pub(crate) fn release_by_order(&self, order: &str, line: i32, quantity: i64) {
        let mut ledger = self.0.lock().unwrap();
        let request = format!("order-{}", ledger.releases.len());
        let line = LineQuantity { line_number: line, sku: String::new(), quantity };
        ledger.release(&request, order, &[line]);
    }

    /// What goes wrong with the next call of a method.
    pub(crate) fn fail(&self, method: &'static str, outage: Outage) {
        self.0.lock().unwrap().outages.push_back((method, outage));
    }

    /// It never answers about availability from now on, or answers again; returns what is notified of each call that hangs.
    pub(crate) fn hang(&self, hangs: bool) -> Arc<Notify> {
        let hung = Arc::new(Notify::new());
        self.0.lock().unwrap().hangs = hangs.then(|| hung.clone());
        hung
    }

    /// The reservation of an order line.
    pub(crate) fn reservation(&self, order: &str, line: i32) -> Reservation {
        self.0.lock().unwrap().reservations[&(order.to_owned(), line)].clone()
    }

    /// Units allocated at a node.
    pub(crate) fn allocated(&self, sku: &str, node: &str) -> i64 {
        self.0.lock().unwrap().levels.get(&(sku.to_owned(), node.to_owned())).map_or(0, |level| level.allocated)
    }

    /// When nodes did not find units, as it was reported.
    pub(crate) fn not_found(&self) -> Vec<Option<prost_types::Timestamp>> {
        self.0.lock().unwrap().not_found.clone()
    }

    /// When units that came in did, as it was reported.
    pub(crate) fn found(&self) -> Vec<Option<prost_types::Timestamp>> {
        self.0.lock().unwrap().found.clone()
    }

    /// The keys a method was called with, in order.
    pub(crate) fn calls(&self, method: &str) -> Vec<String> {
        let ledger = self.0.lock().unwrap();
        ledger.calls.iter().filter(|(called, _)| *called == method).map(|(_, key)| key.clone()).collect()
    }
}

impl Ledger {
    /// Notes a call; says what goes wrong with it.
    fn called(&mut self, method: &'static str, key: &str) -> Option<Outage> {
        self.calls.push((method, key.to_owned()));
        let place = self.outages.iter().position(|(failing, _)| *failing == method)?;
        self.outages.remove(place).map(|(_, outage)| outage)
    }

    /// The answer to a call, unless something goes wrong with it.
    fn answer<T>(
        &mut self,
        method: &'static str,
        key: &str,
        effect: impl FnOnce(&mut Self) -> T,
    ) -> Result<Response<T>, Status> {
        let outage = self.called(method, key);
        if outage == Some(Outage::Before) {
            return Err(down());
        }
        let reply = effect(self);
        if outage.is_some() { Err(down()) } else { Ok(Response::new(reply)) }
    }
}

fn down() -> Status {
    Status::unavailable("inventory is down")
}
