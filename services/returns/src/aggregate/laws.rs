//! Property tests of returns: the laws of an order line's returned units.

use proptest::prelude::*;
use types::{ReturnId, Timestamp};

use crate::{
    order::OrderLine,
    return_line::{Disposition, ReturnLine},
    rma::ReturnState,
};

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
        Just(Disposition::ReturnToVendor),
        Just(Disposition::ReturnToCustomer),
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
    rmas: Vec<(ReturnState, ReturnLine)>,
}

impl World {
    fn new() -> Self {
        let order = OrderLine {
            order_id: "ord_1".parse().unwrap(),
            line_number: 1,
            sku: "A".to_owned(),
            claimed: 0,
            version: 0,
        };
        Self { order, delivered: 0, rmas: Vec::new() }
    }

    fn change(&mut self, rma: usize, state: ReturnState, line: ReturnLine) {
        let (before, old) = &self.rmas[rma];
        self.order.claimed += line.claim(state) - old.claim(*before);
        self.rmas[rma] = (state, line);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Deliver(units) => self.delivered += units,
            Step::Authorize(units) => {
                if self.order.check_returnable(self.delivered, units).is_ok() {
                    self.order.claimed += units;
                    assert!(self.order.claimed <= self.delivered, "authorized more than was delivered");
                    let id: ReturnId = types::Id::generate(Timestamp::from_micros(1));
                    self.rmas.push((ReturnState::Authorized, ReturnLine::new(id, 1, "A".to_owned(), units)));
                }
            }
            Step::Receive(rma, units) => {
                let Some((state, mut line)) = self.rmas.get(rma).cloned() else { return };
                if state.is_ended() {
                    line.expect_no_more();
                }
                line.receive(units);
                self.change(rma, ReturnState::of_lines([&line]), line);
            }
            Step::Inspect(rma, units, how) => {
                let Some((_, mut line)) = self.rmas.get(rma).cloned() else { return };
                if line.dispose(how, units).is_ok() {
                    self.change(rma, ReturnState::of_lines([&line]), line);
                }
            }
            Step::Close(rma) => {
                let Some((state, line)) = self.rmas.get(rma).cloned() else { return };
                if line.to_inspect() == 0 && state != ReturnState::Cancelled {
                    self.change(rma, ReturnState::Closed, line);
                }
            }
            Step::Cancel(rma) => {
                let Some((_, line)) = self.rmas.get(rma).cloned() else { return };
                if line.received == 0 {
                    self.change(rma, ReturnState::Cancelled, line);
                }
            }
        }
    }

    fn check(&self) {
        let claimed: i64 = self.rmas.iter().map(|(state, line)| line.claim(*state)).sum();
        assert_eq!(claimed, self.order.claimed);
        let over: i64 = self.rmas.iter().map(|(_, line)| line.over_received()).sum();
        assert!(claimed <= self.delivered + over, "only over-received goods may exceed what was delivered");
        for (_, line) in &self.rmas {
            assert!(line.inspected() <= line.received);
            assert!((0..=line.inspected()).contains(&line.credit_pending()), "of what was inspected");
        }
    }
}

proptest! {
    #[test]
    fn nothing_comes_back_twice(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
            world.check();
        }
    }
}

#[test]
fn units_over_received_before_the_end_of_a_return_are_not_authorized_by_it() {
    let id: ReturnId = types::Id::generate(Timestamp::from_micros(1));
    let mut line = ReturnLine::new(id, 1, "A".to_owned(), 1);
    assert_eq!(line.receive(16), 15);
    line.expect_no_more();
    assert_eq!((line.authorized, line.over_received()), (1, 15));
    assert_eq!(line.receive(1), 1);
    assert_eq!(line.over_received(), 16);
}
