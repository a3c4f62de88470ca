//! Property tests: how free units are dealt.

use std::collections::BTreeMap;

use proptest::prelude::*;
use types::{Id as _, Timestamp};

use super::{BackorderRules, Criteria, Criterion, Obstacle, Share, Waiting, deal};
use crate::{
    item::HandlingClass,
    reach::Reach,
    reservation::{DEFAULT_RANK, SHORT_PICK_RANK},
    stock::Stock,
};

fn waiting() -> impl Strategy<Value = Waiting> {
    let rank = prop::sample::select(vec![SHORT_PICK_RANK, DEFAULT_RANK, DEFAULT_RANK, DEFAULT_RANK]);
    let country = prop::sample::select(vec!["DE", "US"]);
    let promise = prop::option::of(0..3_i64);
    (0..4_u8, country, 1..12_i64, rank, 0..3_i64, promise).prop_map(
        |(account, country, units, rank, priority, promise)| Waiting {
            key: ("ord_1".parse().unwrap(), 0),
            account_id: format!("acc_{account}").parse().unwrap(),
            country: country.to_owned(),
            units,
            rank,
            sequence: 0,
            priority,
            promise_time: promise.map(Timestamp::from_micros),
        },
    )
}

/// Lines that wait, numbered in the order in which they began to.
fn queue() -> impl Strategy<Value = Vec<Waiting>> {
    prop::collection::vec(waiting(), 1..12).prop_map(|lines| {
        let numbered = (1_i64..).zip(lines).map(|(number, mut line)| {
            (line.key.1, line.sequence) = (number, number);
            line
        });
        numbered.collect()
    })
}

fn rules() -> impl Strategy<Value = BackorderRules> {
    let criteria = prop::sample::subsequence(Criterion::ALL.to_vec(), 0..=3).prop_shuffle();
    (criteria, prop::option::of(1..=100_i64)).prop_map(|(criteria, percent)| BackorderRules {
        criteria: Criteria(criteria),
        max_account_share_percent: percent,
        ..BackorderRules::default()
    })
}

/// An item with units at two locations, for which these lines wait.
fn stock(here: i64, there: i64, waiting: &[Waiting]) -> Stock {
    let mut stock = Stock::none_of("A".to_owned(), HandlingClass::Ambient, Timestamp::default());
    for (location_id, units) in [("nod_here", here), ("nod_there", there)] {
        stock.on_hand += units;
        stock.available_at.set(&location_id.parse().unwrap(), units);
    }
    waiting.iter().for_each(|line| stock.backorder_for(&line.country, line.units));
    stock
}

/// Units that each account gets of the lines that had no units before.
fn by_account(shares: &[Share]) -> BTreeMap<String, i64> {
    let mut units = BTreeMap::new();
    for share in shares.iter().filter(|share| !share.waiting.had_units()) {
        *units.entry(share.waiting.account_id.to_string()).or_default() += share.units;
    }
    units
}

proptest! {
    #[test]
    fn no_unit_is_dealt_twice_and_none_is_left_that_somebody_waits_for(
        rules in rules(), queue in queue(), here in 0..20_i64, there in 0..20_i64, restricted in any::<bool>(),
    ) {
        let reach = restricted.then(|| Reach::of(&[("nod_here", &["US"]), ("nod_there", &["*"])]));
        let mut after = stock(here, there, &queue);
        let shares = deal(&rules, &mut after, reach.as_ref(), queue.clone());
        prop_assert_eq!(shares.len(), queue.len(), "every line is answered");
        let dealt: i64 = shares.iter().map(|share| share.units).sum();
        prop_assert!(dealt <= here + there);
        prop_assert_eq!(after.reserved, dealt);
        prop_assert_eq!(after.backordered, queue.iter().map(|line| line.units).sum::<i64>() - dealt);
        let germans: i64 = shares.iter().filter(|one| one.waiting.country == "DE").map(|one| one.units).sum();
        prop_assert!(!restricted || germans <= there, "units here do not reach them");
        for share in &shares {
            prop_assert!((0..=share.waiting.units).contains(&share.units));
            prop_assert_eq!(share.obstacle.is_some(), share.rest() > 0, "who does not get all is told why");
            let left = crate::supply::Supply::of(&after, reach.as_ref()).free_for(&share.waiting.country);
            prop_assert!(share.rest() == 0 || left == 0, "nothing is left that it waits for");
            prop_assert!(share.obstacle != Some(Obstacle::OutOfReach) || (restricted && share.units == 0));
        }
    }

    #[test]
    fn without_a_share_who_comes_first_gets_all_before_the_next(
        rules in rules(), queue in queue(), units in 0..40_i64,
    ) {
        let rules = BackorderRules { max_account_share_percent: None, ..rules };
        let shares = deal(&rules, &mut stock(units, 0, &queue), None, queue.clone());
        let order: Vec<_> = shares.iter().map(|share| rules.place(&share.waiting)).collect();
        prop_assert!(order.is_sorted(), "short picks first, then by the rules, then by age");
        let first_unfilled = shares.iter().position(|share| share.rest() > 0).unwrap_or(shares.len());
        prop_assert!(shares.iter().skip(first_unfilled + 1).all(|share| share.units == 0));
    }

    #[test]
    fn an_account_has_more_than_its_share_only_when_others_have_as_much_or_all_they_want(
        rules in rules(), queue in queue(), units in 0..60_i64, percent in 1..=100_i64,
    ) {
        let rules = BackorderRules { max_account_share_percent: Some(percent), ..rules };
        let shares = deal(&rules, &mut stock(units, 0, &queue), None, queue.clone());
        let had_units: i64 = shares.iter().filter(|one| one.waiting.had_units()).map(|one| one.units).sum();
        let limit = ((units - had_units) * percent / 100).max(1);
        let accounts = by_account(&shares);
        for share in shares.iter().filter(|share| share.rest() > 0 && !share.waiting.had_units()) {
            let least = accounts[share.waiting.account_id.as_str()];
            prop_assert!(accounts.values().all(|most| *most <= limit || *most <= least + 1));
        }
    }
}
