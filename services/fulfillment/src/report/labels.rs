//! Labels are printed. Nothing left.

use proto::fulfillment::v1::{Shipment, ShipmentLabelled};
use store::{Command, Context, Needs, Rows};
use types::Fault;

use super::packages::{Known, Report};
use crate::{dossier::Movement, shipment};

/// Packages are packed and labelled.
#[derive(Debug)]
pub struct RecordLabels(pub Report);

impl Command for RecordLabels {
    type Reply = Shipment;
    const NAME: &'static str = "RecordLabels";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Shipment, Fault> {
        let mut entry = self.0.enter(rows, cx)?;
        let new = entry.places.iter().filter(|(_, known)| *known == Known::Now);
        let packed = shipment::sum(new.filter_map(|(place, _)| entry.dossier.packages.get(*place)));
        if packed.is_empty() && !entry.names_carrier() {
            return entry.image();
        }
        let at = entry.at;
        let acceptance = entry.dossier.work.work_on(at);
        entry.dossier.work.pack(&packed);
        let mut movement = Movement::default();
        entry.catch_up(rows, &mut movement)?;
        entry.dossier.save(rows, cx)?;
        entry.dossier.tell_acceptance(acceptance, at, cx);
        let image = entry.image()?;
        if let Some(shipment) = entry.shipment() {
            let told = ShipmentLabelled { shipment: Some(image.clone()) };
            let fact = entry.dossier.shipment_fact("shipment.labelled", shipment, shipment.version, &told);
            cx.emit(fact.occurred(at, 0));
        }
        entry.tell(rows, movement, cx)?;
        Ok(image)
    }
}
