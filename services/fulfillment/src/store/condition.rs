//! Conditions put together from fixed parts; values are always bound.

use mesh::Accounts;
use store::{Column, Value, page::Page};
use types::PartnerId;

/// A WHERE clause put together from fixed parts.
#[derive(Debug, Default)]
pub(super) struct Condition {
    pub(super) parts: Vec<String>,
    pub(super) args: Vec<Value>,
}

impl Condition {
    pub(super) fn equal(&mut self, column: &'static str, value: Value) {
        self.args.push(value);
        self.parts.push(format!("{column} = ${}", self.args.len()));
    }

    /// One of these; nothing at all when there are none.
    pub(super) fn one_of(&mut self, column: &'static str, values: impl IntoIterator<Item = Value>) {
        let marks = self.bind(values);
        self.parts.push(if marks.is_empty() { "1 = 0".to_owned() } else { format!("{column} IN ({marks})") });
    }

    /// Rows of `table` that are of these accounts, or name the partner in one of its `columns`.
    pub(super) fn owned(
        &mut self,
        key: &'static str,
        table: &'static str,
        accounts: &Accounts,
        partner: Option<&PartnerId>,
        columns: &'static [&'static str],
    ) {
        let Accounts::Only(accounts) = accounts else { return };
        let mut ways = Vec::new();
        if !accounts.is_empty() {
            ways.push(format!("account_id IN ({})", self.bind(accounts.iter().map(Column::to_value))));
        }
        if let Some(partner) = partner {
            ways.extend(columns.iter().map(|column| format!("{column} = {}", self.bind([partner.to_value()]))));
        }
        self.parts.push(match ways.as_slice() {
            [] => "1 = 0".to_owned(),
            [way] => way.clone(),
            // Each way is a lookup in an index of its own.
            ways => {
                let select = |way: &String| format!("SELECT {key} FROM {table} WHERE {way}");
                format!("{key} IN ({})", ways.iter().map(select).collect::<Vec<_>>().join(" UNION "))
            }
        });
    }

    /// Binds values; answers their places in the text.
    fn bind(&mut self, values: impl IntoIterator<Item = Value>) -> String {
        let first = self.args.len();
        self.args.extend(values);
        let marks: Vec<_> = (first + 1..=self.args.len()).map(|at| format!("${at}")).collect();
        marks.join(", ")
    }

    /// The rows after a key, in key order.
    pub(super) fn page(mut self, columns: &'static [&'static str], page: &Page) -> (String, Vec<Value>) {
        if let Some(after) = page.after() {
            let marks = self.bind(after.iter().cloned());
            self.parts.push(format!("({}) > ({marks})", columns.join(", ")));
        }
        self.args.push(Value::Integer(page.limit()));
        let condition =
            if self.parts.is_empty() { String::new() } else { format!("WHERE {} ", self.parts.join(" AND ")) };
        (format!("{condition}ORDER BY {} LIMIT ${}", columns.join(", "), self.args.len()), self.args)
    }
}
