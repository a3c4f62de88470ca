//! Changes of an order: proposed with what they do, then confirmed or withdrawn. The steps are in `process/change.rs`.
//!
//! An order, or a group of it, shows the place that goods go to which have not left: that of its last change, or the one before when
//! nodes decline all of it and the order has none of it left. A node that accepts a place late ships there, so the order shows that
//! place again, unless a later change has been made since; one that is not answered yet goes back to it when it is declined.
//! Inventory reserves for the place that is shown: it is told with every `order.change_ended` that has the order.

pub(crate) mod apply;
mod confirm;
mod edit;
mod growth;
mod propose;
mod withdraw;

use proto::order::v1::{self as contract, OrderChangeState};
use store::{Needs, Proto, Rows};
use types::{AccountId, Fault, OrderId};

pub(crate) use apply::{Problem, apply};
pub(crate) use confirm::ConfirmChange;
pub(crate) use propose::ProposeChange;
pub(crate) use withdraw::{EXPIRE, WithdrawChange};

use crate::{
    hold::{Hold, LineNumbers},
    order::Order,
};

store::record! {
    /// A change of an order.
    pub(crate) struct OrderChange in "order_changes" key (order_id: OrderId, change_number: i64) {
        /// The account.
        account_id: AccountId,
        /// The hold that keeps what it is about from being released while it is proposed.
        hold_number: i64,
        /// Ship-to groups whose nodes were asked for it and have not answered; 0 for an order that has none.
        unanswered: LineNumbers,
        /// The change, with what it does.
        change: Proto<contract::OrderChange>,
    }
}

/// A change that is proposed or waits for nodes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OpenChange {
    /// The change.
    pub(crate) change: OrderChange,
    /// Its hold, while it is not released.
    pub(crate) hold: Option<Hold>,
    /// Whether it became what it is with the present change of the order.
    pub(crate) is_new: bool,
}

impl OpenChange {
    /// Asks for a change and its hold.
    pub(crate) fn needs(key: (OrderId, i64), rows: &Rows, needs: &mut Needs) {
        needs.row::<OrderChange>(&key);
        if let Ok(Some(change)) = rows.get::<OrderChange>(&key) {
            needs.row::<Hold>(&(key.0, change.hold_number));
        }
    }

    /// A change and its hold.
    pub(crate) fn load(key: (OrderId, i64), rows: &Rows) -> Result<Option<Self>, Fault> {
        let Some(change) = rows.get::<OrderChange>(&key)?.cloned() else { return Ok(None) };
        let hold = rows.get::<Hold>(&(key.0, change.hold_number))?.cloned();
        let hold = hold.filter(|hold| hold.release_time.is_none());
        Ok(Some(Self { change, hold, is_new: false }))
    }

    /// How far it is.
    pub(crate) fn state(&self) -> OrderChangeState {
        self.change.change.0.state()
    }
}

impl OrderChange {
    /// The change as callers see it, of the order as it is stored.
    pub(crate) fn to_contract(&self, order: &Order) -> contract::OrderChange {
        contract::OrderChange { order_etag: order.version.to_string(), ..self.change.0.clone() }
    }

    /// Writes it, if it is new or has changed.
    pub(crate) fn save(self, rows: &mut Rows) -> Result<Self, Fault> {
        let key = (self.order_id.clone(), self.change_number);
        let is_stored = self.version > 0 && rows.get::<Self>(&key)? == Some(&self);
        Ok(if is_stored { self } else { rows.put(self) })
    }
}
