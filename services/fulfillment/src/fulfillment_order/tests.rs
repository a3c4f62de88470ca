use proptest::{collection::vec, prelude::*};
use proto::types::v1::LineQuantity;
use store::Proto;
use types::{FulfillmentOrderId, Timestamp};

use super::*;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn work(quantities: &[i64]) -> Fulfillment {
    let id: FulfillmentOrderId = "ful_1".parse().unwrap();
    let line = |(line_number, quantity): (i64, &i64)| Line {
        fulfillment_order_id: id.clone(),
        line_number,
        sku: "A".to_owned(),
        quantity: *quantity,
        picked: 0,
        packed: 0,
        shipped: 0,
        short: 0,
        cancelled: 0,
        taken_back: 0,
        in_return: 0,
        version: 0,
    };
    let order = FulfillmentOrder {
        fulfillment_order_id: id.clone(),
        order_id: "ord_1".parse().unwrap(),
        account_id: "acc_1".parse().unwrap(),
        customer_po: String::new(),
        node_id: "nod_1".parse().unwrap(),
        partner_id: "par_1".parse().unwrap(),
        release_number: 1,
        attempt: 1,
        execution_state: Execution::Open,
        request_state: Request::Submitted,
        ship_to: Proto::default(),
        requested_ship_time: None,
        reason: String::new(),
        decision_id: "rtd_1".parse().unwrap(),
        accept_time: None,
        reject_time: None,
        cancel_time: None,
        late_acceptance: Late::None,
        create_time: at(0),
        update_time: at(0),
        version: 0,
    };
    Fulfillment { order, lines: (1..).zip(quantities).map(line).collect() }
}

fn units(line_number: i32, quantity: i64) -> LineQuantity {
    LineQuantity { line_number, sku: "A".to_owned(), quantity }
}

#[test]
fn a_shipment_before_any_answer_is_an_acceptance() {
    let mut work = work(&[5]);
    assert_eq!(work.work_on(at(1)), Acceptance::Accepted);
    assert!(work.ship(&[units(1, 5)]).iter().all(|line| line.beyond == 0));
    assert_eq!((work.order.request_state, work.execution()), (Request::Accepted, Execution::Completed));
    assert_eq!(work.accept(at(2)), Acceptance::Nothing);
}

#[test]
fn work_that_was_not_accepted_is_cancelled_at_once() {
    let mut work = work(&[5]);
    assert_eq!(work.request_cancellation(at(1), "changed my mind"), Ok(Cancellation::Cancelled(vec![units(1, 5)])));
    assert_eq!(work.execution(), Execution::Cancelled);
    assert_eq!(work.accept(at(2)), Acceptance::Late);
    assert_eq!(work.accept(at(2)), Acceptance::Nothing);
    assert_eq!(work.stop(), Ok(Answer::Stopped(vec![])));
}

#[test]
fn a_shipment_wins_over_a_cancellation_that_was_asked_for() {
    let mut work = work(&[5]);
    work.accept(at(1));
    assert_eq!(work.request_cancellation(at(2), ""), Ok(Cancellation::Requested));
    work.ship(&[units(1, 5)]);
    assert!(work.cancellation_is_lost());
    assert_eq!((work.order.request_state, work.execution()), (Request::CancellationRejected, Execution::Completed));
    assert_eq!(work.stop(), Ok(Answer::Nothing));
}

#[test]
fn cancelled_units_that_are_shipped_anyway_are_shipped() {
    let mut work = work(&[5]);
    work.request_cancellation(at(1), "").unwrap();
    let reclaimed = work.ship(&[units(1, 3)]);
    assert_eq!((reclaimed[0].cancelled, reclaimed[0].beyond), (3, 0));
    assert_eq!((work.lines[0].shipped, work.lines[0].cancelled), (3, 2));
    assert_eq!(work.execution(), Execution::Incomplete);
}

#[test]
fn what_is_beyond_the_work_is_told() {
    let mut work = work(&[5]);
    let reclaimed = work.ship(&[units(1, 7)]);
    assert_eq!(reclaimed[0].beyond, 2);
    assert_eq!(work.execution(), Execution::Completed);
}

#[test]
fn an_older_answer_does_not_overtake_a_newer_one() {
    let mut accepted = work(&[5]);
    accepted.accept(at(5));
    assert_eq!(accepted.reject(at(3), "full"), Rejection::Nothing);
    assert_eq!(accepted.order.request_state, Request::Accepted);
    let mut rejected = work(&[5]);
    assert_eq!(rejected.reject(at(5), "full"), Rejection::TakenBack);
    assert_eq!(rejected.accept(at(3)), Acceptance::Nothing);
    assert_eq!(rejected.order.request_state, Request::Rejected);
}

#[test]
fn no_more_is_short_than_is_open() {
    let mut work = work(&[5]);
    work.ship(&[units(1, 3)]);
    assert_eq!(work.short(&[units(1, 9)]), [units(1, 2)]);
    assert_eq!(work.short(&[units(1, 9)]), []);
    assert_eq!(work.execution(), Execution::Incomplete);
}

#[test]
fn actions_follow_the_state() {
    let mut work = work(&[5]);
    assert!(work.supported_actions().contains(&"AcceptFulfillmentOrder"));
    assert!(!work.supported_actions().contains(&"AnswerCancellation"));
    work.accept(at(1));
    work.request_cancellation(at(2), "").unwrap();
    assert!(work.supported_actions().contains(&"AnswerCancellation"));
    assert!(!work.supported_actions().contains(&"AcceptFulfillmentOrder"));
    work.stop().unwrap();
    assert_eq!(work.supported_actions(), ["RecordShipment"]);
}

#[derive(Debug, Clone, Copy)]
enum Fact {
    Accept,
    Reject,
    TimeOut,
    Cancel,
    Stop,
    Refuse,
    Pick(i64),
    Short(i64),
    Pack(i64),
    Ship(i64),
    Returned(i64),
}

fn facts() -> impl Strategy<Value = Fact> {
    prop_oneof![
        Just(Fact::Accept),
        Just(Fact::Reject),
        Just(Fact::TimeOut),
        Just(Fact::Cancel),
        Just(Fact::Stop),
        Just(Fact::Refuse),
        (1..6_i64).prop_map(Fact::Pick),
        (1..6_i64).prop_map(Fact::Short),
        (1..6_i64).prop_map(Fact::Pack),
        (1..6_i64).prop_map(Fact::Ship),
        (1..6_i64).prop_map(Fact::Returned),
    ]
}

proptest! {
    #[test]
    fn counters_add_up_after_any_facts_in_any_order(facts in vec((facts(), 1..3_i32, 0..9_i64), 0..24)) {
        let mut work = work(&[4, 7]);
        let mut shipped = 0;
        for (fact, line, time) in facts {
            match fact {
                Fact::Accept => { work.accept(at(time)); }
                Fact::Reject => { work.reject(at(time), ""); }
                Fact::TimeOut => { work.time_out(); }
                Fact::Cancel => { let _kept = work.request_cancellation(at(time), ""); }
                Fact::Stop => { let _kept = work.stop(); }
                Fact::Refuse => { let _kept = work.refuse_to_stop(""); }
                Fact::Pick(q) => work.pick(&[units(line, q)]),
                Fact::Short(q) => { work.short(&[units(line, q)]); }
                Fact::Pack(q) => work.pack(&[units(line, q)]),
                Fact::Ship(q) => { work.ship(&[units(line, q)]); shipped += q; }
                Fact::Returned(q) => { work.returned(&[units(line, q)]); }
            }
            for line in &work.lines {
                let given_up = line.short + line.cancelled + line.taken_back;
                prop_assert!(given_up <= line.quantity && line.in_return <= line.short + line.taken_back);
                prop_assert!(line.shipped + given_up <= line.quantity || given_up == 0);
                let counters = [line.picked, line.packed, line.shipped, line.short, line.cancelled, line.taken_back, line.in_return];
                prop_assert!(counters.iter().all(|counter| *counter >= 0));
            }
            prop_assert_eq!(work.lines.iter().map(|line| line.shipped).sum::<i64>(), shipped);
            let ended = matches!(work.execution(), Execution::Completed | Execution::Incomplete | Execution::Cancelled);
            prop_assert_eq!(ended, work.ended());
        }
    }
}
