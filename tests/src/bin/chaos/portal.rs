//! The load: customers that order and cancel, a returns desk, a supplier.
//!
//! Each repeats a command under its key until it is answered, as a portal must. A few send it twice at the same time, and a
//! few give up.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use waybill::{
    rest::{Problem, Rest},
    sandbox::WAREHOUSES,
};
use waybill_e2e::number;

use crate::faults::Tally;

/// What is ordered: SKU and how it is kept.
pub(crate) const ITEMS: [(&str, &str); 6] = [
    ("TEA", "HANDLING_CLASS_AMBIENT"),
    ("COFFEE", "HANDLING_CLASS_AMBIENT"),
    ("COCOA", "HANDLING_CLASS_AMBIENT"),
    ("CHEESE", "HANDLING_CLASS_CHILLED"),
    ("BUTTER", "HANDLING_CLASS_CHILLED"),
    ("PEAS", "HANDLING_CLASS_FROZEN"),
];
/// What goes with it and is not shipped.
const SERVICE: &str = "FREIGHT";

/// The first one allows a PO number twice, so that only the idempotency key prevents duplicates.
const ACCOUNTS: [(&str, &str); 2] =
    [("acc_LAX", "DUPLICATE_PO_POLICY_ALLOW"), ("acc_STRICT", "DUPLICATE_PO_POLICY_REFUSE")];
const COUNTRIES: [&str; 4] = ["DE", "FR", "US", "BR"];
/// How many customers order at the same time.
const CUSTOMERS: usize = 6;
/// How long a caller waits before it aborts a call and repeats it.
const CALL_TIMEOUT: Duration = Duration::from_secs(8);
/// The note of holds that are not released.
pub(crate) const KEPT_HOLD_NOTE: &str = "until the customer answers";

/// A command that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Acknowledged {
    /// Its path.
    pub(crate) path: String,
    /// Its idempotency key.
    pub(crate) key: String,
    /// Its body.
    pub(crate) body: Value,
    /// The answer.
    pub(crate) answer: Value,
}

/// The commands sent and their answers.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    acknowledged: Mutex<Vec<Acknowledged>>,
    /// Acknowledged order ids by customer PO.
    placed: Mutex<BTreeMap<String, String>>,
    /// Customer POs whose caller gave up before it was answered.
    abandoned: Mutex<BTreeSet<String>>,
    refused: Mutex<BTreeMap<String, u64>>,
}

impl Ledger {
    /// Every command that was answered.
    pub(crate) fn acknowledged(&self) -> Vec<Acknowledged> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Acknowledged order ids by customer PO.
    pub(crate) fn placed(&self) -> BTreeMap<String, String> {
        self.placed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Customer POs whose caller gave up.
    pub(crate) fn abandoned(&self) -> BTreeSet<String> {
        self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often commands were refused, by reason.
    pub(crate) fn refused(&self) -> BTreeMap<String, u64> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn acknowledge(&self, acknowledged: Acknowledged) {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push(acknowledged);
    }

    fn refuse(&self, problem: &Problem) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(problem.reason.clone()).or_default() += 1;
    }
}

/// A caller of the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) rest: Rest,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) seed: u64,
}

impl Caller {
    /// Repeats a command until it is answered, and records the answer.
    pub(crate) async fn command(&self, path: &str, key: &str, body: &Value) -> Result<Value, Problem> {
        loop {
            match timeout(CALL_TIMEOUT, self.rest.post(path, Some(key), body)).await {
                Ok(Ok(Ok(answer))) => {
                    self.ledger.acknowledge(Acknowledged {
                        path: path.to_owned(),
                        key: key.to_owned(),
                        body: body.clone(),
                        answer: answer.clone(),
                    });
                    return Ok(answer);
                }
                Ok(Ok(Err(problem))) if matches!(problem.status, 429 | 503 | 504) => {}
                Ok(Ok(Err(problem))) if problem.status >= 500 => {
                    self.tally.violation(format!("{path} {key} was answered {}: {}", problem.status, problem.detail));
                }
                Ok(Ok(Err(problem))) => {
                    self.ledger.refuse(&problem);
                    return Err(problem);
                }
                // No answer, an incomplete one, or a timeout.
                Ok(Err(_)) | Err(_) => {}
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Sends a command that must be accepted.
    async fn must(&self, path: &str, key: &str, body: &Value) -> Option<Value> {
        match self.command(path, key, body).await {
            Ok(answer) => Some(answer),
            Err(problem) => {
                self.tally.violation(format!("{path} {key} was refused: {} {}", problem.reason, problem.detail));
                None
            }
        }
    }

    /// The customers: as many orders as `progress` lets them, in thousandths of all.
    pub(crate) async fn customers(&self, orders: usize, progress: watch::Receiver<usize>) {
        let one = |customer: usize| {
            let mut progress = progress.clone();
            async move {
                for order in (1..=orders).skip(customer).step_by(CUSTOMERS) {
                    // The sender is dropped when all faults have begun.
                    drop(progress.wait_for(|done| done * orders / 1_000 >= order).await);
                    self.order(order).await;
                }
            }
        };
        futures::future::join_all((0..CUSTOMERS).map(one)).await;
    }

    async fn order(&self, number: usize) {
        let mut rng = StdRng::seed_from_u64(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number as u64);
        let (account, _) = ACCOUNTS[number % ACCOUNTS.len()];
        let (po, key) = (format!("PO-{number}"), format!("order-{number}"));
        let first = rng.random_range(0..ITEMS.len());
        let mut lines: Vec<Value> = (first..first + rng.random_range(1..=4))
            .map(|item| json!({"sku": ITEMS[item % ITEMS.len()].0, "quantity": rng.random_range(1..=20)}))
            .collect();
        if rng.random_range(0..4) == 0 {
            lines.push(json!({"sku": SERVICE, "quantity": rng.random_range(1..=3)}));
        }
        let policy = match rng.random_range(0..10) {
            0 => "FILL_POLICY_FILL_OR_KILL",
            1 => "FILL_POLICY_FILL_ALL",
            2 => "FILL_POLICY_FILL_ALL_AVAILABLE",
            _ => "FILL_POLICY_FILL_AVAILABLE_BACKORDER",
        };
        let body = json!({
            "accountId": account, "customerPo": po, "fillPolicy": policy, "lines": lines,
            "shipToAddress": waybill_e2e::address(COUNTRIES[rng.random_range(0..COUNTRIES.len())]),
        });
        let placed = match rng.random_range(0..10) {
            0 => {
                let (one, other) =
                    tokio::join!(self.must("/v1/orders", &key, &body), self.must("/v1/orders", &key, &body));
                if one != other {
                    self.tally.violation(format!("{po}: sent twice, answered {one:?} and {other:?}"));
                }
                one
            }
            1 => {
                let patience = Duration::from_millis(rng.random_range(5..300));
                match timeout(patience, self.must("/v1/orders", &key, &body)).await {
                    Ok(placed) => placed,
                    Err(_) => {
                        self.ledger.abandoned.lock().unwrap_or_else(PoisonError::into_inner).insert(po);
                        return;
                    }
                }
            }
            _ => self.must("/v1/orders", &key, &body).await,
        };
        let Some(id) = placed.as_ref().and_then(|placed| placed["orderId"].as_str()) else { return };
        self.ledger.placed.lock().unwrap_or_else(PoisonError::into_inner).insert(po, id.to_owned());
        self.change(&mut rng, number, id).await;
    }

    /// Cancels or holds some orders. A cancellation that comes too late is refused, which is no error.
    async fn change(&self, rng: &mut StdRng, number: usize, id: &str) {
        let soon = Duration::from_millis(rng.random_range(0..2_000));
        match rng.random_range(0..10) {
            0 => {
                sleep(soon).await;
                let body = json!({"reason": "ordered by mistake"});
                self.command(&format!("/v1/orders/{id}:cancel"), &format!("cancel-{number}"), &body).await.ok();
            }
            1 => {
                let stays = rng.random_range(0..4) == 0;
                let note = if stays { KEPT_HOLD_NOTE } else { "for a moment" };
                let body = json!({"reason": "HOLD_REASON_AWAITING_CUSTOMER", "note": note});
                let key = format!("hold-{number}");
                let held = self.command(&format!("/v1/orders/{id}:placeHold"), &key, &body).await;
                sleep(soon).await;
                let Ok(held) = held else { return };
                if !stays {
                    let body = json!({"holdNumber": number_of_hold(&held)});
                    let key = format!("unhold-{number}");
                    self.must(&format!("/v1/orders/{id}:releaseHold"), &key, &body).await;
                }
            }
            _ => {}
        }
    }

    /// The returns desk: one unit of every fifth delivered order is returned.
    pub(crate) async fn returns(&self) {
        let mut known = BTreeSet::new();
        loop {
            let path = "/v1/orders?statuses=ORDER_STATUS_DELIVERED";
            for order in self.rest.list(path, "orders").await.unwrap_or_default() {
                let id = order["orderId"].as_str().unwrap_or_default().to_owned();
                let number = order["customerPo"].as_str().and_then(|po| po.strip_prefix("PO-")?.parse::<u64>().ok());
                if number.is_some_and(|number| number % 5 == 0) && !known.contains(&id) && self.return_unit(&id).await {
                    known.insert(id);
                }
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// Returns one unit of an order. False when the returns service does not know of the delivery yet.
    async fn return_unit(&self, id: &str) -> bool {
        let unit = json!([{"lineNumber": 1, "quantity": 1}]);
        let body = json!({"orderId": id, "lines": unit, "reason": "too much"});
        let Ok(made) = self.command("/v1/returns", &format!("return-{id}"), &body).await else { return false };
        let rma = made["returnId"].as_str().unwrap_or_default().to_owned();
        let step = |verb: &'static str, body: Value| {
            let (path, key) = (format!("/v1/returns/{rma}:{verb}"), format!("{verb}-{id}"));
            async move { self.must(&path, &key, &body).await }
        };
        step("receive", json!({ "lines": unit })).await;
        let fit = json!([{"kind": "DISPOSITION_KIND_RESTOCK", "quantity": 1}]);
        step("inspect", json!({"lines": [{"lineNumber": 1, "dispositions": fit}]})).await;
        true
    }

    /// The supplier: delivers what orders wait for.
    pub(crate) async fn supply(&self, round: &mut u64) {
        // Counted first, since the call may be dropped before its end and no key may be used twice.
        *round += 1;
        for (sku, class) in ITEMS {
            let Ok(answer) = self.rest.get(&format!("/v1/availability?skus={sku}")).await else { return };
            let waiting = number(&answer["availability"][0]["backordered"]);
            let keeps = WAREHOUSES.iter().find(|warehouse| warehouse.handling_classes.contains(&class));
            if let (true, Some(warehouse)) = (waiting > 0, keeps) {
                let body = json!({"items": [{"sku": sku, "quantity": waiting}], "reference": "supplier delivery"});
                let path = format!("/v1/locations/{}:receive", warehouse.node_id);
                self.must(&path, &format!("supply-{round}-{sku}"), &body).await;
            }
        }
    }

    /// Partners, items, accounts and stock, less than the orders ask for. All members must run.
    pub(crate) async fn furnish(&self, orders: usize) -> anyhow::Result<()> {
        let data = waybill::northwind::load()?;
        waybill::demo::load::company(&self.rest, &data, &[], true).await?;
        for (sku, class) in ITEMS {
            let price = json!({"currency": "USD", "minorUnits": "700"});
            let item = json!({"sku": sku, "name": sku, "handlingClass": class, "listPrice": price});
            self.rest.ensure("/v1/items", &format!("item-{sku}"), &item).await?;
            for warehouse in WAREHOUSES.iter().filter(|warehouse| warehouse.handling_classes.contains(&class)) {
                let stock = json!({"items": [{"sku": sku, "quantity": orders * 3}]});
                let path = format!("/v1/locations/{}:receive", warehouse.node_id);
                self.rest.ensure(&path, &format!("stock-{sku}-{}", warehouse.node_id), &stock).await?;
            }
        }
        let price = json!({"currency": "USD", "minorUnits": "900"});
        let service = json!({"sku": SERVICE, "name": SERVICE, "kind": "ITEM_KIND_SERVICE", "listPrice": price});
        self.rest.ensure("/v1/items", &format!("item-{SERVICE}"), &service).await?;
        for (account, policy) in ACCOUNTS {
            let body = json!({
                "accountId": account, "name": account, "currency": "USD", "billTo": waybill_e2e::address("DE"),
                "duplicatePoPolicy": policy,
            });
            self.rest.ensure("/v1/accounts", account, &body).await?;
        }
        // The order service accepts an item once it has followed its event.
        for sku in ITEMS.iter().map(|(sku, _)| *sku).chain([SERVICE]) {
            let body = json!({
                "accountId": "acc_LAX", "customerPo": format!("FIRST-{sku}"),
                "shipToAddress": waybill_e2e::address("DE"), "lines": [{"sku": sku, "quantity": 1}],
            });
            while self.rest.post("/v1/orders", Some(&format!("first-{sku}")), &body).await?.is_err() {
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }
}

fn number_of_hold(order: &Value) -> Value {
    order["holds"].as_array().and_then(|holds| holds.last()).map_or(Value::Null, |hold| hold["holdNumber"].clone())
}
