//! Placing an order: validated as a whole against this service's own data, stored, told. Everything later follows by itself.

mod check;
mod price;

use std::sync::Arc;

use mesh::{Principal, wire::Checks};
use proto::{order::v1 as wire, types::v1::Address};
use store::{Command, Context, Needs, NewEvent, Proto, Rows};
use types::{AccountId, BasisPoints, Currency, Fault, OrderId, Reason, ShipToId, Timestamp};

pub use check::{MOST_LINES, check};

use crate::{
    account::{Account, DuplicatePoPolicy, ShipTo},
    item::Item,
    line::{Line, Wanted},
    order::{FillPolicy, Order, State, Status},
};

/// Places an order. Its form was checked; what it names was not.
#[derive(Debug)]
pub struct PlaceOrder {
    /// The account that orders.
    pub account_id: AccountId,
    /// The customer's own number.
    pub customer_po: String,
    /// Where it goes.
    pub destination: Destination,
    /// The account's when `None`.
    pub currency: Option<Currency>,
    /// What happens to what can not be filled at once.
    pub fill_policy: FillPolicy,
    /// When the customer wants it shipped.
    pub requested_ship_time: Option<Timestamp>,
    /// What is ordered, as listed in the request.
    pub lines: Vec<NewLine>,
    /// Who asks.
    pub caller: Arc<Principal>,
}

/// Where an order goes.
#[derive(Debug, Clone)]
pub enum Destination {
    /// One of the account's ship-tos.
    ShipTo(ShipToId),
    /// Anywhere else.
    Address(Address),
}

/// A line of a new order.
#[derive(Debug, Clone)]
pub struct NewLine {
    /// Its number in the order.
    pub line_number: i64,
    /// The item.
    pub sku: String,
    /// How many of the unit.
    pub quantity: i64,
    /// The unit; the item's base unit when empty.
    pub uom: String,
    /// Price of one such unit; the item's list price when `None`.
    pub unit_price_minor: Option<i64>,
    /// Discount on the line.
    pub discount: BasisPoints,
}

/// Columns to find the orders of a customer PO number by.
const BY_PO: &[&str] = &["customer_po", "account_id"];

impl PlaceOrder {
    fn po_key(&self) -> (String, AccountId) {
        (self.customer_po.clone(), self.account_id.clone())
    }

    fn ship_to(&self, rows: &Rows, checks: &mut Checks) -> Result<Option<wire::ShipTo>, Fault> {
        let ship_to_id = match &self.destination {
            Destination::ShipTo(ship_to_id) => ship_to_id,
            Destination::Address(address) => {
                let account_id = self.account_id.to_string();
                return Ok(Some(wire::ShipTo {
                    account_id,
                    address: Some(address.clone()),
                    ..wire::ShipTo::default()
                }));
            }
        };
        let ship_to = rows.get::<ShipTo>(ship_to_id)?.filter(|ship_to| ship_to.account_id == self.account_id);
        if ship_to.is_none() {
            checks.wrong("ship_to_id", "is not a ship-to of the account");
        }
        Ok(ship_to.map(crate::wire::ship_to))
    }

    /// The lines in line number order, and what they come to.
    fn price(
        &self,
        rows: &Rows,
        currency: Option<Currency>,
        checks: &mut Checks,
    ) -> Result<Option<(Vec<Wanted>, i64)>, Fault> {
        let mut lines = Vec::with_capacity(self.lines.len());
        for (index, line) in self.lines.iter().enumerate() {
            let item = rows.get::<Item>(&line.sku)?;
            lines.extend(price::price(line, index, item, currency, checks));
        }
        lines.sort_by_key(|line| line.line_number);
        let total = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount_minor));
        if total.is_none() {
            checks.wrong("lines", "come to more than can be told");
        }
        Ok(total.filter(|_| lines.len() == self.lines.len()).map(|total| (lines, total)))
    }

    fn refuse_duplicate(&self, account: &Account, rows: &Rows) -> Result<(), Fault> {
        if account.duplicate_po_policy == DuplicatePoPolicy::Allow {
            return Ok(());
        }
        let first = rows.by::<Order>(BY_PO, &self.po_key())?.into_iter().min_by_key(|order| order.create_time);
        let Some(first) = first else { return Ok(()) };
        let message = format!("the account has order {} with this customer PO number", first.order_id);
        Err(Fault::new(Reason::DuplicateCustomerPo, message).fact("order_id", &first.order_id))
    }
}

impl Command for PlaceOrder {
    type Reply = wire::Order;

    const NAME: &'static str = "PlaceOrder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Account>(&self.account_id);
        if let Destination::ShipTo(ship_to_id) = &self.destination {
            needs.row::<ShipTo>(ship_to_id);
        }
        for line in &self.lines {
            needs.row::<Item>(&line.sku);
        }
        if let Ok(Some(account)) = rows.get::<Account>(&self.account_id)
            && account.duplicate_po_policy == DuplicatePoPolicy::Refuse
        {
            needs.by::<Order>(BY_PO, &self.po_key());
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::Order, Fault> {
        let mut checks = Checks::new();
        // An account that is not the caller's is told as one that does not exist.
        let account = rows.get::<Account>(&self.account_id)?.filter(|account| self.caller.sees(&account.account_id));
        let account = account.cloned();
        if account.is_none() {
            checks.wrong("account_id", "no such account");
        }
        let currency = account.as_ref().map(|account| account.currency);
        if let (Some(theirs), Some(asked)) = (currency, self.currency)
            && theirs != asked
        {
            checks.wrong("currency", format!("must be the account's, {theirs}"));
        }
        let ship_to = if account.is_some() { self.ship_to(rows, &mut checks)? } else { None };
        let priced = self.price(rows, currency, &mut checks)?;
        check::refuse(checks)?;
        let (Some(account), Some(ship_to), Some((wanted, total_minor))) = (account, ship_to, priced) else {
            return Err(Fault::internal("an order passed its checks without its parts"));
        };
        self.refuse_duplicate(&account, rows)?;

        let order_id: OrderId = cx.new_id();
        let lines: Vec<Line> = wanted.into_iter().map(|wanted| rows.put(Line::new(order_id.clone(), wanted))).collect();
        let order = rows.put(self.order(order_id, &account, ship_to, total_minor, cx.now()));
        let placed = crate::wire::order(&order, &lines, []);
        let fact = wire::OrderSubmitted { order: Some(placed.clone()) };
        let draft = NewEvent::untyped("order.submitted", &order.order_id, order.version, order.version, &fact);
        cx.emit(draft.order(&order.order_id).account(&order.account_id));
        Ok(placed)
    }
}

impl PlaceOrder {
    fn order(
        &self,
        order_id: OrderId,
        account: &Account,
        ship_to: wire::ShipTo,
        total_minor: i64,
        now: Timestamp,
    ) -> Order {
        let unique = account.duplicate_po_policy == DuplicatePoPolicy::Refuse;
        Order {
            order_id,
            account_id: account.account_id.clone(),
            customer_po: self.customer_po.clone(),
            unique_po: unique.then(|| self.customer_po.clone()),
            ship_to: Proto(ship_to),
            currency: account.currency,
            fill_policy: self.fill_policy,
            invoice_policy: account.invoice_policy,
            requested_ship_time: self.requested_ship_time,
            state: State::Submitted,
            status: Status::Submitted,
            reason: String::new(),
            total_minor,
            invoice_ready_minor: 0,
            invoice_count: 0,
            release_number: 0,
            hold_count: 0,
            open_holds: 0,
            exceptions: 0,
            cancel_time: None,
            create_time: now,
            update_time: now,
            close_time: None,
            version: 0,
        }
    }
}
