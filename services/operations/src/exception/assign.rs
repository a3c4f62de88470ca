//! Assigns an exception to a person.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{events::OperationsEvent, operations::v1::AssignExceptionRequest};
use store::{Command, Context, Needs, Rows};
use types::{ExceptionId, Fault, limits::MAX_NAME};

use super::{Exception, State, emit, find};

/// Assigns an exception to a person.
pub(crate) struct AssignException {
    exception_id: ExceptionId,
    assignee: String,
    etag: String,
}

impl AssignException {
    pub(crate) fn parse(request: &AssignExceptionRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let exception_id = checks.id("exception_id", &request.exception_id);
        let assignee = checks.text("assignee", &request.assignee, MAX_NAME);
        checks.done()?;
        Ok(Self { exception_id: checked(exception_id)?, assignee: checked(assignee)?, etag: request.etag.clone() })
    }
}

impl Command for AssignException {
    type Reply = proto::operations::v1::Exception;
    const NAME: &'static str = "AssignException";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Exception>(&self.exception_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Self::Reply, Fault> {
        let exception = find(rows, &self.exception_id)?;
        exception.permit("assign", &self.etag)?;
        let assignee = self.assignee.clone();
        let exception = Exception { state: State::Assigned, assignee, ..exception }.save(rows, cx)?;
        Ok(emit(cx, OperationsEvent::ExceptionAssigned, &exception))
    }
}
