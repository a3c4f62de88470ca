//! Records what units that came back are fit for.

use std::{collections::BTreeSet, sync::Arc};

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::returns::v1::{self as contract, DispositionKind, InspectReturnRequest, InspectedLine};
use store::{Command, Context, Needs, Rows};
use types::{Fault, ReturnId, limits::MAX_LINES};

use crate::{aggregate::ReturnAggregate, return_line::Disposition, wire::read_line_number};

/// The most dispositions of one line.
const MAX_DISPOSITIONS: usize = 100;

/// Records what received units are fit for.
pub(crate) struct InspectReturn {
    return_id: ReturnId,
    lines: Vec<(i64, Vec<(Disposition, i64)>)>,
    /// Not compared when empty.
    etag: String,
    caller: Arc<Principal>,
}

impl InspectReturn {
    /// Reads the request.
    pub(crate) fn parse(request: &InspectReturnRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let return_id = checks.id("return_id", &request.return_id);
        if !(1..=MAX_LINES).contains(&request.lines.len()) {
            checks.wrong("lines", "must be 1 to 5,000 lines");
        }
        let (mut lines, mut seen) = (Vec::new(), BTreeSet::new());
        for (index, line) in request.lines.iter().enumerate().take(MAX_LINES) {
            let dispositions = read_dispositions(index, line, &mut checks);
            let number = read_line_number(index, line.line_number, &mut seen, &mut checks);
            lines.extend(number.map(|number| (number, dispositions)));
        }
        checks.done()?;
        Ok(Self { return_id: checked(return_id)?, lines, etag: request.etag.clone(), caller: caller.clone() })
    }
}

fn read_dispositions(index: usize, line: &InspectedLine, checks: &mut Checks) -> Vec<(Disposition, i64)> {
    if !(1..=MAX_DISPOSITIONS).contains(&line.dispositions.len()) {
        checks.wrong(format!("lines[{index}].dispositions"), "must be 1 to 100 dispositions");
    }
    let mut dispositions = Vec::new();
    for (at, disposition) in line.dispositions.iter().enumerate().take(MAX_DISPOSITIONS) {
        let path = format!("lines[{index}].dispositions[{at}]");
        let kind = checks.choice::<DispositionKind>(format!("{path}.kind"), disposition.kind);
        let quantity = checks.quantity(format!("{path}.quantity"), disposition.quantity, 1);
        dispositions.extend(kind.and_then(Disposition::from_contract).zip(quantity));
    }
    dispositions
}

impl Command for InspectReturn {
    type Reply = contract::Return;
    const NAME: &'static str = "InspectReturn";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        ReturnAggregate::needs(&self.return_id, &[], rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Return, Fault> {
        let mut aggregate = ReturnAggregate::load(&self.return_id, &[], &self.caller, rows)?;
        aggregate.check_etag(&self.etag)?;
        let inspected = aggregate.inspect(&self.lines);
        inspected.map_err(|fault| aggregate.refreshed(fault))?;
        aggregate.save(rows, cx)
    }
}
