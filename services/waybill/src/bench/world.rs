//! Databases to measure on: prepared once by the services themselves, and copied for each measurement.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use proto::{
    inventory::v1::{ReserveRequest, ShortagePolicy, inventory_service_client::InventoryServiceClient},
    order::v1::order_service_client::OrderServiceClient,
    types::v1::LineQuantity,
};
use serde_json::{Value, json};

use super::{
    client::channel,
    order::Catalogue,
    postgres::{self, Postgres},
    process::Counted,
    record::Engine,
    row::{Field, Placed, Rows, customer_po, order_id, request_id},
    server::{Alone, Whole},
    sqlite,
};
use crate::{
    compose::service_names,
    demo::load,
    northwind::{self, Northwind},
    rest::{Problem, Rest},
    sandbox::WAREHOUSES,
};

/// What the databases are copied from.
const BASE: &str = "base";

/// How many accounts the stored orders are of: few, so that each has more than a page of the fewest.
pub(super) const FILLED_ACCOUNTS: u64 = 10;

/// An item of which there is little.
pub(super) const SCARCE: &str = "SCARCE";
/// How little.
pub(super) const SCARCE_UNITS: i64 = 200;

/// Units of every item that every warehouse which may keep it has.
const STOCK: u32 = 100_000_000;

/// One database engine, and what there is to measure on it.
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) catalogue: Catalogue,
    root: PathBuf,
    postgres: Option<Postgres>,
}

/// Rows as the services write them.
pub(super) struct Samples {
    /// Of one order.
    pub(super) placed: Placed,
    /// Of its reservations.
    pub(super) reservations: Rows,
}

/// A copy of the databases, with a directory of its own.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) label: String,
    pub(super) directory: PathBuf,
}

impl World {
    /// A world of SQLite files in a directory.
    pub(super) async fn on_sqlite(root: &Path) -> anyhow::Result<Self> {
        Self::prepare(Engine::Sqlite, root.join("sqlite"), None).await
    }

    /// A world of databases on a server.
    pub(super) async fn on_postgres(root: &Path, server: Postgres) -> anyhow::Result<Self> {
        Self::prepare(Engine::Postgres, root.join("postgres"), Some(server)).await
    }

    async fn prepare(engine: Engine, root: PathBuf, postgres: Option<Postgres>) -> anyhow::Result<Self> {
        let data = northwind::load().context("reading the data set")?;
        let mut world = Self { engine, catalogue: Catalogue::of(&data), root, postgres };
        if let Err(error) = world.furnish(&data).await {
            world.end().await?;
            return Err(error).with_context(|| format!("preparing databases on {}", engine.name()));
        }
        Ok(world)
    }

    /// Makes the databases that all others are copied from, by the services' own calls.
    async fn furnish(&mut self, data: &Northwind) -> anyhow::Result<()> {
        let base = self.copy(BASE, &service_names()).await?;
        let server = Whole::start(&base.directory, self.databases(&base)?).await?;
        let rest = Rest::new(format!("http://{}", server.http))?;
        load::company(&rest, data, &[], true).await?;
        stock(&rest, data).await?;
        self.make_items_known(&rest).await?;
        server.process.end().await
    }

    /// The order service has a copy of items that were ordered once. By an account whose orders are not read.
    async fn make_items_known(&self, rest: &Rest) -> anyhow::Result<()> {
        let (account_id, ship_to_id) = self.catalogue.account(FILLED_ACCOUNTS);
        let lines: Vec<Value> = self.catalogue.skus.iter().map(|sku| json!({"sku": sku, "quantity": 1})).collect();
        let body = json!({"accountId": account_id, "customerPo": "everything", "shipToId": ship_to_id, "lines": lines});
        let placed = answer(rest.post("/v1/orders", None, &body).await?)?;
        let path = format!("/v1/orders/{}:cancel", placed["orderId"].as_str().unwrap_or_default());
        answer(rest.post(&path, None, &json!({})).await?).map(|_| ())
    }

    /// A copy of the prepared databases of some services.
    pub(super) async fn copy(&mut self, label: &str, services: &[&str]) -> anyhow::Result<Copy> {
        let copy = Copy { label: label.to_owned(), directory: self.root.join(label) };
        fs::create_dir_all(&copy.directory)?;
        match &mut self.postgres {
            Some(server) => {
                for service in services {
                    let base = (label != BASE).then(|| server.database(BASE, service));
                    server.make(server.database(label, service), base.as_deref()).await?;
                }
                server.checkpoint().await?;
            }
            None if label == BASE => {}
            None => {
                for entry in fs::read_dir(self.root.join(BASE))? {
                    let entry = entry?;
                    let name = entry.file_name();
                    // A database and what is written ahead of it.
                    if services.iter().any(|service| name.to_string_lossy().starts_with(&format!("{service}.db"))) {
                        fs::copy(entry.path(), copy.directory.join(name))?;
                    }
                }
            }
        }
        Ok(copy)
    }

    /// Removes a copy. Nothing may run on it any more.
    pub(super) async fn discard(&mut self, copy: Copy) -> anyhow::Result<()> {
        fs::remove_dir_all(&copy.directory)?;
        if let Some(server) = &mut self.postgres {
            let prefix = server.database(&copy.label, "");
            server.remove(|database| database.starts_with(&prefix)).await?;
        }
        Ok(())
    }

    /// Removes everything.
    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        match &mut self.postgres {
            Some(server) => server.remove(|_| true).await,
            None => Ok(()),
        }
    }

    /// The file of a service's database, on SQLite.
    pub(super) fn file(copy: &Copy, service: &str) -> PathBuf {
        copy.directory.join(format!("{service}.db"))
    }

    /// The URL of a service's database.
    pub(super) fn url(&self, copy: &Copy, service: &str) -> anyhow::Result<String> {
        match &self.postgres {
            Some(server) => server.url(&server.database(&copy.label, service)),
            None => Ok(format!("sqlite:{}", Self::file(copy, service).display())),
        }
    }

    /// The arguments that tell the whole mesh where the databases are.
    pub(super) fn databases(&self, copy: &Copy) -> anyhow::Result<Vec<String>> {
        Ok(match &self.postgres {
            Some(_) => vec!["--database-template".to_owned(), self.url(copy, "{service}")?],
            None => vec!["--data".to_owned(), copy.directory.display().to_string()],
        })
    }

    /// These processes, and the database server.
    pub(super) fn counted(&self, processes: impl IntoIterator<Item = u32>) -> Counted {
        Counted::of(processes).and_server(self.postmaster())
    }

    /// The database server's first process, when it is on this machine.
    pub(super) fn postmaster(&self) -> Option<u32> {
        self.postgres.as_ref().and_then(|server| server.postmaster)
    }

    /// Lets the services place and reserve one order, each alone, and takes what they wrote. On SQLite: the rows are the
    /// same everywhere.
    pub(super) async fn samples(&mut self) -> anyhow::Result<Samples> {
        let copy = self.copy("samples", &[order::NAME, inventory::NAME]).await?;
        let (order, inventory) = (Self::file(&copy, order::NAME), Self::file(&copy, inventory::NAME));
        let server = Alone::service(&copy.directory, order::NAME, self.url(&copy, order::NAME)?).await?;
        let to_order = channel(server.address).await?;
        OrderServiceClient::new(to_order).place_order(self.catalogue.request(0)).await?;
        server.process.end().await?;

        let server = Alone::service(&copy.directory, inventory::NAME, self.url(&copy, inventory::NAME)?).await?;
        let order_row = sqlite::rows(&order, "orders", "customer_po", &customer_po(0))?;
        let id = order_row.text("order_id").context("an order without an id")?.to_owned();
        let to_inventory = channel(server.address).await?;
        InventoryServiceClient::new(to_inventory).reserve(self.reservation(&id, 0)).await?;
        server.process.end().await?;

        let samples = Samples {
            placed: Placed {
                lines: sqlite::rows(&order, "order_lines", "order_id", &id)?,
                request: sqlite::rows(&order, "requests", "request_id", &request_id(0))?,
                event: sqlite::rows(&order, "events", "correlation_id", &id)?,
                order: order_row,
            },
            reservations: sqlite::rows(&inventory, "reservations", "order_id", &id)?,
        };
        self.discard(copy).await?;
        Ok(samples)
    }

    /// What the order service asks inventory for, for an order.
    fn reservation(&self, order_id: &str, number: u64) -> ReserveRequest {
        let line = |(at, sku): (i32, &str)| LineQuantity { line_number: at, sku: sku.to_owned(), quantity: 1 };
        ReserveRequest {
            request_id: format!("bench-{order_id}"),
            order_id: order_id.to_owned(),
            lines: (1..).zip(self.catalogue.skus(number)).map(line).collect(),
            shortage_policy: ShortagePolicy::Backorder.into(),
            expire_after: None,
        }
    }

    /// Stores orders, with their lines and reservations, as many as there are numbers.
    pub(super) async fn fill(&self, copy: &Copy, samples: &Samples, orders: u64) -> anyhow::Result<()> {
        let Samples { placed, reservations } = samples;
        let of = |rows: &Rows, number| self.of_order(rows, number, orders);
        let order = |number| of(&placed.order, number);
        let lines = |number| of(&placed.lines, number);
        let reserved = |number| of(reservations, number);
        let numbers = 1..orders + 1;
        if self.postgres.is_some() {
            postgres::fill(&self.url(copy, order::NAME)?, numbers.clone(), &[&order, &lines]).await?;
            postgres::fill(&self.url(copy, inventory::NAME)?, numbers, &[&reserved]).await
        } else {
            let of_order = |number| vec![order(number), lines(number)];
            sqlite::fill(&Self::file(copy, order::NAME), numbers.clone(), of_order)?;
            sqlite::fill(&Self::file(copy, inventory::NAME), numbers, |number| vec![reserved(number)])
        }
    }

    /// Sample rows as rows of another order: placed a second after the one before it, by the next account.
    fn of_order(&self, rows: &Rows, number: u64, orders: u64) -> Rows {
        let mut rows = rows.clone();
        rows.set("order_id", &Field::Text(order_id(number)));
        rows.set("account_id", &Field::Text(self.catalogue.account(number % FILLED_ACCOUNTS).0.to_owned()));
        rows.set("customer_po", &Field::Text(customer_po(number)));
        rows.set("unique_po", &Field::Text(customer_po(number)));
        rows.earlier("create_time", orders.saturating_sub(number));
        for column in ["sku", "promised_sku"] {
            rows.set_each(column, self.catalogue.skus(number).map(|sku| Field::Text(sku.to_owned())));
        }
        rows
    }
}

/// The answer of a command that must not be refused.
fn answer(answer: Result<Value, Problem>) -> anyhow::Result<Value> {
    answer.map_err(|problem| anyhow::anyhow!("{}: {}", problem.reason, problem.detail))
}

/// More of everything than will ever be ordered.
async fn stock(rest: &Rest, data: &Northwind) -> anyhow::Result<()> {
    for warehouse in WAREHOUSES {
        let kept =
            data.items.iter().filter(|item| warehouse.handling_classes.contains(&load::handling_class(item.handling)));
        let items: Vec<Value> = kept.map(|item| json!({"sku": item.sku, "quantity": STOCK})).collect();
        let path = format!("/v1/locations/{}:receive", warehouse.node_id);
        rest.ensure(&path, &format!("bench-stock-{}", warehouse.node_id), &json!({ "items": items })).await?;
    }
    let scarce = json!({"sku": SCARCE, "name": SCARCE, "handlingClass": "HANDLING_CLASS_AMBIENT"});
    rest.ensure("/v1/items", SCARCE, &scarce).await?;
    if let Some(warehouse) = WAREHOUSES.first() {
        let path = format!("/v1/locations/{}:receive", warehouse.node_id);
        let units = json!({"items": [{"sku": SCARCE, "quantity": SCARCE_UNITS}]});
        rest.ensure(&path, "bench-scarce", &units).await?;
    }
    Ok(())
}
