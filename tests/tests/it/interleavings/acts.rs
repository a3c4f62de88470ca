//! What warehouses, the carrier and the distributor's people do at random. What contradicts is done on purpose.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};
use waybill_e2e::{World, number};

use crate::parties::{CARRIER, array, milestone, package, shipment, taken_back, units};

pub(super) const SKUS: [&str; 2] = ["TEA", "COFFEE"];
pub(super) const NODES: [&str; 3] = ["nod_bremen", "nod_hamburg", "nod_houston"];
const MILESTONES: [&str; 10] = [
    "IN_TRANSIT",
    "DELIVERED",
    "DELIVERED",
    "DELIVERED",
    "LOST",
    "DAMAGED",
    "REFUSED",
    "DELIVERY_ATTEMPTED",
    "RETURNED_TO_SENDER",
    "FAILURE",
];
const HOUR: i64 = 60;

/// Somebody who does everything, from a seed.
pub(super) struct Acts {
    rng: StdRng,
    /// Makes control numbers and names.
    count: u64,
    /// What was done, for a person who looks for what failed.
    pub(super) done: Vec<String>,
}

impl Acts {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), count: 0, done: Vec::new() }
    }

    /// A number from 0 up to, not including, `end`.
    pub(super) fn below(&mut self, end: i64) -> i64 {
        self.rng.random_range(0..end)
    }

    /// Any of several.
    pub(super) fn any<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        of.choose(&mut self.rng).unwrap()
    }

    fn one<'a>(&mut self, of: &'a [Value]) -> Option<&'a Value> {
        of.choose(&mut self.rng)
    }

    /// Does one thing.
    pub(super) async fn act(&mut self, world: &World) {
        match self.below(20) {
            0..8 => self.warehouse(world).await,
            8..13 => self.carrier(world).await,
            13..17 => self.staff(world).await,
            17 => self.stock(world).await,
            18 => self.take_back_a_scan(world).await,
            _ => self.returns(world).await,
        }
    }

    /// Sends a command, which may be refused.
    async fn send(&mut self, world: &World, path: &str, body: Value) -> Option<Value> {
        let answer = world.rest.post(path, None, &body).await.unwrap();
        let (outcome, answer) = match answer {
            Ok(answer) => (answer["state"].as_str().unwrap_or("done").to_owned(), Some(answer)),
            Err(problem) => {
                assert!(problem.status < 500, "{path} {body}: {problem:?}, after {:#?}", self.done);
                (problem.reason, None)
            }
        };
        self.done.push(format!("{path} {body}: {outcome}"));
        answer
    }

    async fn report(&mut self, world: &World, partner: &str, mut report: Value) {
        self.count += 1;
        report["controlNumber"] = json!(format!("report-{}", self.count));
        self.send(world, &format!("/v1/partners/{partner}/reports"), report).await;
    }

    /// An instant of the last hour.
    fn lately(&mut self, world: &World) -> String {
        let minutes = (types::Clock::now(&*world.clock).as_micros() - 1_780_000_000_000_000) / 60_000_000;
        crate::parties::minute(minutes - self.below(HOUR))
    }

    /// A warehouse reports on work of its node, whether that has ended or not.
    async fn warehouse(&mut self, world: &World) {
        let work = listed(world, "/v1/fulfillment-orders", "fulfillmentOrders").await;
        let Some(work) = self.one(&work).cloned() else { return };
        let (id, partner) = (text(&work["fulfillmentOrderId"]), text(&work["partnerId"]));
        let at = self.lately(world);
        let open: Vec<(i64, i64)> = array(&work["lines"])
            .iter()
            .map(|line| {
                let [quantity, shipped, short, cancelled] =
                    ["quantity", "shipped", "short", "cancelled"].map(|name| number(&line[name]));
                (number(&line["lineNumber"]), (quantity - shipped - short - cancelled).max(0))
            })
            .collect();
        let report = match self.below(14) {
            0 | 1 => json!({"accepted": {"fulfillmentOrderId": id, "occurTime": at}}),
            2 => json!({"rejected": {"fulfillmentOrderId": id, "reason": "full", "occurTime": at}}),
            3 => {
                let (picked, short): (Vec<_>, Vec<_>) = open
                    .iter()
                    .map(|(line, open)| {
                        let short = if self.below(3) == 0 { self.below(open + 1) } else { 0 };
                        ((*line, open - short), (*line, short))
                    })
                    .unzip();
                json!({"picked": {
                    "fulfillmentOrderId": id, "picked": units(&picked), "short": units(&short), "occurTime": at,
                }})
            }
            4..8 => {
                // What was given up may have been labelled before. More than that is shipped in `faster_node.rs`.
                let packages = self.packages(&open);
                if packages.is_empty() {
                    return;
                }
                let kind = if self.below(5) == 0 { "labelled" } else { "shipped" };
                shipment(kind, id, &format!("S-{}", self.count), &packages, &at)
            }
            8..10 => {
                let answer = if self.below(2) == 0 { "ACCEPTED" } else { "REJECTED" };
                let answer = format!("CANCELLATION_ANSWER_{answer}");
                json!({"cancellation": {"fulfillmentOrderId": id, "answer": answer, "occurTime": at}})
            }
            10 => {
                let line = open[0].0;
                json!({"pickRetracted": {
                    "fulfillmentOrderId": id, "picked": units(&[(line, 1)]), "reason": "a mistake", "occurTime": at,
                }})
            }
            _ => match self.correction(world, &work, &at).await {
                Some(report) => report,
                None => return,
            },
        };
        self.report(world, partner, report).await;
    }

    /// The open units in one or two packages.
    fn packages(&mut self, open: &[(i64, i64)]) -> Vec<Value> {
        let mut parts: [Vec<(i64, i64)>; 2] = Default::default();
        for (line, open) in open {
            let first = self.below(open + 1);
            parts[0].push((*line, first));
            parts[1].push((*line, open - first));
        }
        self.count += 1;
        let mut packages = Vec::new();
        for (number, mut part) in parts.into_iter().enumerate() {
            part.retain(|(_, quantity)| *quantity > 0);
            if !part.is_empty() {
                packages.push(package(&format!("T{}-{number}", self.count), &part));
            }
        }
        packages
    }

    /// A warehouse takes back or corrects what it reported of a shipment.
    async fn correction(&mut self, world: &World, work: &Value, at: &str) -> Option<Value> {
        let (id, order) = (text(&work["fulfillmentOrderId"]), text(&work["orderId"]));
        let mut shipments = listed(world, &format!("/v1/orders/{order}/shipments"), "shipments").await;
        shipments.retain(|one| one["fulfillmentOrderId"] == id);
        let shipment = self.one(&shipments)?.clone();
        if shipped_too_much(world, order).await {
            return None;
        }
        let package = self.one(array(&shipment["packages"]))?.clone();
        let (reference, tracking) = (text(&shipment["shipmentReference"]), text(&package["trackingNumber"]));
        Some(match self.below(3) {
            0 => taken_back("voided", id, reference, &[tracking], at),
            1 => taken_back("shipmentRetracted", id, reference, &[tracking], at),
            _ => {
                let line = &package["lines"][0];
                let quantity = (number(&line["quantity"]) - self.below(2)).max(1);
                let right = crate::parties::package(tracking, &[(number(&line["lineNumber"]), quantity)]);
                crate::parties::shipment("shipmentCorrected", id, reference, &[right], at)
            }
        })
    }

    /// The carrier scans a package.
    async fn carrier(&mut self, world: &World) {
        let shipments = listed(world, "/v1/shipments", "shipments").await;
        let packages: Vec<Value> =
            shipments.iter().flat_map(|shipment| array(&shipment["packages"]).iter().cloned()).collect();
        let Some(package) = self.one(&packages) else { return };
        let code = MILESTONES.choose(&mut self.rng).copied().unwrap_or_default();
        let at = self.lately(world);
        let report = milestone(text(&package["trackingNumber"]), code, &at);
        self.report(world, CARRIER, report).await;
    }

    /// The carrier takes a scan back.
    async fn take_back_a_scan(&mut self, world: &World) {
        let shipments = listed(world, "/v1/shipments", "shipments").await;
        let Some(shipment) = self.one(&shipments) else { return };
        if shipped_too_much(world, text(&shipment["orderId"])).await {
            return;
        }
        let milestones = world.get(&format!("/v1/shipments/{}/milestones", text(&shipment["shipmentId"]))).await;
        let Some(one) = self.one(array(&milestones["milestones"])).cloned() else { return };
        let report = json!({"retraction": {"reportId": one["reportId"], "reason": "a mistake"}});
        self.report(world, CARRIER, report).await;
    }

    /// People of the distributor decide.
    async fn staff(&mut self, world: &World) {
        let orders = listed(world, "/v1/orders?view=ORDER_VIEW_FULL", "orders").await;
        let Some(order) = self.one(&orders).cloned() else { return };
        let path = format!("/v1/orders/{}", text(&order["orderId"]));
        match self.below(13) {
            0 => self.send(world, &format!("{path}:cancel"), json!({"reason": "not wanted"})).await,
            8 | 9 => {
                let lines = json!([{"lineNumber": 1 + self.below(2), "quantity": self.below(3)}]);
                self.send(world, &format!("{path}:cancel"), json!({"lines": lines, "reason": "too many"})).await
            }
            10..13 => return self.change(world, &path).await,
            1 => self.send(world, &format!("{path}:placeHold"), json!({"reason": "HOLD_REASON_CREDIT"})).await,
            2 => {
                let now = types::Clock::now(&*world.clock).as_micros() - 1_780_000_000_000_000;
                let expire = crate::parties::minute(now / 60_000_000 + 2 * HOUR);
                let hold = json!({"reason": "HOLD_REASON_OPERATOR", "lineNumbers": [1], "expireTime": expire});
                self.send(world, &format!("{path}:placeHold"), hold).await
            }
            3 => {
                let hold = array(&order["holds"]).first().map_or(json!(1), |hold| hold["holdNumber"].clone());
                self.send(world, &format!("{path}:releaseHold"), json!({"holdNumber": hold})).await
            }
            4 => self.send(world, &format!("{path}:retryRouting"), json!({})).await,
            5 => {
                let of_order = format!("/v1/fulfillment-orders?orderId={}", text(&order["orderId"]));
                let work = listed(world, &of_order, "fulfillmentOrders").await;
                let Some(work) = self.one(&work).cloned() else { return };
                let path = format!("/v1/fulfillment-orders/{}", text(&work["fulfillmentOrderId"]));
                self.send(world, &format!("{path}:requestCancellation"), json!({"reason": "late"})).await
            }
            _ => {
                let shipments = listed(world, &format!("{path}/shipments"), "shipments").await;
                let packages: Vec<Value> = shipments
                    .iter()
                    .flat_map(|shipment| array(&shipment["packages"]).iter().cloned())
                    .filter(|package| !array(&package["supportedActions"]).is_empty())
                    .collect();
                let Some(package) = self.one(&packages).cloned() else { return };
                let remedy = if self.below(2) == 0 { "REPLACE" } else { "CANCEL" };
                let path = format!("/v1/packages/{}:writeOff", text(&package["packageId"]));
                self.send(world, &path, json!({"remedy": format!("WRITE_OFF_REMEDY_{remedy}")})).await
            }
        };
    }

    /// An order is changed: a change is proposed, or the proposed one is confirmed as it is shown, or withdrawn.
    async fn change(&mut self, world: &World, path: &str) {
        let order = world.get(path).await;
        let number = number(&order["openChange"]);
        if number > 0 {
            let change = world.get(&format!("{path}/changes/{number}")).await;
            let (verb, body) = match self.below(4) {
                0 => ("withdraw", json!({})),
                _ => ("confirm", json!({"etag": change["orderEtag"], "consentNote": "the buyer"})),
            };
            self.send(world, &format!("{path}/changes/{number}:{verb}"), body).await;
            return;
        }
        let line = 1 + self.below(2);
        let body = match self.below(5) {
            0 | 1 => json!({"lines": [{"lineNumber": line, "quantity": self.below(7).to_string()}]}),
            2 => json!({"lines": [{"lineNumber": line, "unitPriceMinor": self.below(2_000).to_string()}]}),
            3 => {
                json!({"addedLines": [{"line": {"sku": *self.any(&SKUS), "quantity": 1 + self.below(3)}, "substitutes": line}]})
            }
            _ => {
                let mut place = waybill_e2e::address("DE");
                place["city"] = json!(format!("Town {}", self.below(3)));
                json!({"shipTos": [{"shipToAddress": place}]})
            }
        };
        self.send(world, &format!("{path}/changes"), body).await;
    }

    /// Units come in, are counted, or are missing.
    async fn stock(&mut self, world: &World) {
        let sku = SKUS.choose(&mut self.rng).copied().unwrap_or_default();
        let node = NODES.choose(&mut self.rng).copied().unwrap_or_default();
        let quantity = 1 + self.below(8);
        match self.below(4) {
            0 => {
                let body = json!({"delta": -1, "reason": "broken"});
                self.send(world, &format!("/v1/locations/{node}/stock/{sku}:adjust"), body).await;
            }
            1 => {
                let at = self.lately(world);
                let counted = json!({"items": [{"sku": sku, "quantity": quantity}], "countTime": at});
                self.send(world, &format!("/v1/locations/{node}:reportSnapshot"), counted).await;
            }
            _ => {
                let body = json!({"items": [{"sku": sku, "quantity": quantity}]});
                self.send(world, &format!("/v1/locations/{node}:receive"), body).await;
            }
        }
    }

    /// A customer returns goods, or goods come back.
    async fn returns(&mut self, world: &World) {
        let returns = listed(world, "/v1/returns", "returns").await;
        if let Some(back) = self.one(&returns).cloned().filter(|_| self.below(3) > 0) {
            let path = format!("/v1/returns/{}", text(&back["returnId"]));
            let line = back["lines"][0].clone();
            let number = number(&line["lineNumber"]);
            match self.below(4) {
                0 => self.send(world, &format!("{path}:cancel"), json!({})).await,
                1 => {
                    let dispositions = json!([{"kind": "DISPOSITION_KIND_RESTOCK", "quantity": 1}]);
                    let inspected = json!({"lines": [{"lineNumber": number, "dispositions": dispositions}]});
                    self.send(world, &format!("{path}:inspect"), inspected).await
                }
                _ => self.send(world, &format!("{path}:receive"), json!({"lines": units(&[(number, 1)])})).await,
            };
            return;
        }
        let orders = listed(world, "/v1/orders?view=ORDER_VIEW_FULL", "orders").await;
        let Some(order) = self.one(&orders).cloned() else { return };
        let body = json!({"orderId": order["orderId"], "lines": units(&[(1, 1)])});
        self.send(world, "/v1/returns", body).await;
    }
}

/// Whether a node ever shipped units of an order that were not, or no longer, its own. What is taken back of such a shipment is not
/// tried here: the node and the order do not agree then on how many units are at the node again.
async fn shipped_too_much(world: &World, order_id: &str) -> bool {
    let timeline = world.rest.list(&format!("/v1/orders/{order_id}/timeline"), "entries").await.unwrap();
    let too_much = ["shipment.over_shipped", "order.cancel_lost"];
    timeline.iter().any(|entry| too_much.contains(&text(&entry["event"]["type"])))
}

/// A list in an order that is the same in every run, as ids are not.
async fn listed(world: &World, path: &str, field: &str) -> Vec<Value> {
    let mut found = world.rest.list(path, field).await.unwrap();
    let orders = world.rest.list("/v1/orders?view=ORDER_VIEW_FULL", "orders").await.unwrap();
    let po = |id: &Value| orders.iter().find(|order| order["orderId"] == *id).map(|order| order["customerPo"].clone());
    found.sort_by_cached_key(|one| {
        let told = ["nodeId", "releaseNumber", "attempt", "shipmentReference", "createTime", "lines"];
        json!([po(&one["orderId"]), told.map(|name| one[name].clone())]).to_string()
    });
    found
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
