//! A package that left and does not reach the customer.
//!
//! 1. Its reports amount to a problem (`problem.rs`): lost, damaged, refused, returned to its sender, failed, attempted too often.
//!    Or nothing is reported of it for a week: [`SilenceTask`] looks for such packages every hour. Saving the fulfillment order
//!    opens the exception of the problem, and resolves it when the problem is another one or none (`aggregate/events/problems.rs`).
//! 2. Returned to the sender: `shipment.returned_to_sender`. Returns expects the goods, which are received and inspected like
//!    those of a customer, without a credit (`services/returns/src/process/return_to_sender.rs`). What is delivered after that is
//!    delivered to the sender. `shipment.recovered` when the reports amount to something else after all.
//! 3. Delivered after all: the exception is resolved.
//! 4. `WriteOffPackage` ([`WriteOffPackage`]) ends the wait: `shipment.written_off`. With REPLACE inventory reserves other units
//!    (`services/inventory/src/replace_consumed.rs`) and the order releases them. With CANCEL the order counts the units as
//!    cancelled. Either way what was ready to invoice is credited (`services/order/src/process/settlement.rs`).
//! 5. A written-off package that is delivered all the same counts as nothing, and opens DELIVERED_AFTER_WRITE_OFF.

use std::{sync::Arc, time::Duration};

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::fulfillment::v1::{self, WriteOffPackageRequest};
use store::{AnyCommand, Command, Context, Db, Needs, Rows, Task, TaskHandler};
use types::{
    Fault, FulfillmentOrderId, PackageId,
    limits::{MAX_OUTSIDE_NUMBER, MAX_TEXT},
};

use crate::{aggregate::FulfillmentOrderAggregate, package::Package, problem::Remedy, store as reads};

/// The kind of the task that looks for silent packages. There is one of it.
const SILENCE: &str = "fulfillment.silence";

/// How often silent packages are looked for.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// How many silent packages are found at a time.
const STEP: usize = 200;

/// Writes a package off.
#[derive(Debug)]
pub(crate) struct WriteOffPackage {
    package_id: PackageId,
    remedy: Remedy,
    claim_reference: String,
    reason: String,
    /// Of its shipment; not compared when empty.
    etag: String,
}

impl WriteOffPackage {
    /// Reads the request.
    pub(crate) fn parse(request: &WriteOffPackageRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let package_id = checks.id("package_id", &request.package_id);
        let remedy = checks.choice("remedy", request.remedy).and_then(Remedy::from_contract);
        let claim_reference = checks.optional_text("claim_reference", &request.claim_reference, MAX_OUTSIDE_NUMBER);
        let reason = checks.optional_text("reason", &request.reason, MAX_TEXT);
        checks.done()?;
        let (claim_reference, reason) = (checked(claim_reference)?, checked(reason)?);
        let (package_id, etag) = (checked(package_id)?, request.etag.clone());
        Ok(Self { package_id, remedy: checked(remedy)?, claim_reference, reason, etag })
    }
}

impl Command for WriteOffPackage {
    type Reply = v1::Shipment;
    const NAME: &'static str = "WriteOffPackage";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Package>(&self.package_id);
        if let Ok(Some(package)) = rows.get::<Package>(&self.package_id) {
            FulfillmentOrderAggregate::needs(&package.fulfillment_order_id, rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::Shipment, Fault> {
        let package = rows.get::<Package>(&self.package_id)?;
        let package = package.ok_or_else(|| Fault::not_found("package", &self.package_id))?;
        let shipment_id = package.shipment_id.clone();
        let mut aggregate = FulfillmentOrderAggregate::load(&package.fulfillment_order_id, rows)?;
        aggregate.write_off(&self.package_id, &self.etag, self.remedy, &self.claim_reference, &self.reason)?;
        aggregate.save(rows, cx)?.shipment_snapshot(&shipment_id)
    }
}

/// Schedules the next look for silent packages.
pub(crate) fn schedule(cx: &mut Context<'_>) {
    cx.schedule(Task::new(SILENCE, "", cx.now().after(EVERY)));
}

/// Looks for packages of which nothing was reported for too long.
#[derive(Debug, Clone)]
pub(crate) struct SilenceTask {
    pub(crate) db: Db,
}

#[async_trait::async_trait]
impl TaskHandler for SilenceTask {
    fn kind(&self) -> &'static str {
        SILENCE
    }

    async fn run(&self, _: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let silent = reads::silent_packages(&self.db, self.db.clock().now(), STEP).await?;
        let more = silent.len() == STEP;
        let mut commands: Vec<Box<dyn AnyCommand>> = Vec::with_capacity(silent.len() + 1);
        for package in silent {
            let (package_id, fulfillment_order_id) = (package.package_id, package.fulfillment_order_id);
            commands.push(Box::new(NoteSilence { package_id, fulfillment_order_id }));
        }
        commands.push(Box::new(LookAgain { more }));
        Ok(commands)
    }
}

/// Notes that nothing was reported of a package for too long.
#[derive(Debug)]
struct NoteSilence {
    package_id: PackageId,
    fulfillment_order_id: FulfillmentOrderId,
}

impl Command for NoteSilence {
    type Reply = ();
    const NAME: &'static str = "NoteSilence";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.fulfillment_order_id, rows)?;
        aggregate.note_silence(&self.package_id, cx.now());
        aggregate.save(rows, cx).map(|_| ())
    }
}

/// Schedules the next look: at once when there are more silent packages than were found.
#[derive(Debug)]
struct LookAgain {
    more: bool,
}

impl Command for LookAgain {
    type Reply = ();
    const NAME: &'static str = "LookForSilentPackages";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let pause = if self.more { Duration::ZERO } else { EVERY };
        cx.schedule(Task::new(SILENCE, "", cx.now().after(pause)));
        Ok(())
    }
}
