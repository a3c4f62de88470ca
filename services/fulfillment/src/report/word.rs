//! What somebody says of a tracking number reaches the packages that have it.

use store::{Context, Needs, Rows};
use types::Fault;

use crate::{
    dossier::{Dossier, Movement, claim, number_needs, said_needs},
    shipment::{Package, Shipment},
};

/// Column that says which packages a report is about.
const NUMBER: &[&str] = &["tracking_number"];

/// Somebody's word on a tracking number, new and kept already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    /// The number.
    pub(super) number: &'a str,
    /// Who says it; empty for the distributor.
    pub(super) reporter_id: &'a str,
    /// Who carries the package; empty when not known.
    pub(super) carrier_id: &'a str,
}

impl Word<'_> {
    /// Lets every package hear it; `tell` tells it of one for which it counts. Answers whether there is any package.
    pub(super) fn reach(
        self,
        rows: &mut Rows,
        cx: &mut Context<'_>,
        tell: impl Fn(&Dossier, &Shipment, &Package, &mut Context<'_>),
    ) -> Result<bool, Fault> {
        claim(self.number, rows)?;
        let packages = packages(self.number, rows)?;
        let matched = !packages.is_empty();
        for package in packages {
            let mut dossier = Dossier::load(&package.fulfillment_order_id, rows)?;
            if !dossier.hears(&package, self.reporter_id) {
                if let Some((shipment, package)) = dossier.find(&package) {
                    dossier.open_foreign_report(shipment, package, self.reporter_id, cx);
                }
                continue;
            }
            let named = dossier.name_carrier(&package.shipment_id, self.carrier_id);
            let mut movement = Movement::default();
            if named {
                dossier.begin_to_hear_all(&package.shipment_id, rows, &mut movement)?;
            } else {
                dossier.catch_up_one(&package, rows, &mut movement)?;
            }
            dossier.save(rows, cx)?;
            if let Some((shipment, package)) = dossier.find(&package) {
                tell(&dossier, shipment, package, cx);
                if named {
                    dossier.tell_named(shipment, rows, cx)?;
                }
                dossier.tell_movement(shipment, movement, cx);
            }
        }
        Ok(matched)
    }
}

/// Asks for all that is known of a tracking number.
pub(super) fn word_needs(number: &str, rows: &Rows, needs: &mut Needs) {
    if number_needs(number, rows, needs) {
        said_needs(number, rows, needs);
        needs.by::<Package>(NUMBER, number);
    }
    for package in rows.by::<Package>(NUMBER, number).into_iter().flatten() {
        Dossier::needs(&package.fulfillment_order_id, rows, needs);
        Dossier::needs_unnamed(&package.fulfillment_order_id, rows, needs);
    }
}

/// The package a reporter's word on a number counts for, and its shipment; the oldest when there are several.
pub(super) fn counting<'w>(
    number: &str,
    reporter_id: &str,
    work: &'w Rows,
) -> Result<Option<(&'w Shipment, Package)>, Fault> {
    for package in packages(number, work)? {
        let shipment = work.get::<Shipment>(&package.shipment_id)?;
        if let Some(shipment) = shipment.filter(|shipment| shipment.hears(reporter_id)) {
            return Ok(Some((shipment, package)));
        }
    }
    Ok(None)
}

/// Packages with a tracking number, the oldest first.
fn packages(number: &str, rows: &Rows) -> Result<Vec<Package>, Fault> {
    let mut packages: Vec<_> = rows.by::<Package>(NUMBER, number)?.into_iter().cloned().collect();
    packages.sort_by(|a, b| (a.create_time, &a.package_id).cmp(&(b.create_time, &b.package_id)));
    Ok(packages)
}
