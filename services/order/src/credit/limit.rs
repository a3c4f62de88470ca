//! The credit limit of an account: from when on its orders are counted.

use store::{Context, Needs, Rows};
use types::Fault;

use super::{AccountCredit, release_holds};
use crate::{
    account::Account,
    aggregate::OrderAggregate,
    order::{Order, OrderState},
};

/// The columns by which the open orders of an account are found.
const BY_STATE: &[&str] = &["account_id", "state"];

/// The states of open orders.
const OPEN: [OrderState; 2] = [OrderState::Submitted, OrderState::Confirmed];

/// Begins to count what a new account with a limit owes.
pub(crate) fn open(account: &Account, rows: &mut Rows) {
    if account.credit_limit_minor.is_some() {
        let credit = AccountCredit::new(account.account_id.clone());
        rows.put(AccountCredit { limit_minor: account.credit_limit_minor, ..credit });
    }
}

/// Asks for what [`set_limit`] changes: of an account without a limit its open orders too, since they begin to be counted.
pub(crate) fn needs_to_set_limit(account: &Account, rows: &Rows, needs: &mut Needs) {
    needs.row::<AccountCredit>(&account.account_id);
    if account.credit_limit_minor.is_some() {
        return;
    }
    for state in OPEN {
        let key = (account.account_id.clone(), state);
        needs.by::<Order>(BY_STATE, &key);
        for order in rows.by::<Order>(BY_STATE, &key).unwrap_or_default() {
            OrderAggregate::needs(&order.order_id, rows, needs);
        }
    }
}

/// Checks orders against the account's limit from now on, or no longer.
pub(crate) fn set_limit(account: &Account, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
    let known = rows.get::<AccountCredit>(&account.account_id)?.cloned();
    let credit = known.unwrap_or_else(|| AccountCredit::new(account.account_id.clone()));
    let begins = credit.limit_minor.is_none();
    let credit = rows.put(AccountCredit { limit_minor: account.credit_limit_minor, ..credit });
    release_holds(&credit, cx);
    if !begins {
        return Ok(());
    }
    let mut uncounted = Vec::new();
    for state in OPEN {
        let orders = rows.by::<Order>(BY_STATE, &(account.account_id.clone(), state))?;
        uncounted
            .extend(orders.iter().filter(|order| order.counted_minor.is_none()).map(|order| order.order_id.clone()));
    }
    for order_id in uncounted {
        let mut aggregate = OrderAggregate::load(&order_id, rows)?;
        aggregate.begin_counting();
        aggregate.save(rows, cx)?;
    }
    Ok(())
}
