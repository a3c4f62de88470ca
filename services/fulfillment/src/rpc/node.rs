//! Reading requests about nodes.

use mesh::wire::{Checks, MAX_CHOICES};
use proto::{
    fulfillment::v1::{CreateNodeRequest, NodeState, ServiceArea as WireArea, UpdateNodeRequest},
    types::v1::HandlingClass as WireClass,
};
use types::{Fault, Timestamp, is_country};

use crate::{
    node::{EVERYWHERE, HandlingClass, HandlingClasses, Node, ServiceArea, ServiceAreas, State},
    nodes::{CreateNode, UpdateNode},
    wire,
};

/// The most characters of a name.
const NAME: usize = 200;

/// The most service areas of a node.
const AREAS: usize = 100;

pub(super) fn create(request: &CreateNodeRequest) -> Result<CreateNode, Fault> {
    let mut checks = Checks::new();
    let node_id = checks.id("node_id", &request.node_id);
    let name = checks.text("name", &request.name, NAME);
    let partner_id = checks.id("partner_id", &request.partner_id);
    let country = checks.country("country", &request.country);
    let time_zone = zone(&request.time_zone, &mut checks);
    let handling_classes = classes(&request.handling_classes, &mut checks);
    let service_areas = areas(&request.service_areas, &mut checks);
    let accept_within_micros = accept_within(request.accept_within.as_ref(), &mut checks);
    for (field, missing) in
        [("handling_classes", request.handling_classes.is_empty()), ("service_areas", request.service_areas.is_empty())]
    {
        if missing {
            checks.wrong(field, "must not be empty");
        }
    }
    let node = (|| {
        Some(Node {
            node_id: node_id?,
            name: name?,
            partner_id: partner_id?,
            country: country?,
            time_zone: time_zone?,
            handling_classes,
            service_areas,
            accept_within_micros,
            state: State::Active,
            create_time: Timestamp::default(),
            update_time: Timestamp::default(),
            version: 0,
        })
    })();
    checks.done()?;
    node.map(CreateNode).ok_or_else(unread)
}

pub(super) fn update(request: &UpdateNodeRequest) -> Result<UpdateNode, Fault> {
    let mut checks = Checks::new();
    let node_id = checks.id("node_id", &request.node_id);
    let name = request.name.as_ref().and_then(|name| checks.text("name", name, NAME));
    let handling_classes = classes(&request.handling_classes, &mut checks);
    let service_areas = areas(&request.service_areas, &mut checks);
    let accept_within_micros = accept_within(request.accept_within.as_ref(), &mut checks);
    let state = request.state.and_then(|state| checks.choice::<NodeState>("state", state));
    checks.done()?;
    Ok(UpdateNode {
        node_id: node_id.ok_or_else(unread)?,
        etag: request.etag.clone(),
        name,
        handling_classes,
        service_areas,
        accept_within_micros,
        state: state.and_then(|state| wire::named(state.as_str_name(), "NODE_STATE_")),
    })
}

/// Cannot be: a field that was not read was noted as wrong.
pub(super) fn unread() -> Fault {
    Fault::internal("a field was neither read nor refused")
}

fn zone(text: &str, checks: &mut Checks) -> Option<String> {
    if text.is_empty() {
        return Some("UTC".to_owned());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
    if text.len() <= 64 && text.chars().all(plain) {
        return Some(text.to_owned());
    }
    checks.wrong("time_zone", "must be an IANA time zone, such as Europe/Berlin");
    None
}

fn accept_within(duration: Option<&prost_types::Duration>, checks: &mut Checks) -> Option<i64> {
    let duration = checks.optional_duration("accept_within", duration).flatten()?;
    let micros = i64::try_from(duration.as_micros()).ok().filter(|micros| *micros > 0);
    if micros.is_none() {
        checks.wrong("accept_within", "must be 1 microsecond to 290,000 years");
    }
    micros
}

fn classes(numbers: &[i32], checks: &mut Checks) -> HandlingClasses {
    let mut classes: Vec<HandlingClass> = Vec::new();
    checks.at_most("handling_classes", numbers.len(), MAX_CHOICES);
    for (at, number) in numbers.iter().enumerate().take(MAX_CHOICES) {
        let class = checks.choice::<WireClass>(format!("handling_classes[{at}]"), *number);
        classes.extend(class.and_then(|class| wire::named::<HandlingClass>(class.as_str_name(), "HANDLING_CLASS_")));
    }
    classes.sort_unstable();
    classes.dedup();
    HandlingClasses(classes)
}

fn areas(areas: &[WireArea], checks: &mut Checks) -> ServiceAreas {
    if areas.len() > AREAS {
        checks.wrong("service_areas", format!("must have at most {AREAS} areas"));
        return ServiceAreas::default();
    }
    for (at, area) in areas.iter().enumerate() {
        let field = format!("service_areas[{at}]");
        if area.countries.is_empty() || area.countries.len() > 300 {
            checks.wrong(format!("{field}.countries"), "must have 1 to 300 countries");
            continue;
        }
        for (place, code) in area.countries.iter().enumerate() {
            if code != EVERYWHERE && !is_country(code) {
                let text = "must be an ISO 3166-1 alpha-2 country code in capitals, or *";
                checks.wrong(format!("{field}.countries[{place}]"), text);
            }
        }
        if area.rank < 0 {
            checks.wrong(format!("{field}.rank"), "must not be negative");
        }
    }
    let area = |area: &WireArea| ServiceArea { countries: area.countries.clone(), rank: area.rank };
    ServiceAreas(areas.iter().map(area).collect())
}
