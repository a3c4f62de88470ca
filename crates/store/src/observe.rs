//! What a database is asked, for tests of how it finds the answer.

use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc;

use crate::value::Value;

/// A statement with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Its text, with `$1`, `$2`, ... for the arguments.
    pub sql: String,
    /// Its arguments.
    pub args: Vec<Value>,
}

/// Who is told of the statements, if anybody. Clones tell the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observer(Arc<OnceLock<mpsc::UnboundedSender<Statement>>>);

impl Observer {
    /// Statements from now on. Only the first caller is told of them.
    pub(crate) fn observe(&self) -> mpsc::UnboundedReceiver<Statement> {
        let (sender, statements) = mpsc::unbounded_channel();
        // A second sender is dropped, which ends its channel.
        drop(self.0.set(sender));
        statements
    }

    pub(crate) fn note(&self, sql: &str, args: &[Value]) {
        if let Some(sender) = self.0.get() {
            // Nobody looks any more.
            drop(sender.send(Statement { sql: sql.to_owned(), args: args.to_vec() }));
        }
    }
}
