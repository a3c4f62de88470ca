//! Exceptions that a command opens and resolves: they need a decision by a person.

use std::collections::HashMap;

use proto::{
    event::v1::{ExceptionOpened, ExceptionResolved, ExceptionType},
    events::SharedEvent,
};
use types::{AccountId, OrderId};

use crate::{context::Context, event::NewEvent};

/// An exception by its type and subject. There is at most one open exception for both.
#[derive(Debug, Clone)]
#[must_use]
pub struct Exception {
    exception_type: ExceptionType,
    subject: String,
    version: i64,
    key: String,
    order_id: String,
    account_id: Option<AccountId>,
}

impl Exception {
    /// An exception about `subject`. The `key` distinguishes this opening or resolution of it from others: a repeat of a command
    /// emits the same event.
    #[expect(clippy::needless_pass_by_value, reason = "callers have ids, texts and numbers, owned and borrowed")]
    pub fn new(exception_type: ExceptionType, subject: impl ToString, key: impl ToString) -> Self {
        Self {
            exception_type,
            subject: subject.to_string(),
            version: 1,
            key: key.to_string(),
            order_id: String::new(),
            account_id: None,
        }
    }

    /// The version of the subject; 1 unless set.
    pub fn version(self, version: i64) -> Self {
        Self { version, ..self }
    }

    /// The order that it stops.
    pub fn order(self, order_id: &OrderId) -> Self {
        Self { order_id: order_id.to_string(), ..self }
    }

    /// The order that it stops, as text; empty for none.
    pub fn correlation(self, order_id: &str) -> Self {
        Self { order_id: order_id.to_owned(), ..self }
    }

    /// The account that it concerns, if it concerns one.
    pub fn account<'a>(self, account_id: impl Into<Option<&'a AccountId>>) -> Self {
        Self { account_id: account_id.into().cloned(), ..self }
    }

    /// Opens it. `summary` is one line for a person, `facts` are for programs.
    pub fn open<'f>(
        self,
        cx: &mut Context<'_>,
        summary: impl Into<String>,
        facts: impl IntoIterator<Item = (&'f str, String)>,
    ) {
        let facts: HashMap<_, _> = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let opened = ExceptionOpened {
            r#type: self.exception_type.text().to_owned(),
            subject: self.subject.clone(),
            order_id: self.order_id.clone(),
            summary: summary.into(),
            facts,
        };
        self.emit(cx, SharedEvent::ExceptionOpened(opened));
    }

    /// Resolves it, if it is open: its cause is gone. `summary` is one line for a person.
    pub fn resolve(self, cx: &mut Context<'_>, summary: impl Into<String>) {
        let resolved = ExceptionResolved {
            r#type: self.exception_type.text().to_owned(),
            subject: self.subject.clone(),
            order_id: self.order_id.clone(),
            summary: summary.into(),
        };
        self.emit(cx, SharedEvent::ExceptionResolved(resolved));
    }

    fn emit(self, cx: &mut Context<'_>, payload: SharedEvent) {
        let key = format!("{}:{}", self.exception_type.text(), self.key);
        let event = NewEvent::new(payload, &self.subject, self.version, key).correlation(&self.order_id);
        cx.emit(event.account(self.account_id.as_ref()));
    }
}
