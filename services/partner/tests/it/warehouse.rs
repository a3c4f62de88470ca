//! A small real 3PL with an HTTP API.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use tokio::{net::TcpListener, sync::Notify};

/// What it does with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WarehouseBehavior {
    /// Receives and answers them.
    Receives,
    /// Receives them and never answers.
    ReceivesSilently,
    /// Loses them and never answers.
    LosesSilently,
    /// Answers with a status.
    Answers(StatusCode),
}

/// The 3PL. Clones are the same.
#[derive(Clone)]
pub(crate) struct Warehouse {
    /// Where it is.
    pub endpoint: String,
    state: Arc<Mutex<Inside>>,
    asked: Arc<Notify>,
}

struct Inside {
    behavior: WarehouseBehavior,
    orders: Vec<String>,
    stopped: BTreeSet<String>,
    calls: Vec<&'static str>,
    documents: Vec<serde_json::Value>,
    redirected: bool,
    asked: Arc<Notify>,
}

type Shared = State<Arc<Mutex<Inside>>>;

impl Warehouse {
    /// Starts it.
    pub(crate) async fn open(behavior: WarehouseBehavior) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/api", listener.local_addr().unwrap());
        let asked = Arc::new(Notify::new());
        let inside = Inside {
            asked: asked.clone(),
            behavior,
            orders: Vec::new(),
            stopped: BTreeSet::new(),
            calls: Vec::new(),
            documents: Vec::new(),
            redirected: false,
        };
        let state = Arc::new(Mutex::new(inside));
        let router = Router::new()
            .route("/api/fulfillment-orders", post(create))
            .route("/api/fulfillment-orders/{key}", get(find))
            .route("/api/fulfillment-orders/{key}/cancellation", post(cancel))
            .route("/api/fulfillment-orders/{key}/ship-to-change", post(change))
            .route("/elsewhere", get(elsewhere).post(elsewhere))
            .with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { endpoint, state, asked }
    }

    /// Sets how it behaves from now on.
    pub(crate) fn set_behavior(&self, behavior: WarehouseBehavior) {
        self.state.lock().unwrap().behavior = behavior;
    }

    /// Waits until a fulfillment order is requested of it.
    pub(crate) async fn asked(&self) {
        self.asked.notified().await;
    }

    /// The keys of the fulfillment orders it has; twice when it was created twice.
    pub(crate) fn orders(&self) -> Vec<String> {
        self.state.lock().unwrap().orders.clone()
    }

    /// The keys of the fulfillment orders that it was asked to stop.
    pub(crate) fn stopped(&self) -> Vec<String> {
        self.state.lock().unwrap().stopped.iter().cloned().collect()
    }

    /// The calls it received.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.state.lock().unwrap().calls.clone()
    }

    /// The requests for another address that it received.
    pub(crate) fn documents(&self) -> Vec<serde_json::Value> {
        self.state.lock().unwrap().documents.clone()
    }

    /// Whether a redirect was followed.
    pub(crate) fn redirected(&self) -> bool {
        self.state.lock().unwrap().redirected
    }
}

async fn create(State(state): Shared, headers: HeaderMap, body: String) -> (StatusCode, HeaderMap) {
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let document: serde_json::Value = serde_json::from_str(&body).unwrap();
    let behavior = {
        let mut inside = state.lock().unwrap();
        inside.calls.push("create");
        assert_eq!(document["idempotencyKey"], key.as_str());
        // It ignores the key: a second call is a second order.
        if matches!(inside.behavior, WarehouseBehavior::Receives | WarehouseBehavior::ReceivesSilently) {
            inside.orders.push(key);
        }
        inside.asked.notify_one();
        inside.behavior
    };
    let mut headers = HeaderMap::new();
    match behavior {
        WarehouseBehavior::Receives => (StatusCode::CREATED, headers),
        WarehouseBehavior::ReceivesSilently | WarehouseBehavior::LosesSilently => std::future::pending().await,
        WarehouseBehavior::Answers(status) => {
            headers.insert("location", "/elsewhere".parse().unwrap());
            (status, headers)
        }
    }
}

async fn find(State(state): Shared, Path(key): Path<String>) -> StatusCode {
    let mut inside = state.lock().unwrap();
    inside.calls.push("find");
    if let WarehouseBehavior::Answers(status) = inside.behavior {
        return status;
    }
    if inside.orders.contains(&key) { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

async fn cancel(State(state): Shared, Path(key): Path<String>) -> StatusCode {
    let mut inside = state.lock().unwrap();
    inside.calls.push("cancel");
    inside.stopped.insert(key);
    if let WarehouseBehavior::Answers(status) = inside.behavior { status } else { StatusCode::OK }
}

async fn change(State(state): Shared, body: String) -> StatusCode {
    let mut inside = state.lock().unwrap();
    inside.calls.push("change");
    inside.documents.push(serde_json::from_str(&body).unwrap());
    if let WarehouseBehavior::Answers(status) = inside.behavior { status } else { StatusCode::OK }
}

async fn elsewhere(State(state): Shared) -> StatusCode {
    state.lock().unwrap().redirected = true;
    StatusCode::OK
}
