//! Followers of logs: which event is turned into which command.

use std::time::Duration;

use mesh::{Channel, wire::from_timestamp};
use proto::{
    event::v1::Event,
    events::{FulfillmentEvent, InventoryEvent, OperationsEvent, OrderEvent, ReturnsEvent},
    fulfillment::v1::{FulfillmentOrder, MilestoneCode, Package, Shipment, TrackingReportRetracted, WriteOffRemedy},
    inventory::v1::inventory_service_client::InventoryServiceClient,
    types::v1::LineQuantity,
};
use store::AnyCommand;
use types::Fault;

use crate::{
    item::StoreItems,
    node::CopyNode,
    order_line::LineUnits,
    process::{
        cancellation::release_reservation,
        confirmation::{reserve, reserve_changed, reserve_for_place},
        evidence::OrderShipment,
        promise::{EstimatedPackage, News, record_news},
        returned_units::RecordReturn,
    },
    record::{record, record_of_shipment},
    record_exceptions::RecordExceptions,
    record_proof::record_proof,
    report::{OrderReport, ShipToSettlement, read_id, read_reservations, read_units},
    tracking_number::KeepTrackingNumbers,
    wire::read_group,
};

/// Follows this service's own log: it reserves stock for submitted and changed orders and releases that of cancelled units.
pub(crate) struct OrderFollower {
    /// The inventory service.
    pub(crate) inventory: InventoryServiceClient<Channel>,
    /// How long reserved units wait for their release.
    pub(crate) expire_after: Duration,
}

store::reactions! {
    OrderFollower, "order.order", OrderEvent, |follower, event| {
        OrderSubmitted(submitted) =>
            reserve(follower.inventory.clone(), follower.expire_after, &event.event_id, submitted).await,
        OrderChangeConfirmed(confirmed) =>
            reserve_changed(follower.inventory.clone(), follower.expire_after, &event.event_id, confirmed).await,
        OrderChangeEnded(ended) =>
            reserve_for_place(follower.inventory.clone(), follower.expire_after, &event.event_id, ended).await,
        OrderLineCancelled(cancelled) =>
            release_reservation(follower.inventory.clone(), &event.event_id, cancelled).await.map(|()| Vec::new()),
        ignored: AccountCreated, AccountUpdated, AccountPricesChanged, AccountReceivablesRecorded, ShipToCreated, ShipToUpdated,
            PriceListCreated, PriceListUpdated, OrderConfirmed, OrderRejected, OrderBackordered, OrderReleased,
            OrderReleaseSuperseded, OrderChangeProposed, OrderShipToChangeRequested, OrderHoldPlaced, OrderHoldReleased, OrderCancelRequested, OrderCancelled, OrderCancelLost,
            OrderPromiseSet, OrderPromiseChanged, OrderInvoiceReady, OrderCreditProposed, OrderCreditRefused, OrderInvoiced,
            OrderCreditPosted, OrderClosed, ExceptionOpened, ExceptionResolved,
    }
}

/// Follows inventory: items are copied, reservations recorded.
pub(crate) struct InventoryFollower;

store::reactions! {
    InventoryFollower, "order.inventory", InventoryEvent, |_follower, event| {
        ItemCreated | ItemUpdated(changed) => Ok(vec![Box::new(StoreItems(changed.item.into_iter().collect()))]),
        InventoryReserved | InventoryReservationReleased | InventoryBackorderDated(changed) =>
            record(&changed.order_id, OrderReport::Reserved(read_reservations(&changed.reservations))),
        InventoryReservationExpired(changed) =>
            record(&changed.order_id, OrderReport::Expired(read_reservations(&changed.reservations))),
        InventoryReplacementReserved(replaced) => {
            let reservations = read_reservations(&replaced.reservations);
            let (units, shipment_id) = (read_units(&replaced.lines)?, read_id(&replaced.shipment_id)?);
            record(&replaced.order_id, OrderReport::Replaced { shipment_id, units, reservations })
        },
        ignored: LocationCreated, LocationReachChanged, InventoryReceived, InventoryAdjusted, InventoryRestocked, InventorySnapshotReported,
            InventoryAllocated, InventoryDeallocated, InventoryConsumed, InventoryShortfallDetected,
            InventoryReceiptScheduled, InventoryBackorderUpdated, BackorderRulesUpdated,
            InventoryDriftDetected, ExceptionOpened, ExceptionResolved,
    }
}

/// Follows fulfillment: what nodes and carriers did with the units.
pub(crate) struct FulfillmentFollower;

store::reactions! {
    FulfillmentFollower, "order.fulfillment", FulfillmentEvent, |_follower, event| {
        NodeCreated | NodeUpdated(changed) => Ok(vec![Box::new(CopyNode::read(changed.node)?)]),
        FulfillmentPicked(picked) => {
            let order_id = order_id(picked.fulfillment_order, &event.correlation_id);
            record(&order_id, OrderReport::Picked(read_units(&picked.lines)?))
        },
        FulfillmentShortPicked(short) => {
            let order_id = order_id(short.fulfillment_order, &event.correlation_id);
            record(&order_id, OrderReport::Short(read_units(&short.lines)?))
        },
        FulfillmentPickRetracted(retracted) => {
            let order_id = order_id(retracted.fulfillment_order, &event.correlation_id);
            let mut reports = record(&order_id, OrderReport::PickRetracted(read_units(&retracted.lines)?))?;
            if !retracted.found.is_empty() {
                reports.extend(record(&order_id, OrderReport::Found(read_units(&retracted.found)?))?);
            }
            Ok(reports)
        },
        ShipmentWrittenOff(written_off) => {
            let is_it = |package: &Package| package.package_id == written_off.package_id;
            let without_estimate = drop_estimates(written_off.shipment.as_ref(), is_it)?;
            let mut commands = match written_off.remedy() {
                // The units are replaced once inventory has reserved others.
                WriteOffRemedy::Replace => Vec::new(),
                WriteOffRemedy::Cancel | WriteOffRemedy::Unspecified => {
                    let (units, shipment) = (read_units(&written_off.lines)?, shipment(written_off.shipment, event)?);
                    let shipment_id = shipment.shipment_id.clone();
                    record_of_shipment(shipment, OrderReport::WrittenOff { shipment_id, units })
                }
            };
            commands.extend(without_estimate);
            Ok(commands)
        },
        FulfillmentUnfulfillable(units) => {
            let reservations = read_reservations(&units.reservations);
            record(&units.order_id, OrderReport::Unfulfillable(read_units(&units.lines)?, reservations))
        },
        FulfillmentCancelled(cancelled) => {
            let order_id = order_id(cancelled.fulfillment_order, &event.correlation_id);
            record(&order_id, OrderReport::Cancelled(read_units(&cancelled.lines)?))
        },
        FulfillmentCancellationRejected(rejected) => {
            let order_id = order_id(rejected.fulfillment_order, &event.correlation_id);
            record(&order_id, OrderReport::CancellationDeclined(read_units(&rejected.lines)?))
        },
        FulfillmentShipToChangeSettled(settled) => {
            let sum = |lines: &[LineQuantity]| lines.iter().map(|line| line.quantity).fold(0, i64::saturating_add);
            let settlement = ShipToSettlement {
                change_number: settled.change_number.into(),
                ship_to_group: read_group(settled.ship_to_group),
                accepted: sum(&settled.accepted),
                declined: sum(&settled.rejected),
                reason: settled.reason,
            };
            record(&settled.order_id, OrderReport::ShipToChangeSettled(settlement))
        },
        FulfillmentRequested(requested) => routed(requested.fulfillment_order.unwrap_or_default()),
        ShipmentShipped(shipped) => {
            let (units, beyond) = (read_units(&shipped.lines)?, read_units(&shipped.over_shipped)?);
            let tracking = KeepTrackingNumbers::of(shipped.shipment.as_ref())?;
            let left = left(shipped.shipment.as_ref(), &units, event)?;
            let (shipment, cancellation_lost) = (shipment(shipped.shipment, event)?, shipped.cancellation_lost);
            let shipment_id = shipment.shipment_id.clone();
            let shipped = OrderReport::Shipped { shipment_id, units, beyond, cancellation_lost };
            let mut commands = record_of_shipment(shipment, shipped);
            commands.extend(left);
            commands.extend(tracking);
            Ok(commands)
        },
        ShipmentLabelled(labelled) => {
            Ok(KeepTrackingNumbers::of(labelled.shipment.as_ref())?.into_iter().collect())
        },
        ShipmentMilestoneRecorded(recorded) => {
            // A report without an estimate leaves the one that is known.
            let is_estimate = recorded.milestone.is_some_and(|milestone| milestone.estimated_delivery_time.is_some());
            let estimate = recorded.estimated_delivery_time.as_ref().and_then(from_timestamp).filter(|_| is_estimate);
            if estimate.is_none() {
                return Ok(Vec::new());
            }
            let package = EstimatedPackage::new(&recorded.package_id, estimate, &recorded.lines)?;
            record_news(&event.correlation_id, News::Estimated(package))
        },
        ShipmentPartiallyDelivered | ShipmentDelivered(delivered) => {
            let (units, shipment) = (read_units(&delivered.lines)?, shipment(delivered.shipment, event)?);
            let shipment_id = shipment.shipment_id.clone();
            Ok(record_of_shipment(shipment, OrderReport::Delivered { shipment_id, units }))
        },
        ShipmentDepartureRetracted(shipped) => {
            let stayed = |package: &Package| package.ship_time.is_none();
            let without_estimates = drop_estimates(shipped.shipment.as_ref(), stayed)?;
            let (mut units, shipment) = (read_units(&shipped.lines)?, shipment(shipped.shipment, event)?);
            // Units that no node has are taken back once inventory has reserved them again.
            for free in read_units(&shipped.free)? {
                units.iter_mut().filter(|unit| unit.line_number == free.line_number).for_each(|unit| unit.quantity -= free.quantity);
            }
            units.retain(|unit| unit.quantity > 0);
            let shipment_id = shipment.shipment_id.clone();
            let mut commands = record_of_shipment(shipment, OrderReport::DepartureRetracted { shipment_id, units });
            commands.extend(without_estimates);
            Ok(commands)
        },
        ShipmentDeliveryRetracted(delivered) => {
            let estimates = estimates_again(delivered.shipment.as_ref())?;
            let (units, shipment) = (read_units(&delivered.lines)?, shipment(delivered.shipment, event)?);
            let shipment_id = shipment.shipment_id.clone();
            let mut commands = record_of_shipment(shipment, OrderReport::DeliveryRetracted { shipment_id, units });
            commands.extend(estimates);
            Ok(commands)
        },
        ShipmentPodCaptured(captured) => record_proof(captured.shipment, event),
        ShipmentReportRetracted(retracted) => {
            let mut commands = estimate_retracted(&retracted)?;
            commands.extend(record_proof(retracted.shipment, event)?);
            Ok(commands)
        },
        ignored: FulfillmentRouted, FulfillmentRoutingFailed,
            FulfillmentAccepted, FulfillmentRejected, FulfillmentTimedOut, FulfillmentCompleted,
            FulfillmentIncomplete, FulfillmentCancellationRequested, FulfillmentHoldPlaced, FulfillmentHoldReleased,
            FulfillmentShipToChangeRequested, FulfillmentShipToChangeAccepted, FulfillmentShipToChangeRejected,
            FulfillmentShipToChangeSettled,
            ShipmentOverShipped, ShipmentUnmatchedMilestoneRecorded,
            ShipmentVoided, ShipmentReturnedToSender, ShipmentRecovered, ExceptionOpened, ExceptionResolved,
    }
}

/// The order of a fulfillment order. Units that were cancelled before a node was found have none, only the correlation id.
fn order_id(fulfillment_order: Option<FulfillmentOrder>, correlation_id: &str) -> String {
    let named = fulfillment_order.map(|fulfillment_order| fulfillment_order.order_id);
    named.filter(|order_id| !order_id.is_empty()).unwrap_or_else(|| correlation_id.to_owned())
}

/// A node was asked to ship.
fn routed(asked: FulfillmentOrder) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let lines = asked.lines.iter().map(|line| LineQuantity {
        line_number: line.line_number,
        sku: line.sku.clone(),
        quantity: line.quantity,
    });
    let units = read_units(&lines.collect::<Vec<_>>())?;
    match asked.create_time.as_ref().and_then(from_timestamp) {
        Some(request_time) => {
            record_news(&asked.order_id, News::Routed { node_id: asked.node_id, request_time, units })
        }
        None => Ok(Vec::new()),
    }
}

/// Units left a node.
fn left(shipment: Option<&Shipment>, units: &[LineUnits], event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let at = event.occur_time.as_ref().and_then(from_timestamp);
    let Some((shipment, ship_time)) = shipment.zip(at) else { return Ok(Vec::new()) };
    let news = News::Shipped { node_id: shipment.node_id.clone(), ship_time, units: units.to_vec() };
    record_news(&shipment.order_id, news)
}

/// A report of a carrier about a package was taken back: what others estimate of it counts.
fn estimate_retracted(retracted: &TrackingReportRetracted) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let Some(shipment) = &retracted.shipment else { return Ok(Vec::new()) };
    let package = shipment.packages.iter().find(|package| package.package_id == retracted.package_id);
    let Some(package) = package else { return Ok(Vec::new()) };
    record_news(&shipment.order_id, News::EstimateRetracted(EstimatedPackage::read(package)?))
}

/// What carriers estimate of packages that are not delivered after all, since estimates of delivered ones are not kept.
fn estimates_again(shipment: Option<&Shipment>) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let Some(shipment) = shipment else { return Ok(Vec::new()) };
    let is_estimated =
        |package: &&Package| package.status() != MilestoneCode::Delivered && package.estimated_delivery_time.is_some();
    let mut commands = Vec::new();
    for package in shipment.packages.iter().filter(is_estimated) {
        commands.extend(record_news(&shipment.order_id, News::Estimated(EstimatedPackage::read(package)?))?);
    }
    Ok(commands)
}

/// What carriers estimate of packages that do not reach the customer this time does not count any more.
fn drop_estimates(
    shipment: Option<&Shipment>,
    of: impl Fn(&Package) -> bool,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let Some(shipment) = shipment else { return Ok(Vec::new()) };
    let mut commands = Vec::new();
    for package in shipment.packages.iter().filter(|package| of(package)) {
        let news = News::EstimateRetracted(EstimatedPackage::read_without_estimate(package)?);
        commands.extend(record_news(&shipment.order_id, news)?);
    }
    Ok(commands)
}

fn shipment(shipment: Option<Shipment>, event: &Event) -> Result<OrderShipment, Fault> {
    let shipment = shipment.ok_or_else(|| Fault::internal("an event without its shipment"))?;
    OrderShipment::read(&shipment, event)
}

/// Follows returns: units that may come back, and units that came back.
pub(crate) struct ReturnsFollower;

store::reactions! {
    ReturnsFollower, "order.returns", ReturnsEvent, |_follower, event| {
        ReturnAuthorized | ReturnInspected | ReturnCancelled | ReturnClosed(changed) =>
            Ok(vec![Box::new(RecordReturn::read(changed.r#return)?)]),
        ReturnReceived | ReturnOverReceived | ReturnReceiptRetracted(received) => Ok(vec![Box::new(RecordReturn::read(received.r#return)?)]),
        ignored: ReturnCreditProposed, ReturnDisposed, ExceptionOpened, ExceptionResolved,
    }
}

/// Follows operations: whether exceptions of an order are open.
pub(crate) struct OperationsFollower;

store::reactions! {
    OperationsFollower, "order.operations", OperationsEvent, |_follower, _event| {
        ExceptionOrderChanged(changed) => Ok(vec![Box::new(RecordExceptions {
            order_id: read_id(&changed.order_id)?,
            open_exceptions: changed.open_exceptions.into(),
        })]),
        ignored: ExceptionRetried, ExceptionAssigned, ExceptionClosed, ExceptionDismissed, ExceptionOpened, ExceptionResolved,
    }
}
