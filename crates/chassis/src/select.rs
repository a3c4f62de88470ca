//! Conditions of a query, put together from fixed parts; values are always bound.

use mesh::{Accounts, Principal};
use store::{Column, Value, page::Page};
use types::PartnerId;

/// The condition that every row meets.
const EVERYTHING: &str = "1 = 1";

/// The condition that no row meets.
const NOTHING: &str = "1 = 0";

/// What is after FROM: conditions, order and limit.
#[derive(Debug, Default)]
pub struct Select {
    conditions: Vec<String>,
    args: Vec<Value>,
}

impl Select {
    /// All rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Rows that meet a condition, in which `?` stands for the value.
    pub fn and(&mut self, condition: &str, value: Value) {
        self.args.push(value);
        self.conditions.push(condition.replace('?', &format!("${}", self.args.len())));
    }

    /// Rows whose column equals the value, when there is one.
    pub fn equal<C: Column>(&mut self, column: &str, value: Option<&C>) {
        if let Some(value) = value {
            self.and(&format!("{column} = ?"), value.to_value());
        }
    }

    /// Rows whose column has one of the values; no row when there are none.
    pub fn one_of<C: Column>(&mut self, column: &str, values: &[C]) {
        let places = self.bind(values.iter().map(Column::to_value));
        self.conditions.push(if places.is_empty() { NOTHING.to_owned() } else { format!("{column} IN ({places})") });
    }

    /// Rows whose column has one of the values a caller filters by; all rows when it names none.
    pub fn filter<C: Column>(&mut self, column: &str, values: &[C]) {
        if !values.is_empty() {
            self.one_of(column, values);
        }
    }

    /// Rows of the accounts that the caller sees.
    pub fn seen_by(&mut self, caller: &Principal) {
        if let Accounts::Only(accounts) = caller.own_accounts() {
            self.one_of("account_id", accounts);
        }
    }

    /// Rows of `table` that are of the accounts that the caller sees, or that name its partner in one of `columns`. `key` is
    /// the table's key.
    pub fn seen_by_account_or_partner(&mut self, key: &str, table: &str, columns: &[&str], caller: &Principal) {
        self.of_accounts_or_partner(key, table, columns, caller, caller.own_accounts());
    }

    /// The same for rows that customers are not shown: a customer's accounts show none, even to a caller that has another
    /// role too.
    pub fn seen_by_staff_or_partner(&mut self, key: &str, table: &str, columns: &[&str], caller: &Principal) {
        self.of_accounts_or_partner(key, table, columns, caller, caller.staff_accounts());
    }

    fn of_accounts_or_partner(
        &mut self,
        key: &str,
        table: &str,
        columns: &[&str],
        caller: &Principal,
        accounts: &Accounts,
    ) {
        let Accounts::Only(accounts) = accounts else { return };
        let mut conditions = Vec::new();
        if !accounts.is_empty() {
            conditions.push(format!("account_id IN ({})", self.bind(accounts.iter().map(Column::to_value))));
        }
        if let Some(partner) = caller.own_partner() {
            conditions.extend(columns.iter().map(|column| self.names(column, partner)));
        }
        self.conditions.push(match conditions.as_slice() {
            [] => NOTHING.to_owned(),
            [one] => one.clone(),
            // Each condition is a lookup in an index of its own.
            several => {
                let select = |condition: &String| format!("SELECT {key} FROM {table} WHERE {condition}");
                format!("{key} IN ({})", several.iter().map(select).collect::<Vec<_>>().join(" UNION "))
            }
        });
    }

    fn names(&mut self, column: &str, partner: &PartnerId) -> String {
        format!("{column} = {}", self.bind([partner.to_value()]))
    }

    /// Rows after the key that the last page ended with. `direction` is `>` for ascending order and `<` for descending.
    pub fn after(&mut self, columns: &[&str], direction: &str, page: &Page) {
        if let Some(after) = page.after() {
            self.beyond(columns, direction, after);
        }
    }

    /// Rows after this key.
    pub fn beyond(&mut self, columns: &[&str], direction: &str, key: &[Value]) {
        let places = self.bind(key.iter().cloned());
        self.conditions.push(format!("({}) {direction} ({places})", columns.join(", ")));
    }

    /// The text after FROM with an order and a limit, and its values.
    pub fn into_page(self, order: &str, limit: i64) -> (String, Vec<Value>) {
        let (condition, mut args) = self.into_condition();
        args.push(Value::Integer(limit));
        (format!("WHERE {condition} ORDER BY {order} LIMIT ${}", args.len()), args)
    }

    /// The text after WHERE, and its values.
    pub fn into_condition(self) -> (String, Vec<Value>) {
        let condition = if self.conditions.is_empty() { EVERYTHING.to_owned() } else { self.conditions.join(" AND ") };
        (condition, self.args)
    }

    /// Binds values; returns their places in the text.
    fn bind(&mut self, values: impl IntoIterator<Item = Value>) -> String {
        let first = self.args.len();
        self.args.extend(values);
        let places: Vec<_> = (first + 1..=self.args.len()).map(|place| format!("${place}")).collect();
        places.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use types::{AccountId, OrderId};

    use super::*;

    fn customer(accounts: &[&str]) -> Principal {
        let accounts = accounts.iter().map(|account| account.parse().unwrap()).collect();
        Principal { accounts: Accounts::Only(accounts), ..Principal::anonymous() }
    }

    #[test]
    fn conditions_are_joined_and_their_values_bound_in_order() {
        let mut select = Select::new();
        select.seen_by(&customer(&["acc_1", "acc_2"]));
        select.equal::<OrderId>("order_id", None);
        select.filter::<AccountId>("account_id", &[]);
        select.and("create_time >= ?", Value::Integer(5));
        let (tail, args) = select.into_page("order_id", 10);
        let expected = "WHERE account_id IN ($1, $2) AND create_time >= $3 ORDER BY order_id LIMIT $4";
        assert_eq!((tail.as_str(), args.len()), (expected, 4));
    }

    #[test]
    fn a_caller_without_accounts_sees_no_row_and_staff_sees_all() {
        let mut select = Select::new();
        select.seen_by(&customer(&[]));
        assert_eq!(select.into_condition().0, NOTHING);
        let mut select = Select::new();
        select.seen_by(&Principal::service("order"));
        assert_eq!(select.into_condition().0, EVERYTHING);
    }
}
