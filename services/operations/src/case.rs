//! Cases: what only a person can decide.

mod close;
mod due;
mod open;

use proto::event::v1::ExceptionOpened;
use store::{Command, Context, Needs, NewEvent, Proto, Rows};
use types::{ExceptionId, Fault, Timestamp};

pub(crate) use close::{DismissCase, Ending, ResolveCase};
pub(crate) use open::{AutoResolve, OpenCase};

use crate::wire;

store::text_enum! {
    /// How far a case is.
    pub(crate) enum State {
        /// Nobody has it.
        Open = "OPEN",
        /// Somebody has it.
        Assigned = "ASSIGNED",
        /// Dealt with.
        Resolved = "RESOLVED",
        /// Nothing had to be done.
        Dismissed = "DISMISSED",
        /// Its cause is gone.
        AutoResolved = "AUTO_RESOLVED",
    }
}

store::record! {
    /// One case.
    pub(crate) struct Case in "cases" key (exception_id: ExceptionId) {
        /// Type in capitals.
        kind: String,
        /// What it is about.
        subject: String,
        /// The order it holds up, or empty.
        order_id: String,
        /// The service that opened it.
        source: String,
        /// How far it is.
        state: State,
        /// The newest report of it.
        report: Proto<ExceptionOpened>,
        /// Who has it.
        assignee: String,
        /// How it ended.
        resolution: String,
        /// How often it was reported while open.
        occurrences: i64,
        /// When a person should have dealt with it.
        due_time: Timestamp,
        /// When it was opened.
        open_time: Timestamp,
        /// When it ended.
        close_time: Option<Timestamp>,
    }
}

store::record! {
    /// The one open case of a type and subject.
    pub(crate) struct OpenCaseOf in "open_cases" key (kind: String, subject: String) {
        /// The case; none when it ended.
        exception_id: Option<ExceptionId>,
    }
}

impl State {
    /// What a person may still do.
    pub(crate) const fn supported_actions(self) -> &'static [&'static str] {
        match self {
            Self::Open | Self::Assigned => &["assign", "resolve", "dismiss"],
            Self::Resolved | Self::Dismissed | Self::AutoResolved => &[],
        }
    }
}

impl Case {
    /// The version as a caller sees it.
    pub(crate) fn etag(&self) -> String {
        self.version.to_string()
    }

    /// Refuses an action on an ended case, and one decided on an older version of it.
    fn permit(&self, action: &'static str, etag: &str) -> Result<(), Fault> {
        Fault::check_etag("case", etag, self.version)?;
        if !self.state.supported_actions().contains(&action) {
            let message = format!("case {} has ended: it is {}", self.exception_id, self.state.as_str());
            return Err(Fault::not_supported(message).fact("supported_actions", ""));
        }
        Ok(())
    }
}

/// The case a command acts on.
fn find(rows: &Rows, exception_id: &ExceptionId) -> Result<Case, Fault> {
    rows.get::<Case>(exception_id)?.cloned().ok_or_else(|| Fault::not_found("case", exception_id))
}

/// Tells what a person did with a case: the log is the audit trail.
fn tell(cx: &mut Context<'_>, kind: &'static str, case: &Case) {
    let draft = NewEvent::untyped(kind, &case.exception_id, case.version, case.version, &wire::case(case));
    cx.emit(draft.correlation(&case.order_id));
}

/// Gives a case to a person.
pub(crate) struct AssignCase {
    pub(crate) exception_id: ExceptionId,
    pub(crate) assignee: String,
    pub(crate) etag: String,
}

impl Command for AssignCase {
    type Reply = proto::operations::v1::Exception;
    const NAME: &'static str = "AssignException";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Case>(&self.exception_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Self::Reply, Fault> {
        let case = find(rows, &self.exception_id)?;
        case.permit("assign", &self.etag)?;
        let case = rows.put(Case { state: State::Assigned, assignee: self.assignee.clone(), ..case });
        tell(cx, "exception.assigned", &case);
        Ok(wire::case(&case))
    }
}
