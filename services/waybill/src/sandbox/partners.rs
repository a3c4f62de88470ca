//! Fetches work over the partner API and sends what the script says.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::Semaphore, task::JoinSet};

use super::script::{Chances, Work, script};
use crate::rest::{Rest, number};

/// How many pieces of work are reported on at the same time.
const AT_ONCE: usize = 128;
/// How often it looks for new work.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// In how many rounds it looks once for packages that nobody reports on.
const UNFINISHED_EVERY: u64 = 64;

/// A simulated warehouse.
#[derive(Debug)]
pub struct Warehouse {
    /// The partner that runs it.
    pub partner_id: &'static str,
    /// The node.
    pub node_id: &'static str,
    /// Name of both.
    pub name: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// IANA zone.
    pub time_zone: &'static str,
    /// What it can keep.
    pub handling_classes: &'static [&'static str],
    /// Where it ships to: rank and countries.
    pub service_areas: &'static [(i32, &'static [&'static str])],
}

const EUROPE: &[&str] = &[
    "AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "HU", "IE", "IT", "LU", "NL", "NO", "PL", "PT",
    "RO", "SE", "SK",
];
const AMERICAS: &[&str] = &["AR", "BO", "BR", "CA", "CL", "CO", "EC", "MX", "PE", "PY", "US", "UY", "VE"];

/// The warehouses of the sandbox: one for each side of the Atlantic, and one that keeps things cold.
pub const WAREHOUSES: &[Warehouse] = &[
    Warehouse {
        partner_id: "par_hanse",
        node_id: "nod_hamburg",
        name: "Hanse Logistik",
        country: "DE",
        time_zone: "Europe/Berlin",
        handling_classes: &["HANDLING_CLASS_AMBIENT"],
        service_areas: &[(1, EUROPE), (2, &["*"])],
    },
    Warehouse {
        partner_id: "par_gulf",
        node_id: "nod_houston",
        name: "Gulf Fulfillment",
        country: "US",
        time_zone: "America/Chicago",
        handling_classes: &["HANDLING_CLASS_AMBIENT"],
        service_areas: &[(1, AMERICAS), (2, &["*"])],
    },
    Warehouse {
        partner_id: "par_frost",
        node_id: "nod_rotterdam",
        name: "Frost Storage",
        country: "NL",
        time_zone: "Europe/Amsterdam",
        handling_classes: &["HANDLING_CLASS_CHILLED", "HANDLING_CLASS_FROZEN"],
        service_areas: &[(1, &["*"])],
    },
];

/// The carrier of the sandbox: partner id, name, standard carrier alpha code.
pub const CARRIER: (&str, &str, &str) = ("par_parcel", "Parcel Express", "PRCL");

/// Plays all partners until it is stopped.
#[derive(Debug, Clone)]
pub struct Sandbox {
    rest: Rest,
    seed: u64,
    chances: Chances,
    sent: Arc<AtomicU64>,
}

impl Sandbox {
    /// Partners that talk to the gateway behind `rest`.
    pub fn new(rest: Rest, seed: u64, chances: Chances) -> Self {
        Self { rest, seed, chances, sent: Arc::default() }
    }

    /// How many reports were sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Plays until the future is dropped, or the gateway can not be reached any more.
    pub async fn play(&self) -> anyhow::Result<()> {
        let (mut known, mut reports) = (HashSet::new(), JoinSet::new());
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        for round in 0_u64.. {
            // Also now and then later: what an earlier one of us sent last may have taken effect only then.
            if round.is_multiple_of(UNFINISHED_EVERY) {
                for work in self.unfinished(&known).await? {
                    self.begin(work, &mut known, &mut reports, &slots);
                }
            }
            for warehouse in WAREHOUSES {
                for work in self.open_work(warehouse.partner_id).await? {
                    self.begin(work, &mut known, &mut reports, &slots);
                }
            }
            while let Some(ended) = reports.try_join_next() {
                ended??;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Reports once on everything that is open now, and on what that brings up, until nothing is open.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let mut known = HashSet::new();
        loop {
            let mut reports = JoinSet::new();
            let slots = Arc::new(Semaphore::new(AT_ONCE));
            for warehouse in WAREHOUSES {
                for work in self.open_work(warehouse.partner_id).await? {
                    self.begin(work, &mut known, &mut reports, &slots);
                }
            }
            if reports.is_empty() {
                return Ok(());
            }
            while let Some(ended) = reports.join_next().await {
                ended??;
            }
        }
    }

    fn begin(
        &self,
        work: Value,
        known: &mut HashSet<String>,
        reports: &mut JoinSet<anyhow::Result<()>>,
        slots: &Arc<Semaphore>,
    ) {
        let asked_to_stop = work["requestState"] == "REQUEST_STATE_CANCELLATION_REQUESTED";
        let key = format!("{}{}", text(&work, "fulfillmentOrderId"), if asked_to_stop { "-stop" } else { "" });
        if !known.insert(key) {
            return;
        }
        let (sandbox, slots) = (self.clone(), slots.clone());
        reports.spawn(async move {
            let _slot = slots.acquire_owned().await?;
            if asked_to_stop { sandbox.answer_cancellation(&work).await } else { sandbox.report(&work).await }
        });
    }

    async fn open_work(&self, partner: &str) -> anyhow::Result<Vec<Value>> {
        let path = format!(
            "/v1/partners/{partner}/fulfillment-orders?executionStates=EXECUTION_STATE_OPEN&executionStates=EXECUTION_STATE_IN_PROGRESS"
        );
        self.rest.list(&path, "fulfillmentOrders").await
    }

    /// Work that ended at the warehouse while its packages are still on their way: known again after a restart.
    async fn unfinished(&self, known: &HashSet<String>) -> anyhow::Result<Vec<Value>> {
        let path = format!(
            "/v1/partners/{}/shipments?states=SHIPMENT_STATE_LABELLED&states=SHIPMENT_STATE_SHIPPED&states=SHIPMENT_STATE_PARTIALLY_DELIVERED",
            CARRIER.0
        );
        let mut work = Vec::new();
        for shipment in self.rest.list(&path, "shipments").await? {
            let id = text(&shipment, "fulfillmentOrderId");
            if known.contains(&id) {
                continue;
            }
            work.push(self.rest.get(&format!("/v1/fulfillment-orders/{id}")).await?);
        }
        Ok(work)
    }

    async fn report(&self, work: &Value) -> anyhow::Result<()> {
        for report in script(self.seed, &self.chances, &understood(work)) {
            if report.delay_millis > 0 {
                tokio::time::sleep(Duration::from_millis(report.delay_millis)).await;
            }
            self.send(&report.partner_id, &report.body).await?;
        }
        Ok(())
    }

    /// A warehouse that has not begun stops; one that has begun says that it is too late.
    async fn answer_cancellation(&self, work: &Value) -> anyhow::Result<()> {
        let begun = work["executionState"] != "EXECUTION_STATE_OPEN";
        let answer = if begun { "CANCELLATION_ANSWER_REJECTED" } else { "CANCELLATION_ANSWER_ACCEPTED" };
        let id = text(work, "fulfillmentOrderId");
        let body = serde_json::json!({
            "controlNumber": format!("{id}-cancellation"),
            "cancellation": {"fulfillmentOrderId": id, "answer": answer},
        });
        self.send(&text(work, "partnerId"), &body).await
    }

    /// A refusal is the mesh's answer to a mistake made on purpose: it is an exception there, not an error here.
    async fn send(&self, partner: &str, body: &Value) -> anyhow::Result<()> {
        let answer = self.rest.post(&format!("/v1/partners/{partner}/reports"), None, body).await?;
        if let Err(problem) = answer {
            tracing::debug!(partner, reason = problem.reason, detail = problem.detail, "report refused");
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn understood(work: &Value) -> Work {
    let made: Option<prost_types::Timestamp> = text(work, "createTime").parse().ok();
    let made_micros = made.map_or(0, |time| time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000);
    let lines = work["lines"].as_array().into_iter().flatten();
    Work {
        fulfillment_order_id: text(work, "fulfillmentOrderId"),
        customer_po: text(work, "customerPo"),
        partner_id: text(work, "partnerId"),
        carrier_id: CARRIER.0.to_owned(),
        release_number: number(&work["releaseNumber"]),
        attempt: number(&work["attempt"]),
        made_micros,
        lines: lines.map(|line| (number(&line["lineNumber"]), text(line, "sku"), number(&line["quantity"]))).collect(),
    }
}
