//! Loads the data that a distributor has before its first order: partners, nodes, items, stock and accounts.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use super::demand;
use crate::{
    northwind::{Account, Handling, Item, Northwind, Order, ShipTo},
    rest::Rest,
    sandbox::{CARRIER, WAREHOUSES},
};

/// How many calls are under way at the same time.
const AT_ONCE: usize = 16;

/// Makes sure that all of it exists.
pub async fn company(rest: &Rest, data: &Northwind, orders: &[Order], ample: bool) -> anyhow::Result<()> {
    partners(rest).await?;
    let items = data.items.iter().map(|item| {
        let body = json!({
            "sku": item.sku, "name": item.name, "pack": item.pack, "category": item.category,
            "handlingClass": handling_class(item.handling),
            "listPrice": {"currency": data.currency, "minorUnits": item.list_price_minor},
        });
        ("/v1/items".to_owned(), format!("demo-item-{}", item.sku), body)
    });
    ensure_all(rest, items.collect()).await?;
    let accounts = data.accounts.iter().map(|account| {
        let body = json!({
            "accountId": account_id(account), "name": account.name, "contact": account.contact,
            "phone": account.phone, "billTo": account.ship_tos.first().map(address), "currency": data.currency,
        });
        ("/v1/accounts".to_owned(), format!("demo-account-{}", account.code), body)
    });
    ensure_all(rest, accounts.collect()).await?;
    let ship_tos = data.accounts.iter().flat_map(|account| {
        account.ship_tos.iter().enumerate().map(move |(number, ship_to)| {
            let id = ship_to_id(account, number);
            let body = json!({"shipToId": id, "address": address(ship_to)});
            (format!("/v1/accounts/{}/ship-tos", account_id(account)), format!("demo-{id}"), body)
        })
    });
    ensure_all(rest, ship_tos.collect()).await?;
    stock(rest, data, orders, ample).await
}

async fn partners(rest: &Rest) -> anyhow::Result<()> {
    let (carrier, name, scac) = CARRIER;
    let body = json!({"partnerId": carrier, "name": name, "kind": "PARTNER_KIND_CARRIER", "scac": scac});
    rest.ensure("/v1/partners", &format!("demo-{carrier}"), &body).await?;
    for warehouse in WAREHOUSES {
        let partner = json!({
            "partnerId": warehouse.partner_id, "name": warehouse.name, "kind": "PARTNER_KIND_WAREHOUSE",
        });
        rest.ensure("/v1/partners", &format!("demo-{}", warehouse.partner_id), &partner).await?;
        let location = json!({"locationId": warehouse.node_id, "name": warehouse.name});
        rest.ensure("/v1/locations", &format!("demo-location-{}", warehouse.node_id), &location).await?;
        let areas: Vec<Value> =
            warehouse.service_areas.iter().map(|(rank, to)| json!({"rank": rank, "countries": to})).collect();
        let node = json!({
            "nodeId": warehouse.node_id, "name": warehouse.name, "partnerId": warehouse.partner_id,
            "country": warehouse.country, "timeZone": warehouse.time_zone,
            "handlingClasses": warehouse.handling_classes, "serviceAreas": areas,
        });
        rest.ensure("/v1/nodes", &format!("demo-node-{}", warehouse.node_id), &node).await?;
    }
    Ok(())
}

/// Three quarters of the units that the orders ask for, so that some orders wait for stock; all of them at every warehouse
/// when `ample`.
async fn stock(rest: &Rest, data: &Northwind, orders: &[Order], ample: bool) -> anyhow::Result<()> {
    let demand = demand(data, orders);
    for warehouse in WAREHOUSES {
        let keeps = |item: &Item| warehouse.handling_classes.contains(&handling_class(item.handling));
        let share = |units: i64| match (ample, warehouse.handling_classes.len()) {
            (true, _) => units,
            (false, 1) => units * 3 / 8,
            (false, _) => units * 3 / 4,
        };
        let items: Vec<Value> = data
            .items
            .iter()
            .zip(&demand)
            .filter(|(item, (_, units))| keeps(item) && share(*units) > 0)
            .map(|(item, (_, units))| json!({"sku": item.sku, "quantity": share(*units)}))
            .collect();
        if items.is_empty() {
            continue;
        }
        let body = json!({"items": items, "reference": "opening stock"});
        let path = format!("/v1/locations/{}:receive", warehouse.node_id);
        rest.ensure(&path, &format!("demo-stock-{}", warehouse.node_id), &body).await?;
    }
    Ok(())
}

async fn ensure_all(rest: &Rest, calls: Vec<(String, String, Value)>) -> anyhow::Result<()> {
    stream::iter(calls)
        .map(|(path, key, body)| async move { rest.ensure(&path, &key, &body).await })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// The handling class of the contract.
pub fn handling_class(handling: Handling) -> &'static str {
    match handling {
        Handling::Ambient => "HANDLING_CLASS_AMBIENT",
        Handling::Chilled => "HANDLING_CLASS_CHILLED",
        Handling::Frozen => "HANDLING_CLASS_FROZEN",
    }
}

/// The id of an account in the mesh.
pub fn account_id(account: &Account) -> String {
    format!("acc_{}", account.code)
}

/// The id of an account's ship-to, by its position in the account's list.
pub fn ship_to_id(account: &Account, number: usize) -> String {
    format!("shp_{}-{}", account.code, number + 1)
}

fn address(ship_to: &ShipTo) -> Value {
    json!({
        "name": ship_to.name, "street": ship_to.street, "city": ship_to.city, "region": ship_to.region,
        "postalCode": ship_to.postal_code, "country": ship_to.country,
    })
}
