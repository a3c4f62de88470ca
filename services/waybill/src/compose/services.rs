//! The services of the mesh. CONTRIBUTING.md lists what else a new one needs.

use std::sync::Arc;

use anyhow::Context as _;
use mesh::Server;
use proto::events::EventSource;
use store::{Db, Migration, Options, Workers};
use types::Clock;

use super::{Config, ServiceClients};

/// A service that owns a database.
pub struct Service {
    /// Its name in commands, settings, logs and events.
    pub name: &'static str,
    /// Its log.
    pub(super) log: EventSource,
    /// Default port of its gRPC.
    pub port: u16,
    /// Its tables.
    pub migrations: &'static [Migration],
    /// The full names of its gRPC services that the gateway serves as REST.
    pub rest: &'static [&'static str],
    /// The services that its handlers call. In one process these are created first.
    pub(super) calls: &'static [&'static str],
    server: fn(Db, &ServiceClients, &Config) -> anyhow::Result<Server>,
    workers: fn(Db, &ServiceClients, &Config) -> Workers,
}

/// Every service, in the order in which an order reaches them.
pub const SERVICES: &[Service] = &[
    Service {
        name: order::NAME,
        log: EventSource::Order,
        port: 7001,
        migrations: order::MIGRATIONS,
        rest: &["waybill.order.v1.OrderService"],
        calls: &[inventory::NAME, fulfillment::NAME],
        server: |db, to, config| {
            let (inventory, fulfillment) = (to.to(inventory::NAME), to.to(fulfillment::NAME));
            Ok(order::server(db, inventory, fulfillment, &config.order, &config.mesh)?)
        },
        workers: |db, to, config| {
            let peers = order::Peers {
                order: to.to(order::NAME),
                inventory: to.to(inventory::NAME),
                fulfillment: to.to(fulfillment::NAME),
                returns: to.to(returns::NAME),
                operations: to.to(operations::NAME),
            };
            order::workers(db, peers, &config.order)
        },
    },
    Service {
        name: inventory::NAME,
        log: EventSource::Inventory,
        port: 7002,
        migrations: inventory::MIGRATIONS,
        rest: &["waybill.inventory.v1.InventoryService"],
        calls: &[],
        server: |db, _, config| Ok(inventory::server(db, &config.inventory, &config.mesh)?),
        workers: |db, to, config| {
            let peers = inventory::Peers {
                order: to.to(order::NAME),
                fulfillment: to.to(fulfillment::NAME),
                returns: to.to(returns::NAME),
            };
            inventory::workers(db, peers, &config.inventory)
        },
    },
    Service {
        name: fulfillment::NAME,
        log: EventSource::Fulfillment,
        port: 7003,
        migrations: fulfillment::MIGRATIONS,
        rest: &["waybill.fulfillment.v1.FulfillmentService"],
        calls: &[inventory::NAME],
        server: |db, to, config| {
            Ok(fulfillment::server(db, to.to(inventory::NAME), &config.fulfillment, &config.mesh)?)
        },
        workers: |db, to, config| {
            let peers = fulfillment::Peers {
                order: to.to(order::NAME),
                inventory: to.to(inventory::NAME),
                fulfillment: to.to(fulfillment::NAME),
            };
            fulfillment::workers(db, peers, &config.fulfillment)
        },
    },
    Service {
        name: returns::NAME,
        log: EventSource::Returns,
        port: 7004,
        migrations: returns::MIGRATIONS,
        rest: &["waybill.returns.v1.ReturnsService"],
        calls: &[],
        server: |db, _, config| Ok(returns::server(db, &config.returns, &config.mesh)?),
        workers: |db, to, config| {
            let peers = returns::Peers { order: to.to(order::NAME), fulfillment: to.to(fulfillment::NAME) };
            returns::workers(db, peers, &config.returns)
        },
    },
    Service {
        name: partner::NAME,
        log: EventSource::Partner,
        port: 7005,
        migrations: partner::MIGRATIONS,
        rest: &["waybill.partner.v1.PartnerService", "waybill.partner.v1.ApiClientService"],
        calls: &[fulfillment::NAME, inventory::NAME],
        server: |db, to, config| {
            let (fulfillment, inventory) = (to.to(fulfillment::NAME), to.to(inventory::NAME));
            Ok(partner::server(db, fulfillment, inventory, to.key_changes(), &config.partner, &config.mesh)?)
        },
        workers: |db, to, config| {
            let peers = partner::Peers { fulfillment: to.to(fulfillment::NAME), inventory: to.to(inventory::NAME) };
            partner::workers(db, peers, &config.partner)
        },
    },
    Service {
        name: operations::NAME,
        log: EventSource::Operations,
        port: 7006,
        migrations: operations::MIGRATIONS,
        rest: &["waybill.operations.v1.OperationsService", "waybill.operations.v1.UsageService"],
        calls: &[order::NAME, inventory::NAME, fulfillment::NAME, returns::NAME, partner::NAME],
        server: |db, to, config| {
            Ok(operations::server(db, to.logs(operations::NAME), &config.operations, &config.mesh)?)
        },
        workers: |db, to, config| operations::workers(db, to.logs(operations::NAME), &config.operations),
    },
];

/// The names of all services.
pub fn service_names() -> Vec<&'static str> {
    SERVICES.iter().map(|service| service.name).collect()
}

impl Service {
    /// The service with this name, if there is one.
    pub fn find(name: &str) -> Option<&'static Self> {
        SERVICES.iter().find(|service| service.name == name)
    }

    /// Opens its database.
    pub async fn open(&self, options: &Options, clock: Arc<dyn Clock>) -> anyhow::Result<Db> {
        Db::open(options, self.name, self.migrations, clock)
            .await
            .with_context(|| format!("opening the database of {} at {}", self.name, options.redacted_url()))
    }

    /// Its server, whose handlers call other services through `clients`.
    pub fn server(&self, db: &Db, clients: &ServiceClients, config: &Config) -> anyhow::Result<Server> {
        (self.server)(db.clone(), &clients.on_behalf_of(self.name), config)
    }

    /// Its workers: the followers of logs and the runners of tasks.
    pub fn workers(&self, db: &Db, clients: &ServiceClients, config: &Config) -> Workers {
        let workers = (self.workers)(db.clone(), &clients.on_behalf_of(self.name), config);
        workers.traced(|span, trace, future| Box::pin(mesh::telemetry::continue_from(span, trace, future)))
    }
}
