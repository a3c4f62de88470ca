//! What an account owes, against its credit limit.
//!
//! 1. An account with a limit has a row of what it owes (`credit.rs`): the amounts of its open orders, what became ready to invoice and is
//!    not in the recorded receivables yet, and the receivables. Every save of a counted order changes the row in the same transaction, by
//!    the difference: cancelled units count no longer, and units that an order wants again count again, also when it was closed.
//! 2. `PlaceOrder` (`place.rs`) counts the order. Beyond the limit it is refused, or [`ChangingOrder::hold_for_credit`] places a CREDIT
//!    hold, as the account's policy says.
//! 3. Units are about to be released (`process/release.rs`): beyond the limit the order gets a CREDIT hold instead. What is held does
//!    not count here: it cannot block an order that was within the limit. Only units that are not released are held: those that were
//!    released before the hold count on, and so does whatever is shipped, which is invoiced.
//! 4. `RecordReceivables` (`credit/record_receivables.rs`): the newest amount of the ERP counts. What became ready to invoice until a time
//!    that the ERP names is in it from then on, and counts beside it before.
//! 5. Less is owed, or units of a newer order are held, or the limit is raised or removed: a task releases the holds that the check placed ([`ReleaseHoldsTask`]), oldest
//!    order first, until the limit does not permit the next one. Holds that people placed stay.
//! 6. A person releases a hold that the check placed: the order is approved, and is checked again only when it comes to more than
//!    it did then.

use store::{AnyCommand, Command, Context, Needs, Rows, Task, TaskHandler};
use types::{AccountId, Fault, Id as _, Timestamp};

use crate::{
    aggregate::{ChangingOrder, OrderAggregate},
    credit::{self, AccountCredit},
    events::PendingEvent,
    hold::{Hold, HoldReason, LineNumbers},
    order::Order,
};

/// The kind of the task that releases holds. Its key is the account's id.
pub(crate) const RELEASE_HOLDS: &str = "order.release_credit_holds";

/// The column by which the holds are found that the check of an account has placed.
const BY_ACCOUNT: &[&str] = &["credit_account_id"];

/// How many orders one command releases from their holds.
const MOST: usize = 50;

/// What an order's account may owe, and what it owes for others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing {
    credit: AccountCredit,
    /// What it owes without what is open of this order and what the check holds of others.
    others_minor: i64,
    /// What was settled of this order, which is part of it.
    settled_minor: i64,
}

impl Standing {
    /// The standing of the order's account before a change of the order.
    pub(crate) fn before(order: &Order, credit: &AccountCredit) -> Self {
        let granted = order.counted_minor.unwrap_or_default() - order.credit_held_minor.unwrap_or_default();
        Self { credit: credit.clone(), others_minor: credit.granted() - granted, settled_minor: order.settled_minor() }
    }

    /// Whether the account has a limit.
    pub(crate) fn is_limited(&self) -> bool {
        self.credit.limit_minor.is_some()
    }
}

impl ChangingOrder {
    /// Holds the order instead of releasing its units when its account owes more than it may; returns whether it did.
    pub(crate) fn hold_for_credit_at_release(&mut self, now: Timestamp) -> bool {
        let Some(standing) = &self.standing else { return false };
        let open_minor = credit::open_minor(&self.lines);
        let settled_minor = self.order.settled_minor();
        let approved = self.order.credit_approved_minor.is_some_and(|approved| open_minor + settled_minor <= approved);
        let owed_minor =
            standing.others_minor.saturating_add(open_minor).saturating_add(settled_minor - standing.settled_minor);
        if approved || standing.credit.permits(owed_minor) {
            return false;
        }
        self.hold_for_credit(now);
        true
    }

    /// Places the hold of the check.
    pub(crate) fn hold_for_credit(&mut self, now: Timestamp) {
        let hold = Hold {
            credit_account_id: Some(self.order.account_id.clone()),
            ..self.new_hold(HoldReason::Credit, LineNumbers::default(), now)
        };
        self.order.credit_hold_number = Some(hold.hold_number);
        self.place_hold(hold);
    }

    /// Releases the hold of the check, because the limit permits the order.
    fn lift_credit_hold(&mut self, hold: Hold, now: Timestamp) {
        self.end_hold(hold, Some(crate::NAME.to_owned()), now);
    }

    /// A person permits the order as it is, whose hold of the check it has released.
    pub(crate) fn approve_credit(&mut self) {
        self.order.credit_approved_minor = Some(credit::open_minor(&self.lines) + self.order.settled_minor());
    }
}

impl OrderAggregate {
    /// The holds that are placed with the order.
    pub(crate) fn new_holds(&self) -> Vec<Hold> {
        let placed =
            |event: &PendingEvent| if let PendingEvent::HoldPlaced(hold) = event { Some(hold.clone()) } else { None };
        self.pending.iter().filter_map(placed).collect()
    }
}

/// Releases holds that the check placed, as far as the limit permits; replies whether it released any.
#[derive(Debug)]
pub(crate) struct ReleaseCreditHolds(pub(crate) AccountId);

impl Command for ReleaseCreditHolds {
    type Reply = bool;

    const NAME: &'static str = "ReleaseCreditHolds";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<AccountCredit>(&self.0);
        needs.by::<Hold>(BY_ACCOUNT, &self.0);
        for hold in rows.by::<Hold>(BY_ACCOUNT, &self.0).unwrap_or_default().into_iter().take(MOST) {
            OrderAggregate::needs(&hold.order_id, rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let Some(credit) = rows.get::<AccountCredit>(&self.0)?.cloned() else { return Ok(false) };
        let mut granted_minor = credit.granted();
        // Ids of orders sort by the time at which they were placed.
        let holds: Vec<Hold> = rows.by::<Hold>(BY_ACCOUNT, &self.0)?.into_iter().cloned().collect();
        let more = holds.len() > MOST;
        let mut any = false;
        for hold in holds.into_iter().take(MOST) {
            let mut aggregate = OrderAggregate::load(&hold.order_id, rows)?;
            granted_minor += aggregate.order.credit_held_minor.unwrap_or_default();
            if !credit.permits(granted_minor) {
                return Ok(any);
            }
            aggregate.change(cx.now(), |aggregate| aggregate.lift_credit_hold(hold, cx.now()));
            aggregate.save(rows, cx)?;
            any = true;
        }
        if more {
            cx.schedule(Task::new(RELEASE_HOLDS, self.0.as_str(), cx.now()));
        }
        Ok(any)
    }
}

/// Runs the task.
#[derive(Debug)]
pub(crate) struct ReleaseHoldsTask;

#[async_trait::async_trait]
impl TaskHandler for ReleaseHoldsTask {
    fn kind(&self) -> &'static str {
        RELEASE_HOLDS
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let account_id = task.key.parse().map_err(|_| Fault::internal(format!("{:?} is not an account", task.key)))?;
        Ok(vec![Box::new(ReleaseCreditHolds(account_id))])
    }
}
