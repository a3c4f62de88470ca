//! Records units that came back.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::returns::v1::{self as contract, ReceiveReturnRequest};
use store::{Command, Context, Needs, Rows};
use types::{Fault, ReturnId, Timestamp};

use crate::{
    aggregate::ReturnAggregate,
    wire::{LineUnits, read_lines},
};

/// Records units that came back, in any state of the return.
pub(crate) struct ReceiveReturn {
    return_id: ReturnId,
    lines: Vec<LineUnits>,
    occur_time: Option<Timestamp>,
    caller: Arc<Principal>,
}

impl ReceiveReturn {
    /// Reads the request.
    pub(crate) fn parse(request: &ReceiveReturnRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let return_id = checks.id("return_id", &request.return_id);
        let lines = read_lines(&request.lines, &mut checks);
        let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref());
        checks.done()?;
        let (return_id, occur_time) = (checked(return_id)?, checked(occur_time)?);
        Ok(Self { return_id, lines, occur_time, caller: caller.clone() })
    }

    fn line_numbers(&self) -> Vec<i64> {
        self.lines.iter().map(|(line_number, _)| *line_number).collect()
    }
}

impl Command for ReceiveReturn {
    type Reply = contract::Return;
    const NAME: &'static str = "ReceiveReturn";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        ReturnAggregate::needs(&self.return_id, &self.line_numbers(), rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Return, Fault> {
        let mut aggregate = ReturnAggregate::load(&self.return_id, &self.line_numbers(), &self.caller, rows)?;
        let received = aggregate.receive(&self.lines, self.occur_time.unwrap_or_else(|| cx.now()));
        received.map_err(|fault| aggregate.refreshed(fault))?;
        aggregate.save(rows, cx)
    }
}
