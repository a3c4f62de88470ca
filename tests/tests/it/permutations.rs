//! Reports with fixed times of occurrence, in any order of arrival, amount to the same.

use std::collections::BTreeMap;

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde_json::{Value, json};
use waybill_e2e::{World, each};

use crate::parties::{
    CARRIER, NODE, WAREHOUSE, milestone, minute, package, picture, report_id, shipment, stock, taken_back, units,
};

/// How many orders of arrival are tried.
const ARRIVALS: u64 = 8;

/// A report that is to arrive.
struct Arrival {
    name: &'static str,
    partner: &'static str,
    /// The report that it names, or takes back: it arrives later.
    after: Option<&'static str>,
    /// Makes the report of a fulfillment order, from the suffix of its tracking numbers and the id of the report that it names.
    report: fn(work: &str, suffix: &str, named: &str) -> Value,
}

/// All that is reported of one order of 4 of the first line and 3 of the second, which leaves in the packages A and B. The label of C is
/// voided. The warehouse named the wrong carrier at first and had not shipped B when it said so. The carrier mistook B for another
/// package, and the time of one scan: B comes back to its sender.
///
/// What a report takes back has to be known, so it arrives later; a warehouse that ships again what it took back says so after that.
/// All others arrive in any order.
const ARRIVING: &[Arrival] = &[
    Arrival {
        name: "accept",
        partner: WAREHOUSE,
        after: None,
        report: |work, _, _| json!({"accepted": {"fulfillmentOrderId": work, "occurTime": minute(1)}}),
    },
    Arrival {
        name: "pick",
        partner: WAREHOUSE,
        after: None,
        report: |work, _, _| json!({"picked": {"fulfillmentOrderId": work, "picked": units(&[(1, 4), (2, 3)]), "occurTime": minute(2)}}),
    },
    Arrival {
        name: "label",
        partner: WAREHOUSE,
        after: None,
        report: |work, suffix, _| {
            let mut packages = packages(suffix);
            packages.push(package(&format!("C{suffix}"), &[(1, 1)]));
            shipment("labelled", work, &format!("S{suffix}"), &packages, &minute(3))
        },
    },
    Arrival {
        name: "void C",
        partner: WAREHOUSE,
        after: Some("label"),
        report: |work, suffix, _| {
            taken_back("voided", work, &format!("S{suffix}"), &[&format!("C{suffix}")], &minute(4))
        },
    },
    Arrival {
        name: "ship",
        partner: WAREHOUSE,
        after: None,
        report: |work, suffix, _| {
            let mut report = shipment("shipped", work, &format!("S{suffix}"), &packages(suffix), &minute(5));
            report["shipped"]["carrierId"] = json!("par_other");
            report
        },
    },
    Arrival {
        name: "retract B",
        partner: WAREHOUSE,
        after: Some("ship"),
        report: |work, suffix, _| {
            taken_back("shipmentRetracted", work, &format!("S{suffix}"), &[&format!("B{suffix}")], &minute(6))
        },
    },
    Arrival {
        name: "ship B again",
        partner: WAREHOUSE,
        after: Some("retract B"),
        report: |work, suffix, _| shipment("shipped", work, &format!("S{suffix}"), &packages(suffix)[1..], &minute(7)),
    },
    Arrival {
        name: "A in transit",
        partner: CARRIER,
        after: None,
        report: |_, suffix, _| milestone(&format!("A{suffix}"), "IN_TRANSIT", &minute(8)),
    },
    Arrival {
        name: "A attempted",
        partner: CARRIER,
        after: None,
        report: |_, suffix, _| milestone(&format!("A{suffix}"), "DELIVERY_ATTEMPTED", &minute(9)),
    },
    Arrival {
        name: "A delivered",
        partner: CARRIER,
        after: None,
        report: |_, suffix, _| milestone(&format!("A{suffix}"), "DELIVERED", &minute(10)),
    },
    Arrival {
        name: "A proven",
        partner: CARRIER,
        after: None,
        report: |_, suffix, _| {
            let proof = json!({"signedBy": "goods inward", "signTime": minute(10)});
            json!({"proofOfDelivery": {"trackingNumber": format!("A{suffix}"), "proofOfDelivery": proof}})
        },
    },
    Arrival {
        name: "B delivered",
        partner: CARRIER,
        after: None,
        report: |_, suffix, _| milestone(&format!("B{suffix}"), "DELIVERED", &minute(11)),
    },
    Arrival {
        name: "B not delivered",
        partner: CARRIER,
        after: Some("B delivered"),
        report: |_, _, named| json!({"retraction": {"reportId": named, "reason": "another package"}}),
    },
    Arrival {
        name: "B in transit",
        partner: CARRIER,
        after: None,
        report: |_, suffix, _| milestone(&format!("B{suffix}"), "IN_TRANSIT", &minute(14)),
    },
    Arrival {
        name: "B in transit earlier",
        partner: CARRIER,
        after: Some("B in transit"),
        report: |_, suffix, named| {
            let mut report = milestone(&format!("B{suffix}"), "IN_TRANSIT", &minute(8));
            report["milestone"]["corrects"] = json!(named);
            report
        },
    },
    Arrival {
        name: "B returned",
        partner: CARRIER,
        after: None,
        report: |_, suffix, _| milestone(&format!("B{suffix}"), "RETURNED_TO_SENDER", &minute(12)),
    },
];

fn packages(suffix: &str) -> Vec<Value> {
    vec![package(&format!("A{suffix}"), &[(1, 2), (2, 1)]), package(&format!("B{suffix}"), &[(1, 2), (2, 2)])]
}

/// An order in which the reports may arrive.
fn arrivals(rng: &mut StdRng) -> Vec<&'static Arrival> {
    let mut waiting: Vec<&Arrival> = ARRIVING.iter().collect();
    waiting.shuffle(rng);
    let mut arriving: Vec<&Arrival> = Vec::new();
    while !waiting.is_empty() {
        let arrived = |name: &str| arriving.iter().any(|one| one.name == name);
        let next = waiting.iter().position(|one| one.after.is_none_or(arrived)).unwrap();
        arriving.push(waiting.remove(next));
    }
    arriving
}

/// A new order whose units Hamburg is asked for, and the fulfillment order.
async fn routed(world: &World, number: u64) -> (String, String) {
    let order_id = world.order(&format!("PO-{number}"), &[("TEA", 4), ("COFFEE", 3)]).await;
    world.drain().await;
    let work = world.fulfillment_orders(&order_id).await;
    assert_eq!((work.len(), &work[0]["nodeId"]), (1, &json!(NODE)));
    (order_id, work[0]["fulfillmentOrderId"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn reports_amount_to_the_same_in_whatever_order_they_arrive() {
    each(|world| async move {
        let mut world = world;
        world.furnish().await;
        world.item("COFFEE", "HANDLING_CLASS_AMBIENT").await;
        let other = json!({"partnerId": "par_other", "name": "Other", "kind": "PARTNER_KIND_CARRIER", "scac": "OTHR"});
        world.post("/v1/partners", &other).await;
        for sku in ["TEA", "COFFEE"] {
            world.receive(NODE, sku, 1_000).await;
        }
        let mut expected: Option<(Value, [i64; 2])> = None;
        for seed in 0..ARRIVALS {
            let mut rng = StdRng::seed_from_u64(seed);
            let suffix = format!("-{seed}");
            let before = [stock(&world, "TEA").await, stock(&world, "COFFEE").await];
            let (order_id, work) = routed(&world, seed).await;
            // Nothing is reported from the future.
            world.clock.advance(std::time::Duration::from_secs(3_600));
            let (mut ids, mut told) = (BTreeMap::new(), Vec::new());
            for arrival in arrivals(&mut rng) {
                let named = arrival.after.and_then(|name| ids.get(name)).map_or("", String::as_str);
                let report = (arrival.report)(&work, &suffix, named);
                let control = format!("{}{suffix}", arrival.name);
                for _ in 0..rng.random_range(1..=2) {
                    let message = world.report(arrival.partner, &control, report.clone()).await;
                    assert_eq!(
                        message["state"], "MESSAGE_STATE_APPLIED",
                        "{seed}: {told:?}, {}: {message}",
                        arrival.name
                    );
                    if arrival.partner == CARRIER && arrival.after.is_none() {
                        ids.insert(arrival.name, report_id(&message));
                    }
                }
                told.push(arrival.name);
                if rng.random_range(0..10) < 4 {
                    world.drain().await;
                    told.push("|");
                }
                if rng.random_range(0..60) == 0 {
                    world = world.restart().await;
                    told.push("restart");
                }
            }
            world.drain().await;
            let after = [stock(&world, "TEA").await, stock(&world, "COFFEE").await];
            let gone = [before[0][0] - after[0][0], before[1][0] - after[1][0]];
            let now = picture(&world, &order_id).await;
            let name = format!("{seed}: {told:?}");
            match &expected {
                None => {
                    assert_eq!((&now["exceptions"], gone), (&json!(["RETURNED_TO_SENDER"]), [4, 3]), "{name}: {now:#}");
                    expected = Some((now, gone));
                }
                Some((first, first_gone)) => {
                    assert_eq!((&gone, first_gone), (first_gone, &gone), "{name}");
                    assert_eq!(&now, first, "{name}: left is now, right is the first: {}", difference("", first, &now));
                }
            }
        }
        world.check_laws().await;
        world.check_nobody_waits_in_vain().await;
    })
    .await;
}

/// Where two pictures differ.
fn difference(at: &str, first: &Value, now: &Value) -> String {
    match (first, now) {
        (Value::Object(one), Value::Object(other)) => {
            one.iter().map(|(name, value)| difference(&format!("{at}.{name}"), value, &other[name])).collect()
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let each = one.iter().zip(other).enumerate();
            each.map(|(index, (one, other))| difference(&format!("{at}[{index}]"), one, other)).collect()
        }
        _ if first == now => String::new(),
        _ => format!("{at}: {first} before, {now} now; "),
    }
}
