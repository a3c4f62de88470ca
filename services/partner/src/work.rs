//! Copies of what fulfillment told: whose work and whose node it is.

use store::{Command, Context, Needs, Work as Rows};
use types::{Fault, FulfillmentOrderId, NodeId, PartnerId};

store::text_enum! {
    /// Whether work is still wanted of the partner that was asked first.
    pub(crate) enum State {
        /// It is, or it ended.
        Wanted = "WANTED",
        /// It was cancelled or given to somebody else before it was begun.
        CalledOff = "CALLED_OFF",
    }
}

store::record! {
    /// Whose a fulfillment order is. It never becomes somebody else's.
    pub(crate) struct Work in "works" key (fulfillment_order_id: FulfillmentOrderId) {
        /// The partner that runs the node.
        partner_id: PartnerId,
        /// The order.
        order_id: String,
        /// Whether it is still wanted.
        state: State,
        /// The trace of the order.
        trace_parent: String,
    }
}

store::record! {
    /// Whose a node is.
    pub(crate) struct Node in "nodes" key (node_id: NodeId) {
        /// The partner that runs it.
        partner_id: PartnerId,
    }
}

/// Keeps whose a node is.
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
