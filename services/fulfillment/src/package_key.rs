//! How reports name packages: by tracking number, else by SSCC, else by the node and its reference of the shipment.
//!
//! A key is what a name is compared by. Keys of tracking numbers have no lower-case letters, so no key of one kind is one of
//! another.

use std::fmt;

use mesh::wire::Checks;
use proto::fulfillment::v1::Milestone;
use types::{NodeId, limits::MAX_OUTSIDE_NUMBER};

/// What a report names a package with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageName {
    /// The carrier's number.
    pub tracking_number: String,
    /// Serial shipping container code.
    pub sscc: String,
    /// The node that the shipment left.
    pub node_id: String,
    /// The node's own number of the shipment.
    pub shipment_reference: String,
}

impl PackageName {
    /// What a milestone names its package with.
    pub(crate) fn of(milestone: &Milestone) -> Self {
        Self {
            tracking_number: milestone.tracking_number.clone(),
            sscc: milestone.sscc.clone(),
            node_id: milestone.node_id.clone(),
            shipment_reference: milestone.shipment_reference.clone(),
        }
    }

    /// A milestone with this name and nothing else.
    pub(crate) fn to_milestone(&self) -> Milestone {
        Milestone {
            tracking_number: self.tracking_number.clone(),
            sscc: self.sscc.clone(),
            node_id: self.node_id.clone(),
            shipment_reference: self.shipment_reference.clone(),
            ..Milestone::default()
        }
    }

    /// Notes what is wrong with it. `prefix` is the path of the message that has its fields, with a dot.
    pub(crate) fn check(&self, prefix: &str, checks: &mut Checks) {
        let Self { tracking_number, sscc, node_id, shipment_reference } = self;
        let field = |name: &str| format!("{prefix}{name}");
        checks.optional_text(field("tracking_number"), tracking_number, MAX_OUTSIDE_NUMBER);
        checks.optional_text(field("shipment_reference"), shipment_reference, MAX_OUTSIDE_NUMBER);
        checks.optional_id::<NodeId>(field("node_id"), node_id);
        check_sscc(field("sscc"), sscc, checks);
        if !tracking_number.is_empty() {
            check_number(field("tracking_number"), tracking_number, checks);
        } else if sscc.is_empty() && (node_id.is_empty() || shipment_reference.is_empty()) {
            let otherwise = "is required, or sscc, or node_id with shipment_reference";
            checks.wrong(field("tracking_number"), otherwise);
        }
    }

    /// The key.
    pub(crate) fn key(&self) -> String {
        if !self.tracking_number.is_empty() {
            of_number(&self.tracking_number)
        } else if !self.sscc.is_empty() {
            of_sscc(&self.sscc)
        } else {
            of_reference(&self.node_id, &self.shipment_reference)
        }
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [&self.tracking_number, &self.sscc, &self.shipment_reference];
        f.write_str(named.into_iter().find(|name| !name.is_empty()).map_or("", |name| name))
    }
}

/// The key of a tracking number: without spaces, dashes and case.
pub(crate) fn of_number(tracking_number: &str) -> String {
    types::text::compared_number(tracking_number)
}

/// How keys of SSCCs begin.
pub(crate) const SSCC_PREFIX: &str = "sscc:";

/// The key of an SSCC.
pub(crate) fn of_sscc(sscc: &str) -> String {
    format!("{SSCC_PREFIX}{sscc}")
}

/// The key of packages without tracking number of a node's shipment.
pub(crate) fn of_reference(node_id: &str, shipment_reference: &str) -> String {
    format!("ref:{node_id}/{}", of_number(shipment_reference))
}

/// Notes a tracking number that nothing is left of when it is compared.
pub(crate) fn check_number(field: String, tracking_number: &str, checks: &mut Checks) {
    if of_number(tracking_number).is_empty() {
        checks.wrong(field, "must have a letter or digit");
    }
}

/// Notes an SSCC that is not one.
pub(crate) fn check_sscc(field: String, sscc: &str, checks: &mut Checks) {
    if !sscc.is_empty() && (sscc.len() != 18 || !sscc.bytes().all(|byte| byte.is_ascii_digit())) {
        checks.wrong(field, "must have 18 digits");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_the_key_of_an_sscc_or_of_a_reference() {
        assert_ne!(of_number("sscc:000000000000000001"), of_sscc("000000000000000001"));
        assert_ne!(of_number("ref:nod_a/S-1"), of_reference("nod_a", "S-1"));
        assert_eq!(of_reference("nod_a", "s 1"), of_reference("nod_a", "S-1"));
    }
}
