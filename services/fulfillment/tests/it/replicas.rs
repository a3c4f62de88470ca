//! Two replicas on one database: neither misses what the other writes while it decides.

use std::sync::{Mutex, mpsc};

use proto::{
    fulfillment::v1::{
        self, MilestoneCode as ContractCode, ProofOfDelivery, RecordProofOfDeliveryRequest, ReportedPackage,
        RetryRoutingRequest, RoutingDecision, ShipmentState,
    },
    inventory::v1::AllocationRequest,
};
use store::{Call, Command, Context, Needs, Rows};
use tokio::sync::oneshot;
use types::{Fault, Timestamp};
use waybill_fulfillment::{
    milestone::MilestoneCode,
    package_key::PackageName,
    process::{
        rerouting::{Reroute, Trigger},
        routing::SettleRouting,
    },
    report::{PackageReport, RecordLabels, RecordMilestone, RecordProofOfDelivery, RecordShipment},
    tracking_report::TrackingReport,
};

use testkit::{START, each};

use crate::{
    inventory::Outage,
    tracking::shipment,
    world::{ORDER, World, after, package, routed, shipped},
};

/// A command that signals when it has read, and decides when it may.
struct Delayed<C> {
    command: C,
    /// Taken the first time: when it is tried again it does not wait.
    signals: Mutex<Option<(oneshot::Sender<()>, mpsc::Receiver<()>)>>,
}

impl<C: Command> Command for Delayed<C> {
    type Reply = C::Reply;
    const NAME: &'static str = C::NAME;

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.command.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<C::Reply, Fault> {
        if let Some((has_read, may_decide)) = self.signals.lock().unwrap().take() {
            has_read.send(()).unwrap();
            may_decide.recv().unwrap();
        }
        self.command.decide(rows, cx)
    }
}

/// Runs a command that has read before `rival` writes, and writes after it. SQLite has one writer at a time, so there it
/// reads after it too.
async fn overtaken<C: Command>(world: &World, command: C, rival: impl Future<Output = ()>) {
    let run = |command| {
        let db = world.db.clone();
        tokio::spawn(async move { db.run(Call::new(types::Actor::service("test")), command).await.map(|_| ()) })
    };
    if world.options.url.starts_with("sqlite") {
        rival.await;
        return run(Delayed { command, signals: Mutex::default() }).await.unwrap().unwrap();
    }
    let ((has_read, read), (go, may_decide)) = (oneshot::channel(), mpsc::channel());
    let running = run(Delayed { command, signals: Mutex::new(Some((has_read, may_decide))) });
    read.await.unwrap();
    rival.await;
    go.send(()).unwrap();
    running.await.unwrap().unwrap();
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_micros(START.as_micros() + seconds * 1_000_000)
}

fn milestone(number: &str, reporter_id: &str, code: MilestoneCode) -> RecordMilestone {
    let milestone = v1::Milestone { tracking_number: number.to_owned(), ..v1::Milestone::default() };
    let (reporter_id, carrier_id) = (reporter_id.to_owned(), "par_carrier".to_owned());
    let report = TrackingReport::milestone(reporter_id, carrier_id, code, instant(20), milestone).unwrap();
    RecordMilestone { report, corrects: None }
}

/// A milestone by a reporter of a package that a carrier has.
async fn report_milestone(world: &World, number: &str, reporter_id: &str, code: ContractCode) {
    world.report_milestone(number, code, 20, "par_carrier", reporter_id).await;
}

async fn report(world: &World, carrier_id: Option<&str>, packages: Vec<ReportedPackage>) -> PackageReport {
    PackageReport {
        fulfillment_order_id: world.fulfillment_order(ORDER).await.fulfillment_order_id.parse().unwrap(),
        shipment_reference: "S-1".to_owned(),
        carrier_id: carrier_id.map(|id| id.parse().unwrap()),
        packages,
        occur_time: None,
    }
}

/// How many packages are in transit.
async fn in_transit(world: &World) -> usize {
    let packages = shipment(world).await.packages;
    packages.iter().filter(|package| package.status() == ContractCode::InTransit).count()
}

async fn label(world: &World, carrier_id: &str) {
    world.label(carrier_id, &[("T1", 2), ("T2", 4)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_milestone_is_applied_to_a_package_that_is_reported_meanwhile() {
    each(routed, async |world| {
        let replica = world.replica().await;
        let left = shipped(&world.fulfillment_order(ORDER).await, &[("T1", 6)]);
        let rival = async { drop(replica.ship(left).await) };
        overtaken(&world, milestone("T1", "", MilestoneCode::Delivered), rival).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::Delivered);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_milestone_or_proof_that_is_recorded_while_its_package_is_reported_is_applied() {
    each(routed, async |world| {
        let replica = world.replica().await;
        let leaves = RecordShipment(report(&world, None, vec![package("T1", 2)]).await);
        overtaken(&world, leaves, report_milestone(&replica, "T1", "", ContractCode::Delivered)).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::Delivered);

        let proof =
            ProofOfDelivery { sign_time: Some(after(20)), signed_by: "A. Meier".to_owned(), ..Default::default() };
        let rival = async {
            let request = RecordProofOfDeliveryRequest {
                tracking_number: "T2".to_owned(),
                proof_of_delivery: Some(proof.clone()),
                ..Default::default()
            };
            replica.partners().record_proof_of_delivery(request).await.unwrap();
        };
        let leaves = RecordShipment(report(&world, None, vec![package("T2", 2)]).await);
        overtaken(&world, leaves, rival).await;
        assert_eq!(shipment(&world).await.state(), ShipmentState::Delivered);

        let name = PackageName { tracking_number: "T3".to_owned(), ..PackageName::default() };
        let report = TrackingReport::proof(String::new(), String::new(), instant(20), &name, proof).unwrap();
        let proved = RecordProofOfDelivery { report, corrects: None };
        let left = shipped(&world.fulfillment_order(ORDER).await, &[("T3", 2)]);
        let rival = async { drop(replica.ship(left).await) };
        overtaken(&world, proved, rival).await;
        let shipment = shipment(&world).await;
        assert_eq!((shipment.packages.len(), shipment.state()), (3, ShipmentState::Delivered));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_report_by_a_carrier_that_is_named_meanwhile_is_applied() {
    each(routed, async |world| {
        let replica = world.replica().await;
        label(&world, "").await;
        let report = milestone("T2", "par_carrier", MilestoneCode::InTransit);
        overtaken(&world, report, label(&replica, "par_carrier")).await;
        assert_eq!(in_transit(&world).await, 1);
        assert_eq!(world.events().await.open_exceptions(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_report_is_applied_while_labels_name_its_reporter() {
    each(routed, async |world| {
        let replica = world.replica().await;
        label(&world, "").await;
        let names = RecordLabels(report(&world, Some("par_carrier"), vec![package("T1", 2)]).await);
        overtaken(&world, names, report_milestone(&replica, "T2", "par_carrier", ContractCode::InTransit)).await;
        assert_eq!(in_transit(&world).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_report_is_applied_while_a_milestone_of_another_package_names_its_reporter() {
    each(routed, async |world| {
        let replica = world.replica().await;
        label(&world, "").await;
        let names = milestone("T1", "", MilestoneCode::InTransit);
        overtaken(&world, names, report_milestone(&replica, "T2", "par_carrier", ContractCode::InTransit)).await;
        assert_eq!(in_transit(&world).await, 2);
    })
    .await;
}

async fn retry(world: &World) {
    let request = RetryRoutingRequest { order_id: ORDER.to_owned(), ..Default::default() };
    world.api().retry_routing(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stock_that_comes_in_while_a_plan_finds_none_is_used() {
    each(World::open, async |world| {
        let replica = world.replica().await;
        world.node("nod_a", 0).await;
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        retry(&world).await;
        let wakes = Reroute { trigger: Trigger::Stock { sku: "A".to_owned(), cause: None } };
        let rival = async {
            replica.drain().await;
            world.inventory.stock("A", "nod_a", 5);
        };
        overtaken(&world, wakes, rival).await;
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 5)]);
        assert_eq!(world.events().await.open_exceptions(), []);
    })
    .await;
}

/// What inventory answers to a decision when it has all of it.
fn settle(decision: &RoutingDecision) -> SettleRouting {
    let all = |choice: &v1::RoutingChoice| AllocationRequest {
        line_number: choice.line_number,
        location_id: choice.node_id.clone(),
        quantity: choice.quantity,
    };
    SettleRouting {
        decision_id: decision.decision_id.parse().unwrap(),
        allocated: decision.choices.iter().map(all).collect(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_exception_is_resolved_when_the_last_two_releases_of_an_order_find_nodes_at_once() {
    each(World::open, async |world| {
        let replica = world.replica().await;
        world.node("nod_a", 0).await;
        for (number, line, sku) in [(1, 1, "A"), (2, 2, "B"), (3, 3, "C")] {
            world.release(ORDER, number, &[(line, sku, 5)]);
        }
        world.inventory.stock("A", "nod_a", 5);
        world.drain().await;
        assert_eq!(world.events().await.open_exceptions(), [("UNASSIGNED".to_owned(), ORDER.to_owned())]);
        let before = world.decisions(ORDER).await.len();
        for sku in ["B", "C"] {
            world.inventory.stock(sku, "nod_a", 5);
            world.inventory.fail("Allocate", Outage::Before);
        }
        retry(&world).await;
        world.drain().await;
        let planned = world.decisions(ORDER).await.split_off(before);
        assert_eq!(planned.iter().map(|one| one.choices.len()).collect::<Vec<_>>(), [1, 1]);
        let rival =
            async { replica.db.run(Call::new(types::Actor::service("test")), settle(&planned[1])).await.unwrap() };
        overtaken(&world, settle(&planned[0]), rival).await;
        assert_eq!(world.events().await.open_exceptions(), []);
    })
    .await;
}
