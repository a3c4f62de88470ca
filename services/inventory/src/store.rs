//! Reads.

use std::collections::BTreeMap;

use store::{Column as _, Db, Kind, Record, Row, Value, page::Page};
use types::{Fault, NodeId, OrderId};

use crate::{
    item::Item,
    movement::Movement,
    promise::{Allocation, Reservation},
    stock::{Level, Location, Stock},
};

/// How many SKUs one statement looks up.
const TOGETHER: usize = 512;

/// Items by SKU, those that exist.
pub(crate) async fn items(db: &Db, skus: &[String]) -> Result<Vec<Item>, Fault> {
    let mut items = Vec::new();
    for part in skus.chunks(TOGETHER) {
        let (places, values) = one_of(part);
        items.extend(db.list::<Item>(&format!("WHERE sku IN ({places}) ORDER BY sku"), values).await?);
    }
    Ok(items)
}

/// A page of items by SKU, and the next page's token.
pub(crate) async fn item_page(db: &Db, size: i32, token: &str) -> Result<(Vec<Item>, String), Fault> {
    let page = Page::read("items", &[], &[Kind::Text], size, token)?;
    let mut items = keyset::<Item>(db, &page, "sku").await?;
    let next = page.next(&mut items, |item| vec![item.sku.to_value()]);
    Ok((items, next))
}

/// A page of locations by id, and the next page's token.
pub(crate) async fn location_page(db: &Db, size: i32, token: &str) -> Result<(Vec<Location>, String), Fault> {
    let page = Page::read("locations", &[], &[Kind::Text], size, token)?;
    let mut locations = keyset::<Location>(db, &page, "location_id").await?;
    let next = page.next(&mut locations, |location| vec![location.location_id.to_value()]);
    Ok((locations, next))
}

async fn keyset<R: Record>(db: &Db, page: &Page, column: &'static str) -> Result<Vec<R>, Fault> {
    let limit = page.limit().to_value();
    match page.after() {
        None => db.list(&format!("ORDER BY {column} LIMIT $1"), vec![limit]).await,
        Some(after) => {
            let values = after.iter().cloned().chain([limit]).collect();
            db.list(&format!("WHERE {column} > $1 ORDER BY {column} LIMIT $2"), values).await
        }
    }
}

/// Counters of items with their levels that have stock or work, by SKU. One statement, so that they fit each other.
pub(crate) async fn availability(db: &Db, skus: &[String]) -> Result<Vec<(Stock, Vec<Level>)>, Fault> {
    let mut found: BTreeMap<String, (Stock, Vec<Level>)> = BTreeMap::new();
    for part in skus.chunks(TOGETHER) {
        let (places, values) = one_of(part);
        let sql = format!(
            "SELECT s.sku, s.on_hand, s.reserved, s.allocated, s.backordered, s.shortfall, s.located_shortfall, s.waits, \
             s.movements, s.update_time, s.version, l.location_id, l.on_hand, l.allocated, l.shortfall, l.count_time, \
             l.update_time, l.version \
             FROM stock s LEFT JOIN levels l ON l.sku = s.sku AND (l.on_hand > 0 OR l.allocated > 0) \
             WHERE s.sku IN ({places}) ORDER BY s.sku, l.location_id"
        );
        for row in db.query(sql, values).await? {
            let (stock, level) = stock_and_level(&row)?;
            let (_, levels) = found.entry(stock.sku.clone()).or_insert_with(|| (stock, Vec::new()));
            levels.extend(level);
        }
    }
    Ok(found.into_values().collect())
}

fn stock_and_level(row: &Row) -> Result<(Stock, Option<Level>), Fault> {
    let stock = Stock {
        sku: row.at(0)?,
        on_hand: row.at(1)?,
        reserved: row.at(2)?,
        allocated: row.at(3)?,
        backordered: row.at(4)?,
        shortfall: row.at(5)?,
        located_shortfall: row.at(6)?,
        waits: row.at(7)?,
        movements: row.at(8)?,
        update_time: row.at(9)?,
        version: row.at(10)?,
    };
    let Some(location_id) = row.at::<Option<NodeId>>(11)? else { return Ok((stock, None)) };
    let level = Level {
        sku: stock.sku.clone(),
        location_id,
        on_hand: row.at(12)?,
        allocated: row.at(13)?,
        shortfall: row.at(14)?,
        count_time: row.at(15)?,
        update_time: row.at(16)?,
        version: row.at(17)?,
    };
    Ok((stock, Some(level)))
}

/// What is promised to an order, by line, and by line and location.
pub(crate) async fn promises(db: &Db, order_id: &OrderId) -> Result<(Vec<Reservation>, Vec<Allocation>), Fault> {
    let tail = "WHERE order_id = $1 ORDER BY line_number";
    let reservations = db.list(tail, vec![order_id.to_value()]).await?;
    let allocations = db.list(&format!("{tail}, location_id"), vec![order_id.to_value()]).await?;
    Ok((reservations, allocations))
}

/// Which movements to list; empty is any.
#[derive(Debug, Default)]
pub(crate) struct Movements<'a> {
    pub(crate) sku: &'a str,
    pub(crate) location_id: &'a str,
    pub(crate) reference: &'a str,
}

/// A page of the ledger, newest first, and the next page's token. Within one item the numbers say what is newest.
pub(crate) async fn movement_page(
    db: &Db,
    filter: &Movements<'_>,
    size: i32,
    token: &str,
) -> Result<(Vec<Movement>, String), Fault> {
    let Movements { sku, location_id, reference } = *filter;
    let (order, kinds): (&[&str], &[Kind]) = if sku.is_empty() {
        (&["record_time", "sku", "movement_number"], &[Kind::Integer, Kind::Text, Kind::Integer])
    } else {
        (&["movement_number"], &[Kind::Integer])
    };
    let page = Page::read("stock-movements", &[sku, location_id, reference], kinds, size, token)?;
    let mut values: Vec<Value> = Vec::new();
    let mut conditions = Vec::new();
    for (column, wanted) in [("sku", sku), ("location_id", location_id), ("reference", reference)] {
        if !wanted.is_empty() {
            values.push(Value::Text(wanted.to_owned()));
            // The second half lets the planner use an index over rows that have one.
            conditions.push(format!("{column} = ${} AND {column} <> ''", values.len()));
        }
    }
    if let Some(after) = page.after() {
        let first = values.len() + 1;
        values.extend(after.iter().cloned());
        let places: Vec<String> = (first..=values.len()).map(|place| format!("${place}")).collect();
        conditions.push(format!("({}) < ({})", order.join(", "), places.join(", ")));
    }
    let condition = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let newest: Vec<String> = order.iter().map(|column| format!("{column} DESC")).collect();
    values.push(page.limit().to_value());
    let tail = format!("{condition} ORDER BY {} LIMIT ${}", newest.join(", "), values.len());
    let mut movements: Vec<Movement> = db.list(&tail, values).await?;
    let next = page.next(&mut movements, |last| {
        let all = [last.record_time.to_value(), last.sku.to_value(), last.movement_number.to_value()];
        if sku.is_empty() { all.to_vec() } else { vec![last.movement_number.to_value()] }
    });
    Ok((movements, next))
}

/// Places for a list of texts, and their values. The last one is repeated up to a power of two, so that few different
/// statements are prepared.
fn one_of(texts: &[String]) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = texts.iter().map(|text| Value::Text(text.clone())).collect();
    while !values.len().is_power_of_two() {
        values.extend(values.last().cloned());
    }
    let places: Vec<String> = (1..=values.len()).map(|place| format!("${place}")).collect();
    (places.join(", "), values)
}
