//! Creates a node.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{self, CreateNodeRequest},
};
use store::{Command, Context, Needs, Rows};
use types::{Fault, Reason, Timestamp, limits::MAX_NAME};

use crate::{
    node::{Node, NodeState, parse},
    process::undelivered,
};

/// The handling time of a node for which none is given: a day.
const DEFAULT_HANDLING_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// Creates a node.
#[derive(Debug)]
pub(crate) struct CreateNode(Node);

impl CreateNode {
    /// Reads the request.
    pub(crate) fn parse(request: &CreateNodeRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let node_id = checks.id("node_id", &request.node_id);
        let name = checks.text("name", &request.name, MAX_NAME);
        let partner_id = checks.id("partner_id", &request.partner_id);
        let country = checks.country("country", &request.country);
        let time_zone = parse::time_zone(&request.time_zone, &mut checks);
        let handling_classes = parse::handling_classes(&request.handling_classes, &mut checks);
        let service_areas = parse::service_areas(&request.service_areas, &mut checks);
        let accept_within_micros = parse::accept_within(request.accept_within.as_ref(), &mut checks);
        let handling_micros = parse::handling_time(request.handling_time.as_ref(), &mut checks);
        let cutoff_time = parse::calendar::cutoff_time(&request.cutoff_time, &mut checks);
        let working_days = parse::calendar::working_days("working_days", &request.working_days, &mut checks);
        let holidays = parse::calendar::holidays("holidays", &request.holidays, &mut checks);
        let lanes = parse::calendar::lanes("lanes", &request.lanes, &mut checks);
        let (classes, areas) = (request.handling_classes.is_empty(), request.service_areas.is_empty());
        for (field, missing) in [("handling_classes", classes), ("service_areas", areas)] {
            if missing {
                checks.wrong(field, "must not be empty");
            }
        }
        checks.done()?;
        Ok(Self(Node {
            node_id: checked(node_id)?,
            name: checked(name)?,
            partner_id: checked(partner_id)?,
            country: checked(country)?,
            time_zone: checked(time_zone)?,
            handling_classes: checked(handling_classes)?,
            service_areas,
            accept_within_micros,
            handling_micros: handling_micros.unwrap_or(DEFAULT_HANDLING_MICROS),
            cutoff_time: checked(cutoff_time)?,
            working_days: checked(working_days)?,
            holidays: checked(holidays)?,
            lanes: checked(lanes)?,
            state: NodeState::Active,
            create_time: Timestamp::default(),
            update_time: Timestamp::default(),
            version: 0,
        }))
    }
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
        undelivered::schedule(cx);
        let node = Node { create_time: cx.now(), update_time: cx.now(), ..self.0.clone() };
        Ok(node.save(FulfillmentEvent::NodeCreated, rows, cx))
    }
}
