//! What only a person can decide, told to whoever watches.

use std::collections::HashMap;

use proto::event::v1::{ExceptionOpened, ExceptionResolved};
use store::{Context, NewEvent};
use types::{AccountId, OrderId};

/// Units of an order that no node may take. Its subject is the order.
pub const UNASSIGNED: &str = "UNASSIGNED";

/// More left than was asked for. Its subject is the shipment.
pub const OVER_SHIPPED: &str = "OVER_SHIPPED";

/// A package that left is reported with other contents than it left with. Its subject is the shipment.
pub const CONTENTS_DIFFER: &str = "CONTENTS_DIFFER";

/// A partner reported on a package that it neither carries nor shipped. Its subject is the shipment.
pub const FOREIGN_REPORT: &str = "FOREIGN_REPORT";

/// A node took work up after it was taken from it. Its subject is the work.
pub const LATE_ACCEPTANCE: &str = "LATE_ACCEPTANCE";

/// Something only a person can decide.
#[derive(Debug)]
pub struct Exception<'a> {
    /// Which.
    pub kind: &'static str,
    /// What it is about.
    pub subject: String,
    /// The order it holds up.
    pub order_id: &'a OrderId,
    /// The order's account.
    pub account_id: &'a AccountId,
    /// Tells this time from another one with the same subject.
    pub key: String,
}

impl Exception<'_> {
    /// Opens it.
    pub fn open(self, cx: &mut Context<'_>, summary: String, facts: impl IntoIterator<Item = (&'static str, String)>) {
        let facts: HashMap<_, _> = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let opened = ExceptionOpened {
            r#type: self.kind.to_owned(),
            subject: self.subject,
            order_id: self.order_id.to_string(),
            summary,
            facts,
        };
        let key = format!("{}/{}", self.kind, self.key);
        let draft = NewEvent::untyped("exception.opened", &opened.subject, 1, key, &opened);
        cx.emit(draft.order(self.order_id).account(self.account_id));
    }

    /// Tells that its cause is gone.
    pub fn resolve(self, cx: &mut Context<'_>, summary: &str) {
        let resolved = ExceptionResolved {
            r#type: self.kind.to_owned(),
            subject: self.subject,
            order_id: self.order_id.to_string(),
            summary: summary.to_owned(),
        };
        let key = format!("{}/{}", self.kind, self.key);
        let draft = NewEvent::untyped("exception.resolved", &resolved.subject, 1, key, &resolved);
        cx.emit(draft.order(self.order_id).account(self.account_id));
    }
}
