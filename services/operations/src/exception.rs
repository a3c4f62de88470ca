//! Exceptions: what only a person can decide.

mod assign;
mod close;
mod due;
mod of_order;
mod record;
mod retry;

use proto::{
    event::v1::ExceptionOpened,
    events::OperationsEvent,
    operations::v1::{ExceptionChanged, ExceptionState},
};
use store::{Column as _, Context, NewEvent, Proto, Rows, Sums};
use types::{AccountId, ExceptionId, Fault, Timestamp};

pub(crate) use assign::AssignException;
pub(crate) use close::{DismissException, ResolveException};
pub(crate) use record::{AutoResolveException, ReportException};
pub(crate) use retry::{RetryException, RetryTask, retry_many};

use crate::wire;

store::text_enum! {
    /// State of an exception.
    pub(crate) enum State = ExceptionState {
        /// Without an assignee.
        Open = "OPEN",
        /// A person is assigned.
        Assigned = "ASSIGNED",
        /// Closed by a person, who resolved it.
        Resolved = "RESOLVED",
        /// Closed by a person; nothing had to be done.
        Dismissed = "DISMISSED",
        /// Closed when its cause was gone.
        AutoResolved = "AUTO_RESOLVED",
    }
}

store::record! {
    /// One exception.
    pub(crate) struct Exception in "exceptions" key (exception_id: ExceptionId) {
        /// Name of its `ExceptionType`; services of a newer version may report one that is unknown here.
        exception_type: String,
        /// Id of what it is about.
        subject: String,
        /// The order that it stops, or empty.
        order_id: String,
        /// The account that it concerns; none when it concerns none, or several.
        account_id: Option<AccountId>,
        /// The service that opened it.
        source: String,
        /// Its state.
        state: State,
        /// The newest report of it.
        report: Proto<ExceptionOpened>,
        /// The person who is assigned.
        assignee: String,
        /// How it was closed, for a person.
        resolution: String,
        /// How often it was reported while open.
        occurrences: i64,
        /// When it should be closed.
        due_time: Timestamp,
        /// When it was opened.
        open_time: Timestamp,
        /// When it was closed.
        close_time: Option<Timestamp>,
    }
}

store::record! {
    /// The one open exception of a type and subject.
    pub(crate) struct OpenException in "open_exceptions" key (exception_type: String, subject: String) {
        /// The exception; none after it was closed.
        exception_id: Option<ExceptionId>,
    }
}

/// How many exceptions there are of each type and state.
const COUNTS: Sums = Sums { table: "exception_counts", key: &["exception_type", "state"], columns: &["number"] };

impl Exception {
    /// What a person may do with it.
    pub(crate) fn supported_actions(&self) -> &'static [&'static str] {
        match self.state {
            State::Open | State::Assigned if retry::is_retryable(&self.exception_type) => {
                &["assign", "resolve", "dismiss", "retry"]
            }
            State::Open | State::Assigned => &["assign", "resolve", "dismiss"],
            State::Resolved | State::Dismissed | State::AutoResolved => &[],
        }
    }

    fn supports(&self, action: &str) -> bool {
        self.supported_actions().contains(&action)
    }

    /// The key of the row that names the open exception of its type and subject.
    fn open_key(&self) -> (String, String) {
        (self.exception_type.clone(), self.subject.clone())
    }

    /// Writes it, and counts it in its state and among those of its order.
    fn save(self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Self, Fault> {
        let counted = |state: State| vec![self.exception_type.to_value(), state.to_value()];
        let before = if self.version > 0 { rows.get::<Self>(&self.exception_id)?.cloned() } else { None };
        if before.as_ref().map(|before| before.state) != Some(self.state) {
            if let Some(before) = &before {
                cx.add(&COUNTS, counted(before.state), &[-1]);
            }
            cx.add(&COUNTS, counted(self.state), &[1]);
        }
        of_order::count(before.as_ref(), &self, rows, cx)?;
        Ok(rows.put(self))
    }

    /// Whether a person still has to act.
    fn is_open(&self) -> bool {
        matches!(self.state, State::Open | State::Assigned)
    }

    /// Refuses an action that is not possible, and one with the etag of an older version.
    fn permit(&self, action: &'static str, etag: &str) -> Result<(), Fault> {
        Fault::check_etag("exception", etag, self.version)?;
        if !self.supports(action) {
            let Self { exception_id, exception_type, state, .. } = self;
            let message =
                format!("{action} is not possible: exception {exception_id}, {exception_type}, is {}", state.as_str());
            return Err(Fault::not_supported(message).fact("supported_actions", self.supported_actions().join(",")));
        }
        Ok(())
    }
}

/// The exception of a command.
fn find(rows: &Rows, exception_id: &ExceptionId) -> Result<Exception, Fault> {
    rows.get::<Exception>(exception_id)?.cloned().ok_or_else(|| Fault::not_found("exception", exception_id))
}

/// Emits what a person did with an exception, and returns the exception: the log is the audit trail.
fn emit(
    cx: &mut Context<'_>,
    event: fn(ExceptionChanged) -> OperationsEvent,
    exception: &Exception,
) -> proto::operations::v1::Exception {
    let Exception { exception_id, version, order_id, account_id, .. } = exception;
    let changed = wire::exception(exception);
    let payload = event(ExceptionChanged { exception: Some(changed.clone()) });
    cx.emit(NewEvent::new(payload, exception_id, *version, version).correlation(order_id).account(account_id.as_ref()));
    changed
}
