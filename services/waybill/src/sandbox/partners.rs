//! Fetches fulfillment orders over the partner API and sends the reports of the script.

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

use super::script::{Chances, FulfillmentOrder, Line, script};
use crate::rest::{Rest, number};

/// How many fulfillment orders are reported on at the same time.
const AT_ONCE: usize = 128;
/// How often it polls for new fulfillment orders.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Every how many polls it looks for packages whose reports were interrupted.
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
    /// Handling classes that it can store.
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
    reporting: Arc<AtomicU64>,
}

impl Sandbox {
    /// Partners that call a gateway.
    pub fn new(rest: Rest, seed: u64, chances: Chances) -> Self {
        Self { rest, seed, chances, sent: Arc::default(), reporting: Arc::default() }
    }

    /// How many reports were sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How many fulfillment orders are being reported on.
    pub fn reporting(&self) -> u64 {
        self.reporting.load(Ordering::Relaxed)
    }

    /// Plays until the future is dropped, or the gateway cannot be reached any more.
    pub async fn play(&self) -> anyhow::Result<()> {
        let (mut known, mut reports) = (HashSet::new(), JoinSet::new());
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        for round in 0_u64.. {
            // Repeated later: the last reports of an earlier run may take effect only after the first poll.
            if round.is_multiple_of(UNFINISHED_EVERY) {
                for fulfillment_order in self.unfinished(&known).await? {
                    self.begin(fulfillment_order, &mut known, &mut reports, &slots);
                }
            }
            for warehouse in WAREHOUSES {
                for fulfillment_order in self.open_fulfillment_orders(warehouse.partner_id).await? {
                    self.begin(fulfillment_order, &mut known, &mut reports, &slots);
                }
            }
            while let Some(ended) = reports.try_join_next() {
                ended??;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// Reports once on every open fulfillment order, and on those that open meanwhile, until there is no new one.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let mut known = HashSet::new();
        loop {
            let mut reports = JoinSet::new();
            let slots = Arc::new(Semaphore::new(AT_ONCE));
            for warehouse in WAREHOUSES {
                for fulfillment_order in self.open_fulfillment_orders(warehouse.partner_id).await? {
                    self.begin(fulfillment_order, &mut known, &mut reports, &slots);
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
        fulfillment_order: Value,
        known: &mut HashSet<String>,
        reports: &mut JoinSet<anyhow::Result<()>>,
        slots: &Arc<Semaphore>,
    ) {
        let request = Request::of(&fulfillment_order);
        // A warehouse does not begin with what a hold blocks.
        let held = fulfillment_order["holds"].as_array().is_some_and(|holds| !holds.is_empty());
        if held && request == Request::Ship && fulfillment_order["executionState"] == "EXECUTION_STATE_OPEN" {
            return;
        }
        if !known.insert(request.key(&fulfillment_order)) {
            return;
        }
        let (sandbox, slots) = (self.clone(), slots.clone());
        self.reporting.fetch_add(1, Ordering::Relaxed);
        reports.spawn(async move {
            let _slot = slots.acquire_owned().await?;
            let reported = match request {
                Request::Ship => sandbox.report(&fulfillment_order).await,
                Request::Stop(_) | Request::Redirect(_) => sandbox.answer(&request, &fulfillment_order).await,
            };
            sandbox.reporting.fetch_sub(1, Ordering::Relaxed);
            reported
        });
    }

    async fn open_fulfillment_orders(&self, partner: &str) -> anyhow::Result<Vec<Value>> {
        let path = format!(
            "/v1/partners/{partner}/fulfillment-orders?executionStates=EXECUTION_STATE_OPEN&executionStates=EXECUTION_STATE_IN_PROGRESS"
        );
        self.rest.list(&path, "fulfillmentOrders").await
    }

    /// Fulfillment orders that ended at the warehouse while their packages are under way, as after a restart.
    async fn unfinished(&self, known: &HashSet<String>) -> anyhow::Result<Vec<Value>> {
        let path = format!(
            "/v1/partners/{}/shipments?states=SHIPMENT_STATE_LABELLED&states=SHIPMENT_STATE_SHIPPED&states=SHIPMENT_STATE_PARTIALLY_DELIVERED",
            CARRIER.0
        );
        let mut fulfillment_orders = Vec::new();
        for shipment in self.rest.list(&path, "shipments").await? {
            let id = text(&shipment, "fulfillmentOrderId");
            if known.contains(&id) {
                continue;
            }
            fulfillment_orders.push(self.rest.get(&format!("/v1/fulfillment-orders/{id}")).await?);
        }
        Ok(fulfillment_orders)
    }

    async fn report(&self, fulfillment_order: &Value) -> anyhow::Result<()> {
        let fulfillment_order = parse(fulfillment_order);
        if fulfillment_order.lines.iter().all(|line| line.cancelled >= line.quantity) {
            return Ok(());
        }
        for report in script(self.seed, &self.chances, &fulfillment_order) {
            if report.delay_millis > 0 {
                tokio::time::sleep(Duration::from_millis(report.delay_millis)).await;
            }
            self.send(&report.partner_id, &report.body).await?;
        }
        Ok(())
    }

    /// A warehouse that has not begun accepts to stop and to ship elsewhere; one that has begun rejects it.
    async fn answer(&self, request: &Request, fulfillment_order: &Value) -> anyhow::Result<()> {
        let begun = fulfillment_order["executionState"] != "EXECUTION_STATE_OPEN";
        let answer = if begun { "REJECTED" } else { "ACCEPTED" };
        let id = text(fulfillment_order, "fulfillmentOrderId");
        let control_number = request.key(fulfillment_order);
        let body = if let Request::Redirect(number) = request {
            let answer = format!("SHIP_TO_CHANGE_ANSWER_{answer}");
            let report = serde_json::json!({"fulfillmentOrderId": id, "changeNumber": number, "answer": answer});
            serde_json::json!({"controlNumber": control_number, "shipToChange": report})
        } else {
            let report =
                serde_json::json!({"fulfillmentOrderId": id, "answer": format!("CANCELLATION_ANSWER_{answer}")});
            serde_json::json!({"controlNumber": control_number, "cancellation": report})
        };
        self.send(&text(fulfillment_order, "partnerId"), &body).await
    }

    /// Sends a report. A refusal is expected for deliberate mistakes, so it is no error.
    async fn send(&self, partner: &str, body: &Value) -> anyhow::Result<()> {
        let answer = self.rest.post(&format!("/v1/partners/{partner}/reports"), None, body).await?;
        if let Err(problem) = answer {
            tracing::debug!(partner, reason = problem.reason, detail = problem.detail, "report refused");
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// What a warehouse is asked for by a fulfillment order as it is.
#[derive(Debug, PartialEq, Eq)]
enum Request {
    /// To ship it.
    Ship,
    /// To stop so many units of it.
    Stop(i64),
    /// To ship it to the address of the change with this number.
    Redirect(i64),
}

impl Request {
    fn of(fulfillment_order: &Value) -> Self {
        if fulfillment_order["requestState"] == "REQUEST_STATE_CANCELLATION_REQUESTED" {
            let lines = fulfillment_order["lines"].as_array().into_iter().flatten();
            return Self::Stop(lines.filter_map(|line| line["cancelRequested"].as_str()?.parse::<i64>().ok()).sum());
        }
        fulfillment_order["shipToChange"]["changeNumber"].as_i64().map_or(Self::Ship, Self::Redirect)
    }

    /// Distinguishes it from other requests; the control number of an answer to it.
    fn key(&self, fulfillment_order: &Value) -> String {
        let id = text(fulfillment_order, "fulfillmentOrderId");
        match self {
            Self::Ship => id,
            Self::Stop(units) => format!("{id}-cancellation-{units}"),
            Self::Redirect(number) => format!("{id}-ship-to-{number}"),
        }
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn parse(fulfillment_order: &Value) -> FulfillmentOrder {
    let created: Option<prost_types::Timestamp> = text(fulfillment_order, "createTime").parse().ok();
    let create_micros = created.map_or(0, |time| time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000);
    let lines = fulfillment_order["lines"].as_array().into_iter().flatten();
    FulfillmentOrder {
        fulfillment_order_id: text(fulfillment_order, "fulfillmentOrderId"),
        customer_po: text(fulfillment_order, "customerPo"),
        partner_id: text(fulfillment_order, "partnerId"),
        carrier_id: CARRIER.0.to_owned(),
        release_number: number(&fulfillment_order["releaseNumber"]),
        attempt: number(&fulfillment_order["attempt"]),
        create_micros,
        lines: lines.map(of_line).collect(),
    }
}

fn of_line(line: &Value) -> Line {
    Line {
        number: number(&line["lineNumber"]),
        sku: text(line, "sku"),
        quantity: number(&line["quantity"]),
        cancelled: number(&line["cancelled"]),
    }
}
