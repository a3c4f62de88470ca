//! What holds however an order line comes back.

use proptest::prelude::*;
use types::{ReturnId, Timestamp};

use super::{Disposition, Line, State, progress};
use crate::{credit::worth, order::OrderLine};

#[derive(Debug, Clone, Copy)]
enum Step {
    Deliver(i64),
    Authorize(i64),
    Receive(usize, i64),
    Inspect(usize, i64, Disposition),
    Close(usize),
    Cancel(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let disposition = prop_oneof![
        Just(Disposition::Restock),
        Just(Disposition::Quarantine),
        Just(Disposition::Scrap),
        Just(Disposition::ToVendor),
        Just(Disposition::ToCustomer),
    ];
    let step = prop_oneof![
        (1..20_i64).prop_map(Step::Deliver),
        (1..20_i64).prop_map(Step::Authorize),
        (0..4_usize, 1..20_i64).prop_map(|(rma, units)| Step::Receive(rma, units)),
        (0..4_usize, 1..20_i64, disposition).prop_map(|(rma, units, how)| Step::Inspect(rma, units, how)),
        (0..4_usize).prop_map(Step::Close),
        (0..4_usize).prop_map(Step::Cancel),
    ];
    prop::collection::vec(step, 1..60)
}

/// An order line and its returns, changed as the commands do.
struct World {
    order: OrderLine,
    delivered: i64,
    rmas: Vec<(State, Line)>,
}

impl World {
    fn new(ordered: i64, amount_minor: i64) -> Self {
        let order = OrderLine {
            order_id: "ord_1".parse().unwrap(),
            line_number: 1,
            sku: "A".to_owned(),
            ordered,
            amount_minor,
            claimed: 0,
            creditable: 0,
            credit_minor: 0,
            version: 0,
        };
        Self { order, delivered: 0, rmas: Vec::new() }
    }

    fn change(&mut self, rma: usize, state: State, line: Line) {
        let (before, old) = &self.rmas[rma];
        self.order.claimed += line.claim(state) - old.claim(*before);
        self.rmas[rma] = (state, line);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Deliver(units) => self.delivered += units,
            Step::Authorize(units) => {
                if let Ok(order) = self.order.claim(self.delivered, units) {
                    self.order = order;
                    assert!(self.order.claimed <= self.delivered, "authorized more than was delivered");
                    let id: ReturnId = types::Id::generate(Timestamp::from_micros(1));
                    self.rmas.push((State::Authorized, Line::new(id, 1, "A".to_owned(), units)));
                }
            }
            Step::Receive(rma, units) => {
                let Some((state, line)) = self.rmas.get(rma).cloned() else { return };
                let ended = matches!(state, State::Closed | State::Cancelled);
                let line = if ended { line.settled() } else { line }.receive(units);
                self.change(rma, progress(std::slice::from_ref(&line)), line);
            }
            Step::Inspect(rma, units, how) => {
                let Some((_, line)) = self.rmas.get(rma).cloned() else { return };
                let Ok(mut line) = line.dispose(how, units) else { return };
                let (order, due) = self.order.credit(self.delivered, if how.is_credited() { units } else { 0 });
                self.order = order;
                line.credit_minor += due;
                self.change(rma, progress(std::slice::from_ref(&line)), line);
            }
            Step::Close(rma) => {
                let Some((state, line)) = self.rmas.get(rma).cloned() else { return };
                if line.to_inspect() == 0 && state != State::Cancelled {
                    self.change(rma, State::Closed, line);
                }
            }
            Step::Cancel(rma) => {
                let Some((_, line)) = self.rmas.get(rma).cloned() else { return };
                if line.received == 0 {
                    self.change(rma, State::Cancelled, line);
                }
            }
        }
    }

    fn check(&self) {
        let claimed: i64 = self.rmas.iter().map(|(state, line)| line.claim(*state)).sum();
        assert_eq!(claimed, self.order.claimed);
        let over: i64 = self.rmas.iter().map(|(_, line)| line.over_received()).sum();
        assert!(claimed <= self.delivered + over, "only goods nobody asked for may exceed what was delivered");
        let mut credit = 0;
        for (_, line) in &self.rmas {
            assert!(line.inspected() <= line.received);
            credit += line.credit_minor;
        }
        assert_eq!(credit, self.order.credit_minor);
        assert!(credit <= self.order.amount_minor);
        assert!(credit <= worth(self.order.amount_minor, self.order.ordered, self.delivered));
    }
}

proptest! {
    #[test]
    fn nothing_comes_back_twice_and_no_credit_exceeds_what_was_paid(
        ordered in 1..50_i64,
        amount in 0..10_000_i64,
        steps in steps(),
    ) {
        let mut world = World::new(ordered, amount);
        for step in steps {
            world.step(step);
            world.check();
        }
    }

    #[test]
    fn units_that_come_back_one_by_one_are_worth_what_they_are_together(ordered in 1..60_i64, amount in 0..i64::MAX) {
        let mut line = World::new(ordered, amount).order;
        let mut credited = 0;
        for _ in 0..ordered {
            let (next, due) = line.credit(ordered, 1);
            prop_assert!(due >= 0);
            credited += due;
            line = next;
        }
        prop_assert_eq!(credited, amount);
    }
}
