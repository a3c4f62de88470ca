//! Recording units that came back.

use std::sync::Arc;

use mesh::{Principal, wire::Checks};
use proto::returns::v1::{ReceiveReturnRequest, Return};
use store::{Command, Context, Needs, Rows};
use types::{Fault, ReturnId, Timestamp};

use crate::{
    authorize::{Units, no_such_line, read_lines},
    held::{self, Held},
    rma::{Line, State, progress},
    tell, wire,
};

/// Records units that came back. It is a fact: more than was authorized, and what comes after the end, is recorded too.
pub(crate) struct ReceiveReturn {
    return_id: ReturnId,
    lines: Vec<Units>,
    occur_time: Option<Timestamp>,
    caller: Arc<Principal>,
}

impl ReceiveReturn {
    /// Reads the request.
    pub(crate) fn parse(request: &ReceiveReturnRequest, caller: Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let return_id = checks.id("return_id", &request.return_id);
        let lines = read_lines(&mut checks, &request.lines);
        let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref()).flatten();
        checks.done()?;
        let return_id = return_id.ok_or_else(|| Fault::internal("a checked request can not be read"))?;
        Ok(Self { return_id, lines, occur_time, caller })
    }
}

impl Command for ReceiveReturn {
    type Reply = Return;
    const NAME: &'static str = "ReceiveReturn";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        let numbers: Vec<_> = self.lines.iter().map(|(line_number, _)| *line_number).collect();
        held::needs(rows, needs, &self.return_id, &numbers);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Return, Fault> {
        let mut held = Held::get(rows, &self.return_id, &self.caller)?;
        let before = held.lines.clone();
        if matches!(held.rma.state, State::Closed | State::Cancelled) {
            held.lines = before.iter().map(Line::settled).collect();
        }
        let (mut expected, mut over) = (Vec::new(), Vec::new());
        for (index, (line_number, units)) in self.lines.iter().enumerate() {
            if held.line(*line_number).is_none() {
                let order_line = held.order_line(rows, *line_number)?;
                let order_line = order_line.ok_or_else(|| no_such_line(index, "order"))?;
                held.lines.push(Line::new(self.return_id.clone(), *line_number, order_line.sku, 0));
            }
            let Some(line) = held.line(*line_number) else { continue };
            let received = line.receive(*units);
            let too_many = received.over_received() - line.over_received();
            *line = received;
            if *units > too_many {
                expected.push(wire::units(line, *units - too_many));
            }
            if too_many > 0 {
                over.push(wire::units(line, too_many));
            }
        }
        held.lines.sort_by_key(|line| line.line_number);
        let state = progress(&held.lines);
        let Held { rma, lines } = held.save(rows, &before, state, cx.now())?;
        let came = self.occur_time.unwrap_or_else(|| cx.now());
        if !expected.is_empty() {
            cx.emit(tell::received("return.received", &rma, &lines, expected).occurred(came, 0));
        }
        if !over.is_empty() {
            cx.emit(tell::over_received(&rma, &over));
            cx.emit(tell::received("return.over_received", &rma, &lines, over).occurred(came, 0));
        }
        Ok(wire::rma(&rma, &lines))
    }
}
