//! The list of orders: which ones, in which order, and how much of each.

use chassis::Select;
use mesh::Principal;
use store::{Column as _, Db, Kind, Value, page::Page};
use types::{AccountId, Fault, Timestamp};

use super::{Search, StoredOrder, search_key, with_lines_and_holds};
use crate::order::{Order, OrderState, OrderStatus};

/// Which orders are listed, and in which order.
#[derive(Debug)]
pub(crate) struct OrderFilter {
    /// Only of this account.
    pub(crate) account_id: Option<AccountId>,
    /// Only with this customer PO number; with any when empty.
    pub(crate) customer_po: String,
    /// Only in these states; in any when empty.
    pub(crate) states: Vec<OrderState>,
    /// Only with these statuses; with any when empty.
    pub(crate) statuses: Vec<OrderStatus>,
    /// Only those with open exceptions.
    pub(crate) with_open_exceptions: bool,
    /// Only those of which something is to be invoiced.
    pub(crate) to_invoice: bool,
    /// Only placed at this instant or later.
    pub(crate) created_after: Option<Timestamp>,
    /// Only placed before this instant.
    pub(crate) created_before: Option<Timestamp>,
    /// Only changed at this instant or later.
    pub(crate) updated_after: Option<Timestamp>,
    /// Only changed before this instant.
    pub(crate) updated_before: Option<Timestamp>,
    /// Only those that this finds.
    pub(crate) search: Option<Search>,
    /// The order of the list.
    pub(crate) order: ListOrder,
}

/// The order of a list of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListOrder {
    /// The newest first.
    CreateTimeDescending,
    /// The oldest first.
    CreateTime,
    /// The last to change first.
    UpdateTimeDescending,
    /// The first to change first.
    UpdateTime,
}

/// How much of each order is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Without lines and holds.
    Summary,
    /// With them.
    Full,
}

/// The key columns of the list of orders.
pub(crate) const ORDERS_KEY: &[Kind] = &[Kind::Integer, Kind::Text];

impl ListOrder {
    /// All of them, by their names in the contract.
    pub(crate) const ALL: [(&str, Self); 4] = [
        ("create_time desc", Self::CreateTimeDescending),
        ("create_time", Self::CreateTime),
        ("update_time desc", Self::UpdateTimeDescending),
        ("update_time", Self::UpdateTime),
    ];

    /// Whether the list is by when orders changed, and not by when they were placed.
    pub(crate) fn is_by_update(self) -> bool {
        matches!(self, Self::UpdateTime | Self::UpdateTimeDescending)
    }

    /// The direction as SQL has it, and the comparison of what comes later in the list.
    pub(super) fn direction(self) -> (&'static str, &'static str) {
        match self {
            Self::CreateTimeDescending | Self::UpdateTimeDescending => ("DESC", "<"),
            Self::CreateTime | Self::UpdateTime => ("ASC", ">"),
        }
    }

    /// Where a row is in the list.
    fn time(self, order: &Order) -> Timestamp {
        if self.is_by_update() { order.update_time } else { order.create_time }
    }
}

impl OrderFilter {
    /// Where an order is in the list.
    pub(crate) fn key(&self, order: &Order) -> Vec<Value> {
        vec![self.order.time(order).to_value(), order.order_id.to_value()]
    }

    /// The conditions of the filter, what the caller sees, and where the page begins. `is_found`: something else finds the rows,
    /// so that all of it is only checked.
    pub(super) fn select(&self, caller: &Principal, page: &Page, is_found: bool) -> (Select, String) {
        let mut select = Select::new();
        if is_found {
            select.only_check();
        }
        select.equal("account_id", self.account_id.as_ref());
        select.seen_by(caller);
        if !self.customer_po.is_empty() {
            select.few("po_search_key = ?", search_key(&self.customer_po).to_value());
            select.and("customer_po || '' = ?", self.customer_po.to_value());
        }
        let (bounds, time) = self.bounds(is_found);
        if bounds.iter().any(|(_, bound)| bound.is_some()) || self.order.is_by_update() {
            // Rows are read by time: an index by state or status has them in the order of another time.
            select.only_check();
        }
        select.filter("state", &self.states);
        select.filter("status", &self.statuses);
        if self.with_open_exceptions {
            // The second half lets the planner use the index over the few that have any.
            select.and("open_exceptions >= ? AND open_exceptions > 0", 1_i64.to_value());
        }
        if self.to_invoice {
            select.and("to_invoice_lines >= ? AND to_invoice_lines > 0", 1_i64.to_value());
        }
        for (condition, bound) in bounds {
            if let Some(bound) = bound {
                select.and(&condition, bound.to_value());
            }
        }
        let (direction, after) = self.order.direction();
        select.after(&[&time, "order_id"], after, page);
        (select, format!("{time} {direction}, order_id {direction}"))
    }

    /// The bounds of both times, and the column that the list is ordered by.
    ///
    /// One index is read by its time: that of the list, unless only the other time is bounded. Then the rows within the bounds are
    /// read and sorted. What is not to be looked up is written as a sum, which no index has.
    fn bounds(&self, is_found: bool) -> ([(String, Option<Timestamp>); 4], String) {
        let created = self.created_after.is_some() || self.created_before.is_some();
        let updated = self.updated_after.is_some() || self.updated_before.is_some();
        let by_update = self.order.is_by_update();
        let (own, other) = if by_update { (updated, created) } else { (created, updated) };
        let sorts = !is_found && other && !own;
        let column = |name: &str, is_own: bool| {
            if is_own == sorts || is_found { format!("{name} + 0") } else { name.to_owned() }
        };
        let (create_time, update_time) = (column("create_time", !by_update), column("update_time", by_update));
        let time = if by_update { "update_time" } else { "create_time" };
        let ordered = if sorts { format!("{time} + 0") } else { time.to_owned() };
        let bounds = [
            (format!("{create_time} >= ?"), self.created_after),
            (format!("{create_time} < ?"), self.created_before),
            (format!("{update_time} >= ?"), self.updated_after),
            (format!("{update_time} < ?"), self.updated_before),
        ];
        (bounds, ordered)
    }
}

/// A page of the orders that the caller sees, and the token of the next page.
pub(crate) async fn orders(
    db: &Db,
    filter: &OrderFilter,
    extent: Extent,
    caller: &Principal,
    page: &Page,
) -> Result<(Vec<StoredOrder>, String), Fault> {
    let found = match &filter.search {
        Some(search) => search.tail(db, filter, caller, page).await?,
        None => {
            let (select, order) = filter.select(caller, page, false);
            Some(select.into_merged_page("orders", "order_id", &order, page.limit()))
        }
    };
    let Some((tail, args)) = found else { return Ok((Vec::new(), String::new())) };
    let mut orders: Vec<Order> = db.list(&tail, args).await?;
    let bytes = match extent {
        Extent::Summary => Order::summary_bytes,
        Extent::Full => Order::full_bytes,
    };
    let token = page.next_within(&mut orders, bytes, |order| filter.key(order));
    let stored = match extent {
        Extent::Full => with_lines_and_holds(db, orders).await?,
        Extent::Summary => orders.into_iter().map(StoredOrder::without_lines).collect(),
    };
    Ok((stored, token))
}
