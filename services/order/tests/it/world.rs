//! The order service, and fakes of the services around it.

pub(crate) mod calendar;
mod calls;
mod fixtures;
mod fulfillment;
mod inventory;
mod invoices;

use std::ops::Deref;

use mesh::{Channel, Principal, Role};
use proto::{
    events::InventoryEvent,
    inventory::v1::ItemChanged,
    order::v1::{self as contract, order_service_client::OrderServiceClient},
};
use store::Options;
use testkit::{Log, Service, customer, person};
use waybill_order::{Config, MIGRATIONS, NAME, Peers, server, workers};

pub(crate) use fixtures::{account, address, counters, fulfillment_order, item, order_of, quantities};
pub(crate) use fulfillment::Fulfillment;
pub(crate) use inventory::{Inventory, Mood};
pub(crate) use invoices::{EACH, credit_memo, invoice, left};

pub(crate) type Client = OrderServiceClient<Channel>;

pub(crate) struct World {
    service: Service,
    pub(crate) orders: Client,
    pub(crate) inventory: Inventory,
    pub(crate) fulfillment: Fulfillment,
    pub(crate) inventory_log: Log,
    pub(crate) fulfillment_log: Log,
    pub(crate) returns_log: Log,
    pub(crate) operations_log: Log,
}

impl Deref for World {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl World {
    /// Opens everything, without an account or an item.
    pub(crate) async fn open(options: Options) -> Self {
        let [inventory_log, fulfillment_log, returns_log, operations_log] =
            ["inventory", "fulfillment", "returns", "operations"].map(Log::new);
        let inventory = Inventory::default();
        let stock = inventory_log.server().add_service(inventory.server()).into_channel().unwrap();
        let fulfillment = Fulfillment::default();
        let nodes = fulfillment_log.server().add_service(fulfillment.server()).into_channel().unwrap();
        let returns = returns_log.channel();
        let operations = operations_log.channel();
        let config = Config::default();
        let server = |db| server(db, stock.clone(), nodes.clone(), &config, &mesh::Config::default());
        let workers = |db, order| {
            let (inventory, fulfillment) = (stock.clone(), nodes.clone());
            workers(db, Peers { order, inventory, fulfillment, returns, operations }, &config)
        };
        let service = Service::open(options, testkit::clock(), (NAME, MIGRATIONS), server, workers).await;
        let orders = OrderServiceClient::new(service.channel.clone());
        Self { service, orders, inventory, fulfillment, inventory_log, fulfillment_log, returns_log, operations_log }
    }

    /// Opens everything, with an account, its ship-to, and two items that inventory emitted.
    pub(crate) async fn furnished(options: Options) -> Self {
        let world = Self::open(options).await;
        world.create_account(account("acc_1")).await;
        let ship_to = contract::CreateShipToRequest {
            account_id: "acc_1".to_owned(),
            ship_to_id: "shp_1".to_owned(),
            address: Some(address()),
            ..Default::default()
        };
        world.orders.clone().create_ship_to(ship_to).await.unwrap();
        for item in [item("TEA"), item("CHAI")] {
            world.inventory.add(&item);
            world.inventory_log.emit("", &InventoryEvent::ItemCreated(ItemChanged { item: Some(item) }));
        }
        world.drain().await;
        world
    }

    /// A client that calls for a customer.
    pub(crate) fn as_customer(&self, accounts: &[&str]) -> Client {
        OrderServiceClient::new(self.channel.for_principal(&customer(accounts)))
    }

    /// A client of Alice, who is the same person whatever she is and sees at the moment.
    pub(crate) fn as_alice(&self, role: Role, accounts: &[&str]) -> Client {
        let Principal { accounts, .. } = customer(accounts);
        let alice = Principal { subject: "alice".to_owned(), ..person(role, accounts) };
        OrderServiceClient::new(self.channel.for_principal(&alice))
    }
}
