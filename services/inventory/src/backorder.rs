//! Units that orders wait for: who gets units that become free, and when others are expected. Pure.
//!
//! 1. Units become free, and [`deal`] says who gets them: by rank, by the rules, then by age. It alone decides that, for the fill
//!    on receipt (`ledger/backorders.rs`), for a release and its preview (`release_backorders.rs`), and for the dates.
//! 2. [`expect`] deals what scheduled receipts bring, one time after the other.

mod deal;
mod expect;
#[cfg(test)]
mod laws;
mod rules;

use types::{AccountId, Timestamp};

pub(crate) use self::{
    deal::{Share, deal},
    expect::expect,
    rules::{BackorderRules, Criteria, Criterion},
};
use crate::reservation::{LineKey, Reservation, SHORT_PICK_RANK};

store::text_enum! {
    /// Why a waiting line does not get all its units.
    pub(crate) enum Obstacle = proto::inventory::v1::BackorderObstacle {
        /// There are no more.
        NoUnits = "NO_UNITS",
        /// Its account has its share.
        ShareLimit = "SHARE_LIMIT",
        /// The free units cannot reach it.
        OutOfReach = "OUT_OF_REACH",
    }
}

/// A line that waits for units of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) key: LineKey,
    pub(crate) account_id: AccountId,
    /// Where they are to go.
    pub(crate) country: String,
    pub(crate) units: i64,
    rank: i64,
    sequence: i64,
    priority: i64,
    promise_time: Option<Timestamp>,
}

impl Waiting {
    /// What a reservation waits for, if it does.
    pub(crate) fn of(reservation: &Reservation) -> Option<Self> {
        (reservation.backordered > 0).then(|| Self {
            key: reservation.key(),
            account_id: reservation.account_id.clone(),
            country: reservation.ship_to_country.clone(),
            units: reservation.backordered,
            rank: reservation.backorder_rank,
            sequence: reservation.backorder_sequence.unwrap_or(i64::MAX),
            priority: reservation.priority,
            promise_time: reservation.promise_time,
        })
    }

    /// Whether the order had the units before: a location did not find them, or they are to be shipped again.
    pub(crate) fn had_units(&self) -> bool {
        self.rank == SHORT_PICK_RANK
    }
}
