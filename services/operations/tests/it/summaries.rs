//! Every kind of event the contracts name has a line of its own.

mod samples;

use std::collections::BTreeSet;

use proto::{event::v1::Event, events::EventType};
use waybill_operations::{audience::Audience, summary::summary};

use samples::samples;

/// The names of all event types.
fn kinds() -> BTreeSet<String> {
    EventType::ALL.iter().map(|event_type| event_type.as_str().to_owned()).collect()
}

#[test]
fn the_contracts_name_the_kinds_there_are() {
    let kinds = kinds();
    for kind in ["order.closed", "fulfillment.cancellation_rejected", "partner.message_failed", "exception.opened"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
}

#[test]
fn every_kind_of_the_contracts_has_a_line_of_its_own() {
    let samples = samples();
    let told: BTreeSet<String> = samples.iter().map(|(event, _)| event.r#type.clone()).collect();
    let missing: Vec<_> = kinds().difference(&told).cloned().collect();
    assert_eq!(missing, [""; 0], "kinds without a sample");
    for (event, expected) in samples {
        assert_eq!(summary(&event), expected, "{}", event.r#type);
    }
}

/// The kinds customers are not shown: how the distributor and its partners work, and what belongs to no order.
const INTERNAL: &[&str] = &[
    "account.created",
    "account.updated",
    "order.hold_placed",
    "order.hold_released",
    "item.created",
    "item.updated",
    "location.created",
    "node.created",
    "node.updated",
    "return.over_received",
    "return.disposed",
    "shipment.over_shipped",
    "shipment.unmatched_milestone_recorded",
];

#[test]
fn every_kind_of_the_contracts_is_for_customers_or_said_not_to_be() {
    for kind in kinds() {
        let domain = kind.split_once('.').map_or("", |(domain, _)| domain);
        let internal = ["inventory", "fulfillment", "partner", "api_client", "api_key", "exception", "case"]
            .contains(&domain)
            || INTERNAL.contains(&kind.as_str());
        assert_eq!(Audience::of(&kind) == Audience::Staff, internal, "{kind}");
    }
    assert_eq!(Audience::of("order.reopened"), Audience::Staff, "what is not known is not shown");
}

#[test]
fn an_unknown_kind_is_told_by_its_name() {
    let event = Event { r#type: "order.reopened".to_owned(), ..Event::default() };
    assert_eq!(summary(&event), "order.reopened");
    let unreadable = Event { r#type: "order.submitted".to_owned(), ..Event::default() };
    assert_eq!(summary(&unreadable), "order.submitted");
}

#[test]
fn a_correction_is_told_as_one() {
    let rejected = samples().into_iter().find(|(event, _)| event.r#type == "order.rejected").unwrap().0;
    let corrects = Event { corrects: vec!["1".to_owned()], ..rejected.clone() };
    assert_eq!(summary(&corrects), "order rejected: no stock (corrects an earlier report)");
    let retracts = Event { retracts: vec!["1".to_owned()], ..rejected };
    assert_eq!(summary(&retracts), "order rejected: no stock (takes back an earlier report)");
}
