//! Goods left.

use proto::fulfillment::v1::Shipment;
use store::{Command, Context, Needs, Rows};
use types::Fault;

use super::packages::{Known, Report};
use crate::{dossier::Movement, shipment::Departure};

/// Packages left. One that had left already changes nothing; the warehouse's word makes an inferred departure a
/// reported one. Contents that differ from those it left with are for a person.
#[derive(Debug)]
pub struct RecordShipment(pub Report);

impl Command for RecordShipment {
    type Reply = Shipment;
    const NAME: &'static str = "RecordShipment";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Shipment, Fault> {
        let mut entry = self.0.enter(rows, cx)?;
        let (mut leaving, mut differing) = (Vec::new(), Vec::new());
        for ((place, known), reported) in entry.places.iter().zip(&self.0.packages) {
            let Some(package) = entry.dossier.packages.get_mut(*place) else { continue };
            let lines: Vec<_> = reported.lines.iter().filter_map(|unit| entry.dossier.work.named(unit)).collect();
            if package.left() && !package.holds(&lines) {
                differing.push((*place, lines));
            }
            match package.departure {
                Departure::None => leaving.push(*place),
                Departure::Inferred => package.departure = Departure::Reported,
                Departure::Reported => {}
            }
            if *known == Known::Before && package.sscc.is_empty() {
                package.sscc.clone_from(&reported.sscc);
            }
        }
        let mut movement = Movement::default();
        entry.depart(&leaving, &self.0, &mut movement);
        entry.catch_up(rows, &mut movement)?;
        entry.dossier.save(rows, cx)?;
        entry.tell(rows, movement, cx)?;
        for (place, lines) in differing {
            entry.dossier.open_contents_differ(place, &lines, cx);
        }
        entry.image()
    }
}
