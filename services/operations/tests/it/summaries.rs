//! Every event of the contracts has a line.

mod samples;

use std::collections::BTreeSet;

use proto::{event::v1::Event, events::EventType, options::v1::Audience};
use waybill_operations::summary::summary;

use samples::samples;

#[test]
fn the_registry_has_the_events_of_every_service() {
    for event_type in [
        EventType::OrderClosed,
        EventType::FulfillmentCancellationRejected,
        EventType::PartnerMessageFailed,
        EventType::ExceptionOpened,
    ] {
        assert_eq!(EventType::from_name(event_type.as_str()), Some(event_type));
    }
}

#[test]
fn every_event_of_the_contracts_has_a_line() {
    let samples = samples();
    let sampled: BTreeSet<&str> = samples.iter().map(|(event, _)| event.r#type.as_str()).collect();
    let all: BTreeSet<&str> = EventType::ALL.iter().map(|event_type| event_type.as_str()).collect();
    let missing: Vec<_> = all.difference(&sampled).copied().collect();
    assert_eq!(missing, [""; 0], "events without a sample");
    for (event, expected) in samples {
        assert_eq!(summary(&event), expected, "{}", event.r#type);
    }
}

/// Events that customers do not see: how the distributor and its partners work, and what belongs to no order.
const INTERNAL: &[EventType] = &[
    EventType::AccountCreated,
    EventType::AccountUpdated,
    EventType::AccountPricesChanged,
    EventType::AccountReceivablesRecorded,
    EventType::ShipToCreated,
    EventType::ShipToUpdated,
    EventType::PriceListCreated,
    EventType::PriceListUpdated,
    EventType::OrderReleaseSuperseded,
    EventType::OrderHoldPlaced,
    EventType::OrderHoldReleased,
    EventType::ItemCreated,
    EventType::ItemUpdated,
    EventType::LocationCreated,
    EventType::LocationReachChanged,
    EventType::BackorderRulesUpdated,
    EventType::NodeCreated,
    EventType::NodeUpdated,
    EventType::ReturnOverReceived,
    EventType::ReturnDisposed,
    EventType::ShipmentOverShipped,
    EventType::ShipmentUnmatchedMilestoneRecorded,
];

#[test]
fn every_event_of_the_contracts_is_for_customers_or_for_staff() {
    for event_type in EventType::ALL {
        let domain = event_type.as_str().split_once('.').map_or("", |(domain, _)| domain);
        let internal = ["inventory", "fulfillment", "partner", "api_client", "api_key", "exception"].contains(&domain)
            || INTERNAL.contains(event_type);
        assert_eq!(event_type.audience() == Audience::Staff, internal, "{event_type}");
    }
}

#[test]
fn an_unknown_event_is_summarized_by_its_name() {
    let event = |name: &str| Event { r#type: name.to_owned(), source: "order".to_owned(), ..Event::default() };
    assert_eq!(summary(&event("order.reopened")), "order.reopened");
    let unreadable = event(EventType::OrderSubmitted.as_str());
    assert_eq!(summary(&unreadable), EventType::OrderSubmitted.as_str());
    let unknown_log = Event { source: "billing".to_owned(), ..event("invoice.sent") };
    assert_eq!(summary(&unknown_log), "invoice.sent");
}

#[test]
fn a_correction_is_marked_as_one() {
    let rejected =
        samples().into_iter().find(|(event, _)| event.r#type == EventType::OrderRejected.as_str()).unwrap().0;
    let corrects = Event { corrects: vec!["1".to_owned()], ..rejected.clone() };
    assert_eq!(summary(&corrects), "order rejected: no stock (corrects an earlier report)");
    let retracts = Event { retracts: vec!["1".to_owned()], ..rejected };
    assert_eq!(summary(&retracts), "order rejected: no stock (retracts an earlier report)");
}
