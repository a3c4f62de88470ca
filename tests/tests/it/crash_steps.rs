//! A mesh that ends and starts again between any two steps of what takes things back comes to the same as one that does not.
//!
//! Each course of commands runs twice, for one order each. The second time the mesh ends after every command, and after the workers of
//! every service that did something. Every command is then repeated under its request id, before and after its effects.

use serde_json::{Value, json};
use waybill::rest::Rest;
use waybill_e2e::{World, each, number};

use crate::parties::{
    CARRIER, NODE, WAREHOUSE, array, milestone, minute, package, picture, report_id, shipment, stock, taken_back, units,
};

/// An order of 4 that left its node in two packages of 2, with the mesh that what follows happens in.
struct Course {
    world: Option<World>,
    crashing: bool,
    order_id: String,
    work: String,
    /// Makes names of this order its own.
    suffix: String,
    commands: usize,
}

impl Course {
    async fn begin(world: World, crashing: bool) -> Self {
        let suffix = format!("-{}", u8::from(crashing));
        let order_id = world.order(&format!("PO{suffix}"), &[("TEA", 4)]).await;
        world.drain().await;
        let work = world.fulfillment_orders(&order_id).await[0]["fulfillmentOrderId"].as_str().unwrap().to_owned();
        world.clock.advance(std::time::Duration::from_secs(3_600));
        let course = Self { world: Some(world), crashing, order_id, work, suffix, commands: 0 };
        let left = course.shipment("shipped", &[course.package("A", 2), course.package("B", 2)]);
        course.world().report(WAREHOUSE, &format!("ship{}", course.suffix), left).await;
        course.world().drain().await;
        course
    }

    fn world(&self) -> &World {
        self.world.as_ref().unwrap()
    }

    fn name(&self, name: &str) -> String {
        format!("{name}{}", self.suffix)
    }

    fn package(&self, name: &str, quantity: i64) -> Value {
        package(&self.name(name), &[(1, quantity)])
    }

    fn shipment(&self, kind: &str, packages: &[Value]) -> Value {
        shipment(kind, &self.work, &self.name("S"), packages, &minute(5))
    }

    /// The id of a package of the order.
    async fn package_id(&self, name: &str) -> String {
        let shipments = self.world().get(&format!("/v1/orders/{}/shipments", self.order_id)).await;
        let packages = array(&shipments["shipments"]).iter().flat_map(|shipment| array(&shipment["packages"]));
        let tracking = self.name(name);
        let mut packages = packages.filter(|package| package["trackingNumber"] == tracking.as_str());
        let found = packages.next().unwrap();
        found["packageId"].as_str().unwrap().to_owned()
    }

    /// A report of a partner, with all its effects. Returns its message.
    async fn report(&mut self, partner: &str, report: Value) -> Value {
        self.commands += 1;
        let mut body = report;
        body["controlNumber"] = json!(format!("{}{}", self.commands, self.suffix));
        let message = self.command(&format!("/v1/partners/{partner}/reports"), &body).await;
        assert_eq!(message["state"], "MESSAGE_STATE_APPLIED", "{message}");
        message
    }

    /// A carrier's scan of a package.
    async fn scan(&mut self, name: &str, code: &str, at: i64) -> Value {
        self.report(CARRIER, milestone(&self.name(name), code, &minute(at))).await
    }

    /// A command of a person, with all its effects. Returns its answer.
    async fn post(&mut self, path: &str, body: Value) -> Value {
        self.commands += 1;
        self.command(path, &body).await
    }

    async fn command(&mut self, path: &str, body: &Value) -> Value {
        let request_id = format!("command-{}{}", self.commands, self.suffix);
        let first = send(&self.world().rest, path, &request_id, body).await;
        if !self.crashing {
            self.world().drain().await;
            return first;
        }
        self.is_answered_again(path, &request_id, body, &first).await;
        if let Some(world) = self.world.take() {
            self.world = Some(world.drain_with_crashes().await);
        }
        self.is_answered_again(path, &request_id, body, &first).await;
        self.world().drain().await;
        first
    }

    async fn is_answered_again(&self, path: &str, request_id: &str, body: &Value, first: &Value) {
        let again = send(&self.world().rest, path, request_id, body).await;
        assert_eq!(lasting(again), lasting(first.clone()), "{path}");
    }
}

async fn send(rest: &Rest, path: &str, request_id: &str, body: &Value) -> Value {
    let answer = rest.post(path, Some(request_id), body).await.unwrap();
    answer.unwrap_or_else(|problem| panic!("{path}: {problem:?}"))
}

/// An answer without what a message counts of its repeats.
fn lasting(mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut().filter(|fields| fields.contains_key("messageId")) {
        fields.retain(|name, _| !["duplicates", "updateTime"].contains(&name.as_str()));
    }
    answer
}

/// Runs a course undisturbed and crashing, and compares what it has come to and what it did to the stock.
async fn each_step_can_crash(run: impl AsyncFn(&mut Course)) {
    each(|world| async {
        world.furnish().await;
        world.receive(NODE, "TEA", 100).await;
        let mut world = world;
        let mut ends = Vec::new();
        for crashing in [false, true] {
            let before = stock(&world, "TEA").await;
            let mut course = Course::begin(world, crashing).await;
            run(&mut course).await;
            let end = picture(course.world(), &course.order_id).await;
            world = course.world.take().unwrap();
            let after = stock(&world, "TEA").await;
            ends.push((end, after.iter().zip(before).map(|(after, before)| after - before).collect::<Vec<i64>>()));
            world.check_laws().await;
            world.check_nobody_waits_in_vain().await;
        }
        assert_eq!(ends[0], ends[1], "left is undisturbed, right has crashed");
    })
    .await;
}

async fn written_off(course: &mut Course, remedy: &str) {
    course.scan("B", "DELIVERED", 10).await;
    course.scan("A", "LOST", 10).await;
    let lost = course.package_id("A").await;
    let remedy = json!({"remedy": format!("WRITE_OFF_REMEDY_{remedy}"), "claimReference": "C-1"});
    course.post(&format!("/v1/packages/{lost}:writeOff"), remedy).await;
}

#[tokio::test]
async fn a_crash_at_any_step_of_a_replacement_ships_the_units_once_more_and_not_twice() {
    each_step_can_crash(async |course| {
        written_off(course, "REPLACE").await;
        let work = course.world().fulfillment_orders(&course.order_id).await;
        assert_eq!((work.len(), number(&work[1]["lines"][0]["quantity"])), (2, 2), "{work:?}");
        let id = work[1]["fulfillmentOrderId"].as_str().unwrap().to_owned();
        let again = shipment("shipped", &id, &course.name("S2"), &[course.package("R", 2)], &minute(20));
        course.report(WAREHOUSE, again).await;
        course.scan("R", "DELIVERED", 30).await;
        let order = course.world().get(&format!("/v1/orders/{}", course.order_id)).await;
        assert_eq!(order["state"], "ORDER_STATE_CLOSED", "{order}");
    })
    .await;
}

#[tokio::test]
async fn a_crash_at_any_step_of_a_write_off_cancels_its_units_once() {
    each_step_can_crash(async |course| {
        written_off(course, "CANCEL").await;
        let order = course.world().get(&format!("/v1/orders/{}", course.order_id)).await;
        let counters = &order["lines"][0]["counters"];
        assert_eq!((number(&counters["cancelled"]), number(&counters["delivered"])), (2, 2), "{order}");
        assert_eq!(order["state"], "ORDER_STATE_CLOSED", "{order}");
    })
    .await;
}

#[tokio::test]
async fn a_crash_at_any_step_of_a_retracted_shipment_puts_its_units_back_once() {
    each_step_can_crash(async |course| {
        let names = [course.name("A")];
        let retraction = taken_back("shipmentRetracted", &course.work, &course.name("S"), &[&names[0]], &minute(6));
        course.report(WAREHOUSE, retraction).await;
        let order = course.world().get(&format!("/v1/orders/{}", course.order_id)).await;
        assert_eq!(number(&order["lines"][0]["counters"]["released"]), 2, "{order}");
        let again = shipment("shipped", &course.work, &course.name("S"), &[course.package("A", 2)], &minute(7));
        course.report(WAREHOUSE, again).await;
    })
    .await;
}

#[tokio::test]
async fn a_crash_at_any_step_of_a_retracted_delivery_credits_it_once() {
    each_step_can_crash(async |course| {
        course.scan("A", "DELIVERED", 10).await;
        let message = course.scan("B", "DELIVERED", 10).await;
        let order = course.world().get(&format!("/v1/orders/{}", course.order_id)).await;
        assert_eq!(order["state"], "ORDER_STATE_CLOSED", "{order}");
        let retraction = json!({"retraction": {"reportId": report_id(&message), "reason": "another package"}});
        course.report(CARRIER, retraction).await;
        let order = course.world().get(&format!("/v1/orders/{}", course.order_id)).await;
        let counters = &order["lines"][0]["counters"];
        assert_eq!((number(&counters["delivered"]), number(&counters["credited"])), (2, 2), "{order}");
    })
    .await;
}

#[tokio::test]
async fn a_crash_at_any_step_of_a_corrected_shipment_moves_the_difference_once() {
    each_step_can_crash(async |course| {
        course.scan("A", "DELIVERED", 10).await;
        let less = course.shipment("shipmentCorrected", &[course.package("A", 1)]);
        course.report(WAREHOUSE, less).await;
        let more = course.shipment("shipmentCorrected", &[course.package("B", 3)]);
        course.report(WAREHOUSE, more).await;
        let order = course.world().get(&format!("/v1/orders/{}", course.order_id)).await;
        let counters = &order["lines"][0]["counters"];
        assert_eq!((number(&counters["shipped"]), number(&counters["delivered"])), (4, 1), "{order}");
    })
    .await;
}

#[tokio::test]
async fn a_crash_at_any_step_of_voided_labels_packs_nothing_twice() {
    each_step_can_crash(async |course| {
        let (reference, names) = (course.name("L"), [course.name("C")]);
        let label = shipment("labelled", &course.work, &reference, &[course.package("C", 2)], &minute(6));
        course.report(WAREHOUSE, label).await;
        course.report(WAREHOUSE, taken_back("voided", &course.work, &reference, &[&names[0]], &minute(7))).await;
        let work = course.world().get(&format!("/v1/fulfillment-orders/{}", course.work)).await;
        let line = &work["lines"][0];
        assert_eq!((number(&line["packed"]), number(&line["shipped"])), (4, 4), "{work}");
    })
    .await;
}

#[tokio::test]
async fn a_crash_at_any_step_of_a_return_to_the_sender_restocks_its_units_once() {
    each_step_can_crash(async |course| {
        course.scan("A", "DELIVERED", 10).await;
        course.scan("B", "RETURNED_TO_SENDER", 10).await;
        let package_id = course.package_id("B").await;
        let cancel = json!({"remedy": "WRITE_OFF_REMEDY_CANCEL"});
        course.post(&format!("/v1/packages/{package_id}:writeOff"), cancel).await;
        let returns = course.world().get(&format!("/v1/returns?orderId={}", course.order_id)).await;
        let path = format!("/v1/returns/{}", returns["returns"][0]["returnId"].as_str().unwrap());
        course.post(&format!("{path}:receive"), json!({"lines": units(&[(1, 2)])})).await;
        let dispositions = json!([{"kind": "DISPOSITION_KIND_RESTOCK", "quantity": 2}]);
        let inspected = json!({"lines": [{"lineNumber": 1, "dispositions": dispositions}]});
        course.post(&format!("{path}:inspect"), inspected).await;
        course.post(&format!("{path}:close"), json!({})).await;
        assert_eq!(
            stock(course.world(), "TEA").await[0] % 100,
            98 - 2 * i64::from(course.crashing),
            "2 of 4 came back"
        );
    })
    .await;
}
