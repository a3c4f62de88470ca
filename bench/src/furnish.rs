//! Fills the databases before a measurement: the demo's company with stock, and stored orders.

use anyhow::Context as _;
use proto::{
    inventory::v1::{ReserveRequest, ShortagePolicy, inventory_service_client::InventoryServiceClient},
    order::v1::order_service_client::OrderServiceClient,
    types::v1::LineQuantity,
};
use serde_json::{Value, json};
use waybill::{
    compose::service_names,
    demo::load,
    rest::{Problem, Rest},
    sandbox::WAREHOUSES,
};

use crate::{
    bare::{fill, sqlite},
    binary::Binary,
    catalogue::Catalogue,
    client::channel,
    databases::{Copy, Databases, Engine},
    placed::{Placed, customer_po, order_id, request_id},
    rows::{Field, Rows},
    server::{INVENTORY, Mesh, ORDER, Server},
    testbed::Testbed,
};

/// How many accounts the stored orders are of: few, so that each has more than a page even when few orders are stored.
pub(crate) const FILLED_ACCOUNTS: u64 = 10;

/// An item of which there is little.
pub(crate) const SCARCE: &str = "SCARCE";
/// How many units of it there are.
pub(crate) const SCARCE_UNITS: i64 = 200;

/// Units of every item in each warehouse that may keep it: more than are ordered.
const STOCK: u32 = 100_000_000;

/// Creates the databases that the others are copied from, by calls of the services.
pub(crate) async fn furnish(databases: &mut Databases, binary: &Binary, catalogue: &Catalogue) -> anyhow::Result<()> {
    let base = databases.base(&service_names()).await?;
    let mesh = Mesh::start(binary, &base.directory, databases.arguments(&base)?).await?;
    let rest = Rest::new(format!("http://{}", mesh.http))?;
    load::company(&rest, &catalogue.data, &[], true).await?;
    stock(&rest, catalogue).await?;
    order_each_item(&rest, catalogue).await?;
    Ok(mesh.process.kill().await?)
}

async fn stock(rest: &Rest, catalogue: &Catalogue) -> anyhow::Result<()> {
    let kept_in = |classes: &[&str]| -> Vec<Value> {
        let items = catalogue.data.items.iter();
        let kept = items.filter(|item| classes.contains(&load::handling_class(item.handling)));
        kept.map(|item| json!({"sku": item.sku, "quantity": STOCK})).collect()
    };
    for warehouse in WAREHOUSES {
        let items = kept_in(warehouse.handling_classes);
        receive(rest, warehouse.node_id, "bench-stock", &json!({ "items": items })).await?;
    }
    let scarce = json!({"sku": SCARCE, "name": SCARCE, "handlingClass": "HANDLING_CLASS_AMBIENT"});
    rest.ensure("/v1/items", SCARCE, &scarce).await?;
    if let Some(warehouse) = WAREHOUSES.first() {
        let units = json!({"items": [{"sku": SCARCE, "quantity": SCARCE_UNITS}]});
        receive(rest, warehouse.node_id, "bench-scarce", &units).await?;
    }
    Ok(())
}

async fn receive(rest: &Rest, node_id: &str, key: &str, items: &Value) -> anyhow::Result<()> {
    rest.ensure(&format!("/v1/locations/{node_id}:receive"), &format!("{key}-{node_id}"), items).await
}

/// The order service keeps a copy of each item that was ordered once. The account's orders are not read later.
async fn order_each_item(rest: &Rest, catalogue: &Catalogue) -> anyhow::Result<()> {
    let (account_id, ship_to_id) = catalogue.account(FILLED_ACCOUNTS);
    let lines: Vec<Value> = catalogue.skus.iter().map(|sku| json!({"sku": sku, "quantity": 1})).collect();
    let body = json!({"accountId": account_id, "customerPo": "everything", "shipToId": ship_to_id, "lines": lines});
    let placed = accepted(rest.post("/v1/orders", None, &body).await?)?;
    let path = format!("/v1/orders/{}:cancel", placed["orderId"].as_str().unwrap_or_default());
    accepted(rest.post(&path, None, &json!({})).await?).map(|_| ())
}

/// The answer of a command that must not be refused.
fn accepted(answer: Result<Value, Problem>) -> anyhow::Result<Value> {
    answer.map_err(|problem| anyhow::anyhow!("{}: {}", problem.reason, problem.detail))
}

/// Rows as the services write them.
#[derive(Debug, Clone)]
pub(crate) struct Samples {
    /// Of one order.
    pub(crate) placed: Placed,
    /// Of its reservations.
    reservations: Rows,
}

/// Lets the services place and reserve one order, each service alone, and reads what they wrote to SQLite.
pub(crate) async fn samples(
    databases: &mut Databases,
    binary: &Binary,
    catalogue: &Catalogue,
) -> anyhow::Result<Samples> {
    let copy = databases.copy("samples", &[ORDER, INVENTORY]).await?;
    let server = Server::service(binary, &copy.directory, ORDER, databases.url(&copy, ORDER)?).await?;
    OrderServiceClient::new(channel(server.address).await?).place_order(catalogue.request(0)).await?;
    server.process.kill().await?;

    let (order, inventory) = (copy.file(ORDER), copy.file(INVENTORY));
    let order_row = sqlite::rows(&order, "orders", "customer_po", &customer_po(0))?;
    let id = order_row.text("order_id").context("an order without an id")?.to_owned();
    let server = Server::service(binary, &copy.directory, INVENTORY, databases.url(&copy, INVENTORY)?).await?;
    InventoryServiceClient::new(channel(server.address).await?).reserve(reservation(catalogue, &id)).await?;
    server.process.kill().await?;

    let samples = Samples {
        placed: Placed {
            lines: sqlite::rows(&order, "order_lines", "order_id", &id)?,
            request: sqlite::rows(&order, "requests", "request_id", &request_id(0))?,
            event: sqlite::rows(&order, "events", "correlation_id", &id)?,
            order: order_row,
        },
        reservations: sqlite::rows(&inventory, "reservations", "order_id", &id)?,
    };
    databases.discard(copy).await?;
    Ok(samples)
}

/// The call with which the order service reserves the first order.
fn reservation(catalogue: &Catalogue, order_id: &str) -> ReserveRequest {
    let line = |(at, sku): (i32, &str)| LineQuantity { line_number: at, sku: sku.to_owned(), quantity: 1 };
    ReserveRequest {
        request_id: format!("bench-{order_id}"),
        order_id: order_id.to_owned(),
        account_id: catalogue.account(0).0.to_owned(),
        lines: (1..).zip(catalogue.skus(0)).map(line).collect(),
        shortage_policy: ShortagePolicy::Backorder.into(),
        ..Default::default()
    }
}

/// Stores orders with their lines and reservations.
pub(crate) async fn store_orders(testbed: &Testbed, copy: &Copy, orders: u64) -> anyhow::Result<()> {
    let Samples { placed, reservations } = &testbed.samples;
    let of = |rows: &Rows, number| of_order(&testbed.catalogue, rows, number, orders);
    let order = |number| of(&placed.order, number);
    let lines = |number| of(&placed.lines, number);
    let reserved = |number| of(reservations, number);
    let numbers = 1..orders + 1;
    match testbed.engine() {
        Engine::Postgres => {
            let url = |service| testbed.databases.url(copy, service);
            fill::fill(&url(ORDER)?, numbers.clone(), &[&order, &lines]).await?;
            fill::fill(&url(INVENTORY)?, numbers, &[&reserved]).await
        }
        Engine::Sqlite => {
            sqlite::fill(&copy.file(ORDER), numbers.clone(), |number| vec![order(number), lines(number)])?;
            sqlite::fill(&copy.file(INVENTORY), numbers, |number| vec![reserved(number)])
        }
    }
}

/// Sample rows as rows of another order, placed by the next account a second after the order before.
fn of_order(catalogue: &Catalogue, rows: &Rows, number: u64, orders: u64) -> Rows {
    let mut rows = rows.clone();
    rows.set("order_id", &Field::Text(order_id(number)));
    rows.set("account_id", &Field::Text(catalogue.account(number % FILLED_ACCOUNTS).0.to_owned()));
    rows.set("customer_po", &Field::Text(customer_po(number)));
    rows.set("po_search_key", &Field::Bytes(customer_po(number).to_lowercase().into_bytes()));
    rows.set("unique_po", &Field::Text(customer_po(number)));
    for column in ["create_time", "order_time"] {
        rows.move_back(column, orders.saturating_sub(number));
    }
    for column in ["sku", "reserved_sku"] {
        rows.set_each(column, catalogue.skus(number).map(|sku| Field::Text(sku.to_owned())));
    }
    rows
}
