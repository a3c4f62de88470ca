//! Reports of other services about the units of an order.

use proto::{inventory::v1::Reservation, types::v1::LineQuantity};
use types::{Fault, Id, ShipmentId, Timestamp, limits::MAX_QUANTITY};

use crate::order_line::LineUnits;

/// What another service reports about an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OrderReport {
    /// Inventory reserved or backordered units.
    Reserved(Vec<ReservationSnapshot>),
    /// The time of reserved units is over: inventory backordered them, or released those of an order that takes all or nothing.
    Expired(Vec<ReservationSnapshot>),
    /// Inventory refused to reserve, because stock is short and the order takes all or nothing. The text says why.
    ReservationRefused(String),
    /// Nodes picked units.
    Picked(Vec<LineUnits>),
    /// Nodes could not find units.
    Short(Vec<LineUnits>),
    /// No node can fulfill units: they return to the order, reserved as the snapshots say.
    Unfulfillable(Vec<LineUnits>, Vec<ReservationSnapshot>),
    /// Nodes cancelled units before they left.
    Cancelled(Vec<LineUnits>),
    /// Nodes do not stop units that they were asked to stop.
    CancellationDeclined(Vec<LineUnits>),
    /// Nodes have answered whether what they have goes to another place.
    ShipToChangeSettled(ShipToSettlement),
    /// Units were shipped.
    Shipped {
        /// Their shipment.
        shipment_id: ShipmentId,
        /// The units.
        units: Vec<LineUnits>,
        /// Of these, those that the node was no longer, or never, to ship.
        beyond: Vec<LineUnits>,
        /// Whether the node had been asked not to ship them.
        cancellation_lost: bool,
    },
    /// Units were delivered.
    Delivered {
        /// Their shipment.
        shipment_id: ShipmentId,
        /// The units.
        units: Vec<LineUnits>,
    },
    /// Units that were reported shipped did not leave.
    DepartureRetracted {
        /// Their shipment.
        shipment_id: ShipmentId,
        /// The units.
        units: Vec<LineUnits>,
    },
    /// Nodes did not pick units after all.
    PickRetracted(Vec<LineUnits>),
    /// Nodes found units after all.
    Found(Vec<LineUnits>),
    /// Units of a shipment do not reach the customer, and are cancelled.
    WrittenOff {
        /// Their shipment.
        shipment_id: ShipmentId,
        /// The units.
        units: Vec<LineUnits>,
    },
    /// Units of a shipment do not reach the customer, and others are reserved for them as the snapshots say.
    Replaced {
        /// Their shipment.
        shipment_id: ShipmentId,
        /// The units.
        units: Vec<LineUnits>,
        /// The reservations of their lines.
        reservations: Vec<ReservationSnapshot>,
    },
    /// Units that were reported delivered were not.
    DeliveryRetracted {
        /// Their shipment.
        shipment_id: ShipmentId,
        /// The units.
        units: Vec<LineUnits>,
    },
}

/// What nodes answered when released units of a group were to go to another place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShipToSettlement {
    /// The change.
    pub(crate) change_number: i64,
    /// The group; `None` when the order goes to one place.
    pub(crate) ship_to_group: Option<i64>,
    /// Units that go to the new place.
    pub(crate) accepted: i64,
    /// Units that go to the place before.
    pub(crate) declined: i64,
    /// Why they do.
    pub(crate) reason: String,
}

/// The reservation of a line at one of its versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReservationSnapshot {
    /// The line.
    pub(crate) line_number: i64,
    /// Version of the reservation; a higher one is newer.
    pub(crate) version: i64,
    /// Units that it is for.
    pub(crate) requested: i64,
    /// Units without stock.
    pub(crate) backordered: i64,
    /// Units that are not wanted any more.
    pub(crate) released: i64,
    /// When the units without stock are expected to have some.
    pub(crate) backorder_expect_time: Option<Timestamp>,
}

impl OrderReport {
    /// Whether it changes the units shipped, so that the units that came back are counted again.
    pub(crate) fn changes_shipped(&self) -> bool {
        matches!(
            self,
            Self::Shipped { .. } | Self::DepartureRetracted { .. } | Self::WrittenOff { .. } | Self::Replaced { .. }
        )
    }

    /// Whether dates of lines may have to be found after it that were found before.
    pub(crate) fn outdates_promises(&self) -> bool {
        matches!(
            self,
            Self::Reserved(_)
                | Self::Expired(_)
                | Self::Unfulfillable(..)
                | Self::ShipToChangeSettled(_)
                | Self::DepartureRetracted { .. }
                | Self::WrittenOff { .. }
                | Self::Replaced { .. }
        )
    }

    /// The lines that it is about.
    pub(crate) fn line_numbers(&self) -> Vec<i64> {
        let (units, reservations): (&[LineUnits], &[ReservationSnapshot]) = match self {
            Self::ReservationRefused(_) | Self::ShipToChangeSettled(_) => (&[], &[]),
            Self::Reserved(reservations) | Self::Expired(reservations) => (&[], reservations),
            Self::Unfulfillable(units, reservations) => (units, reservations),
            Self::Replaced { units, reservations, .. } => (units, reservations),
            Self::Picked(units)
            | Self::Short(units)
            | Self::Cancelled(units)
            | Self::CancellationDeclined(units)
            | Self::PickRetracted(units)
            | Self::Found(units) => (units, &[]),
            Self::Shipped { units, .. }
            | Self::Delivered { units, .. }
            | Self::DepartureRetracted { units, .. }
            | Self::WrittenOff { units, .. }
            | Self::DeliveryRetracted { units, .. } => (units, &[]),
        };
        let of_units = units.iter().map(|units| units.line_number);
        of_units.chain(reservations.iter().map(|reservation| reservation.line_number)).collect()
    }
}

/// Reads an id of an event.
pub(crate) fn read_id<I: Id>(text: &str) -> Result<I, Fault> {
    text.parse().map_err(|error: types::IdError| Fault::internal(format!("an event with an unreadable id: {error}")))
}

/// Reads units of an event; lines without units are left out.
pub(crate) fn read_units(lines: &[LineQuantity]) -> Result<Vec<LineUnits>, Fault> {
    let read = |line: &LineQuantity| match line.quantity {
        0 => None,
        quantity @ 1..=MAX_QUANTITY => Some(Ok(LineUnits { line_number: line.line_number.into(), quantity })),
        quantity => Some(Err(Fault::internal(format!("{quantity} is not a quantity")))),
    };
    lines.iter().filter_map(read).collect()
}

/// Reads reservations of an event or an answer.
pub(crate) fn read_reservations(reservations: &[Reservation]) -> Vec<ReservationSnapshot> {
    let snapshot = |reservation: &Reservation| ReservationSnapshot {
        line_number: reservation.line_number.into(),
        version: reservation.version,
        requested: reservation.requested,
        backordered: reservation.backordered,
        released: reservation.released,
        backorder_expect_time: reservation.backorder_expect_time.as_ref().and_then(mesh::wire::from_timestamp),
    };
    reservations.iter().map(snapshot).collect()
}
