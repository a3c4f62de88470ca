//! What an order tells after it changed.

use types::ShipmentId;

use crate::{fact::Units, hold::Hold, line::Ready};

/// One thing to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A hold was placed.
    HoldPlaced(Hold),
    /// A hold was released.
    HoldReleased(Hold),
    /// Stock is reserved or backordered for every line.
    Confirmed,
    /// The fill policy could not be met.
    Rejected,
    /// More units than before wait for stock; those that wait now.
    Backordered(Vec<Units>),
    /// Reserved units are given out to be fulfilled.
    Released(Vec<Units>),
    /// Units that were not at nodes are cancelled.
    LinesCancelled(Vec<Units>),
    /// Units at nodes should not be shipped any more.
    CancelRequested,
    /// Everything is cancelled.
    Cancelled,
    /// Units were shipped although their cancellation had been asked for.
    CancelLost(ShipmentId, Vec<Units>),
    /// More units were shipped than were wanted.
    OverShipped(ShipmentId, Vec<Units>),
    /// Units may be invoiced.
    InvoiceReady {
        /// The shipment they came with.
        shipment_id: ShipmentId,
        /// By line number.
        lines: Vec<(i64, Ready)>,
    },
    /// Nothing is open any more.
    Closed,
}
