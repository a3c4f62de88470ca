//! Gives free units to the lines that wait for them, and says before who would get what: both are one decision, and one saves it.

use std::sync::Arc;

use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, Timestamp, Violation};

use crate::{
    backorder::Share,
    item::read_skus,
    ledger::{Cause, Ledger},
    wire::backorder_release,
    working_set::WorkingSet,
};

/// The most items of a call.
const MAX_ITEMS: usize = 100;

/// Items of which free units are given.
#[derive(Debug)]
struct Items(Vec<String>);

impl Items {
    fn read(skus: &[String]) -> Result<Self, Fault> {
        if skus.len() > MAX_ITEMS {
            return Err(Fault::invalid("skus", "must have at most 100 elements"));
        }
        read_skus(skus.to_vec()).map(Self)
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::default();
        self.0.iter().for_each(|sku| set.units_become_free(rows, sku));
        set
    }

    fn ledger(&self, rows: &Rows, now: Timestamp) -> Result<Ledger, Fault> {
        let ledger = self.working_set(rows).load(rows, now)?;
        let unknown = self.0.iter().filter(|sku| ledger.stock(sku).is_err());
        let violation = |sku: &String| Violation {
            field: "skus".to_owned(),
            description: format!("there is no item {sku}"),
            reason: None,
        };
        let violations: Vec<Violation> = unknown.map(violation).collect();
        if violations.is_empty() { Ok(ledger) } else { Err(Fault::violations(violations)) }
    }

    /// Who gets what of each item.
    fn each(&self, ledger: &mut Ledger, give: fn(&mut Ledger, &str) -> Result<Vec<Share>, Fault>) -> Reply {
        let mut releases = Vec::new();
        for sku in &self.0 {
            let free = ledger.stock(sku)?.free();
            let shares = give(ledger, sku)?;
            releases.push(backorder_release(sku, free, &shares));
        }
        Ok(releases)
    }
}

type Reply = Result<Vec<wire::BackorderRelease>, Fault>;

/// Gives the free units of items.
#[derive(Debug)]
pub(crate) struct ReleaseBackorders(Items);

impl ReleaseBackorders {
    pub(crate) fn parse(request: &wire::ReleaseBackordersRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        Items::read(&request.skus).map(Self)
    }
}

impl Command for ReleaseBackorders {
    type Reply = wire::ReleaseBackordersResponse;
    const NAME: &'static str = "ReleaseBackorders";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ReleaseBackordersResponse, Fault> {
        let mut ledger = self.0.ledger(rows, cx.now())?;
        let releases = self.0.each(&mut ledger, Ledger::release_backorders)?;
        ledger.save(&Cause::Stock, rows, cx)?;
        Ok(wire::ReleaseBackordersResponse { releases })
    }
}

/// Says who would get the free units of items.
#[derive(Debug)]
pub(crate) struct PreviewBackorderRelease(Items);

impl PreviewBackorderRelease {
    pub(crate) fn parse(request: &wire::PreviewBackorderReleaseRequest) -> Result<Self, Fault> {
        Items::read(&request.skus).map(Self)
    }
}

impl Command for PreviewBackorderRelease {
    type Reply = wire::PreviewBackorderReleaseResponse;
    const NAME: &'static str = "PreviewBackorderRelease";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::PreviewBackorderReleaseResponse, Fault> {
        let mut ledger = self.0.ledger(rows, cx.now())?;
        let releases = self.0.each(&mut ledger, |ledger, sku| ledger.preview_release(sku))?;
        Ok(wire::PreviewBackorderReleaseResponse { releases })
    }
}
