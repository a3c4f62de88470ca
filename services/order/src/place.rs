//! Places an order: checks it as a whole against this service's own data, stores it and answers.
//!
//! The next steps are in `process/confirmation.rs`.

pub(crate) mod check;
mod destination;
pub(crate) mod price;
mod quantity;
mod split;
mod validate;

use std::{sync::Arc, time::Duration};

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::order::v1 as contract;
use store::{Command, Context, Needs, Proto, Rows};
use types::{AccountId, BasisPoints, Currency, Fault, LineReason, OrderId, Reason, Timestamp};

pub(crate) use destination::{Destination, NewGroup, country};
pub(crate) use quantity::{OrderedQuantity, base_units};
pub(crate) use validate::ValidateOrder;

use self::price::{Priced, Pricing};
use crate::{
    account::{Account, DuplicatePoPolicy},
    aggregate::OrderAggregate,
    credit::{self, AccountCredit},
    hold::{HoldReason, LineNumbers},
    item::{Item, ItemKind},
    node::{DEFAULT_HANDLING, Nodes},
    order::{FillPolicy, MAX_TOTAL, Order, OrderState, OrderStatus},
    order_line::OrderLine,
    own_fields,
    process::ship_window,
    ship_to_group::ShipToGroup,
    store::search_key,
};

/// Places an order. Its form is checked; the account, ship-to and items that it names are not.
#[derive(Debug)]
pub(crate) struct PlaceOrder {
    account_id: AccountId,
    customer_po: String,
    /// `None` when it goes to groups.
    destination: Option<Destination>,
    /// By number.
    groups: Vec<NewGroup>,
    /// The account's currency when `None`.
    currency: Option<Currency>,
    fill_policy: FillPolicy,
    requested_ship_time: Option<Timestamp>,
    ship_not_before: Option<Timestamp>,
    cancel_after: Option<Timestamp>,
    priority: Option<i64>,
    /// In the order of the request.
    lines: Vec<NewLine>,
    own_fields: own_fields::Column,
    caller: Arc<Principal>,
}

/// A line of a new order.
#[derive(Debug, Clone)]
pub(crate) struct NewLine {
    pub(crate) line_number: i64,
    pub(crate) sku: String,
    ship_to_group: Option<i64>,
    /// Its parts, when it goes to several groups.
    split: Vec<split::NewPart>,
    /// How many of the unit of measure.
    quantity: OrderedQuantity,
    /// The unit of measure; the item's base unit when empty.
    uom: String,
    /// Price of one such unit; the account's when `None`.
    unit_price_minor: Option<i64>,
    /// The price that the customer expects.
    expected_unit_price_minor: Option<i64>,
    discount: BasisPoints,
    own_fields: own_fields::Column,
}

impl NewLine {
    /// The group that it goes to.
    pub(crate) fn ship_to_group(&self) -> Option<i64> {
        self.ship_to_group
    }
}

/// The columns by which the orders with a customer PO number are found, whatever its case.
const BY_PO: &[&str] = &["po_search_key", "account_id"];

impl PlaceOrder {
    fn po_key(&self) -> (Vec<u8>, AccountId) {
        (search_key(&self.customer_po), self.account_id.clone())
    }

    /// The places that it goes to, with the numbers of their groups.
    fn ship_tos(&self, rows: &Rows, checks: &mut Checks) -> Result<Vec<(i64, contract::ShipTo)>, Fault> {
        let mut ship_tos = Vec::with_capacity(1 + self.groups.len());
        if let Some(destination) = &self.destination {
            ship_tos.extend(destination.ship_to("", &self.account_id, rows, checks)?.map(|ship_to| (0, ship_to)));
        }
        for (index, group) in self.groups.iter().enumerate() {
            let of = format!("ship_to_groups[{index}].");
            let ship_to = group.destination.ship_to(&of, &self.account_id, rows, checks)?;
            ship_tos.extend(ship_to.map(|ship_to| (group.number, ship_to)));
        }
        Ok(ship_tos)
    }

    /// The lines with their prices by line number, and the sum of their amounts.
    fn price(
        &self,
        rows: &Rows,
        pricing: Option<&Pricing>,
        ship_tos: &[(i64, contract::ShipTo)],
        checks: &mut Checks,
    ) -> Result<Option<(Vec<Priced>, i64)>, Fault> {
        let mut lines = Vec::with_capacity(self.lines.len());
        let nodes = rows.get::<Nodes>(&Nodes::key())?;
        let countries = destination::countries(ship_tos);
        for (index, line) in self.lines.iter().enumerate() {
            let path = format!("lines[{index}]");
            let is_service = rows.get::<Item>(&line.sku)?.is_some_and(Item::is_service);
            if !self.groups.is_empty() && line.ship_to_group.is_none() && line.split.is_empty() && !is_service {
                checks.wrong_line(format!("{path}.ship_to_group"), LineReason::Invalid, "is required, or split");
            }
            let Some(priced) = price::price(line, &path, pricing, rows, checks)? else { continue };
            let class = priced.line.handling_class;
            let groups = line.split.iter().map(|part| part.ship_to_group).chain([line.ship_to_group.unwrap_or(0)]);
            let mut countries = groups.filter_map(|group| countries.get(&group).copied());
            if let Some(nodes) = nodes.filter(|_| !is_service)
                && let Some(country) = countries.find(|to| !nodes.deliver(to, class))
            {
                nodes.check_delivery(format!("{path}.sku"), country, class, checks);
            }
            lines.push(priced);
        }
        let total = lines.iter().try_fold(0_i64, |sum, priced| sum.checked_add(priced.line.amount_minor));
        let total = total.filter(|total| *total <= MAX_TOTAL);
        if total.is_none() {
            checks.wrong("lines", "come to more than 1,000,000,000,000,000 minor units");
        }
        let Some(total) = total.filter(|_| lines.len() == self.lines.len()) else { return Ok(None) };
        let lines = split::split(lines, &self.lines, checks);
        Ok(lines.map(|lines| (lines, total)))
    }

    fn refuse_duplicate(&self, account: &Account, rows: &Rows) -> Result<(), Fault> {
        if account.duplicate_po_policy == DuplicatePoPolicy::Allow {
            return Ok(());
        }
        let same = rows.by::<Order>(BY_PO, &self.po_key())?.into_iter();
        let live = same.filter(|order| order.customer_po == self.customer_po && order.is_live());
        let first = live.min_by_key(|order| order.create_time);
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
            po_search_key: search_key(&self.customer_po),
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
            priority: self.priority,
            group_count: i64::try_from(self.groups.len()).unwrap_or(i64::MAX),
            change_count: 0,
            proposed_change: None,
            requested_change: None,
            invoice_count: 0,
            credit_count: 0,
            to_invoice_lines: 0,
            mismatched_invoice: None,
            release_number: 0,
            hold_count: 0,
            open_holds: 0,
            order_holds: 0,
            payment_terms: account.payment_terms.clone(),
            counted_minor: account.credit_limit_minor.map(|_| 0),
            credit_hold_number: None,
            credit_held_minor: None,
            credit_approved_minor: None,
            open_exceptions: 0,
            cancel_time: None,
            own_fields: self.own_fields.clone(),
            line_count: 0,
            sums: Proto::default(),
            returnable: 0,
            size_bytes: 0,
            create_time: now,
            update_time: now,
            close_time: None,
            version: 0,
        }
    }
}

impl PlaceOrder {
    /// The order as it is placed, with its holds; refused naming all that is wrong.
    fn check(&self, rows: &Rows, cx: &Context<'_>) -> Result<OrderAggregate, Fault> {
        let mut checks = Checks::new();
        // An account that the caller does not see is refused like one that does not exist.
        let account = rows.get::<Account>(&self.account_id)?.filter(|account| self.caller.sees(&account.account_id));
        if account.is_none() {
            checks.wrong("account_id", "no such account");
        }
        if let Some(account) = account {
            account.check_not_blocked()?;
        }
        let pricing = account.map(|account| Pricing::of(account, cx.now()));
        if let (Some(pricing), Some(requested)) = (&pricing, self.currency)
            && pricing.currency != requested
        {
            checks.wrong("currency", format!("must be {}, the account's", pricing.currency));
        }
        if self.cancel_after.is_some_and(|cancel_after| cancel_after <= cx.now()) {
            checks.wrong("cancel_after", "must be in the future");
        }
        let ship_tos = if account.is_some() { self.ship_tos(rows, &mut checks)? } else { Vec::new() };
        let priced = self.price(rows, pricing.as_ref(), &ship_tos, &mut checks)?;
        checks.done()?;
        let (account, (priced, total_minor)) = (checked(account)?, checked(priced)?);
        self.refuse_duplicate(account, rows)?;

        let first = checked(ship_tos.first().map(|(_, ship_to)| ship_to.clone()))?;
        let handling_time = match rows.get::<Nodes>(&Nodes::key())? {
            None => DEFAULT_HANDLING,
            Some(nodes) => {
                let goods = priced.iter().map(|priced| &priced.line).filter(|line| line.item_kind == ItemKind::Goods);
                destination::handling_time(nodes, &ship_tos, goods)
            }
        };
        let order = self.order(cx.new_id(), account, first, total_minor, handling_time, cx.now());
        let groups = if self.groups.is_empty() { Vec::new() } else { ship_tos };
        let group = |(group_number, ship_to)| {
            let (order_id, ship_to) = (order.order_id.clone(), Proto(ship_to));
            ShipToGroup { order_id, group_number, ship_to, version: 0 }
        };
        let groups = groups.into_iter().map(group).collect();
        let held = priced.iter().filter(|priced| priced.is_held).map(|priced| priced.line.line_number).collect();
        let lines = priced.into_iter().map(|priced| OrderLine::new(&order, priced.line)).collect();
        let mut aggregate = OrderAggregate::place(order, lines, groups);
        place_holds(&mut aggregate, LineNumbers(held), credit::exceeds_limit(account, total_minor, rows)?, cx.now());
        Ok(aggregate)
    }
}

/// Places the holds with which an order begins: of lines whose price is not what was expected, and of credit.
fn place_holds(aggregate: &mut OrderAggregate, differing: LineNumbers, beyond_limit: bool, now: Timestamp) {
    if !differing.0.is_empty() {
        aggregate.change(now, |order| order.place_hold(order.new_hold(HoldReason::PriceDiscrepancy, differing, now)));
    }
    if beyond_limit {
        aggregate.change(now, |order| order.hold_for_credit(now));
    }
}

impl Command for PlaceOrder {
    type Reply = contract::Order;

    const NAME: &'static str = "PlaceOrder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Account>(&self.account_id);
        needs.row::<Nodes>(&Nodes::key());
        for destination in self.destination.iter().chain(self.groups.iter().map(|group| &group.destination)) {
            destination.needs(needs);
        }
        for line in &self.lines {
            needs.row::<Item>(&line.sku);
        }
        let Ok(Some(account)) = rows.get::<Account>(&self.account_id) else { return };
        if account.duplicate_po_policy == DuplicatePoPolicy::Refuse {
            needs.by::<Order>(BY_PO, &self.po_key());
        }
        if account.credit_limit_minor.is_some() {
            needs.row::<AccountCredit>(&self.account_id);
        }
        Pricing::needs(account, self.lines.iter().map(|line| line.sku.as_str()), needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Order, Fault> {
        let aggregate = self.check(rows, cx)?;
        ship_window::schedule(&aggregate.order, cx);
        let holds = aggregate.new_holds();
        Ok(aggregate.save(rows, cx)?.to_contract(&holds))
    }
}
