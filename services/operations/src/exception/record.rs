//! Records exceptions that services opened, and those whose cause they resolved.

use proto::event::v1::{Event, ExceptionOpened, ExceptionResolved};
use store::{Command, Context, Needs, Proto, Rows};
use types::{AccountId, Fault, Timestamp};

use super::{Exception, OpenException, State, close::close, due, of_order};

/// Opens an exception, or counts the report when there is an open one of its type and subject.
pub(crate) struct ReportException {
    source: &'static str,
    report: ExceptionOpened,
    account_id: Option<AccountId>,
    /// When the service recorded it: the time to close it runs from there, however late the report arrives.
    record_time: Option<Timestamp>,
}

/// Closes the open exception of a type and subject, if there is one: its cause is gone.
pub(crate) struct AutoResolveException {
    pub(crate) report: ExceptionResolved,
}

impl ReportException {
    pub(crate) fn new(source: &'static str, mut report: ExceptionOpened, event: &Event) -> Self {
        if report.order_id.is_empty() {
            report.order_id.clone_from(&event.correlation_id);
        }
        let record_time = event.record_time.as_ref().and_then(mesh::wire::from_timestamp);
        Self { source, report, account_id: event.account_id.parse().ok(), record_time }
    }

    fn key(&self) -> (String, String) {
        (self.report.r#type.clone(), self.report.subject.clone())
    }
}

impl AutoResolveException {
    fn key(&self) -> (String, String) {
        (self.report.r#type.clone(), self.report.subject.clone())
    }
}

impl Command for ReportException {
    type Reply = ();
    const NAME: &'static str = "ReportException";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        need_open(rows, needs, &self.key());
        of_order::needs(&self.report.order_id, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let report = self.report.clone();
        if let Some(exception) = find_open(rows, &self.key())? {
            let occurrences = exception.occurrences + 1;
            let order_id =
                if exception.order_id.is_empty() { report.order_id.clone() } else { exception.order_id.clone() };
            let account_id = exception.account_id.clone().or_else(|| self.account_id.clone());
            let reported = Exception { order_id, account_id, occurrences, report: Proto(report), ..exception };
            return reported.save(rows, cx).map(|_| ());
        }
        let (exception_type, subject) = self.key();
        let open_time = self.record_time.unwrap_or_else(|| cx.now());
        let exception = Exception {
            exception_id: cx.new_id(),
            due_time: open_time.after(due::within(&exception_type)),
            exception_type: exception_type.clone(),
            subject: subject.clone(),
            order_id: report.order_id.clone(),
            account_id: self.account_id.clone(),
            source: self.source.to_owned(),
            state: State::Open,
            report: Proto(report),
            assignee: String::new(),
            resolution: String::new(),
            occurrences: 1,
            open_time,
            close_time: None,
            version: 0,
        }
        .save(rows, cx)?;
        let version = rows.get::<OpenException>(&self.key())?.map_or(0, |open| open.version);
        rows.put(OpenException { exception_type, subject, exception_id: Some(exception.exception_id), version });
        Ok(())
    }
}

impl Command for AutoResolveException {
    type Reply = ();
    const NAME: &'static str = "AutoResolveException";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        need_open(rows, needs, &self.key());
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        if let Some(exception) = find_open(rows, &self.key())? {
            close(rows, cx, exception, State::AutoResolved, &self.report.summary)?;
        }
        Ok(())
    }
}

fn need_open(rows: &Rows, needs: &mut Needs, key: &(String, String)) {
    needs.row::<OpenException>(key);
    if let Ok(Some(OpenException { exception_id: Some(exception_id), .. })) = rows.get::<OpenException>(key) {
        needs.row::<Exception>(exception_id);
        if let Ok(Some(exception)) = rows.get::<Exception>(exception_id) {
            of_order::needs(&exception.order_id, needs);
        }
    }
}

fn find_open(rows: &Rows, key: &(String, String)) -> Result<Option<Exception>, Fault> {
    match rows.get::<OpenException>(key)? {
        Some(OpenException { exception_id: Some(exception_id), .. }) => {
            Ok(rows.get::<Exception>(exception_id)?.cloned())
        }
        _ => Ok(None),
    }
}
