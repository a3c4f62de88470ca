//! Conditions put together from fixed parts; values are always bound.

use mesh::Accounts;
use store::{Column, Value, page::Page};

/// The condition every row meets.
pub(super) const EVERYTHING: &str = "1 = 1";

/// Conditions on rows, put together from fixed parts.
#[derive(Debug, Default)]
pub(super) struct Where {
    conditions: Vec<String>,
    args: Vec<Value>,
}

impl Where {
    /// A condition in which `?` stands for the value.
    pub(super) fn and(&mut self, condition: &str, value: Value) {
        self.args.push(value);
        self.conditions.push(condition.replace('?', &format!("${}", self.args.len())));
    }

    /// A column that has one of the values; nothing does when there are none.
    pub(super) fn one_of<C: Column>(&mut self, column: &str, values: &[C]) {
        let places = self.bind(values.iter().map(Column::to_value));
        self.conditions.push(if places.is_empty() { "1 = 0".to_owned() } else { format!("{column} IN ({places})") });
    }

    /// Rows of the accounts the caller sees.
    pub(super) fn seen_by(&mut self, accounts: &Accounts) {
        if let Accounts::Only(accounts) = accounts {
            self.one_of("account_id", accounts);
        }
    }

    /// Rows after the key the last page ended with, `direction` being `>` or `<`.
    pub(super) fn beyond(&mut self, columns: &[&str], direction: &str, page: &Page) {
        let Some(after) = page.after() else { return };
        let places = self.bind(after.iter().cloned());
        self.conditions.push(format!("({}) {direction} ({places})", columns.join(", ")));
    }

    /// The text after FROM, and its values.
    pub(super) fn into_tail(self, order: &str, limit: i64) -> (String, Vec<Value>) {
        let (condition, mut args) = self.into_condition();
        args.push(Value::Integer(limit));
        (format!("WHERE {condition} ORDER BY {order} LIMIT ${}", args.len()), args)
    }

    /// The text after WHERE, and its values.
    pub(super) fn into_condition(self) -> (String, Vec<Value>) {
        let condition = if self.conditions.is_empty() { EVERYTHING.to_owned() } else { self.conditions.join(" AND ") };
        (condition, self.args)
    }

    /// Binds values; answers their places in the text.
    fn bind(&mut self, values: impl Iterator<Item = Value>) -> String {
        let mut places = Vec::new();
        for value in values {
            self.args.push(value);
            places.push(format!("${}", self.args.len()));
        }
        places.join(", ")
    }
}
