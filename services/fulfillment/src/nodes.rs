//! Creating and changing nodes.

use proto::fulfillment::v1::{self, NodeChanged};
use store::{Command, Context, Needs, NewEvent, Rows};
use types::{Fault, NodeId, Reason};

use crate::{
    node::{HandlingClasses, Node, ServiceAreas, State},
    wire,
};

/// Creates a node.
#[derive(Debug)]
pub struct CreateNode(pub Node);

/// Changes the fields of a node that are given.
#[derive(Debug)]
pub struct UpdateNode {
    /// The node.
    pub node_id: NodeId,
    /// The etag that was read; any when empty.
    pub etag: String,
    /// New name.
    pub name: Option<String>,
    /// New handling classes, when any.
    pub handling_classes: HandlingClasses,
    /// New service areas, when any.
    pub service_areas: ServiceAreas,
    /// New time to accept.
    pub accept_within_micros: Option<i64>,
    /// New state.
    pub state: Option<State>,
}

impl Command for CreateNode {
    type Reply = v1::Node;
    const NAME: &'static str = "CreateNode";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Node>(&self.0.node_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::Node, Fault> {
        let node_id = &self.0.node_id;
        if rows.get::<Node>(node_id)?.is_some() {
            return Err(Fault::new(Reason::AlreadyExists, format!("node {node_id} exists already")));
        }
        let node = rows.put(Node { create_time: cx.now(), update_time: cx.now(), ..self.0.clone() });
        Ok(tell("node.created", &node, cx))
    }
}

impl Command for UpdateNode {
    type Reply = v1::Node;
    const NAME: &'static str = "UpdateNode";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Node>(&self.node_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::Node, Fault> {
        let present = rows.get::<Node>(&self.node_id)?.ok_or_else(|| Fault::not_found("node", &self.node_id))?;
        Fault::check_etag("node", &self.etag, present.version)?;
        let mut node = present.clone();
        if let Some(name) = &self.name {
            node.name.clone_from(name);
        }
        if !self.handling_classes.0.is_empty() {
            node.handling_classes.clone_from(&self.handling_classes);
        }
        if !self.service_areas.0.is_empty() {
            node.service_areas.clone_from(&self.service_areas);
        }
        node.accept_within_micros = self.accept_within_micros.or(node.accept_within_micros);
        node.state = self.state.unwrap_or(node.state);
        if node == *present {
            return Ok(wire::node(&node));
        }
        node.update_time = cx.now();
        let node = rows.put(node);
        Ok(tell("node.updated", &node, cx))
    }
}

fn tell(kind: &'static str, node: &Node, cx: &mut Context<'_>) -> v1::Node {
    let image = wire::node(node);
    let changed = NodeChanged { node: Some(image.clone()) };
    cx.emit(NewEvent::untyped(kind, &node.node_id, node.version, node.version, &changed));
    image
}
