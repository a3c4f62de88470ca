//! Changes a node.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{self, UpdateNodeRequest},
};
use store::{Command, Context, Needs, Proto, Rows};
use types::{Fault, NodeId, limits::MAX_NAME};

use crate::{
    node::{HandlingClasses, Node, NodeState, ServiceAreas, parse},
    wire,
};

/// Changes the given fields of a node.
#[derive(Debug)]
pub(crate) struct UpdateNode {
    node_id: NodeId,
    /// The etag that was read; any when empty.
    etag: String,
    name: Option<String>,
    /// Unchanged when empty.
    handling_classes: HandlingClasses,
    /// Unchanged when empty.
    service_areas: ServiceAreas,
    accept_within_micros: Option<i64>,
    handling_micros: Option<i64>,
    /// Removed by `Some(None)`.
    cutoff_time: Option<Option<String>>,
    working_days: Option<Proto<v1::WorkingDays>>,
    holidays: Option<Proto<v1::Holidays>>,
    lanes: Option<Proto<v1::Lanes>>,
    state: Option<NodeState>,
}

impl UpdateNode {
    /// Reads the request.
    pub(crate) fn parse(request: &UpdateNodeRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let node_id = checks.id("node_id", &request.node_id);
        let name = request.name.as_ref().and_then(|name| checks.text("name", name, MAX_NAME));
        let handling_classes = parse::handling_classes(&request.handling_classes, &mut checks);
        let service_areas = parse::service_areas(&request.service_areas, &mut checks);
        let accept_within_micros = parse::accept_within(request.accept_within.as_ref(), &mut checks);
        let handling_micros = parse::handling_time(request.handling_time.as_ref(), &mut checks);
        let cutoff = request.cutoff_time.as_ref();
        let cutoff_time = cutoff.and_then(|text| parse::calendar::cutoff_time(text, &mut checks));
        let days = request.working_days.as_ref();
        let working_days =
            days.and_then(|days| parse::calendar::working_days("working_days.weekdays", &days.weekdays, &mut checks));
        let holidays = request.holidays.as_ref();
        let holidays = holidays.and_then(|days| parse::calendar::holidays("holidays.dates", &days.dates, &mut checks));
        let lanes = request.lanes.as_ref();
        let lanes = lanes.and_then(|lanes| parse::calendar::lanes("lanes.lanes", &lanes.lanes, &mut checks));
        let state = request.state.and_then(|state| checks.choice("state", state));
        checks.done()?;
        Ok(Self {
            node_id: checked(node_id)?,
            etag: request.etag.clone(),
            name,
            handling_classes: checked(handling_classes)?,
            service_areas,
            accept_within_micros,
            handling_micros,
            cutoff_time,
            working_days,
            holidays,
            lanes,
            state: state.and_then(NodeState::from_contract),
        })
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
        node.handling_micros = self.handling_micros.unwrap_or(node.handling_micros);
        replace(&mut node.cutoff_time, &self.cutoff_time);
        replace(&mut node.working_days, &self.working_days);
        replace(&mut node.holidays, &self.holidays);
        replace(&mut node.lanes, &self.lanes);
        node.state = self.state.unwrap_or(node.state);
        if node == *present {
            return Ok(wire::node(&node));
        }
        node.update_time = cx.now();
        Ok(node.save(FulfillmentEvent::NodeUpdated, rows, cx))
    }
}

/// Sets what is given.
fn replace<T: Clone>(present: &mut T, given: &Option<T>) {
    if let Some(given) = given {
        present.clone_from(given);
    }
}
