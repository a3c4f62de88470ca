//! Creates a location.

use std::sync::Arc;

use mesh::wire::{Checks, checked};
use proto::{events::InventoryEvent, inventory::v1 as wire};
use store::{Command, Context, Needs, NewEvent, Rows};
use types::{Fault, NodeId, Reason, limits::MAX_NAME};

use crate::stock::Location;

/// A new location.
pub(crate) struct CreateLocation {
    location_id: NodeId,
    name: String,
}

impl CreateLocation {
    pub(crate) fn parse(request: &wire::CreateLocationRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let location_id = checks.id("location_id", &request.location_id);
        let name = checks.text("name", &request.name, MAX_NAME);
        checks.done()?;
        Ok(Self { location_id: checked(location_id)?, name: checked(name)? })
    }
}

impl Command for CreateLocation {
    type Reply = wire::Location;
    const NAME: &'static str = "CreateLocation";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Location>(&self.location_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::Location, Fault> {
        let Self { location_id, name } = self;
        if rows.get::<Location>(location_id)?.is_some() {
            return Err(Fault::new(Reason::AlreadyExists, format!("location {location_id} exists already")));
        }
        let location = rows.put(Location {
            location_id: location_id.clone(),
            name: name.clone(),
            count_time: None,
            create_time: cx.now(),
            version: 0,
        });
        let created = crate::wire::location(&location);
        let payload = InventoryEvent::LocationCreated(wire::LocationCreated { location: Some(created.clone()) });
        cx.emit(NewEvent::new(payload, location_id, location.version, location.version));
        Ok(created)
    }
}
