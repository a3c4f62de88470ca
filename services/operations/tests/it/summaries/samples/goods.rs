//! Samples of the events of the inventory service.

use proto::{
    events::InventoryEvent,
    inventory::v1::{
        Allocation, BackorderRulesUpdated, DriftDetected, Item, ItemChanged, Location, LocationCreated,
        LocationReachChanged, ReceiptScheduled, ReplacementReserved, Reservation, ReservationsChanged,
        ScheduledReceipt, ShortfallDetected, SnapshotReported, StockChanged, StockConsumed, StockMovement,
    },
    types::v1::LineQuantity,
};

use super::{Samples, sample};

fn movement(on_hand_delta: i64, note: &str) -> StockMovement {
    StockMovement {
        sku: "NW-011".to_owned(),
        location_id: "nod_a".to_owned(),
        on_hand_delta,
        note: note.to_owned(),
        ..Default::default()
    }
}

pub(super) fn add(samples: &mut Samples) {
    stock(samples);
    reservations(samples);
}

fn stock(samples: &mut Samples) {
    let item = Item { sku: "NW-011".to_owned(), name: "Queso".to_owned(), ..Default::default() };
    let item = ItemChanged { item: Some(item) };
    sample(samples, InventoryEvent::ItemCreated(item.clone()), "item NW-011 Queso added");
    sample(samples, InventoryEvent::ItemUpdated(item), "item NW-011 Queso changed");
    let location = Location { location_id: "nod_a".to_owned(), name: "Bremen".to_owned(), ..Default::default() };
    let location = LocationCreated { location: Some(location) };
    sample(samples, InventoryEvent::LocationCreated(location), "location Bremen (nod_a) added");
    let reach = LocationReachChanged { location_id: "nod_a".to_owned(), node_version: 2 };
    sample(samples, InventoryEvent::LocationReachChanged(reach), "stock at nod_a is promised as its node ships now");

    let changed = |delta, note: &str| StockChanged { movement: Some(movement(delta, note)), ..Default::default() };
    sample(samples, InventoryEvent::InventoryReceived(changed(10, "")), "received 10 NW-011 at nod_a");
    sample(samples, InventoryEvent::InventoryRestocked(changed(10, "")), "restocked 10 NW-011 at nod_a");
    let expected = "adjusted NW-011 by -2 at nod_a: broken";
    sample(samples, InventoryEvent::InventoryAdjusted(changed(-2, "broken")), expected);
    let snapshot = |movements| SnapshotReported { location_id: "nod_a".to_owned(), movements, ..Default::default() };
    let expected = "nod_a counted its stock: as expected";
    sample(samples, InventoryEvent::InventorySnapshotReported(snapshot(Vec::new())), expected);
    let expected = "nod_a counted its stock: 1 difference";
    sample(samples, InventoryEvent::InventorySnapshotReported(snapshot(vec![movement(1, "")])), expected);
    let shortfall = ShortfallDetected {
        sku: "NW-011".to_owned(),
        shortfall: 5,
        order_ids: vec!["ord_1".to_owned(), "ord_2".to_owned()],
        ..Default::default()
    };
    sample(samples, InventoryEvent::InventoryShortfallDetected(shortfall), "shortfall of 5 NW-011, 2 orders affected");
    let drift = DriftDetected {
        sku: "NW-011".to_owned(),
        location_id: "nod_a".to_owned(),
        quantity: 2,
        shipment_id: "shm_1".to_owned(),
    };
    let expected = "shm_1 took 2 NW-011 that were not on hand at nod_a";
    sample(samples, InventoryEvent::InventoryDriftDetected(drift), expected);
    let again = LineQuantity { line_number: 1, sku: "NW-011".to_owned(), quantity: 2 };
    let replaced = ReplacementReserved { lines: vec![again], ..Default::default() };
    let expected = "reserved again, to be shipped again: 2 NW-011";
    sample(samples, InventoryEvent::InventoryReplacementReserved(replaced), expected);
}

fn reservations(samples: &mut Samples) {
    let changed = |reserved, allocated, backordered, released| ReservationsChanged {
        reservations: vec![Reservation {
            sku: "NW-011".to_owned(),
            reserved,
            allocated,
            backordered,
            released,
            ..Default::default()
        }],
        ..Default::default()
    };
    sample(samples, InventoryEvent::InventoryReserved(changed(10, 2, 0, 0)), "stock reserved: 12 NW-011");
    sample(
        samples,
        InventoryEvent::InventoryReserved(changed(10, 0, 2, 0)),
        "stock reserved: 10 NW-011; backordered: 2 NW-011",
    );
    sample(
        samples,
        InventoryEvent::InventoryReserved(changed(0, 0, 2, 0)),
        "no stock to reserve; backordered: 2 NW-011",
    );
    sample(samples, InventoryEvent::InventoryReserved(changed(0, 0, 0, 0)), "nothing reserved any more");
    let released = changed(0, 0, 0, 7);
    sample(samples, InventoryEvent::InventoryReservationReleased(released.clone()), "reservation released: 7 NW-011");
    sample(samples, InventoryEvent::InventoryReservationExpired(released), "reservation expired: 7 NW-011");

    backorders(samples);

    let at = |location: &str, open, released| Allocation {
        sku: "NW-011".to_owned(),
        location_id: location.to_owned(),
        open,
        released,
        ..Default::default()
    };
    let allocations = vec![at("nod_a", 12, 1), at("nod_b", 3, 0)];
    let allocated = ReservationsChanged { allocations, ..Default::default() };
    let expected = "allocated 12 NW-011 at nod_a, 3 NW-011 at nod_b";
    sample(samples, InventoryEvent::InventoryAllocated(allocated.clone()), expected);
    sample(samples, InventoryEvent::InventoryDeallocated(allocated), "deallocated 1 NW-011 at nod_a");
    let consumed =
        StockConsumed { shipment_id: "shm_1".to_owned(), movements: vec![movement(-12, "")], ..Default::default() };
    sample(samples, InventoryEvent::InventoryConsumed(consumed), "shm_1 took 12 NW-011 out of stock");
}

fn backorders(samples: &mut Samples) {
    let receipt = |quantity| ScheduledReceipt {
        receipt_number: "PO-7".to_owned(),
        sku: "NW-011".to_owned(),
        location_id: "nod_a".to_owned(),
        quantity,
        ..Default::default()
    };
    for (quantity, expected) in
        [(40, "40 NW-011 expected at nod_a as PO-7"), (0, "receipt PO-7 of NW-011 at nod_a cancelled")]
    {
        let scheduled = ReceiptScheduled { receipt: Some(receipt(quantity)) };
        sample(samples, InventoryEvent::InventoryReceiptScheduled(scheduled), expected);
    }
    let line = |backordered, is_expected: bool| Reservation {
        sku: "NW-011".to_owned(),
        backordered,
        priority: 9,
        backorder_expect_time: is_expected.then(prost_types::Timestamp::default),
        ..Default::default()
    };
    let changed = |reservations| ReservationsChanged { reservations, ..Default::default() };
    let dated = changed(vec![line(2, true)]);
    sample(samples, InventoryEvent::InventoryBackorderDated(dated), "backorder expected: 2 NW-011");
    let undated = changed(vec![line(2, false)]);
    let expected = "backorder not expected any more: 2 NW-011";
    sample(samples, InventoryEvent::InventoryBackorderDated(undated), expected);
    let both = changed(vec![line(2, true), line(1, false)]);
    let expected = "backorder expected: 2 NW-011; not any more: 1 NW-011";
    sample(samples, InventoryEvent::InventoryBackorderDated(both), expected);
    let updated = changed(vec![line(2, true)]);
    sample(samples, InventoryEvent::InventoryBackorderUpdated(updated), "backorder changed: NW-011 priority 9");
    let rules = BackorderRulesUpdated::default();
    sample(samples, InventoryEvent::BackorderRulesUpdated(rules), "rules of backorders changed");
}
