//! A whole mesh for a test: real services, a real gateway, simulated partners.
//!
//! Workers run only when the test calls them ([`World::drain`]), and partners report only in [`World::settle`]. So a
//! test waits for nothing and can stop between any two steps.
#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod laws;

use std::{sync::Arc, time::Duration};

use mesh::{Principal, Stop};
use serde_json::{Value, json};
use types::{Clock, ManualClock, Timestamp};
use waybill::{
    compose::{Config, Databases, Mesh, service_names},
    rest::{Problem, Rest},
    sandbox::{CARRIER, Chances, Sandbox, WAREHOUSES},
};

pub use laws::{laws, waiting_in_vain};
pub use waybill::{child_process::free_address, rest::number};

/// A mesh on databases of its own.
pub struct World {
    /// The services.
    pub mesh: Arc<Mesh>,
    /// A client of the gateway.
    pub rest: Rest,
    /// The clock of all services.
    pub clock: Arc<ManualClock>,
    databases: String,
    config: Config,
    stop: Stop,
}

/// Runs a journey on SQLite, then on PostgreSQL when there is a server.
pub async fn each<F>(journey: impl Fn(World) -> F)
where
    F: Future<Output = ()>,
{
    // How fast the machine is does not matter.
    let mesh = mesh::Config { request_timeout: Duration::from_secs(600), ..mesh::Config::default() };
    each_with(Config { mesh, ..Config::default() }, journey).await;
}

/// As `each`, with settings.
pub async fn each_with<F>(config: Config, journey: impl Fn(World) -> F)
where
    F: Future<Output = ()>,
{
    testkit::database::each_of(&service_names(), |databases| async {
        journey(World::open_with(databases, config.clone()).await).await;
    })
    .await;
}

impl World {
    /// A mesh on the databases at a URL with `{service}` in it.
    pub async fn open(databases: String) -> Self {
        Self::open_with(databases, Config::default()).await
    }

    async fn open_with(databases: String, config: Config) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_780_000_000_000_000)));
        Self::open_at(databases, clock, config).await
    }

    async fn open_at(databases: String, clock: Arc<ManualClock>, config: Config) -> Self {
        mesh::install_process_defaults();
        let caller = Principal::local_administrator();
        let mesh = open_mesh(&databases, &clock, &config).await;
        let (routes, authenticator) = (mesh.clients.rest(&caller), mesh.authenticator.clone());
        let router = gateway::router(proto::pool(), &routes, authenticator, &gateway::Config::default())
            .expect("the routes are sound");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let rest = Rest::new(format!("http://{}", listener.local_addr().expect("an address"))).expect("a client");
        let stop = Stop::new();
        serve(listener, router, &stop);
        Self { mesh: Arc::new(mesh), rest, clock, databases, config, stop }
    }

    /// Ends the mesh where it stands and opens another on what it left.
    pub async fn restart(self) -> Self {
        self.stop.request();
        self.mesh.close().await;
        Self::open_at(self.databases, self.clock, self.config).await
    }

    /// Ends the mesh where it stands, and runs every worker until none has anything left to do, in a mesh that ends and starts
    /// again after every service that did something.
    pub async fn drain_with_crashes(self) -> Self {
        self.stop.request();
        self.mesh.close().await;
        let mut mesh = open_mesh(&self.databases, &self.clock, &self.config).await;
        loop {
            let mut done = 0;
            for service in 0..mesh.workers.len() {
                let (_, workers) = mesh.workers.get(service).expect("the mesh has the same services");
                let handled = workers.drain().await.expect("the workers work");
                if handled > 0 {
                    mesh.close().await;
                    mesh = open_mesh(&self.databases, &self.clock, &self.config).await;
                }
                done += handled;
            }
            if done == 0 {
                mesh.close().await;
                return Self::open_at(self.databases, self.clock, self.config).await;
            }
        }
    }

    /// Runs every worker until none has anything left to do.
    pub async fn drain(&self) {
        self.mesh.drain().await.expect("the workers work");
    }

    /// Runs the workers of some services only.
    pub async fn drain_only(&self, services: &[&str]) {
        for (_, workers) in self.mesh.workers.iter().filter(|(name, _)| services.contains(name)) {
            workers.drain().await.expect("the workers work");
        }
    }

    /// Runs every worker in the background until the journey is done. The clock advances meanwhile, so that retries become
    /// due.
    pub async fn working<T>(&self, journey: impl Future<Output = T>) -> T {
        let working = self.stop.child();
        let workers: Vec<_> = self
            .mesh
            .workers
            .iter()
            .map(|(_, workers)| {
                let (workers, token) = (workers.clone(), working.token());
                tokio::spawn(async move { workers.run(token).await })
            })
            .collect();
        let outcome = tokio::select! {
            outcome = journey => outcome,
            () = self.advance_clock() => unreachable!("the clock does not stop"),
        };
        working.request();
        for worker in workers {
            worker.await.expect("the workers work");
        }
        outcome
    }

    async fn advance_clock(&self) {
        let step = Duration::from_millis(20);
        loop {
            tokio::time::sleep(step).await;
            self.clock.advance(step);
        }
    }

    /// Runs workers and partners until nothing is left to do or report.
    pub async fn settle(&self, seed: u64, chances: Chances) {
        let partners = Sandbox::new(self.rest.clone(), seed, chances);
        loop {
            self.drain().await;
            let before = partners.sent();
            partners.settle().await.expect("the partners report");
            self.drain().await;
            if partners.sent() == before {
                return;
            }
        }
    }

    /// Sends a command that must be accepted.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        match self.rest.post(path, None, body).await.expect("an answer") {
            Ok(answer) => answer,
            Err(problem) => panic_with(path, &problem),
        }
    }

    /// Sends a command that must be refused.
    pub async fn refused(&self, path: &str, body: &Value) -> Problem {
        self.rest.post(path, None, body).await.expect("an answer").expect_err("a refusal")
    }

    /// Reads a resource.
    pub async fn get(&self, path: &str) -> Value {
        self.rest.get(path).await.expect("an answer")
    }

    /// The sandbox's partners and nodes, an account that allows repeated PO numbers, and one ambient item.
    pub async fn furnish(&self) {
        let (carrier, name, scac) = CARRIER;
        let partner = json!({"partnerId": carrier, "name": name, "kind": "PARTNER_KIND_CARRIER", "scac": scac});
        self.post("/v1/partners", &partner).await;
        for warehouse in WAREHOUSES {
            let (id, name) = (warehouse.partner_id, warehouse.name);
            self.post("/v1/partners", &json!({"partnerId": id, "name": name, "kind": "PARTNER_KIND_WAREHOUSE"})).await;
            self.post("/v1/locations", &json!({"locationId": warehouse.node_id, "name": name})).await;
            let areas: Vec<Value> =
                warehouse.service_areas.iter().map(|(rank, to)| json!({"rank": rank, "countries": to})).collect();
            let node = json!({
                "nodeId": warehouse.node_id, "name": name, "partnerId": id, "country": warehouse.country,
                "handlingClasses": warehouse.handling_classes, "serviceAreas": areas,
            });
            self.post("/v1/nodes", &node).await;
        }
        self.item("TEA", "HANDLING_CLASS_AMBIENT").await;
        let address = address("DE");
        let account = json!({
            "accountId": "acc_ACME", "name": "Acme", "currency": "USD", "billTo": address,
            "duplicatePoPolicy": "DUPLICATE_PO_POLICY_ALLOW",
        });
        self.post("/v1/accounts", &account).await;
        self.drain().await;
    }

    /// An item at 10.00 USD.
    pub async fn item(&self, sku: &str, handling_class: &str) {
        let price = json!({"currency": "USD", "minorUnits": "1000"});
        let item = json!({"sku": sku, "name": sku, "handlingClass": handling_class, "listPrice": price});
        self.post("/v1/items", &item).await;
        self.drain().await;
    }

    /// Takes stock in.
    pub async fn receive(&self, node: &str, sku: &str, quantity: i64) {
        let body = json!({"items": [{"sku": sku, "quantity": quantity}]});
        self.post(&format!("/v1/locations/{node}:receive"), &body).await;
    }

    /// Places an order of one line for each SKU, to Germany, and returns its id.
    pub async fn order(&self, customer_po: &str, lines: &[(&str, i64)]) -> String {
        let lines: Vec<Value> = lines.iter().map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity})).collect();
        let body = json!({
            "accountId": "acc_ACME", "customerPo": customer_po, "shipToAddress": address("DE"), "lines": lines,
        });
        let placed = self.post("/v1/orders", &body).await;
        placed["orderId"].as_str().expect("an order id").to_owned()
    }

    /// The fulfillment orders of an order, oldest first.
    pub async fn fulfillment_orders(&self, order_id: &str) -> Vec<Value> {
        self.rest
            .list(&format!("/v1/fulfillment-orders?orderId={order_id}"), "fulfillmentOrders")
            .await
            .expect("fulfillment orders")
    }

    /// Submits a report as a partner and returns the message.
    pub async fn report(&self, partner: &str, reference: &str, report: Value) -> Value {
        let mut body = report;
        body["controlNumber"] = json!(reference);
        self.post(&format!("/v1/partners/{partner}/reports"), &body).await
    }

    /// Checks every law that must hold whatever happened: see [`laws`].
    pub async fn check_laws(&self) {
        laws(&self.rest).await.expect("the laws hold");
    }

    /// Checks that nothing waits for nobody, once every worker has done what is due: see [`waiting_in_vain`].
    pub async fn check_nobody_waits_in_vain(&self) {
        let found = waiting_in_vain(&self.rest, self.clock.now()).await.expect("answers");
        assert!(found.is_empty(), "{found:#?}");
    }
}

async fn open_mesh(databases: &str, clock: &Arc<ManualClock>, config: &Config) -> Mesh {
    let template = Databases::from_template(databases).expect("a template");
    let moving: Arc<dyn Clock> = clock.clone();
    Mesh::open(&template, config, moving, &Principal::local_administrator()).await.expect("the mesh opens")
}

/// Serves a gateway until the stop, and cuts off what goes on for a second after it.
pub fn serve(listener: tokio::net::TcpListener, router: axum::Router, stop: &Stop) {
    let settings = mesh::Config { drain_timeout: Duration::from_secs(1), ..mesh::Config::default() };
    let stop = stop.clone();
    let intake = mesh::Intake::of(&settings.intake);
    tokio::spawn(async move { gateway::serve(listener, router, stop, &settings, &intake).await });
}

/// An address in a country.
pub fn address(country: &str) -> Value {
    json!({"name": "Acme", "street": "Main Street 1", "city": "Town", "country": country})
}

#[expect(clippy::panic, reason = "a refusal that was not expected fails the test")]
fn panic_with(path: &str, problem: &Problem) -> ! {
    panic!("{path}: {problem:?}")
}
