//! Deals free units of an item to the lines that wait for it.
//!
//! 1. Lines that had the units before get all that reaches them.
//! 2. The others get theirs in the order of the rules, each account no more than its share of what is left now, while others
//!    wait.
//! 3. What is left when everyone has its share is divided evenly among the accounts that still wait, until nothing reaches them.

use std::collections::{BTreeMap, BTreeSet};

use types::AccountId;

use super::{BackorderRules, Criterion, Obstacle, Waiting};
use crate::{reach::Reach, stock::Stock, supply::Supply};

/// What a waiting line gets, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) waiting: Waiting,
    /// Among the lines that wait for the item, from 1.
    pub(crate) place: usize,
    /// Units that it gets.
    pub(crate) units: i64,
    /// What puts it behind the line before it.
    pub(crate) decided_by: Option<Criterion>,
    /// Why it does not get all.
    pub(crate) obstacle: Option<Obstacle>,
}

impl Share {
    /// Units that still wait.
    pub(crate) fn rest(&self) -> i64 {
        self.waiting.units - self.units
    }
}

/// Says what each of the lines that wait for an item gets of its free units, in their order. The units are reserved in `stock`.
pub(crate) fn deal(
    rules: &BackorderRules,
    stock: &mut Stock,
    reach: Option<&Reach>,
    mut waiting: Vec<Waiting>,
) -> Vec<Share> {
    waiting.sort_by_cached_key(|waiting| (rules.place(waiting), waiting.key.clone()));
    let before = std::iter::once(None).chain(waiting.iter().map(Some));
    let decided: Vec<_> = before.zip(&waiting).map(|(before, line)| rules.decided_by(before?, line)).collect();
    let share =
        |(index, (waiting, decided_by))| Share { waiting, place: index + 1, units: 0, decided_by, obstacle: None };
    let shares = waiting.into_iter().zip(decided).enumerate().map(share);
    let (had_units, others): (Vec<Share>, Vec<Share>) = shares.partition(|share| share.waiting.had_units());
    let mut dealer = Dealer::new(stock, reach);
    dealer.deal(had_units, None);
    dealer.deal(others, rules.max_account_share_percent);
    let mut dealt = dealer.dealt;
    dealt.sort_by_key(|share| share.place);
    dealt
}

struct Dealer<'a> {
    stock: &'a mut Stock,
    reach: Option<&'a Reach>,
    /// Whether there were free units at all.
    had_free: bool,
    /// Countries that got units.
    reached: BTreeSet<String>,
    /// Countries that no free unit reaches any more.
    exhausted: BTreeSet<String>,
    dealt: Vec<Share>,
}

impl<'a> Dealer<'a> {
    fn new(stock: &'a mut Stock, reach: Option<&'a Reach>) -> Self {
        let had_free = stock.free() > 0;
        Self { stock, reach, had_free, reached: BTreeSet::new(), exhausted: BTreeSet::new(), dealt: Vec::new() }
    }

    fn deal(&mut self, mut waiting: Vec<Share>, share_percent: Option<i64>) {
        let percent = share_percent.unwrap_or(100);
        let mut limit = (self.stock.free().saturating_mul(percent) / 100).max(1);
        while !waiting.is_empty() {
            let is_limited = share_percent.is_some() && accounts(&waiting) > 1;
            waiting = self.round(waiting, if is_limited { limit } else { i64::MAX });
            limit = (self.stock.free() / accounts(&waiting).max(1)).max(1);
        }
    }

    /// Deals once; no account gets more than `limit`. Returns the lines that may get more.
    fn round(&mut self, waiting: Vec<Share>, limit: i64) -> Vec<Share> {
        let mut left: BTreeMap<AccountId, i64> = BTreeMap::new();
        let mut unfilled = Vec::new();
        for mut share in waiting {
            let free = self.free_for(&share.waiting.country);
            if free == 0 {
                share.obstacle = share.obstacle.or_else(|| Some(self.obstacle(&share.waiting.country)));
                self.dealt.push(share);
                continue;
            }
            let left = left.entry(share.waiting.account_id.clone()).or_insert(limit);
            let wanted = share.rest().min(free);
            let units = wanted.min(*left);
            *left -= units;
            share.units += units;
            self.stock.backorder_for(&share.waiting.country, -units);
            self.stock.reserve_for(&share.waiting.country, units);
            if share.rest() == 0 {
                share.obstacle = None;
                self.dealt.push(share);
                continue;
            }
            if units < wanted {
                share.obstacle = Some(Obstacle::ShareLimit);
            }
            unfilled.push(share);
        }
        unfilled
    }

    fn free_for(&mut self, country: &String) -> i64 {
        if self.exhausted.contains(country) {
            return 0;
        }
        let free = Supply::of(self.stock, self.reach).free_for(country);
        let known = if free == 0 { &mut self.exhausted } else { &mut self.reached };
        if !known.contains(country) {
            known.insert(country.clone());
        }
        free
    }

    /// Why no unit reaches a country.
    fn obstacle(&self, country: &String) -> Obstacle {
        if self.had_free && !self.reached.contains(country) && Supply::of(self.stock, self.reach).is_restricted() {
            Obstacle::OutOfReach
        } else {
            Obstacle::NoUnits
        }
    }
}

/// How many accounts wait.
fn accounts(waiting: &[Share]) -> i64 {
    let accounts: BTreeSet<&AccountId> = waiting.iter().map(|share| &share.waiting.account_id).collect();
    i64::try_from(accounts.len()).unwrap_or(i64::MAX)
}
