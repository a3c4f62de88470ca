//! A partner is asked to stop units of a fulfillment order that it accepted, or to ship it to another address.

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{
        AnswerShipToChangeRequest, FulfillmentLine, FulfillmentOrder, FulfillmentOrderChanged, FulfillmentShipToChange,
        ShipToChange, ShipToChangeAnswer,
    },
    partner::v1::{GetMessageRequest, MessageState, PartnerKind, RetractReport, submit_report_request::Report},
    types::v1::Address,
};
use testkit::each;

use crate::{
    sending::{changed, given_order},
    warehouse::WarehouseBehavior,
    world::{World, fulfillment_order, report},
};

/// A fulfillment order of which the partner is asked to stop units.
fn asked_to_stop(quantity: i64) -> FulfillmentEvent {
    let line = FulfillmentLine { line_number: 1, quantity: 5, cancel_requested: quantity, ..Default::default() };
    let order = FulfillmentOrder { lines: vec![line], ..fulfillment_order("1", "par_a") };
    FulfillmentEvent::FulfillmentCancellationRequested(FulfillmentOrderChanged {
        fulfillment_order: Some(order),
        lines: Vec::new(),
    })
}

/// A change of the destination of a fulfillment order.
fn change(change_number: i32, name: &str) -> FulfillmentShipToChange {
    let ship_to = Some(Address { name: name.to_owned(), ..Address::default() });
    let asked = ShipToChange { change_number, ship_to: ship_to.clone(), ..Default::default() };
    let order = FulfillmentOrder { ship_to_change: Some(asked), ..fulfillment_order("1", "par_a") };
    FulfillmentShipToChange { fulfillment_order: Some(order), change_number, ship_to, ..Default::default() }
}

impl World {
    /// Types and states of the messages, oldest first.
    async fn states(&self) -> Vec<(String, MessageState)> {
        let messages = self.messages().await.into_iter();
        messages
            .map(|message| (message.r#type.trim_start_matches("fulfillment.").to_owned(), message.state()))
            .collect()
    }

    /// The content of a message.
    async fn document(&self, index: usize) -> serde_json::Value {
        let message_id = self.messages().await[index].message_id.clone();
        let message = self.client().get_message(GetMessageRequest { message_id }).await.unwrap().into_inner();
        serde_json::from_slice(&message.content).unwrap()
    }
}

fn of(states: &[(&str, MessageState)]) -> Vec<(String, MessageState)> {
    states.iter().map(|(message_type, state)| ((*message_type).to_owned(), *state)).collect()
}

#[tokio::test]
async fn a_request_to_stop_more_units_takes_the_place_of_the_one_before() {
    each(World::open, async |world| {
        world.partner("par_a", PartnerKind::Warehouse, "").await;
        changed(&world, FulfillmentEvent::FulfillmentRequested).await;
        changed(&world, FulfillmentEvent::FulfillmentAccepted).await;
        world.follow(asked_to_stop(2)).await;
        world.follow(asked_to_stop(3)).await;
        let (ended, open) = (MessageState::Acknowledged, MessageState::Pending);
        let expected = [("requested", ended), ("cancellation_requested", ended), ("cancellation_requested", open)];
        assert_eq!(world.states().await, of(&expected));
        assert_eq!(world.document(2).await["lines"][0]["cancelRequested"], "3");
        changed(&world, FulfillmentEvent::FulfillmentCancellationRejected).await;
        assert_eq!(world.states().await[2].1, ended);
    })
    .await;
}

#[tokio::test]
async fn a_warehouse_is_asked_to_ship_to_another_address() {
    each(given_order(WarehouseBehavior::Receives), async |(world, warehouse)| {
        changed(&world, FulfillmentEvent::FulfillmentAccepted).await;
        for number in [1, 2] {
            world.follow(FulfillmentEvent::FulfillmentShipToChangeRequested(change(number, "Branch"))).await;
        }
        assert_eq!(warehouse.calls(), ["create", "change", "change"]);
        assert_eq!(warehouse.documents()[1]["shipToChange"]["changeNumber"], 2);
        let (ended, sent) = (MessageState::Acknowledged, MessageState::Sent);
        let expected = [("requested", ended), ("ship_to_change_requested", ended), ("ship_to_change_requested", sent)];
        assert_eq!(world.states().await, of(&expected));
        world.follow(FulfillmentEvent::FulfillmentShipToChangeAccepted(change(2, "Branch"))).await;
        assert_eq!(world.states().await[2].1, ended);
        assert_eq!(world.messages().await[2].outcome, "the partner ships to the new address");
        assert_eq!(world.open_exceptions().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_request_for_another_address_ends_with_its_rejection() {
    each(World::open, async |world| {
        world.partner("par_a", PartnerKind::Warehouse, "").await;
        changed(&world, FulfillmentEvent::FulfillmentRequested).await;
        changed(&world, FulfillmentEvent::FulfillmentAccepted).await;
        world.follow(FulfillmentEvent::FulfillmentShipToChangeRequested(change(1, "Branch"))).await;
        assert_eq!(world.states().await[1].1, MessageState::Pending);
        world.follow(FulfillmentEvent::FulfillmentShipToChangeRejected(change(1, "Branch"))).await;
        assert_eq!(world.states().await[1].1, MessageState::Acknowledged);
    })
    .await;
}

#[tokio::test]
async fn the_answer_to_another_address_is_a_report_that_cannot_be_taken_back() {
    each(World::open, async |world| {
        world.partner("par_a", PartnerKind::Warehouse, "").await;
        world.fulfillment.has(fulfillment_order("1", "par_a"));
        let answer = AnswerShipToChangeRequest {
            fulfillment_order_id: "ful_1".to_owned(),
            change_number: 1,
            answer: ShipToChangeAnswer::Accepted.into(),
            ..Default::default()
        };
        for _ in 0..2 {
            let message = world.submit(report("par_a", "m1", Report::ShipToChange(answer.clone()))).await.unwrap();
            assert_eq!((message.r#type.as_str(), message.state()), ("report.ship_to_change", MessageState::Applied));
        }
        assert_eq!((world.fulfillment.effects(), world.fulfillment.methods()), (1, vec!["ship_to_change"]));
        world.partner("par_b", PartnerKind::Warehouse, "").await;
        let of_a_stranger = world.submit(report("par_b", "m1", Report::ShipToChange(answer))).await.unwrap();
        assert_eq!(of_a_stranger.state(), MessageState::Rejected);
        let retracted = RetractReport { control_number: "m1".to_owned(), reason: "wrong".to_owned() };
        let refused = world.submit(report("par_a", "m2", Report::Retracted(retracted))).await.unwrap();
        assert_eq!(refused.state(), MessageState::Rejected);
        assert!(
            refused.outcome.contains("names a report.ship_to_change, which cannot be taken back"),
            "{}",
            refused.outcome
        );
        assert_eq!(world.fulfillment.effects(), 1);
    })
    .await;
}
