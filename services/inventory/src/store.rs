//! Reads of more than one row, outside of commands.

use std::collections::BTreeMap;

use chassis::Select;
use mesh::{Principal, wire::Checks};
use proto::inventory::v1::{ListBackordersRequest, ListMovementsRequest, ListScheduledReceiptsRequest};
use store::{Column as _, Db, Kind, Record, Row, Value, page::Page};
use types::{AccountId, Fault, NodeId, OrderId, limits::MAX_NAME};

use crate::{
    item::Item,
    movement::Movement,
    reservation::{Allocation, Reservation},
    scheduled_receipt::ScheduledReceipt,
    stock::{Level, Location, Stock},
};

/// How many SKUs one statement looks up.
const CHUNK: usize = 512;

/// Items by SKU, those that exist.
pub(crate) async fn items(db: &Db, skus: &[String]) -> Result<Vec<Item>, Fault> {
    let mut items = Vec::new();
    for chunk in skus.chunks(CHUNK) {
        let (condition, values) = one_of("sku", chunk).into_condition();
        items.extend(db.list::<Item>(&format!("WHERE {condition} ORDER BY sku"), values).await?);
    }
    Ok(items)
}

/// A page of items by SKU, and the next page's token.
pub(crate) async fn item_page(db: &Db, size: i32, token: &str) -> Result<(Vec<Item>, String), Fault> {
    let page = Page::read("items", &[], &[Kind::Text], size, token)?;
    let mut items = rows_of::<Item>(db, &page, "sku").await?;
    let next = page.next(&mut items, |item| vec![item.sku.to_value()]);
    Ok((items, next))
}

/// A page of locations by id, and the next page's token.
pub(crate) async fn location_page(db: &Db, size: i32, token: &str) -> Result<(Vec<Location>, String), Fault> {
    let page = Page::read("locations", &[], &[Kind::Text], size, token)?;
    let mut locations = rows_of::<Location>(db, &page, "location_id").await?;
    let next = page.next(&mut locations, |location| vec![location.location_id.to_value()]);
    Ok((locations, next))
}

async fn rows_of<R: Record>(db: &Db, page: &Page, column: &str) -> Result<Vec<R>, Fault> {
    let mut select = Select::new();
    select.after(&[column], ">", page);
    let (tail, values) = select.into_page(column, page.limit());
    db.list(&tail, values).await
}

/// Counters of items with their levels that have units, by SKU, and what can be sent where. One statement for both counters, so
/// that they fit each other.
pub(crate) async fn availability(db: &Db, skus: &[String]) -> Result<Vec<(Stock, Vec<Level>)>, Fault> {
    let mut found: BTreeMap<String, (Stock, Vec<Level>)> = BTreeMap::new();
    for chunk in skus.chunks(CHUNK) {
        let (condition, values) = one_of("s.sku", chunk).into_condition();
        let sql = format!(
            "SELECT s.sku, s.on_hand, s.reserved, s.allocated, s.backordered, s.handling_class, s.available_at, \
             s.reserved_for, s.backordered_for, s.shortfall, s.located_shortfall, s.last_backorder_sequence, \
             s.expected_receipts, s.receipt_changes, s.last_movement_number, s.update_time, s.version, l.location_id, l.on_hand, l.allocated, l.shortfall, \
             l.count_time, l.update_time, l.version \
             FROM stock s LEFT JOIN levels l ON l.sku = s.sku AND (l.on_hand > 0 OR l.allocated > 0) \
             WHERE {condition} ORDER BY s.sku, l.location_id"
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
        handling_class: row.at(5)?,
        available_at: row.at(6)?,
        reserved_for: row.at(7)?,
        backordered_for: row.at(8)?,
        shortfall: row.at(9)?,
        located_shortfall: row.at(10)?,
        last_backorder_sequence: row.at(11)?,
        expected_receipts: row.at(12)?,
        receipt_changes: row.at(13)?,
        last_movement_number: row.at(14)?,
        update_time: row.at(15)?,
        version: row.at(16)?,
    };
    let Some(location_id) = row.at::<Option<NodeId>>(17)? else { return Ok((stock, None)) };
    let level = Level {
        sku: stock.sku.clone(),
        location_id,
        on_hand: row.at(18)?,
        allocated: row.at(19)?,
        shortfall: row.at(20)?,
        count_time: row.at(21)?,
        update_time: row.at(22)?,
        version: row.at(23)?,
    };
    Ok((stock, Some(level)))
}

/// The receipts of items that count as supply, by item and expected time.
pub(crate) async fn expected_receipts(
    db: &Db,
    skus: &[String],
) -> Result<BTreeMap<String, Vec<ScheduledReceipt>>, Fault> {
    let mut found: BTreeMap<String, Vec<ScheduledReceipt>> = BTreeMap::new();
    for chunk in skus.chunks(CHUNK) {
        let (condition, values) = one_of("expected_sku", chunk).into_condition();
        let tail = format!("WHERE {condition} ORDER BY expected_sku, expect_time");
        for receipt in db.list::<ScheduledReceipt>(&tail, values).await? {
            found.entry(receipt.sku.clone()).or_default().push(receipt);
        }
    }
    Ok(found)
}

/// Items that orders wait for, and that a location has or that are to come in there.
pub(crate) async fn waited_for_at(db: &Db, location_id: &NodeId) -> Result<Vec<String>, Fault> {
    let sql = "SELECT DISTINCT r.backordered_sku FROM reservations r \
               JOIN levels l ON l.sku = r.backordered_sku AND l.location_id = $1 \
               WHERE r.backordered_sku IS NOT NULL AND l.on_hand > l.allocated \
               UNION SELECT s.sku FROM scheduled_receipts e \
               JOIN stock s ON s.sku = e.sku AND s.backordered > 0 \
               WHERE e.location_id = $1 AND e.open_time >= 0 AND e.expected_sku IS NOT NULL ORDER BY 1";
    db.query(sql.to_owned(), vec![location_id.to_value()]).await?.iter().map(|row| row.at(0)).collect()
}

/// A page of receipts with units still to come, by expected time, and the next page's token.
pub(crate) async fn receipt_page(
    db: &Db,
    request: &ListScheduledReceiptsRequest,
) -> Result<(Vec<ScheduledReceipt>, String), Fault> {
    let ListScheduledReceiptsRequest { sku, location_id, page_size, page_token } = request;
    let mut checks = Checks::new();
    if !sku.is_empty() {
        checks.sku("sku", sku);
    }
    checks.optional_id::<NodeId>("location_id", location_id);
    checks.done()?;
    let columns = ["open_time", "sku", "location_id", "receipt_number"];
    let kinds = [Kind::Integer, Kind::Text, Kind::Text, Kind::Text];
    let page = Page::read("scheduled-receipts", &[sku, location_id], &kinds, *page_size, page_token)?;
    let mut select = Select::new();
    // It is of every row that an index of lists has.
    select.and("open_time >= ?", Value::Integer(0));
    select.equal("sku", Some(sku).filter(|sku| !sku.is_empty()));
    select.equal("location_id", Some(location_id).filter(|location_id| !location_id.is_empty()));
    select.after(&columns, ">", &page);
    let (tail, values) = select.into_page(&columns.join(", "), page.limit());
    let mut receipts: Vec<ScheduledReceipt> = db.list(&tail, values).await?;
    let next = page.next(&mut receipts, |last| {
        let open_time = last.open_time.to_value();
        vec![open_time, last.sku.to_value(), last.location_id.to_value(), last.receipt_number.to_value()]
    });
    Ok((receipts, next))
}

/// A page of the lines with backordered units that the caller sees, those first that wait longest, and the next page's token.
pub(crate) async fn backorder_page(
    db: &Db,
    request: &ListBackordersRequest,
    caller: &Principal,
) -> Result<(Vec<Reservation>, String), Fault> {
    let ListBackordersRequest { sku, account_id, order_id, page_size, page_token } = request;
    let mut checks = Checks::new();
    if !sku.is_empty() {
        checks.sku("sku", sku);
    }
    checks.optional_id::<AccountId>("account_id", account_id);
    checks.optional_id::<OrderId>("order_id", order_id);
    checks.done()?;
    let (columns, key) = (["backorder_time", "order_id", "line_number"], "order_id, line_number");
    let kinds = [Kind::Integer, Kind::Text, Kind::Integer];
    let belongs_to = [sku.as_str(), account_id, order_id, &caller.to_string()];
    let page = Page::read("backorders", &belongs_to, &kinds, *page_size, page_token)?;
    let mut select = Select::new();
    if !order_id.is_empty() {
        select.few("order_id = ?", order_id.to_value());
    }
    // It is of every row that an index of lists has.
    select.and("backorder_time >= ?", Value::Integer(0));
    select.seen_by(caller);
    select.equal("backordered_sku", Some(sku).filter(|sku| !sku.is_empty()));
    select.equal("account_id", Some(account_id).filter(|account_id| !account_id.is_empty()));
    select.after(&columns, ">", &page);
    let (tail, values) = select.into_merged_page("reservations", key, &columns.join(", "), page.limit());
    let mut waiting: Vec<Reservation> = db.list(&tail, values).await?;
    let next = page.next(&mut waiting, |last| {
        vec![last.backorder_time.to_value(), last.order_id.to_value(), last.line_number.to_value()]
    });
    Ok((waiting, next))
}

/// The reservations of an order by line, and its allocations by line and location; none when the caller does not see the
/// order's account.
pub(crate) async fn reservations(
    db: &Db,
    order_id: &OrderId,
    caller: &Principal,
) -> Result<(Vec<Reservation>, Vec<Allocation>), Fault> {
    let tail = "WHERE order_id = $1 ORDER BY line_number";
    let reservations: Vec<Reservation> = db.list(tail, vec![order_id.to_value()]).await?;
    if reservations.iter().any(|reservation| !caller.sees(&reservation.account_id)) {
        return Ok((Vec::new(), Vec::new()));
    }
    let allocations = db.list(&format!("{tail}, location_id"), vec![order_id.to_value()]).await?;
    Ok((reservations, allocations))
}

/// A page of the movements that the caller sees, newest first, and the next page's token. The movements of one item are in the order of their
/// numbers.
pub(crate) async fn movement_page(
    db: &Db,
    request: &ListMovementsRequest,
    caller: &Principal,
) -> Result<(Vec<Movement>, String), Fault> {
    let ListMovementsRequest { sku, location_id, reference, page_size, page_token } = request;
    let mut checks = Checks::new();
    if !sku.is_empty() {
        checks.sku("sku", sku);
    }
    checks.optional_id::<NodeId>("location_id", location_id);
    checks.optional_text("reference", reference, MAX_NAME);
    checks.done()?;

    let (columns, kinds): (&[&str], &[Kind]) = if sku.is_empty() {
        (&["record_time", "sku", "movement_number"], &[Kind::Integer, Kind::Text, Kind::Integer])
    } else {
        (&["movement_number"], &[Kind::Integer])
    };
    let belongs_to = [sku.as_str(), location_id, reference, &caller.to_string()];
    let page = Page::read("stock-movements", &belongs_to, kinds, *page_size, page_token)?;
    let mut select = Select::new();
    // The second half of a condition lets the planner use an index over rows that have a value.
    if !reference.is_empty() {
        select.few("reference = ? AND reference <> ''", reference.to_value());
    }
    select.seen_by(caller);
    select.equal("sku", Some(sku).filter(|sku| !sku.is_empty()));
    match (location_id.is_empty(), reference.is_empty()) {
        (true, _) => {}
        (false, true) => select.and("location_id = ? AND location_id <> ''", location_id.to_value()),
        (false, false) => select.equal("location_id", Some(location_id)),
    }
    select.after(columns, "<", &page);
    let newest: Vec<String> = columns.iter().map(|column| format!("{column} DESC")).collect();
    let (tail, values) = select.into_page(&newest.join(", "), page.limit());
    let mut movements: Vec<Movement> = db.list(&tail, values).await?;
    let next = page.next(&mut movements, |last| {
        let all = [last.record_time.to_value(), last.sku.to_value(), last.movement_number.to_value()];
        if sku.is_empty() { all.to_vec() } else { vec![last.movement_number.to_value()] }
    });
    Ok((movements, next))
}

/// Rows of these SKUs. The last one is repeated up to a power of two, so that few different statements are prepared.
fn one_of(column: &str, skus: &[String]) -> Select {
    let mut skus = skus.to_vec();
    while !skus.len().is_power_of_two() {
        skus.extend(skus.last().cloned());
    }
    let mut select = Select::new();
    select.one_of(column, &skus);
    select
}
