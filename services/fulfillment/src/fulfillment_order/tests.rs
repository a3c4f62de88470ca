use proptest::{collection::vec, prelude::*};
use proto::types::v1::LineQuantity;
use store::Proto;
use types::{FulfillmentOrderId, Timestamp};

use super::*;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(crate) fn fulfillment_order(quantities: &[i64]) -> FulfillmentOrder {
    let id: FulfillmentOrderId = "ful_1".parse().unwrap();
    let line =
        |(line_number, quantity): (i64, &i64)| FulfillmentLine::new(id.clone(), line_number, "A".to_owned(), *quantity);
    let header = FulfillmentOrderHeader {
        fulfillment_order_id: id.clone(),
        order_id: "ord_1".parse().unwrap(),
        account_id: "acc_1".parse().unwrap(),
        customer_po: String::new(),
        node_id: "nod_1".parse().unwrap(),
        partner_id: "par_1".parse().unwrap(),
        release_number: 1,
        attempt: 1,
        execution_state: ExecutionState::Open,
        request_state: RequestState::Submitted,
        ship_to: Proto::default(),
        ship_to_group: 0,
        ship_to_change_number: 0,
        ship_to_change: None,
        requested_ship_time: None,
        reason: String::new(),
        decision_id: "rtd_1".parse().unwrap(),
        accept_time: None,
        reject_time: None,
        cancel_time: None,
        late_acceptance: LateAcceptance::None,
        holds: OpenHolds::default(),
        size_bytes: 0,
        create_time: at(0),
        update_time: at(0),
        version: 0,
    };
    FulfillmentOrder { header, lines: (1..).zip(quantities).map(line).collect() }
}

fn units(line_number: i32, quantity: i64) -> LineQuantity {
    LineQuantity { line_number, sku: "A".to_owned(), quantity }
}

fn cancelled(quantity: i64) -> Stopped {
    Stopped { cancelled: vec![units(1, quantity)], ..Stopped::default() }
}

#[test]
fn a_node_that_has_not_accepted_is_stopped_as_a_whole_and_what_nobody_shipped_goes_to_another() {
    let mut order = fulfillment_order(&[5, 7]);
    let (superseded, cancellation) = order.supersede(&[units(1, 3)], "faster");
    let reassigned = vec![units(1, 2), units(2, 7)];
    let stopped = Stopped { superseded: vec![units(1, 3)], reassigned, ..Stopped::default() };
    assert_eq!((superseded, cancellation), (vec![units(1, 3)], Cancellation::Cancelled(stopped)));
    assert_eq!((order.lines[0].cancelled, order.lines[1].pending_deallocation), (3, 7));
}

#[test]
fn a_node_that_has_accepted_is_asked_for_what_another_node_shipped_and_goes_on_with_the_rest() {
    let mut order = fulfillment_order(&[5, 7]);
    order.accept(at(1));
    assert_eq!(order.supersede(&[units(1, 3)], "faster"), (vec![units(1, 3)], Cancellation::Requested));
    assert_eq!(order.supersede(&[units(1, 9)], "faster"), (vec![units(1, 2)], Cancellation::Requested));
    let stopped = Stopped { superseded: vec![units(1, 5)], ..Stopped::default() };
    assert_eq!(order.confirm_cancellation(None), Ok(CancellationOutcome::Stopped(stopped, vec![])));
    assert_eq!((order.header.request_state, order.execution()), (RequestState::Accepted, ExecutionState::Open));
}

#[test]
fn the_cancellation_of_an_order_cancels_also_what_is_not_superseded() {
    let mut order = fulfillment_order(&[5, 7]);
    order.accept(at(1));
    order.request_cancellation(at(2), "").unwrap();
    assert_eq!(order.supersede(&[units(1, 3)], "faster"), (vec![units(1, 3)], Cancellation::Nothing));
    let cancelled = vec![units(1, 2), units(2, 7)];
    let stopped = Stopped { superseded: vec![units(1, 3)], cancelled, ..Stopped::default() };
    assert_eq!(order.confirm_cancellation(None), Ok(CancellationOutcome::Stopped(stopped, vec![])));
}

#[test]
fn a_node_that_could_not_stop_is_not_asked_again() {
    let mut order = fulfillment_order(&[5]);
    order.accept(at(1));
    order.request_cancellation(at(2), "").unwrap();
    order.refuse_cancellation("").unwrap();
    assert_eq!(order.supersede(&[units(1, 5)], "faster"), (vec![], Cancellation::Nothing));
}

#[test]
fn a_shipment_before_any_answer_is_an_acceptance() {
    let mut order = fulfillment_order(&[5]);
    assert_eq!(order.start(at(1)), Acceptance::Accepted);
    assert!(order.ship(&[units(1, 5)]).iter().all(|line| line.beyond == 0));
    assert_eq!((order.header.request_state, order.execution()), (RequestState::Accepted, ExecutionState::Completed));
    assert_eq!(order.accept(at(2)), Acceptance::Nothing);
}

#[test]
fn a_fulfillment_order_that_was_not_accepted_is_cancelled_at_once() {
    let mut order = fulfillment_order(&[5]);
    assert_eq!(order.request_cancellation(at(1), "changed my mind"), Ok(Cancellation::Cancelled(cancelled(5))));
    assert_eq!(order.execution(), ExecutionState::Cancelled);
    assert_eq!(order.accept(at(2)), Acceptance::Late);
    assert_eq!(order.accept(at(2)), Acceptance::Nothing);
    assert_eq!(order.confirm_cancellation(None), Ok(CancellationOutcome::Stopped(Stopped::default(), vec![])));
}

#[test]
fn a_shipment_wins_over_a_cancellation_that_was_asked_for() {
    let mut order = fulfillment_order(&[5]);
    order.accept(at(1));
    assert_eq!(order.request_cancellation(at(2), ""), Ok(Cancellation::Requested));
    order.ship(&[units(1, 5)]);
    assert!(order.cancellation_is_lost());
    assert_eq!(
        (order.header.request_state, order.execution()),
        (RequestState::CancellationRejected, ExecutionState::Completed)
    );
    assert_eq!(order.confirm_cancellation(None), Ok(CancellationOutcome::Nothing));
}

#[test]
fn cancelled_units_that_are_shipped_anyway_are_shipped() {
    let mut order = fulfillment_order(&[5]);
    order.request_cancellation(at(1), "").unwrap();
    let reclaimed = order.ship(&[units(1, 3)]);
    assert_eq!((reclaimed[0].cancelled, reclaimed[0].beyond), (3, 0));
    assert_eq!((order.lines[0].shipped, order.lines[0].cancelled), (3, 2));
    assert_eq!(order.execution(), ExecutionState::Incomplete);
}

#[test]
fn units_beyond_the_fulfillment_order_are_counted_as_such() {
    let mut order = fulfillment_order(&[5]);
    let reclaimed = order.ship(&[units(1, 7)]);
    assert_eq!(reclaimed[0].beyond, 2);
    assert_eq!(order.execution(), ExecutionState::Completed);
}

#[test]
fn an_older_answer_does_not_overtake_a_newer_one() {
    let mut accepted = fulfillment_order(&[5]);
    accepted.accept(at(5));
    assert_eq!(accepted.reject(at(3), "full"), Rejection::Nothing);
    assert_eq!(accepted.header.request_state, RequestState::Accepted);
    let mut rejected = fulfillment_order(&[5]);
    assert_eq!(rejected.reject(at(5), "full"), Rejection::Withdrawn(vec![units(1, 5)]));
    assert_eq!(rejected.accept(at(3)), Acceptance::Nothing);
    assert_eq!(rejected.header.request_state, RequestState::Rejected);
}

#[test]
fn no_more_is_short_than_is_open() {
    let mut order = fulfillment_order(&[5]);
    order.ship(&[units(1, 3)]);
    assert_eq!(order.short(&[units(1, 9)]), [units(1, 2)]);
    assert_eq!(order.short(&[units(1, 9)]), []);
    assert_eq!(order.execution(), ExecutionState::Incomplete);
}

#[test]
fn actions_follow_the_state() {
    let mut order = fulfillment_order(&[5]);
    assert!(order.supported_actions().contains(&"AcceptFulfillmentOrder"));
    assert!(!order.supported_actions().contains(&"AnswerCancellation"));
    order.accept(at(1));
    order.request_cancellation(at(2), "").unwrap();
    assert!(order.supported_actions().contains(&"AnswerCancellation"));
    assert!(!order.supported_actions().contains(&"AcceptFulfillmentOrder"));
    order.confirm_cancellation(None).unwrap();
    assert_eq!(order.supported_actions(), ["RecordShipment"]);
}

#[derive(Debug, Clone, Copy)]
enum Fact {
    Accept,
    Reject,
    TimeOut,
    Cancel,
    CancelUnits(i64),
    CancelPending(i64),
    KeepInstead(i64),
    ConfirmCancellation,
    StopPart(i64),
    RefuseCancellation,
    Supersede(i64),
    Double(i64),
    Restore(i64),
    Pick(i64),
    Short(i64),
    Pack(i64),
    Ship(i64),
    Deallocate(i64),
    Find(i64),
    Unship(i64),
}

fn facts() -> impl Strategy<Value = Fact> {
    prop_oneof![
        Just(Fact::Accept),
        Just(Fact::Reject),
        Just(Fact::TimeOut),
        Just(Fact::Cancel),
        (1..6_i64).prop_map(Fact::CancelUnits),
        (1..6_i64).prop_map(Fact::CancelPending),
        (1..6_i64).prop_map(Fact::KeepInstead),
        Just(Fact::ConfirmCancellation),
        (0..6_i64).prop_map(Fact::StopPart),
        (1..6_i64).prop_map(Fact::Find),
        (1..6_i64).prop_map(Fact::Unship),
        Just(Fact::RefuseCancellation),
        (1..6_i64).prop_map(Fact::Supersede),
        (1..6_i64).prop_map(Fact::Double),
        (1..6_i64).prop_map(Fact::Restore),
        (1..6_i64).prop_map(Fact::Pick),
        (1..6_i64).prop_map(Fact::Short),
        (1..6_i64).prop_map(Fact::Pack),
        (1..6_i64).prop_map(Fact::Ship),
        (1..6_i64).prop_map(Fact::Deallocate),
    ]
}

proptest! {
    #[test]
    fn counters_add_up_after_any_facts_in_any_order(facts in vec((facts(), 1..3_i32, 0..9_i64), 0..24)) {
        let mut order = fulfillment_order(&[4, 7]);
        let mut shipped = 0;
        for (fact, line, time) in facts {
            match fact {
                Fact::Accept => { order.accept(at(time)); }
                Fact::Reject => { order.reject(at(time), ""); }
                Fact::TimeOut => { order.time_out(); }
                Fact::Cancel => { let _kept = order.request_cancellation(at(time), ""); }
                Fact::CancelUnits(q) => { order.cancel_units(&[units(line, q)], ""); }
                Fact::CancelPending(q) => { order.cancel_pending(&[units(line, q)]); }
                Fact::KeepInstead(q) => {
                    let mut returned = [units(line, q)];
                    order.keep_pending(&mut returned);
                    order.keep_asked(&mut returned);
                }
                Fact::StopPart(q) => { let _kept = order.confirm_cancellation(Some(&[units(line, q)])); }
                Fact::Find(q) => { let _kept = order.find(&[units(line, q)]); }
                Fact::Unship(q) => {
                    let before: i64 = order.lines.iter().map(|line| line.shipped).sum();
                    order.unship(&[units(line, q)]);
                    shipped -= before - order.lines.iter().map(|line| line.shipped).sum::<i64>();
                }
                Fact::ConfirmCancellation => { let _kept = order.confirm_cancellation(None); }
                Fact::RefuseCancellation => { let _kept = order.refuse_cancellation(""); }
                Fact::Supersede(q) => { order.supersede(&[units(line, q)], ""); }
                Fact::Double(q) => { order.double(&[units(line, q)]); }
                Fact::Restore(q) => { order.restore(&[units(line, q)]); }
                Fact::Pick(q) => order.pick(&[units(line, q)]),
                Fact::Short(q) => { order.short(&[units(line, q)]); }
                Fact::Pack(q) => order.pack(&[units(line, q)], &[]),
                Fact::Ship(q) => {
                    let cancelled: Vec<_> =
                        order.ship(&[units(line, q)]).iter().map(|one| (one.line_number, one.cancelled)).collect();
                    cancelled.into_iter().for_each(|(line, quantity)| order.lose(line, quantity));
                    shipped += q;
                }
                Fact::Deallocate(q) => {
                    let deallocated = order.deallocated(&[units(line, q)]);
                    order.take_cancelled(&deallocated);
                    order.keep_pending(&mut []);
                }
            }
            for line in &order.lines {
                let given_up = line.short + line.cancelled + line.withdrawn;
                prop_assert!(given_up <= line.quantity && line.pending_deallocation <= line.short + line.withdrawn);
                prop_assert!(line.shipped + given_up <= line.quantity || given_up == 0);
                prop_assert!(line.asked() <= line.open(), "{line:?}");
                prop_assert!(line.cancel_pending <= line.pending_deallocation, "{line:?}");
                prop_assert!(line.freed <= line.cancelled);
                let counters = [line.superseded, line.cancel_requested, line.restored, line.cancel_pending, line.freed, line.doubled, line.picked, line.packed, line.shipped, line.short, line.cancelled, line.withdrawn, line.pending_deallocation];
                prop_assert!(counters.iter().all(|counter| *counter >= 0));
            }
            prop_assert_eq!(order.lines.iter().map(|line| line.shipped).sum::<i64>(), shipped);
            let ended = matches!(order.execution(), ExecutionState::Completed | ExecutionState::Incomplete | ExecutionState::Cancelled);
            prop_assert_eq!(ended, order.ended());
        }
    }
}
