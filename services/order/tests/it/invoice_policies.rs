//! When units become ready to invoice, and what proves it.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{
        MilestoneCode, Package, ProofOfDelivery, ProofOfDeliveryCaptured, Shipment, ShipmentDelivered, ShipmentShipped,
        TrackingReportRetracted,
    },
    order::v1::{self as contract, InvoicePolicy, InvoicingStatus, OrderState},
};
use testkit::{START, each, event};
use types::Timestamp;

use crate::world::{World, account, address, counters, order_of, quantities};

/// A package as fulfillment reports it, and how far it is.
#[derive(Clone)]
struct Box {
    number: &'static str,
    units: i64,
    delivered_at: Option<u64>,
    signed_by: &'static str,
}

fn sealed(number: &'static str, units: i64) -> Box {
    Box { number, units, delivered_at: None, signed_by: "" }
}

fn minute(minutes: u64) -> Timestamp {
    START.after(Duration::from_secs(60 * minutes))
}

impl Box {
    fn delivered(&self, minutes: u64) -> Self {
        Self { delivered_at: Some(minutes), ..self.clone() }
    }

    fn signed(&self, signed_by: &'static str) -> Self {
        Self { signed_by, ..self.clone() }
    }

    fn to_package(&self) -> Package {
        let time = self.delivered_at.map(|minutes| mesh::wire::timestamp(minute(minutes)));
        let proof = ProofOfDelivery { signed_by: self.signed_by.to_owned(), sign_time: time, ..Default::default() };
        let status = if time.is_some() { MilestoneCode::Delivered } else { MilestoneCode::InTransit };
        Package {
            package_id: format!("pkg_{}", self.number),
            tracking_number: self.number.to_owned(),
            lines: quantities(&[(1, self.units)]),
            status: status.into(),
            status_time: time,
            ship_time: Some(mesh::wire::timestamp(START)),
            proof_of_delivery: (!self.signed_by.is_empty()).then_some(proof),
            ..Default::default()
        }
    }
}

/// A shipment of an order at one of its versions.
fn shipment(order: &contract::Order, version: i64, boxes: &[Box]) -> Option<Shipment> {
    Some(Shipment {
        shipment_id: "shm_1".to_owned(),
        order_id: order.order_id.clone(),
        etag: version.to_string(),
        packages: boxes.iter().map(Box::to_package).collect(),
        ..Default::default()
    })
}

fn shipped(order: &contract::Order, version: i64, boxes: &[Box]) -> FulfillmentEvent {
    let lines = quantities(&[(1, boxes.iter().map(|one| one.units).sum())]);
    let shipment = shipment(order, version, boxes);
    FulfillmentEvent::ShipmentShipped(ShipmentShipped { shipment, lines, ..Default::default() })
}

fn delivered(order: &contract::Order, version: i64, boxes: &[Box], units: i64) -> FulfillmentEvent {
    let (shipment, lines) = (shipment(order, version, boxes), quantities(&[(1, units)]));
    FulfillmentEvent::ShipmentDelivered(ShipmentDelivered { shipment, lines, deliver_time: None })
}

fn captured(order: &contract::Order, version: i64, boxes: &[Box]) -> FulfillmentEvent {
    let shipment = shipment(order, version, boxes);
    FulfillmentEvent::ShipmentPodCaptured(ProofOfDeliveryCaptured { shipment, ..Default::default() })
}

fn report_retracted(order: &contract::Order, version: i64, boxes: &[Box]) -> FulfillmentEvent {
    let shipment = shipment(order, version, boxes);
    FulfillmentEvent::ShipmentReportRetracted(TrackingReportRetracted { shipment, ..Default::default() })
}

impl World {
    /// An order of an account with an invoice policy.
    async fn place_with(&self, policy: InvoicePolicy, lines: &[(&str, i64)]) -> contract::Order {
        self.create_account(contract::CreateAccountRequest { invoice_policy: policy.into(), ..account("acc_2") }).await;
        let request = contract::PlaceOrderRequest {
            account_id: "acc_2".to_owned(),
            ship_to_id: String::new(),
            ship_to_address: Some(address()),
            ..order_of("PO-1", lines)
        };
        self.place(request).await
    }

    /// Fulfillment emits an event that occurred at a time; returns the order after it.
    async fn occurs(&self, order: &contract::Order, payload: &FulfillmentEvent, at: Timestamp) -> contract::Order {
        let mut event = event(&order.order_id, payload);
        event.occur_time = Some(mesh::wire::timestamp(at));
        self.fulfillment_log.append(event);
        self.drain().await;
        self.get(&order.order_id).await
    }

    async fn ready(&self, order: &contract::Order) -> Vec<contract::InvoiceReadiness> {
        let request = contract::ListInvoiceReadinessRequest { order_id: order.order_id.clone(), ..Default::default() };
        self.orders.clone().list_invoice_readiness(request).await.unwrap().into_inner().readiness
    }
}

/// The reason, the units, and the tracking numbers of the evidence.
fn shown(ready: &contract::InvoiceReadiness) -> (&str, i64, Vec<&str>) {
    let packages = ready.evidence.iter().flat_map(|shipment| &shipment.packages);
    let numbers = packages.map(|package| package.tracking_number.as_str()).collect();
    (&ready.reason, ready.lines.iter().map(|line| line.quantity).sum(), numbers)
}

#[tokio::test]
async fn what_is_ready_names_the_packages_that_it_was_in_and_when_they_left_and_came() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 6)])).await;
        let (first, second, third) = (sealed("T1", 1), sealed("T2", 2), sealed("T3", 3));
        world.occurs(&order, &shipped(&order, 1, &[first.clone(), second.clone(), third.clone()]), START).await;
        let boxes = [first.clone(), second.delivered(20), third.clone()];
        world.occurs(&order, &delivered(&order, 2, &boxes, 2), minute(20)).await;
        // What was delivered earlier is reported later.
        let boxes = [first.delivered(10).signed("Ann"), second.delivered(20), third.clone()];
        world.occurs(&order, &delivered(&order, 3, &boxes, 1), minute(10)).await;
        let boxes = [first.delivered(10).signed("Ann"), second.delivered(20), third.delivered(30)];
        world.occurs(&order, &delivered(&order, 4, &boxes, 3), minute(30)).await;

        let ready = world.ready(&order).await;
        let found: Vec<_> = ready.iter().map(shown).collect();
        assert_eq!(found, [("DELIVERED", 2, vec!["T2"]), ("DELIVERED", 1, vec!["T1"]), ("DELIVERED", 3, vec!["T3"])]);
        let numbers: Vec<_> = ready.iter().map(|ready| ready.readiness_number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        let evidence = &ready[1].evidence[0];
        assert_eq!(evidence.shipment_id, "shm_1");
        assert!(!evidence.event_id.is_empty());
        let package = &evidence.packages[0];
        let time = |at| Some(mesh::wire::timestamp(at));
        assert_eq!((package.ship_time, package.deliver_time), (time(START), time(minute(10))));
        assert_eq!((package.signed_by.as_str(), package.sign_time), ("Ann", time(minute(10))));
    })
    .await;
}

#[tokio::test]
async fn with_invoices_on_shipment_the_evidence_is_what_left() {
    each(World::furnished, async |world| {
        let order = world.place_with(InvoicePolicy::OnShipment, &[("TEA", 3)]).await;
        world.occurs(&order, &shipped(&order, 1, &[sealed("T1", 3)]), START).await;
        let ready = world.ready(&order).await;
        assert_eq!(ready.iter().map(shown).collect::<Vec<_>>(), [("SHIPPED", 3, vec!["T1"])]);
        assert_eq!(ready[0].evidence[0].packages[0].deliver_time, None);
    })
    .await;
}

#[tokio::test]
async fn with_invoices_on_proof_of_delivery_a_delivery_without_a_proof_is_not_ready() {
    each(World::furnished, async |world| {
        let order = world.place_with(InvoicePolicy::OnProofOfDelivery, &[("TEA", 3)]).await;
        let (first, second) = (sealed("T1", 1), sealed("T2", 2));
        world.occurs(&order, &shipped(&order, 1, &[first.clone(), second.clone()]), START).await;
        let boxes = [first.delivered(10), second.delivered(10)];
        let order = world.occurs(&order, &delivered(&order, 2, &boxes, 3), minute(10)).await;
        assert_eq!((order.state(), order.invoicing_status()), (OrderState::Closed, InvoicingStatus::NotReady));
        assert!(world.ready(&order).await.is_empty());

        let boxes = [first.delivered(10).signed("Ann"), second.delivered(10)];
        let order = world.occurs(&order, &captured(&order, 3, &boxes), minute(10)).await;
        assert_eq!(order.invoicing_status(), InvoicingStatus::Ready);
        // The same again, and an older state of the shipment, change nothing.
        world.occurs(&order, &captured(&order, 3, &boxes), minute(10)).await;
        world.occurs(&order, &captured(&order, 2, &[first.delivered(10), second.delivered(10)]), minute(10)).await;
        let ready = world.ready(&order).await;
        assert_eq!(ready.iter().map(shown).collect::<Vec<_>>(), [("PROOF_OF_DELIVERY", 1, vec!["T1"])]);
        assert_eq!(ready[0].evidence[0].packages[0].signed_by, "Ann");

        // The second package is delivered to somebody else: its proof comes with another report.
        let boxes = [first.delivered(10).signed("Ann"), second.delivered(20).signed("Bob")];
        world.occurs(&order, &captured(&order, 4, &boxes), minute(20)).await;
        let ready = world.ready(&order).await;
        assert_eq!(shown(&ready[1]), ("PROOF_OF_DELIVERY", 2, vec!["T2"]));
        let order = world.get(&order.order_id).await;
        assert_eq!(order.invoice_ready_total, order.total);
    })
    .await;
}

#[tokio::test]
async fn a_proof_that_is_the_delivery_makes_units_ready_at_once_and_one_that_is_taken_back_is_credited() {
    each(World::furnished, async |world| {
        let order = world.place_with(InvoicePolicy::OnProofOfDelivery, &[("TEA", 3)]).await;
        let sent = sealed("T1", 3);
        let proven = [sent.delivered(10).signed("Ann")];
        world.occurs(&order, &shipped(&order, 1, std::slice::from_ref(&sent)), START).await;
        world.occurs(&order, &delivered(&order, 2, &proven, 3), minute(10)).await;
        let order = world.occurs(&order, &captured(&order, 2, &proven), minute(10)).await;
        let ready = world.ready(&order).await;
        assert_eq!(ready.iter().map(shown).collect::<Vec<_>>(), [("PROOF_OF_DELIVERY", 3, vec!["T1"])]);

        // The carrier's own report of the delivery remains.
        let order = world.occurs(&order, &report_retracted(&order, 3, &[sent.delivered(10)]), minute(10)).await;
        assert_eq!((counters(&order, 0).delivered, counters(&order, 0).credited), (3, 3));
        let credits = world
            .events_of(&order.order_id)
            .await
            .payloads::<contract::OrderCreditProposed>(EventType::OrderCreditProposed);
        let credit = credits[0].credit.as_ref().unwrap();
        assert_eq!((credit.reason.as_str(), credit.shipment_id.as_str()), ("CORRECTED", "shm_1"));
        // It is proven again.
        let order = world.occurs(&order, &captured(&order, 4, &proven), minute(10)).await;
        assert_eq!(order.to_invoice_total, order.total);
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_invoiced_on_completion_is_ready_all_at_once_with_all_its_shipments() {
    each(World::furnished, async |world| {
        let order = world.place_with(InvoicePolicy::OnCompletion, &[("TEA", 3), ("CHAI", 2)]).await;
        let (first, second) = (sealed("T1", 1), sealed("T2", 2));
        world.occurs(&order, &shipped(&order, 1, &[first.clone(), second.clone()]), START).await;
        let boxes = [first.delivered(10), second.delivered(10)];
        let order = world.occurs(&order, &delivered(&order, 2, &boxes, 3), minute(10)).await;
        assert_eq!(order.invoicing_status(), InvoicingStatus::NotReady);
        assert!(world.ready(&order).await.is_empty());
        // What is still open is cancelled by the node: that completes the order.
        let cancelled = proto::fulfillment::v1::FulfillmentCancelled {
            fulfillment_order: crate::world::fulfillment_order(&order),
            lines: quantities(&[(2, 2)]),
            ..Default::default()
        };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentCancelled(cancelled)).await;
        assert_eq!((order.state(), order.invoicing_status()), (OrderState::Closed, InvoicingStatus::Ready));
        let ready = world.ready(&order).await;
        assert_eq!(ready.iter().map(shown).collect::<Vec<_>>(), [("COMPLETED", 3, vec!["T1", "T2"])]);
        assert_eq!(ready[0].shipment_id, "");

        // One package was not delivered after all: the order is open again, and only its units are credited.
        let undelivered = ShipmentDelivered {
            shipment: shipment(&order, 3, &[first.delivered(10), second.clone()]),
            lines: quantities(&[(1, 2)]),
            deliver_time: None,
        };
        let undelivered = FulfillmentEvent::ShipmentDeliveryRetracted(undelivered);
        let order = world.occurs(&order, &undelivered, minute(30)).await;
        let line = counters(&order, 0);
        assert_eq!((order.state(), line.invoice_ready, line.credited), (OrderState::Confirmed, 3, 2));
        let order = world.occurs(&order, &delivered(&order, 4, &boxes, 2), minute(40)).await;
        let line = counters(&order, 0);
        assert_eq!((order.state(), line.invoice_ready, line.credited), (OrderState::Closed, 5, 2));
    })
    .await;
}

#[tokio::test]
async fn an_account_changes_its_invoice_policy_for_orders_from_then_on() {
    each(World::furnished, async |world| {
        let order = world.place_with(InvoicePolicy::OnCompletion, &[("TEA", 2)]).await;
        let request = contract::UpdateAccountRequest {
            account_id: "acc_2".to_owned(),
            invoice_policy: Some(InvoicePolicy::OnShipment.into()),
            ..Default::default()
        };
        let account = world.orders.clone().update_account(request).await.unwrap().into_inner();
        assert_eq!(account.invoice_policy(), InvoicePolicy::OnShipment);
        let order = world.ships(&order, "shm_1", &[(1, 1)]).await;
        assert_eq!(order.invoice_ready_total.unwrap().minor_units, 0);
    })
    .await;
}
