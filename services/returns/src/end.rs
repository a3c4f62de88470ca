//! Calling a return off, and closing it.

use std::sync::Arc;

use mesh::{Principal, wire::Checks};
use proto::returns::v1::{CancelReturnRequest, CloseReturnRequest, Return};
use store::{Command, Context, Needs, Rows};
use types::{Fault, ReturnId};

use crate::{
    held::{self, Held},
    rma::State,
    tell, wire,
};

/// How a return ends.
struct End {
    return_id: ReturnId,
    etag: String,
    caller: Arc<Principal>,
}

impl End {
    fn parse(request_id: &str, return_id: &str, etag: &str, caller: Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", request_id, 128);
        let return_id = checks.id("return_id", return_id);
        checks.done()?;
        let return_id = return_id.ok_or_else(|| Fault::internal("a checked request can not be read"))?;
        Ok(Self { return_id, etag: etag.to_owned(), caller })
    }

    fn decide(
        &self,
        rows: &mut Rows,
        cx: &mut Context<'_>,
        action: &'static str,
        state: State,
        kind: &'static str,
    ) -> Result<Return, Fault> {
        let held = Held::get(rows, &self.return_id, &self.caller)?;
        Fault::check_etag("return", &self.etag, held.rma.version)?;
        held.rma.check_supported(&held.lines, action)?;
        let before = held.lines.clone();
        let Held { rma, lines } = held.save(rows, &before, state, cx.now())?;
        cx.emit(tell::changed(kind, &rma, &lines));
        Ok(wire::rma(&rma, &lines))
    }
}

/// Calls a return off before anything came back.
pub(crate) struct CancelReturn(End);

impl CancelReturn {
    /// Reads the request.
    pub(crate) fn parse(request: &CancelReturnRequest, caller: Arc<Principal>) -> Result<Self, Fault> {
        End::parse(&request.request_id, &request.return_id, &request.etag, caller).map(Self)
    }
}

impl Command for CancelReturn {
    type Reply = Return;
    const NAME: &'static str = "CancelReturn";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        held::needs(rows, needs, &self.0.return_id, &[]);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Return, Fault> {
        self.0.decide(rows, cx, "CancelReturn", State::Cancelled, "return.cancelled")
    }
}

/// Closes a return: what did not come back can be returned otherwise.
pub(crate) struct CloseReturn(End);

impl CloseReturn {
    /// Reads the request.
    pub(crate) fn parse(request: &CloseReturnRequest, caller: Arc<Principal>) -> Result<Self, Fault> {
        End::parse(&request.request_id, &request.return_id, &request.etag, caller).map(Self)
    }
}

impl Command for CloseReturn {
    type Reply = Return;
    const NAME: &'static str = "CloseReturn";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        held::needs(rows, needs, &self.0.return_id, &[]);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Return, Fault> {
        self.0.decide(rows, cx, "CloseReturn", State::Closed, "return.closed")
    }
}
