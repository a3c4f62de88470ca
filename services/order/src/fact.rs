//! What other services say happened to the units of an order.

use types::{Fault, ShipmentId};

/// One piece of news about an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// Inventory's reservations, as they were at some time.
    Reserved(Vec<Image>),
    /// Inventory had too little, and the order wants all or nothing.
    Refused(String),
    /// Nodes picked units.
    Picked(Vec<Units>),
    /// Nodes could not find units.
    Short(Vec<Units>),
    /// No node has these units: they are back with the order.
    Unfulfillable(Vec<Units>, Vec<Image>),
    /// The cancellation reached the nodes in time.
    Cancelled(Vec<Units>),
    /// Units left.
    Shipped {
        /// With which shipment.
        shipment_id: ShipmentId,
        /// Which.
        units: Vec<Units>,
        /// Whether the node had been asked not to ship them.
        stop: Stop,
    },
    /// Units arrived.
    Delivered {
        /// With which shipment.
        shipment_id: ShipmentId,
        /// Which.
        units: Vec<Units>,
    },
    /// How all returns together stand, said again whenever one of them or what was shipped changed.
    Returned(Vec<Returned>),
}

/// Whether a node had been asked not to ship what it shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It had not.
    NotAsked,
    /// It had.
    Ignored,
}

/// Units of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units {
    /// The line.
    pub line_number: i64,
    /// Base units, at least 1.
    pub quantity: i64,
}

/// What inventory says of the reservation of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// The line.
    pub line_number: i64,
    /// Tells the newest.
    pub version: i64,
    /// Units that wait for stock.
    pub backordered: i64,
}

/// What all returns say of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// The line.
    pub line_number: i64,
    /// Units authorized to come back.
    pub authorized: i64,
    /// Units that came back, more than left when it was not heard yet that they left.
    pub received: i64,
}

impl Fact {
    /// The lines it is about.
    pub fn line_numbers(&self) -> Vec<i64> {
        let of_units = |units: &[Units]| units.iter().map(|units| units.line_number).collect();
        let of_images = |images: &[Image]| images.iter().map(|image| image.line_number).collect();
        match self {
            Self::Reserved(images) => of_images(images),
            Self::Refused(_) => Vec::new(),
            Self::Picked(units) | Self::Short(units) | Self::Cancelled(units) => of_units(units),
            Self::Shipped { units, .. } | Self::Delivered { units, .. } => of_units(units),
            Self::Unfulfillable(units, images) => [of_units(units), of_images(images)].concat(),
            Self::Returned(returned) => returned.iter().map(|returned| returned.line_number).collect(),
        }
    }

    /// A fact about a line the order does not have is nobody's: it goes to a person.
    pub fn unknown_line(line_number: i64) -> Fault {
        Fault::internal(format!("the order has no line {line_number}"))
    }
}
