//! Closes an exception.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{
    events::OperationsEvent,
    operations::v1::{DismissExceptionRequest, ResolveExceptionRequest},
};
use store::{Command, Context, Needs, Rows};
use types::{ExceptionId, Fault};

use super::{Exception, OpenException, State, emit, find, of_order};

/// The most characters of a resolution.
const MAX_RESOLUTION: usize = 2_000;

/// How a person closes an exception.
struct Closing {
    exception_id: ExceptionId,
    resolution: String,
    etag: String,
}

/// Closes an exception that a person resolved.
pub(crate) struct ResolveException(Closing);

/// Closes an exception for which nothing had to be done.
pub(crate) struct DismissException(Closing);

impl ResolveException {
    pub(crate) fn parse(request: &ResolveExceptionRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        Closing::parse(&request.exception_id, &request.resolution, &request.etag).map(Self)
    }
}

impl DismissException {
    pub(crate) fn parse(request: &DismissExceptionRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        Closing::parse(&request.exception_id, &request.resolution, &request.etag).map(Self)
    }
}

impl Command for ResolveException {
    type Reply = proto::operations::v1::Exception;
    const NAME: &'static str = "ResolveException";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Self::Reply, Fault> {
        let exception = self.0.close(rows, cx, "resolve", State::Resolved)?;
        Ok(emit(cx, OperationsEvent::ExceptionClosed, &exception))
    }
}

impl Command for DismissException {
    type Reply = proto::operations::v1::Exception;
    const NAME: &'static str = "DismissException";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Self::Reply, Fault> {
        let exception = self.0.close(rows, cx, "dismiss", State::Dismissed)?;
        Ok(emit(cx, OperationsEvent::ExceptionDismissed, &exception))
    }
}

impl Closing {
    fn parse(exception_id: &str, resolution: &str, etag: &str) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let exception_id = checks.id("exception_id", exception_id);
        let resolution = checks.text("resolution", resolution, MAX_RESOLUTION);
        checks.done()?;
        Ok(Self { exception_id: checked(exception_id)?, resolution: checked(resolution)?, etag: etag.to_owned() })
    }

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Exception>(&self.exception_id);
        if let Ok(Some(exception)) = rows.get::<Exception>(&self.exception_id) {
            needs.row::<OpenException>(&exception.open_key());
            of_order::needs(&exception.order_id, needs);
        }
    }

    fn close(
        &self,
        rows: &mut Rows,
        cx: &mut Context<'_>,
        action: &'static str,
        state: State,
    ) -> Result<Exception, Fault> {
        let exception = find(rows, &self.exception_id)?;
        exception.permit(action, &self.etag)?;
        close(rows, cx, exception, state, &self.resolution)
    }
}

/// Closes an open exception; the next report of its type and subject opens a new one.
pub(super) fn close(
    rows: &mut Rows,
    cx: &mut Context<'_>,
    exception: Exception,
    state: State,
    resolution: &str,
) -> Result<Exception, Fault> {
    if let Some(open) = rows.get::<OpenException>(&exception.open_key())?.cloned() {
        rows.put(OpenException { exception_id: None, ..open });
    }
    Exception { state, resolution: resolution.to_owned(), close_time: Some(cx.now()), ..exception }.save(rows, cx)
}
