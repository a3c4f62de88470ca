//! Which partner runs which node, copied from the events of fulfillment.

use store::{Command, Context, Needs, Rows};
use types::{Fault, NodeId, PartnerId};

store::record! {
    /// A node that a partner runs.
    pub(crate) struct Node in "nodes" key (node_id: NodeId) {
        /// The partner.
        partner_id: PartnerId,
    }
}

/// Copies which partner runs a node.
pub(crate) struct CopyNode {
    /// The node.
    pub node_id: NodeId,
    /// The partner that runs it.
    pub partner_id: PartnerId,
}

impl Command for CopyNode {
    type Reply = ();
    const NAME: &'static str = "CopyNode";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Node>(&self.node_id);
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        let version = match rows.get::<Node>(&self.node_id)? {
            Some(known) if known.partner_id == self.partner_id => return Ok(()),
            Some(known) => known.version,
            None => 0,
        };
        rows.put(Node { node_id: self.node_id.clone(), partner_id: self.partner_id.clone(), version });
        Ok(())
    }
}
