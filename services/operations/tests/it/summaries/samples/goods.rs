//! What the inventory service tells.

use proto::inventory::v1::{
    Allocation, DriftDetected, Item, ItemChanged, Location, LocationCreated, Reservation, ReservationsChanged,
    ShortfallDetected, SnapshotReported, StockChanged, StockConsumed, StockMovement,
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
    promises(samples);
}

fn stock(samples: &mut Samples) {
    let item = Item { sku: "NW-011".to_owned(), name: "Queso".to_owned(), ..Default::default() };
    let item = ItemChanged { item: Some(item) };
    sample(samples, "item.created", &item, "item NW-011 Queso added");
    sample(samples, "item.updated", &item, "item NW-011 Queso changed");
    let location = Location { location_id: "nod_a".to_owned(), name: "Bremen".to_owned(), ..Default::default() };
    let location = LocationCreated { location: Some(location) };
    sample(samples, "location.created", &location, "location Bremen (nod_a) added");

    let changed = |delta, note: &str| StockChanged { movement: Some(movement(delta, note)), ..Default::default() };
    sample(samples, "inventory.received", &changed(10, ""), "received 10 NW-011 at nod_a");
    sample(samples, "inventory.restocked", &changed(10, ""), "restocked 10 NW-011 at nod_a");
    let expected = "adjusted NW-011 by -2 at nod_a: broken";
    sample(samples, "inventory.adjusted", &changed(-2, "broken"), expected);
    let snapshot = |movements| SnapshotReported { location_id: "nod_a".to_owned(), movements, ..Default::default() };
    let expected = "nod_a counted its stock: as expected";
    sample(samples, "inventory.snapshot_reported", &snapshot(Vec::new()), expected);
    let expected = "nod_a counted its stock: 1 difference";
    sample(samples, "inventory.snapshot_reported", &snapshot(vec![movement(1, "")]), expected);
    let shortfall = ShortfallDetected {
        sku: "NW-011".to_owned(),
        shortfall: 5,
        order_ids: vec!["ord_1".to_owned(), "ord_2".to_owned()],
        ..Default::default()
    };
    sample(samples, "inventory.shortfall_detected", &shortfall, "5 NW-011 lack, 2 orders at stake");
    let drift = DriftDetected {
        sku: "NW-011".to_owned(),
        location_id: "nod_a".to_owned(),
        quantity: 2,
        shipment_id: "shm_1".to_owned(),
    };
    let expected = "shm_1 took 2 NW-011 that were not on hand at nod_a";
    sample(samples, "inventory.drift_detected", &drift, expected);
}

fn promises(samples: &mut Samples) {
    let reservations = |reserved, allocated, backordered, released| ReservationsChanged {
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
    let kind = "inventory.reserved";
    sample(samples, kind, &reservations(10, 2, 0, 0), "stock reserved: 12 NW-011");
    sample(samples, kind, &reservations(10, 0, 2, 0), "stock reserved: 10 NW-011; backordered: 2 NW-011");
    sample(samples, kind, &reservations(0, 0, 2, 0), "no stock to reserve; backordered: 2 NW-011");
    sample(samples, kind, &reservations(0, 0, 0, 0), "nothing reserved any more");
    let given_up = reservations(0, 0, 0, 7);
    sample(samples, "inventory.reservation_released", &given_up, "reservation given up: 7 NW-011");
    sample(samples, "inventory.reservation_expired", &given_up, "reservation expired: 7 NW-011");

    let at = |location: &str, open, released| Allocation {
        sku: "NW-011".to_owned(),
        location_id: location.to_owned(),
        open,
        released,
        ..Default::default()
    };
    let allocations = vec![at("nod_a", 12, 1), at("nod_b", 3, 0)];
    let allocated = ReservationsChanged { allocations, ..Default::default() };
    let expected = "set aside 12 NW-011 at nod_a, 3 NW-011 at nod_b";
    sample(samples, "inventory.allocated", &allocated, expected);
    sample(samples, "inventory.deallocated", &allocated, "no longer set aside: 1 NW-011 at nod_a");
    let consumed =
        StockConsumed { shipment_id: "shm_1".to_owned(), movements: vec![movement(-12, "")], ..Default::default() };
    sample(samples, "inventory.consumed", &consumed, "shm_1 took 12 NW-011 out of stock");
}
