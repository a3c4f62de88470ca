//! What services report: something needs a person, or no longer does.

use proto::event::v1::{Event, ExceptionOpened, ExceptionResolved};
use store::{Command, Context, Needs, Proto, Rows};
use types::{Fault, Timestamp};

use super::{Case, OpenCaseOf, State, close::end, due};

/// Opens a case, or counts the report when the type and subject have an open one.
pub(crate) struct OpenCase {
    source: &'static str,
    report: ExceptionOpened,
    /// When the service saw it: the time to deal with it runs from there, however late it is known here.
    open_time: Option<Timestamp>,
}

/// Ends the open case of a type and subject, if there is one: its cause is gone.
pub(crate) struct AutoResolve {
    pub(crate) report: ExceptionResolved,
}

impl OpenCase {
    pub(crate) fn new(source: &'static str, mut report: ExceptionOpened, event: &Event) -> Self {
        if report.order_id.is_empty() {
            report.order_id.clone_from(&event.correlation_id);
        }
        let open_time = event.record_time.as_ref().and_then(mesh::wire::from_timestamp);
        Self { source, report, open_time }
    }
}

impl Command for OpenCase {
    type Reply = ();
    const NAME: &'static str = "OpenCase";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        need_open(rows, needs, &self.report.r#type, &self.report.subject);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let report = &self.report;
        if let Some(case) = open_case(rows, &report.r#type, &report.subject)? {
            let order_id = if case.order_id.is_empty() { report.order_id.clone() } else { case.order_id.clone() };
            let occurrences = case.occurrences + 1;
            rows.put(Case { order_id, occurrences, report: Proto(report.clone()), ..case });
            return Ok(());
        }
        let (kind, subject) = (report.r#type.clone(), report.subject.clone());
        let open_time = self.open_time.unwrap_or_else(|| cx.now());
        let case = rows.put(Case {
            exception_id: cx.new_id(),
            kind: kind.clone(),
            subject: subject.clone(),
            order_id: report.order_id.clone(),
            source: self.source.to_owned(),
            state: State::Open,
            report: Proto(report.clone()),
            assignee: String::new(),
            resolution: String::new(),
            occurrences: 1,
            due_time: open_time.after(due::within(&kind)),
            open_time,
            close_time: None,
            version: 0,
        });
        let before = rows.get::<OpenCaseOf>(&(kind.clone(), subject.clone()))?.map_or(0, |open| open.version);
        rows.put(OpenCaseOf { kind, subject, exception_id: Some(case.exception_id), version: before });
        Ok(())
    }
}

impl Command for AutoResolve {
    type Reply = ();
    const NAME: &'static str = "AutoResolveCase";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        need_open(rows, needs, &self.report.r#type, &self.report.subject);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        if let Some(case) = open_case(rows, &self.report.r#type, &self.report.subject)? {
            end(rows, cx, case, State::AutoResolved, &self.report.summary)?;
        }
        Ok(())
    }
}

fn need_open(rows: &Rows, needs: &mut Needs, kind: &str, subject: &str) {
    let key = (kind.to_owned(), subject.to_owned());
    needs.row::<OpenCaseOf>(&key);
    if let Ok(Some(OpenCaseOf { exception_id: Some(exception_id), .. })) = rows.get::<OpenCaseOf>(&key) {
        needs.row::<Case>(exception_id);
    }
}

fn open_case(rows: &Rows, kind: &str, subject: &str) -> Result<Option<Case>, Fault> {
    match rows.get::<OpenCaseOf>(&(kind.to_owned(), subject.to_owned()))? {
        Some(OpenCaseOf { exception_id: Some(exception_id), .. }) => Ok(rows.get::<Case>(exception_id)?.cloned()),
        _ => Ok(None),
    }
}
