//! The arithmetic of the test's inventory.

use proto::inventory::v1::{
    AllocateRequest, AllocateResponse, AllocationRequest, DeallocateRequest, DeallocateResponse, DeallocationPolicy,
    ReceiveStockRequest, ReceiveStockResponse, Reservation,
};
use proto::types::v1::LineQuantity;

use super::Ledger;

impl Ledger {
    /// The same key gets the same answer.
    pub(super) fn allocate(&mut self, request: &AllocateRequest) -> AllocateResponse {
        if let Some(known) = self.allocations.get(&request.allocation_key) {
            return known.clone();
        }
        let mut granted = Vec::new();
        for asked in &request.allocations {
            let key = (request.order_id.clone(), asked.line_number);
            let Some(reservation) = self.reservations.get_mut(&key) else { continue };
            let level = self.levels.entry((reservation.sku.clone(), asked.location_id.clone())).or_default();
            let quantity = asked.quantity.min(reservation.reserved).min(level.on_hand - level.allocated).max(0);
            if quantity > 0 {
                level.allocated += quantity;
                reservation.reserved -= quantity;
                reservation.allocated += quantity;
                reservation.version += 1;
                let at = (key.0, key.1, asked.location_id.clone());
                *self.at_nodes.entry(at).or_default() += quantity;
                granted.push(AllocationRequest { quantity, ..asked.clone() });
            }
        }
        let reply = AllocateResponse { allocations: granted, reservations: self.of(&request.order_id) };
        self.allocations.insert(request.allocation_key.clone(), reply.clone());
        reply
    }

    /// Units that come in fill backorders. The same request changes nothing.
    pub(super) fn receive(&mut self, request: &ReceiveStockRequest) -> ReceiveStockResponse {
        if self.receipts.insert(request.request_id.clone()) {
            self.found.push(request.occur_time);
            for item in &request.items {
                let at = (item.sku.clone(), request.location_id.clone());
                self.levels.entry(at).or_default().on_hand += item.quantity;
                let mut left = item.quantity;
                for reservation in self.reservations.values_mut().filter(|reservation| reservation.sku == item.sku) {
                    let filled = left.min(reservation.backordered);
                    reservation.backordered -= filled;
                    reservation.reserved += filled;
                    left -= filled;
                }
            }
        }
        ReceiveStockResponse::default()
    }

    /// The same request gets the same answer.
    pub(super) fn deallocate(&mut self, request: &DeallocateRequest) -> DeallocateResponse {
        if let Some(known) = self.deallocations.get(&request.request_id) {
            return known.clone();
        }
        if request.policy() == DeallocationPolicy::Short {
            self.not_found.push(request.occur_time);
        }
        for asked in &request.allocations {
            let key = (request.order_id.clone(), asked.line_number);
            let at = (key.0.clone(), key.1, asked.location_id.clone());
            let there = self.at_nodes.entry(at).or_default();
            let quantity = asked.quantity.min(*there);
            *there -= quantity;
            let sku = self.reservations[&key].sku.clone();
            let level = self.levels.entry((sku.clone(), asked.location_id.clone())).or_default();
            level.allocated -= quantity;
            if request.policy() == DeallocationPolicy::Short {
                level.on_hand -= quantity;
            }
            let free = self.free(&sku) + quantity;
            let reservation = self.reservations.get_mut(&key).unwrap();
            reservation.allocated -= quantity;
            reservation.version += 1;
            match request.policy() {
                DeallocationPolicy::Cancel => reservation.released += quantity,
                DeallocationPolicy::Reassign => reservation.reserved += quantity,
                DeallocationPolicy::Short => {
                    let reserved = quantity.min(free.max(0));
                    reservation.reserved += reserved;
                    reservation.backordered += quantity - reserved;
                }
                DeallocationPolicy::Unspecified => panic!("a policy is required"),
            }
        }
        let reply = DeallocateResponse { reservations: self.of(&request.order_id) };
        self.deallocations.insert(request.request_id.clone(), reply.clone());
        reply
    }

    /// Backordered units go first, then reserved ones.
    pub(super) fn release(&mut self, request_id: &str, order: &str, lines: &[LineQuantity]) -> Vec<Reservation> {
        if let Some(known) = self.releases.get(request_id) {
            return known.clone();
        }
        for line in lines {
            let reservation = self.reservations.get_mut(&(order.to_owned(), line.line_number)).unwrap();
            let waiting = line.quantity.min(reservation.backordered);
            let reserved = (line.quantity - waiting).min(reservation.reserved);
            reservation.backordered -= waiting;
            reservation.reserved -= reserved;
            reservation.released += waiting + reserved;
            reservation.version += 1;
        }
        let reply = self.of(order);
        self.releases.insert(request_id.to_owned(), reply.clone());
        reply
    }

    /// Units that no order has.
    fn free(&self, sku: &str) -> i64 {
        let on_hand: i64 =
            self.levels.iter().filter(|((item, _), _)| item == sku).map(|(_, level)| level.on_hand).sum();
        let reserved = self.reservations.values().filter(|reservation| reservation.sku == sku);
        on_hand - reserved.map(|one| one.reserved + one.allocated + one.backordered).sum::<i64>()
    }

    fn of(&self, order: &str) -> Vec<Reservation> {
        self.reservations.values().filter(|reservation| reservation.order_id == order).cloned().collect()
    }
}
