//! Places an order: checks it as a whole against this service's own data, stores it and answers.
//!
//! The next steps are in `process/confirmation.rs`.

mod check;
mod price;

use std::{sync::Arc, time::Duration};

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{order::v1 as contract, types::v1::Address};
use store::{Command, Context, Needs, Proto, Rows};
use types::{AccountId, BasisPoints, Currency, Fault, OrderId, Reason, ShipToId, Timestamp};

use crate::{
    account::{Account, DuplicatePoPolicy, ShipTo},
    aggregate::OrderAggregate,
    item::Item,
    node::{DEFAULT_HANDLING, Nodes},
    order::{FillPolicy, Order, OrderState, OrderStatus},
    order_line::{OrderLine, PricedLine},
    process::ship_window,
};

/// Places an order. Its form is checked; the account, ship-to and items that it names are not.
#[derive(Debug)]
pub(crate) struct PlaceOrder {
    account_id: AccountId,
    customer_po: String,
    destination: Destination,
    /// The account's currency when `None`.
    currency: Option<Currency>,
    fill_policy: FillPolicy,
    requested_ship_time: Option<Timestamp>,
    ship_not_before: Option<Timestamp>,
    cancel_after: Option<Timestamp>,
    /// In the order of the request.
    lines: Vec<NewLine>,
    caller: Arc<Principal>,
}

/// Where an order goes.
#[derive(Debug, Clone)]
enum Destination {
    /// A ship-to of the account.
    ShipTo(ShipToId),
    /// Another address.
    Address(Address),
}

/// A line of a new order.
#[derive(Debug, Clone)]
struct NewLine {
    line_number: i64,
    sku: String,
    /// How many of the unit of measure.
    quantity: i64,
    /// The unit of measure; the item's base unit when empty.
    uom: String,
    /// Price of one such unit; the item's list price when `None`.
    unit_price_minor: Option<i64>,
    discount: BasisPoints,
}

/// The columns by which the orders with a customer PO number are found.
const BY_PO: &[&str] = &["customer_po", "account_id"];

impl PlaceOrder {
    fn po_key(&self) -> (String, AccountId) {
        (self.customer_po.clone(), self.account_id.clone())
    }

    /// Where it goes; wrong when the account does not have the ship-to.
    fn ship_to(&self, rows: &Rows, checks: &mut Checks) -> Result<Option<contract::ShipTo>, Fault> {
        let ship_to_id = match &self.destination {
            Destination::Address(address) => {
                return Ok(Some(contract::ShipTo { address: Some(address.clone()), ..Default::default() }));
            }
            Destination::ShipTo(ship_to_id) => ship_to_id,
        };
        let ship_to = rows.get::<ShipTo>(ship_to_id)?.filter(|ship_to| ship_to.account_id == self.account_id);
        if ship_to.is_none() {
            checks.wrong("ship_to_id", "is not a ship-to of the account");
        }
        Ok(ship_to.map(crate::wire::ship_to))
    }

    /// The lines with their prices by line number, and the sum of their amounts.
    fn price(
        &self,
        rows: &Rows,
        currency: Option<Currency>,
        checks: &mut Checks,
    ) -> Result<Option<(Vec<PricedLine>, i64)>, Fault> {
        let mut lines = Vec::with_capacity(self.lines.len());
        for (index, line) in self.lines.iter().enumerate() {
            let item = rows.get::<Item>(&line.sku)?;
            lines.extend(price::price(line, index, item, currency, checks));
        }
        lines.sort_by_key(|line| line.line_number);
        let total = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount_minor));
        if total.is_none() {
            checks.wrong("lines", "come to an amount that is too large");
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

    fn order(
        &self,
        order_id: OrderId,
        account: &Account,
        ship_to: contract::ShipTo,
        total_minor: i64,
        handling_time: Duration,
        now: Timestamp,
    ) -> Order {
        let release_time =
            ship_window::release_time(self.ship_not_before, self.requested_ship_time, handling_time, now);
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
            ship_not_before: self.ship_not_before,
            cancel_after: self.cancel_after,
            release_time,
            handling_micros: i64::try_from(handling_time.as_micros()).unwrap_or(i64::MAX),
            state: OrderState::Submitted,
            status: OrderStatus::Submitted,
            reason: String::new(),
            total_minor,
            invoice_ready_minor: 0,
            credited_minor: 0,
            invoice_count: 0,
            credit_count: 0,
            release_number: 0,
            hold_count: 0,
            open_holds: 0,
            order_holds: 0,
            open_exceptions: 0,
            cancel_time: None,
            create_time: now,
            update_time: now,
            close_time: None,
            version: 0,
        }
    }
}

impl Command for PlaceOrder {
    type Reply = contract::Order;

    const NAME: &'static str = "PlaceOrder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Account>(&self.account_id);
        needs.row::<Nodes>(&Nodes::key());
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

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Order, Fault> {
        let mut checks = Checks::new();
        // An account that the caller does not see is refused like one that does not exist.
        let account = rows.get::<Account>(&self.account_id)?.filter(|account| self.caller.sees(&account.account_id));
        let account = account.cloned();
        if account.is_none() {
            checks.wrong("account_id", "no such account");
        }
        let currency = account.as_ref().map(|account| account.currency);
        if let (Some(of_account), Some(requested)) = (currency, self.currency)
            && of_account != requested
        {
            checks.wrong("currency", format!("must be {of_account}, the account's"));
        }
        if self.cancel_after.is_some_and(|cancel_after| cancel_after <= cx.now()) {
            checks.wrong("cancel_after", "must be in the future");
        }
        let ship_to = if account.is_some() { self.ship_to(rows, &mut checks)? } else { None };
        let priced = self.price(rows, currency, &mut checks)?;
        checks.done()?;
        let (account, ship_to, (priced, total_minor)) = (checked(account)?, checked(ship_to)?, checked(priced)?);
        self.refuse_duplicate(&account, rows)?;

        let country = ship_to.address.as_ref().map_or("", |address| address.country.as_str());
        let classes: Vec<_> = priced.iter().map(|line| line.handling_class).collect();
        let nodes = rows.get::<Nodes>(&Nodes::key())?;
        let handling_time = nodes.map_or(DEFAULT_HANDLING, |nodes| nodes.handling_time(country, &classes));
        let order = self.order(cx.new_id(), &account, ship_to, total_minor, handling_time, cx.now());
        ship_window::schedule(&order, cx);
        let lines = priced.into_iter().map(|line| OrderLine::new(order.order_id.clone(), line)).collect();
        Ok(OrderAggregate::place(order, lines).save(rows, cx)?.to_contract([]))
    }
}
