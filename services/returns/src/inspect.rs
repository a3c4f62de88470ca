//! Recording what units that came back are fit for.

use std::{collections::BTreeSet, sync::Arc};

use mesh::{Principal, wire::Checks};
use proto::returns::v1::{DisposedLine, DispositionKind, InspectReturnRequest, Return};
use store::{Command, Context, Needs, Rows};
use types::{Fault, ReturnId};

use crate::{
    authorize::no_such_line,
    held::{self, Held},
    rma::{Disposition, progress},
    tell, wire,
};

/// Records what received units are fit for, and proposes a credit for those that are worth money.
pub(crate) struct InspectReturn {
    return_id: ReturnId,
    lines: Vec<(i64, Vec<(Disposition, i64)>)>,
    caller: Arc<Principal>,
}

impl InspectReturn {
    /// Reads the request.
    pub(crate) fn parse(request: &InspectReturnRequest, caller: Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let return_id = checks.id("return_id", &request.return_id);
        if !(1..=5_000).contains(&request.lines.len()) {
            checks.wrong("lines", "must be 1 to 5,000 lines");
        }
        let (mut lines, mut seen) = (Vec::new(), BTreeSet::new());
        for (index, line) in request.lines.iter().enumerate().take(5_000) {
            let number = checks.line_number(format!("lines[{index}].line_number"), line.line_number);
            if !(1..=100).contains(&line.dispositions.len()) {
                checks.wrong(format!("lines[{index}].dispositions"), "must be 1 to 100 dispositions");
            }
            let mut dispositions = Vec::new();
            for (at, disposition) in line.dispositions.iter().enumerate().take(100) {
                let path = format!("lines[{index}].dispositions[{at}]");
                let kind = checks.choice::<DispositionKind>(format!("{path}.kind"), disposition.kind);
                let quantity = checks.quantity(format!("{path}.quantity"), disposition.quantity, 1);
                dispositions.extend(kind.and_then(wire::disposition).zip(quantity));
            }
            if number.is_some_and(|number| !seen.insert(number)) {
                checks.wrong(format!("lines[{index}].line_number"), "is there twice");
            }
            lines.extend(number.map(|number| (i64::from(number), dispositions)));
        }
        checks.done()?;
        let return_id = return_id.ok_or_else(|| Fault::internal("a checked request can not be read"))?;
        Ok(Self { return_id, lines, caller })
    }
}

impl Command for InspectReturn {
    type Reply = Return;
    const NAME: &'static str = "InspectReturn";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        held::needs(rows, needs, &self.return_id, &[]);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Return, Fault> {
        let mut held = Held::get(rows, &self.return_id, &self.caller)?;
        held.rma.check_supported(&held.lines, "InspectReturn")?;
        let before = held.lines.clone();
        let (mut disposed, mut credited) = (Vec::new(), 0);
        for (index, (line_number, dispositions)) in self.lines.iter().enumerate() {
            let delivered = if held.line(*line_number).is_some() { held.delivered(rows, *line_number)? } else { 0 };
            let line = held.line(*line_number).ok_or_else(|| no_such_line(index, "return"))?;
            let mut worth_money = 0;
            for (disposition, units) in dispositions {
                *line = line.dispose(*disposition, *units)?;
                worth_money += if disposition.is_credited() { *units } else { 0 };
                disposed.push(DisposedLine {
                    line_number: wire::number(*line_number),
                    sku: line.sku.clone(),
                    kind: wire::disposition_kind(*disposition).into(),
                    quantity: *units,
                });
            }
            let order_line = held.order_line(rows, *line_number)?;
            let order_line = order_line.ok_or_else(|| Fault::internal("a return of no line of its order"))?;
            let (order_line, due) = order_line.credit(delivered, worth_money);
            rows.put(order_line);
            if let Some(line) = held.line(*line_number) {
                line.credit_minor += due;
            }
            credited += due;
        }
        let state = progress(&held.lines);
        let Held { rma, lines } = held.save(rows, &before, state, cx.now())?;
        cx.emit(tell::changed("return.inspected", &rma, &lines));
        cx.emit(tell::disposed(&rma, &lines, disposed));
        if credited > 0 {
            cx.emit(tell::changed("return.credit_proposed", &rma, &lines));
        }
        Ok(wire::rma(&rma, &lines))
    }
}
