//! Ending a case by hand.

use store::{Command, Context, Needs, Work};
use types::{CaseId, Fault};

use super::{Case, OpenCaseOf, State, find, tell};
use crate::wire;

/// How a person ends a case.
pub(crate) struct Ending {
    pub(crate) case_id: CaseId,
    pub(crate) resolution: String,
    pub(crate) etag: String,
}

/// Ends a case: it was dealt with.
pub(crate) struct ResolveCase(pub(crate) Ending);

/// Ends a case: nothing had to be done.
pub(crate) struct DismissCase(pub(crate) Ending);

impl Command for ResolveCase {
    type Reply = proto::operations::v1::ExceptionCase;
    const NAME: &'static str = "ResolveException";

    fn needs(&self, work: &Work, needs: &mut Needs) {
        self.0.needs(work, needs);
    }

    fn decide(&self, work: &mut Work, cx: &mut Context<'_>) -> Result<Self::Reply, Fault> {
        let case = self.0.end(work, cx, "resolve", State::Resolved)?;
        tell(cx, "case.resolved", &case);
        Ok(wire::case(&case))
    }
}

impl Command for DismissCase {
    type Reply = proto::operations::v1::ExceptionCase;
    const NAME: &'static str = "DismissException";

    fn needs(&self, work: &Work, needs: &mut Needs) {
        self.0.needs(work, needs);
    }

    fn decide(&self, work: &mut Work, cx: &mut Context<'_>) -> Result<Self::Reply, Fault> {
        let case = self.0.end(work, cx, "dismiss", State::Dismissed)?;
        tell(cx, "case.dismissed", &case);
        Ok(wire::case(&case))
    }
}

impl Ending {
    fn needs(&self, work: &Work, needs: &mut Needs) {
        needs.row::<Case>(&self.case_id);
        if let Ok(Some(case)) = work.get::<Case>(&self.case_id) {
            needs.row::<OpenCaseOf>(&(case.kind.clone(), case.subject.clone()));
        }
    }

    fn end(&self, work: &mut Work, cx: &Context<'_>, action: &'static str, state: State) -> Result<Case, Fault> {
        let case = find(work, &self.case_id)?;
        case.permit(action, &self.etag)?;
        end(work, cx, case, state, &self.resolution)
    }
}

/// Ends an open case; the next report of its type and subject makes a new one.
pub(super) fn end(
    work: &mut Work,
    cx: &Context<'_>,
    case: Case,
    state: State,
    resolution: &str,
) -> Result<Case, Fault> {
    if let Some(open) = work.get::<OpenCaseOf>(&(case.kind.clone(), case.subject.clone()))?.cloned() {
        work.put(OpenCaseOf { case_id: None, ..open });
    }
    Ok(work.put(Case { state, resolution: resolution.to_owned(), close_time: Some(cx.now()), ..case }))
}
