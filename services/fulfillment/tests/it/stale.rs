//! Who acts on an old version, or asks for what is not supported, is refused and told what is.

use proto::{
    fulfillment::v1::{
        AnswerCancellationRequest, CancellationAnswer, RequestCancellationRequest, WriteOffPackageRequest,
        WriteOffRemedy,
    },
    types::v1::LineQuantity,
};
use testkit::{each, fault, units, wrong_fields};
use types::Reason;

use crate::world::{ORDER, World, routed, routed_units, shipped};

/// Five units at a node that has accepted them.
async fn accepted_five(options: store::Options) -> World {
    let world = routed_units(options, 5).await;
    world.accept(&world.fulfillment_order(ORDER).await).await;
    world
}

#[tokio::test]
async fn a_person_asks_for_units_of_the_version_that_was_read() {
    each(accepted_five, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        let ask = async |etag: &str, lines: Vec<LineQuantity>| {
            let request = RequestCancellationRequest {
                fulfillment_order_id: order.fulfillment_order_id.clone(),
                lines,
                etag: etag.to_owned(),
                ..Default::default()
            };
            world.api().request_cancellation(request).await
        };
        assert_eq!(wrong_fields(ask(&order.etag, vec![units(1, 6)]).await), ["lines[0].quantity"]);
        assert_eq!(wrong_fields(ask("", vec![units(2, 1)]).await), ["lines[0].line_number", "lines[0].quantity"]);
        let asked = ask(&order.etag, vec![units(1, 2)]).await.unwrap().into_inner();
        assert_eq!(asked.lines[0].cancel_requested, 2);
        assert!(asked.supported_actions.contains(&"RequestCancellation".to_owned()));
        let stale = fault(ask(&order.etag, vec![units(1, 2)]).await);
        let now = [("etag", asked.etag.clone()), ("supported_actions", asked.supported_actions.join(","))];
        assert_eq!((stale.reason, stale.facts.as_slice()), (Reason::EtagMismatch, now.as_slice()));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_answer_is_refused_and_names_the_field() {
    each(accepted_five, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        let answer = |answer: CancellationAnswer, lines: Vec<LineQuantity>| AnswerCancellationRequest {
            fulfillment_order_id: order.fulfillment_order_id.clone(),
            answer: answer.into(),
            lines,
            ..Default::default()
        };
        let rejected = answer(CancellationAnswer::Rejected, vec![units(1, 1)]);
        assert_eq!(wrong_fields(world.partners().answer_cancellation(rejected).await), ["lines"]);
        let unknown = answer(CancellationAnswer::Accepted, vec![units(7, 1)]);
        assert_eq!(wrong_fields(world.partners().answer_cancellation(unknown).await), ["lines[0].line_number"]);
        // Nobody asked: what is supported is said.
        let refused = fault(world.partners().answer_cancellation(answer(CancellationAnswer::Accepted, vec![])).await);
        let now = [("etag", order.etag.clone()), ("supported_actions", order.supported_actions.join(","))];
        assert_eq!((refused.reason, refused.facts.as_slice()), (Reason::ActionNotSupported, now.as_slice()));
    })
    .await;
}

#[tokio::test]
async fn a_package_is_written_off_in_the_version_of_its_shipment_that_was_read() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        let read = world.ship(shipped(&order, &[("T1", 2)])).await;
        let present = world.ship(shipped(&order, &[("T2", 2)])).await;
        let write_off = |etag: &str| WriteOffPackageRequest {
            package_id: read.packages[0].package_id.clone(),
            remedy: WriteOffRemedy::Cancel.into(),
            etag: etag.to_owned(),
            ..Default::default()
        };
        let stale = fault(world.api().write_off_package(write_off(&read.etag)).await);
        let now = [("etag", present.etag.clone()), ("supported_actions", "WriteOffPackage".to_owned())];
        assert_eq!((stale.reason, stale.facts.as_slice()), (Reason::EtagMismatch, now.as_slice()));
        let written_off = world.api().write_off_package(write_off(&present.etag)).await.unwrap().into_inner();
        // The same again changes nothing, whatever was read.
        let again = world.api().write_off_package(write_off(&read.etag)).await.unwrap().into_inner();
        assert_eq!(again.etag, written_off.etag);
        let other = WriteOffPackageRequest { remedy: WriteOffRemedy::Replace.into(), ..write_off("") };
        let refused = fault(world.api().write_off_package(other).await);
        let now = [("etag", written_off.etag), ("supported_actions", String::new())];
        assert_eq!((refused.reason, refused.facts.as_slice()), (Reason::ActionNotSupported, now.as_slice()));
    })
    .await;
}
