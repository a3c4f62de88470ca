//! Cancels a return, or closes it.

use std::sync::Arc;

use mesh::{Principal, wire::one_id};
use proto::returns::v1::{self as contract, CancelReturnRequest, CloseReturnRequest};
use store::{Command, Context, Needs, Rows};
use types::{Fault, ReturnId};

use crate::{
    aggregate::ReturnAggregate,
    events::PendingEvent,
    rma::{Action, ReturnState},
};

/// What cancelling and closing have in common.
struct EndReturn {
    return_id: ReturnId,
    etag: String,
    caller: Arc<Principal>,
}

impl EndReturn {
    fn parse(return_id: &str, etag: &str, caller: &Arc<Principal>) -> Result<Self, Fault> {
        Ok(Self { return_id: one_id("return_id", return_id)?, etag: etag.to_owned(), caller: caller.clone() })
    }

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        ReturnAggregate::needs(&self.return_id, &[], rows, needs);
    }

    fn load(&self, rows: &Rows) -> Result<ReturnAggregate, Fault> {
        let aggregate = ReturnAggregate::load(&self.return_id, &[], &self.caller, rows)?;
        aggregate.check_etag(&self.etag)?;
        Ok(aggregate)
    }
}

/// Cancels a return before anything came back.
pub(crate) struct CancelReturn(EndReturn);

impl CancelReturn {
    /// Reads the request.
    pub(crate) fn parse(request: &CancelReturnRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        EndReturn::parse(&request.return_id, &request.etag, caller).map(Self)
    }
}

impl Command for CancelReturn {
    type Reply = contract::Return;
    const NAME: &'static str = "CancelReturn";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Return, Fault> {
        let mut aggregate = self.0.load(rows)?;
        let ended = aggregate.end(Action::Cancel, ReturnState::Cancelled, PendingEvent::Cancelled);
        ended.map_err(|fault| aggregate.refreshed(fault))?;
        aggregate.save(rows, cx)
    }
}

/// Closes a return: what did not come back can be returned otherwise.
pub(crate) struct CloseReturn(EndReturn);

impl CloseReturn {
    /// Reads the request.
    pub(crate) fn parse(request: &CloseReturnRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        EndReturn::parse(&request.return_id, &request.etag, caller).map(Self)
    }
}

impl Command for CloseReturn {
    type Reply = contract::Return;
    const NAME: &'static str = "CloseReturn";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Return, Fault> {
        let mut aggregate = self.0.load(rows)?;
        let ended = aggregate.end(Action::Close, ReturnState::Closed, PendingEvent::Closed);
        ended.map_err(|fault| aggregate.refreshed(fault))?;
        aggregate.save(rows, cx)
    }
}
