//! Takes back that units came back.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::returns::v1::{self as contract, RetractReceiptRequest};
use store::{Command, Context, Needs, Rows};
use types::{Fault, ReturnId, limits::MAX_TEXT};

use crate::{
    aggregate::ReturnAggregate,
    wire::{LineUnits, read_lines},
};

/// Takes back units that were received and not inspected.
pub(crate) struct RetractReceipt {
    return_id: ReturnId,
    lines: Vec<LineUnits>,
    caller: Arc<Principal>,
}

impl RetractReceipt {
    /// Reads the request.
    pub(crate) fn parse(request: &RetractReceiptRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let return_id = checks.id("return_id", &request.return_id);
        let lines = read_lines(&request.lines, &mut checks);
        checks.text("reason", &request.reason, MAX_TEXT);
        checks.done()?;
        Ok(Self { return_id: checked(return_id)?, lines, caller: caller.clone() })
    }
}

impl Command for RetractReceipt {
    type Reply = contract::Return;
    const NAME: &'static str = "RetractReceipt";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        ReturnAggregate::needs(&self.return_id, &[], rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Return, Fault> {
        let mut aggregate = ReturnAggregate::load(&self.return_id, &[], &self.caller, rows)?;
        let retracted = aggregate.retract_receipt(&self.lines);
        retracted.map_err(|fault| aggregate.refreshed(fault))?;
        aggregate.save(rows, cx)
    }
}
