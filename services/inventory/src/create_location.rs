//! Creates a location.

use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, NewEvent, Rows};
use types::{Fault, NodeId, Reason};

use crate::stock::Location;

/// A new location.
pub(crate) struct CreateLocation {
    pub(crate) location_id: NodeId,
    pub(crate) name: String,
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
        let image = crate::wire::location(&location);
        let fact = wire::LocationCreated { location: Some(image.clone()) };
        cx.emit(NewEvent::untyped("location.created", location_id, location.version, location.version, &fact));
        Ok(image)
    }
}

/// Fails when there is no such location.
pub(crate) fn exists(rows: &Rows, location_id: &NodeId) -> Result<(), Fault> {
    rows.get::<Location>(location_id)?.map(|_| ()).ok_or_else(|| Fault::not_found("location", location_id))
}
