//! What an account owes: one row for each account with a credit limit, which every save of its orders keeps. The process is in
//! `process/credit_check.rs`.

mod limit;
mod record_receivables;

use proto::order::v1 as contract;
use store::{Context, Needs, Rows, Task};
use types::{AccountId, Currency, Fault, Id as _, Reason, Timestamp};

pub(crate) use limit::{needs_to_set_limit, open, set_limit};
pub(crate) use record_receivables::RecordReceivables;

use crate::{
    account::{Account, CreditPolicy},
    order::Order,
    order_line::OrderLine,
    process::credit_check,
    wire,
};

/// The highest exposure that an account may come to, so that no sum overflows.
const MAX_EXPOSURE: i64 = i64::MAX / 4;

store::record! {
    /// What an account owes, as far as it is counted.
    pub(crate) struct AccountCredit in "account_credit" key (account_id: AccountId) {
        /// The account's limit, repeated here for orders to be checked without the account.
        limit_minor: Option<i64>,
        /// Amounts of its orders that are not ready to invoice yet: the sum of what is counted of each.
        open_minor: i64,
        /// Of these, those of units that are not released because the check holds their orders.
        held_minor: i64,
        /// How many orders the check holds.
        held_orders: i64,
        /// What became ready to invoice, less proposed credits, and is not in the receivables yet.
        ready_minor: i64,
        /// What it owes for its invoices, as last recorded.
        receivables_minor: i64,
        /// The time of the recorded receivables.
        as_of: Option<Timestamp>,
        /// Until when what became ready to invoice is in them.
        includes_ready_until: Option<Timestamp>,
    }
}

impl AccountCredit {
    /// Nothing is owed, and nothing is counted.
    fn new(account_id: AccountId) -> Self {
        Self {
            account_id,
            limit_minor: None,
            open_minor: 0,
            held_minor: 0,
            held_orders: 0,
            ready_minor: 0,
            receivables_minor: 0,
            as_of: None,
            includes_ready_until: None,
            version: 0,
        }
    }

    /// All that it owes or may come to owe.
    pub(crate) fn exposure(&self) -> i64 {
        self.open_minor.saturating_add(self.ready_minor).saturating_add(self.receivables_minor)
    }

    /// The same without what the check holds. Released units count, also when their order is held since.
    pub(crate) fn granted(&self) -> i64 {
        self.exposure() - self.held_minor
    }

    /// Whether the limit permits so much.
    pub(crate) fn permits(&self, exposure_minor: i64) -> bool {
        self.limit_minor.is_none_or(|limit| exposure_minor <= limit)
    }

    /// As callers see it.
    pub(crate) fn to_contract(&self, currency: Currency) -> contract::AccountCredit {
        let money = |minor| Some(wire::money(currency, minor));
        contract::AccountCredit {
            account_id: self.account_id.to_string(),
            credit_limit: self.limit_minor.and_then(money),
            open_orders: money(self.open_minor),
            held_orders: money(self.held_minor),
            ready_to_invoice: money(self.ready_minor),
            receivables: money(self.receivables_minor),
            exposure: money(self.exposure()),
            available: self.limit_minor.and_then(|limit| money(limit - self.exposure())),
            as_of: self.as_of.map(mesh::wire::timestamp),
            includes_ready_until: self.includes_ready_until.map(mesh::wire::timestamp),
        }
    }
}

/// The credit of an account of which nothing is counted.
pub(crate) fn uncounted(account_id: AccountId, currency: Currency) -> contract::AccountCredit {
    AccountCredit::new(account_id).to_contract(currency)
}

/// Whether the account's row is needed to change an order: it is counted, or has ended, and would be counted when it is opened again.
fn is_needed(order: &Order) -> bool {
    order.counted_minor.is_some() || !order.state.is_open()
}

/// Asks for the row of the order's account, if changing the order needs it.
pub(crate) fn needs(order: &Order, needs: &mut Needs) {
    if is_needed(order) {
        needs.row::<AccountCredit>(&order.account_id);
    }
}

/// The row of the order's account, if changing the order needs it.
pub(crate) fn of_order<'r>(order: &Order, rows: &'r Rows) -> Result<Option<&'r AccountCredit>, Fault> {
    if is_needed(order) { rows.get(&order.account_id) } else { Ok(None) }
}

/// What an order adds to its account's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    open_minor: i64,
    held_minor: i64,
    held_orders: i64,
    /// What became ready to invoice less credits, since its placing.
    settled_minor: i64,
}

impl Counted {
    /// What a counted order adds.
    pub(crate) fn of(order: &Order) -> Option<Self> {
        let open_minor = order.counted_minor?;
        Some(Self {
            open_minor,
            held_minor: order.credit_held_minor.unwrap_or_default(),
            held_orders: order.credit_hold_number.is_some().into(),
            settled_minor: order.settled_minor(),
        })
    }
}

/// Sums of the amounts that lines may yet bring: of units that are wanted and not ready to invoice.
pub(crate) fn open_minor(lines: &[OrderLine]) -> i64 {
    lines.iter().map(OrderLine::open_minor).sum()
}

/// The part of it that a hold can still keep back: of units that are not released.
pub(crate) fn unreleased_minor(lines: &[OrderLine]) -> i64 {
    lines.iter().map(OrderLine::unreleased_minor).sum()
}

/// Has the account's row count an order as it is now, instead of as it was `before`. Of one that was not counted, what became ready to
/// invoice is in the receivables.
pub(crate) fn count(
    before: Option<Counted>,
    order: &Order,
    rows: &mut Rows,
    cx: &mut Context<'_>,
) -> Result<(), Fault> {
    let Some(now) = Counted::of(order) else { return Ok(()) };
    let before = before.unwrap_or(Counted { settled_minor: now.settled_minor, ..Counted::default() });
    if now == before {
        return Ok(());
    }
    let missing =
        || Fault::internal(format!("account {} has a counted order and no row of its credit", order.account_id));
    let credit = rows.get::<AccountCredit>(&order.account_id)?.ok_or_else(missing)?.clone();
    let (exposure, granted) = (credit.exposure(), credit.granted());
    let credit = rows.put(AccountCredit {
        open_minor: credit.open_minor.saturating_add(now.open_minor - before.open_minor),
        held_minor: credit.held_minor.saturating_add(now.held_minor - before.held_minor),
        held_orders: credit.held_orders + now.held_orders - before.held_orders,
        ready_minor: credit.ready_minor.saturating_add(now.settled_minor - before.settled_minor),
        ..credit
    });
    if credit.exposure() < exposure || credit.granted() < granted {
        release_holds(&credit, cx);
    }
    Ok(())
}

/// Has holds of the check released that the limit permits now.
fn release_holds(credit: &AccountCredit, cx: &mut Context<'_>) {
    if credit.held_orders > 0 {
        cx.schedule(Task::new(credit_check::RELEASE_HOLDS, credit.account_id.as_str(), cx.now()));
    }
}

/// Whether an amount more takes an account beyond its credit limit; an error where its policy is to refuse.
pub(crate) fn exceeds_limit(account: &Account, more_minor: i64, rows: &Rows) -> Result<bool, Fault> {
    if account.credit_limit_minor.is_none() {
        return Ok(false);
    }
    let missing = || Fault::internal(format!("account {} has a limit and no row of its credit", account.account_id));
    let credit = rows.get::<AccountCredit>(&account.account_id)?.ok_or_else(missing)?;
    let exposure = credit.exposure().checked_add(more_minor).filter(|exposure| *exposure <= MAX_EXPOSURE);
    let exceeds = exposure.is_none_or(|exposure| !credit.permits(exposure));
    if exceeds && (account.credit_policy == CreditPolicy::Refuse || exposure.is_none()) {
        let message = format!("the order is beyond the credit limit of account {}", account.account_id);
        return Err(Fault::new(Reason::CreditLimitExceeded, message).fact("account_id", &account.account_id));
    }
    Ok(exceeds)
}
