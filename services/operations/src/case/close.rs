//! Ending a case by hand.

use store::{Command, Context, Needs, Rows};
use types::{ExceptionId, Fault};

use super::{Case, OpenCaseOf, State, find, tell};
use crate::wire;

/// How a person ends a case.
pub(crate) struct Ending {
    pub(crate) exception_id: ExceptionId,
    pub(crate) resolution: String,
    pub(crate) etag: String,
}

/// Ends a case: it was dealt with.
pub(crate) struct ResolveCase(pub(crate) Ending);

/// Ends a case: nothing had to be done.
pub(crate) struct DismissCase(pub(crate) Ending);

impl Command for ResolveCase {
    type Reply = proto::operations::v1::Exception;
    const NAME: &'static str = "ResolveException";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Self::Reply, Fault> {
        let case = self.0.end(rows, cx, "resolve", State::Resolved)?;
        tell(cx, "exception.closed", &case);
        Ok(wire::case(&case))
    }
}

impl Command for DismissCase {
    type Reply = proto::operations::v1::Exception;
    const NAME: &'static str = "DismissException";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Self::Reply, Fault> {
        let case = self.0.end(rows, cx, "dismiss", State::Dismissed)?;
        tell(cx, "exception.dismissed", &case);
        Ok(wire::case(&case))
    }
}

impl Ending {
    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Case>(&self.exception_id);
        if let Ok(Some(case)) = rows.get::<Case>(&self.exception_id) {
            needs.row::<OpenCaseOf>(&(case.kind.clone(), case.subject.clone()));
        }
    }

    fn end(&self, rows: &mut Rows, cx: &Context<'_>, action: &'static str, state: State) -> Result<Case, Fault> {
        let case = find(rows, &self.exception_id)?;
        case.permit(action, &self.etag)?;
        end(rows, cx, case, state, &self.resolution)
    }
}

/// Ends an open case; the next report of its type and subject makes a new one.
pub(super) fn end(
    rows: &mut Rows,
    cx: &Context<'_>,
    case: Case,
    state: State,
    resolution: &str,
) -> Result<Case, Fault> {
    if let Some(open) = rows.get::<OpenCaseOf>(&(case.kind.clone(), case.subject.clone()))?.cloned() {
        rows.put(OpenCaseOf { exception_id: None, ..open });
    }
    Ok(rows.put(Case { state, resolution: resolution.to_owned(), close_time: Some(cx.now()), ..case }))
}
