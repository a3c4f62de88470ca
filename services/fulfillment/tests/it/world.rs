//! The service with fakes of the order and inventory services, as a test sees it.

mod calls;

use std::{ops::Deref, sync::Arc};

use mesh::{Channel, Principal, Role};
use proto::{
    event::v1::Event,
    events::OrderEvent,
    fulfillment::v1::{
        FulfillmentOrder, RecordShipmentRequest, ReportedPackage, fulfillment_service_client::FulfillmentServiceClient,
    },
    inventory::v1::inventory_service_server::InventoryServiceServer,
    order::v1::{
        Hold, OrderCancelRequested, OrderHoldChanged, OrderReleaseSuperseded, OrderReleased,
        OrderShipToChangeRequested, ReleasedLine,
    },
    types::v1::{Address, HandlingClass, LineQuantity},
};
use store::Options;
use testkit::{Log, START, Service, event, units};
use types::ManualClock;
use waybill_fulfillment::{Config, MIGRATIONS, NAME, Peers, server, workers};

use crate::inventory::Inventory;
pub(crate) use calls::{node, pick, routed, routed_units};

/// The order of most tests.
pub(crate) const ORDER: &str = "ord_1";

/// The service with its neighbours.
pub(crate) struct World {
    service: Service,
    pub(crate) inventory: Inventory,
    pub(crate) order_log: Log,
    pub(crate) inventory_log: Log,
}

impl Deref for World {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl World {
    pub(crate) async fn open(options: Options) -> Self {
        let (order_log, inventory_log) = (Log::new("order"), Log::new("inventory"));
        Self::beside(options, testkit::clock(), Inventory::default(), order_log, inventory_log).await
    }

    /// A second process on the same database, with the same neighbours.
    pub(crate) async fn replica(&self) -> Self {
        let Self { service, inventory, order_log, inventory_log } = self;
        let (options, clock) = (service.options.clone(), service.clock.clone());
        Self::beside(options, clock, inventory.clone(), order_log.clone(), inventory_log.clone()).await
    }

    async fn beside(
        options: Options,
        clock: Arc<ManualClock>,
        inventory: Inventory,
        order_log: Log,
        inventory_log: Log,
    ) -> Self {
        let fake = inventory_log.server().add_service(InventoryServiceServer::new(inventory.clone()));
        let (to_order, to_inventory) = (order_log.channel(), fake.into_channel().unwrap().for_service(NAME));
        let config = Config::default();
        let server = |db| server(db, to_inventory.clone(), &config, &mesh::Config::default());
        let workers = |db, fulfillment| {
            workers(db, Peers { order: to_order, inventory: to_inventory.clone(), fulfillment }, &config)
        };
        let service = Service::open(options, clock, (NAME, MIGRATIONS), server, workers).await;
        Self { service, inventory, order_log, inventory_log }
    }

    /// A client on behalf of a principal.
    pub(crate) fn client(&self, principal: &Principal) -> FulfillmentServiceClient<Channel> {
        FulfillmentServiceClient::new(self.channel.for_principal(principal))
    }

    /// A client on behalf of an internal program.
    pub(crate) fn api(&self) -> FulfillmentServiceClient<Channel> {
        self.client(&Principal { roles: Role::Application.into(), ..Principal::service("test") })
    }

    /// A client on behalf of the partner service.
    pub(crate) fn partners(&self) -> FulfillmentServiceClient<Channel> {
        self.client(&Principal::service("partner"))
    }

    /// An order releases units that inventory has reserved for it.
    pub(crate) fn release(&self, order: &str, number: i32, lines: &[(i32, &str, i64)]) {
        for (line, sku, quantity) in lines {
            self.inventory.reserve(order, *line, sku, *quantity);
        }
        self.release_reserved(order, number, lines);
    }

    /// An order releases units that are reserved for it already.
    pub(crate) fn release_reserved(&self, order: &str, number: i32, lines: &[(i32, &str, i64)]) {
        self.release_to_group(order, number, 0, lines);
    }

    /// An order releases units of a ship-to group that are reserved for it already.
    pub(crate) fn release_to_group(&self, order: &str, number: i32, group: i32, lines: &[(i32, &str, i64)]) {
        let lines = lines.iter().map(|(line_number, sku, quantity)| ReleasedLine {
            line_number: *line_number,
            sku: (*sku).to_owned(),
            quantity: *quantity,
            handling_class: HandlingClass::Ambient.into(),
        });
        let released = OrderReleased {
            order_id: order.to_owned(),
            release_number: number,
            account_id: "acc_1".to_owned(),
            customer_po: "PO-1".to_owned(),
            ship_to: Some(Address { name: "Depot".to_owned(), country: "DE".to_owned(), ..Address::default() }),
            lines: lines.collect(),
            requested_ship_time: None,
            ship_to_group: group,
        };
        self.order_log.emit(order, &OrderEvent::OrderReleased(released));
    }

    /// A hold of some lines of an order is placed; of all when there are none.
    pub(crate) fn hold(&self, order: &str, hold_number: i32, line_numbers: &[i32]) {
        self.order_log.emit(order, &OrderEvent::OrderHoldPlaced(hold_changed(order, hold_number, line_numbers)));
    }

    /// The hold is released.
    pub(crate) fn release_hold(&self, order: &str, hold_number: i32, line_numbers: &[i32]) {
        self.order_log.emit(order, &OrderEvent::OrderHoldReleased(hold_changed(order, hold_number, line_numbers)));
    }

    /// The order had released units of line 1 that left with another node.
    pub(crate) fn supersede(&self, order: &str, quantity: i64) {
        let lines = vec![units(1, quantity)];
        let superseded = OrderReleaseSuperseded { order_id: order.to_owned(), lines, ..Default::default() };
        self.order_log.emit(order, &OrderEvent::OrderReleaseSuperseded(superseded));
    }

    /// The order is cancelled.
    pub(crate) fn cancel(&self, order: &str) {
        let requested =
            OrderCancelRequested { order_id: order.to_owned(), reason: "not wanted".to_owned(), ..Default::default() };
        self.order_log.emit(order, &OrderEvent::OrderCancelRequested(requested));
    }

    /// The order's goods should go to another address.
    pub(crate) fn request_ship_to(&self, change_number: i32, ship_to: Address) {
        self.request_ship_to_of_group(change_number, 0, ship_to);
    }

    /// The goods of a ship-to group of the order should go to another address.
    pub(crate) fn request_ship_to_of_group(&self, change_number: i32, ship_to_group: i32, ship_to: Address) {
        let (order_id, ship_to) = (ORDER.to_owned(), Some(ship_to));
        let change = OrderShipToChangeRequested { order_id, change_number, ship_to_group, ship_to };
        let requested = event(ORDER, &OrderEvent::OrderShipToChangeRequested(change));
        self.order_log.append(Event { account_id: "acc_1".to_owned(), ..requested });
    }

    /// Units of the order are cancelled, which has none back.
    pub(crate) fn cancel_units(&self, order: &str, lines: &[LineQuantity]) {
        self.cancel_units_after(order, lines, &[]);
    }

    /// Units of the order are cancelled, which knows of the units that were returned to it.
    pub(crate) fn cancel_units_after(&self, order: &str, lines: &[LineQuantity], returned: &[LineQuantity]) {
        let requested = OrderCancelRequested {
            order_id: order.to_owned(),
            reason: "fewer are wanted".to_owned(),
            lines: lines.to_vec(),
            returned: returned.to_vec(),
        };
        self.order_log.emit(order, &OrderEvent::OrderCancelRequested(requested));
    }
}

fn hold_changed(order: &str, hold_number: i32, line_numbers: &[i32]) -> OrderHoldChanged {
    let hold = Hold { hold_number, line_numbers: line_numbers.to_vec(), ..Default::default() };
    OrderHoldChanged { order_id: order.to_owned(), hold: Some(hold), ..Default::default() }
}

/// A report of packages that left, each with units of line 1.
pub(crate) fn shipped(order: &FulfillmentOrder, packages: &[(&str, i64)]) -> RecordShipmentRequest {
    RecordShipmentRequest {
        fulfillment_order_id: order.fulfillment_order_id.clone(),
        shipment_reference: "S-1".to_owned(),
        carrier_id: "par_carrier".to_owned(),
        packages: packages.iter().map(|(number, quantity)| package(number, *quantity)).collect(),
        ..Default::default()
    }
}

/// A package with units of line 1.
pub(crate) fn package(number: &str, quantity: i64) -> ReportedPackage {
    ReportedPackage { tracking_number: number.to_owned(), sscc: String::new(), lines: vec![units(1, quantity)] }
}

/// An address by its name and country.
pub(crate) fn address(name: &str, country: &str) -> Address {
    Address { name: name.to_owned(), country: country.to_owned(), ..Address::default() }
}

/// An instant some seconds after the start.
pub(crate) fn after(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: START.as_micros() / 1_000_000 + seconds, nanos: 0 }
}
