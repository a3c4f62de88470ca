//! Shipments: goods that leave a node together.
//!
//! Labels, departures and arrivals are facts of packages, and the shipment's state is a function of the packages that left.
//! A second package is added and never replaces the first, and a package that is reported twice counts once.

use prost::Message as _;
use proto::{fulfillment::v1 as contract, types::v1::Address};
use sha2::{Digest, Sha256};
use store::Proto;
use types::{AccountId, Fault, FulfillmentOrderId, Id, NodeId, OrderId, PartnerId, ShipmentId, Timestamp};

use crate::{fulfillment_order::FulfillmentOrderHeader, package::Package};

/// About how long a shipment is without its packages, when it is encoded: with an address of the usual length.
const SHIPMENT_BYTES: usize = 700;

store::record! {
    /// Goods that leave a node together.
    pub(crate) struct Shipment in "shipments" key (shipment_id: ShipmentId) {
        /// The fulfillment order that it comes from.
        fulfillment_order_id: FulfillmentOrderId,
        /// The order.
        order_id: OrderId,
        /// The account.
        account_id: AccountId,
        /// The node.
        node_id: NodeId,
        /// The partner that ran the node.
        partner_id: PartnerId,
        /// The node's own number for it.
        shipment_reference: String,
        /// The ship-to group of the order; 0 when the order has one destination only.
        ship_to_group: i64,
        /// Where it goes, when that is not where its fulfillment order goes now.
        ship_to: Option<Proto<Address>>,
        /// Partner that carries it; empty when not known.
        carrier_id: String,
        /// When the node named the carrier, if it did.
        carrier_time: Option<Timestamp>,
        /// Progress, derived from the packages.
        state: ShipmentState,
        /// Whether its node also reported other contents of a package than it left with.
        contents: ReportedContents,
        /// When the first package left.
        ship_time: Option<Timestamp>,
        /// When the last package was delivered, once all are.
        deliver_time: Option<Timestamp>,
        /// About how long its packages are when they are encoded, so that a page ends by bytes before they are read.
        size_bytes: i64,
        /// When it was first reported.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

store::text_enum! {
    /// Progress of a shipment.
    pub(crate) enum ShipmentState = contract::ShipmentState {
        /// Labels are printed; nothing left.
        Labelled = "LABELLED",
        /// Packages left.
        Shipped = "SHIPPED",
        /// Some packages were delivered.
        PartiallyDelivered = "PARTIALLY_DELIVERED",
        /// All packages that left were delivered.
        Delivered = "DELIVERED",
        /// Voided before anything left.
        Voided = "VOIDED",
        /// Every package that left was written off.
        WrittenOff = "WRITTEN_OFF",
    }
}

store::text_enum! {
    /// Whether the reports of a shipment agree on the contents of its packages.
    pub(crate) enum ReportedContents {
        /// They do.
        Agree = "AGREE",
        /// They do not, and were not corrected since.
        Differ = "DIFFER",
    }
}

/// Names of the methods that may be called now for a shipment with these packages.
pub(crate) fn supported_actions(packages: &[&Package]) -> Vec<&'static str> {
    let corrected = packages.iter().any(|package| package.has_left() && package.remedy.is_none());
    let voided = packages.iter().any(|package| !package.has_left() && package.void_time.is_none());
    let actions = [("VoidLabels", voided), ("RetractShipment", corrected), ("CorrectShipment", corrected)];
    actions.into_iter().filter_map(|(action, supported)| supported.then_some(action)).collect()
}

/// The id of a shipment: the same fulfillment order and reference are the same shipment.
fn shipment_id(fulfillment_order_id: &FulfillmentOrderId, reference: &str) -> Result<ShipmentId, Fault> {
    derived_id(fulfillment_order_id.as_str(), reference)
}

/// An id made from the id of a parent and a number that is unique within it.
pub(crate) fn derived_id<I: Id>(parent: &str, number: &str) -> Result<I, Fault> {
    let hash = Sha256::new().chain_update(parent).chain_update([0]).chain_update(number).finalize();
    let body: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{}_{body}", I::PREFIX).parse().map_err(|_| Fault::internal("a derived id is malformed"))
}

impl Shipment {
    /// A shipment of a fulfillment order of which nothing left yet, reported by its node at an instant.
    pub(crate) fn new(
        order: &FulfillmentOrderHeader,
        reference: &str,
        carrier_id: &str,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        Ok(Self {
            shipment_id: shipment_id(&order.fulfillment_order_id, reference)?,
            fulfillment_order_id: order.fulfillment_order_id.clone(),
            order_id: order.order_id.clone(),
            account_id: order.account_id.clone(),
            node_id: order.node_id.clone(),
            partner_id: order.partner_id.clone(),
            shipment_reference: reference.to_owned(),
            ship_to_group: order.ship_to_group,
            ship_to: None,
            carrier_id: carrier_id.to_owned(),
            carrier_time: (!carrier_id.is_empty()).then_some(at),
            state: ShipmentState::Labelled,
            contents: ReportedContents::Agree,
            ship_time: None,
            deliver_time: None,
            size_bytes: 0,
            create_time: now,
            update_time: now,
            version: 0,
        })
    }

    /// Keeps about how long its packages are when they are encoded.
    pub(crate) fn measure<'a>(&mut self, packages: impl IntoIterator<Item = &'a Package>) {
        let bytes: usize = packages.into_iter().map(Package::bytes).sum();
        self.size_bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    }

    /// About how long it is with its packages, when it is encoded.
    pub(crate) fn full_bytes(&self) -> usize {
        let ship_to = self.ship_to.as_ref().map_or(0, |ship_to| ship_to.0.encoded_len());
        let packages = usize::try_from(self.size_bytes).unwrap_or(usize::MAX);
        packages.saturating_add(SHIPMENT_BYTES + ship_to)
    }

    /// Whether a reporter is authoritative for its packages: the distributor (empty), its carrier, or the partner that runs
    /// its node.
    pub(crate) fn is_authoritative(&self, reporter_id: &str) -> bool {
        reporter_id.is_empty() || reporter_id == self.carrier_id || reporter_id == self.partner_id.as_str()
    }

    /// Names its carrier: at an instant when its node does, without when a tracking report does. Returns whether it is another
    /// one now.
    pub(crate) fn name_carrier(&mut self, carrier_id: &str, at: Option<Timestamp>) -> bool {
        let known = !self.carrier_id.is_empty();
        let is_older = match at {
            Some(at) => self.carrier_time.is_some_and(|named| at < named),
            None => known,
        };
        if carrier_id.is_empty() || is_older && known {
            return false;
        }
        self.carrier_time = at.or(self.carrier_time);
        let is_other = self.carrier_id != carrier_id;
        carrier_id.clone_into(&mut self.carrier_id);
        is_other
    }

    /// Derives the state from its packages. Those that are written off are not waited for.
    pub(crate) fn derive_state<'a>(&mut self, packages: impl IntoIterator<Item = &'a Package>) {
        let packages: Vec<_> = packages.into_iter().collect();
        let (left, labelled): (Vec<_>, Vec<_>) = packages.into_iter().partition(|package| package.has_left());
        self.ship_time = left.iter().filter_map(|package| package.left_time()).min();
        self.deliver_time = None;
        let any_left = !left.is_empty();
        let expected: Vec<_> = left.into_iter().filter(|package| package.remedy.is_none()).collect();
        let delivered = expected.iter().filter(|package| package.deliver_time.is_some()).count();
        self.state = if !any_left && !labelled.is_empty() && labelled.iter().all(|one| one.void_time.is_some()) {
            ShipmentState::Voided
        } else if !any_left {
            ShipmentState::Labelled
        } else if expected.is_empty() {
            ShipmentState::WrittenOff
        } else if delivered == 0 {
            ShipmentState::Shipped
        } else if delivered < expected.len() {
            ShipmentState::PartiallyDelivered
        } else {
            self.deliver_time = expected.iter().filter_map(|package| package.deliver_time).max();
            ShipmentState::Delivered
        };
    }
}

#[cfg(test)]
mod tests;
