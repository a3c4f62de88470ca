//! Conditions of a query, put together from fixed parts; values are always bound.

use mesh::{Accounts, Principal};
use store::{Column, Value, page::Page};

/// The condition that every row meets.
const EVERYTHING: &str = "1 = 1";

/// The condition that no row meets.
const NOTHING: &str = "1 = 0";

/// The most lookups that a page is merged from.
const MOST: usize = 32;

/// What is after FROM: conditions, order and limit.
#[derive(Debug, Default)]
pub struct Select {
    conditions: Vec<Condition>,
    args: Vec<Value>,
    /// Whether a condition finds few rows, so that the others are only checked.
    few: bool,
}

/// A condition, and the lookups that find the same rows.
#[derive(Debug)]
struct Condition {
    whole: String,
    each: Vec<String>,
}

impl Select {
    /// All rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Rows that meet a condition, in which `?` stands for the value.
    pub fn and(&mut self, condition: &str, value: Value) {
        let place = self.bind(value);
        self.push(condition.replace('?', &place), Vec::new());
    }

    /// Rows that meet a condition as that of [`Select::and`], which few rows do, by an index of its own.
    ///
    /// Columns whose values are asked for after it are only checked: SQLite, which knows nothing of the values of a column,
    /// might look them up instead.
    pub fn few(&mut self, condition: &str, value: Value) {
        self.and(condition, value);
        self.few = true;
    }

    /// Columns whose values are asked for after it are only checked, as after [`Select::few`]: something else finds the rows.
    pub fn only_check(&mut self) {
        self.few = true;
    }

    /// Rows that meet a condition whose values are bound already.
    pub fn holds(&mut self, condition: String) {
        self.push(condition, Vec::new());
    }

    /// Rows whose column equals the value, when there is one.
    pub fn equal<C: Column>(&mut self, column: &str, value: Option<&C>) {
        if let Some(value) = value {
            self.one_of(column, std::slice::from_ref(value));
        }
    }

    /// Rows whose column has one of the values; no row when there are none.
    pub fn one_of<C: Column>(&mut self, column: &str, values: &[C]) {
        let (whole, each) = self.listed(column, values);
        self.push(whole, each);
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

    /// Rows that are of the accounts that the caller sees, or that name its partner in one of `columns`.
    pub fn seen_by_account_or_partner(&mut self, columns: &[&str], caller: &Principal) {
        self.of_accounts_or_partner(columns, caller, caller.own_accounts());
    }

    /// The same for rows that customers are not shown: a customer's accounts show none, even to a caller that has another
    /// role too.
    pub fn seen_by_staff_or_partner(&mut self, columns: &[&str], caller: &Principal) {
        self.of_accounts_or_partner(columns, caller, caller.staff_accounts());
    }

    fn of_accounts_or_partner(&mut self, columns: &[&str], caller: &Principal, accounts: &Accounts) {
        let Accounts::Only(accounts) = accounts else { return };
        let (mut wholes, mut each) = (Vec::new(), Vec::new());
        if !accounts.is_empty() {
            let (whole, of_each) = self.listed("account_id", accounts);
            wholes.push(whole);
            each.extend(of_each);
        }
        if let Some(partner) = caller.own_partner() {
            let place = self.bind(partner.to_value());
            let checked = if self.few { " || ''" } else { "" };
            let named: Vec<String> = columns.iter().map(|column| format!("{column}{checked} = {place}")).collect();
            wholes.extend(named.iter().cloned());
            each.extend(named);
        }
        let whole = match wholes.as_slice() {
            [] => NOTHING.to_owned(),
            [one] => one.clone(),
            several => format!("({})", several.join(" OR ")),
        };
        self.push(whole, each);
    }

    /// Rows after the key that the last page ended with. `direction` is `>` for ascending order and `<` for descending.
    pub fn after(&mut self, columns: &[&str], direction: &str, page: &Page) {
        if let Some(after) = page.after() {
            self.beyond(columns, direction, after);
        }
    }

    /// Rows after this key.
    pub fn beyond(&mut self, columns: &[&str], direction: &str, key: &[Value]) {
        let places: Vec<_> = key.iter().map(|value| self.bind(value.clone())).collect();
        self.push(format!("({}) {direction} ({})", columns.join(", "), places.join(", ")), Vec::new());
    }

    /// The text after FROM with an order and a limit, and its values.
    pub fn into_page(self, order: &str, limit: i64) -> (String, Vec<Value>) {
        let (condition, mut args) = self.into_condition();
        args.push(Value::Integer(limit));
        (format!("WHERE {condition} ORDER BY {order} LIMIT ${}", args.len()), args)
    }

    /// As [`Select::into_page`] for a table that grows, whose key is `key`.
    ///
    /// No index has the rows of several values in the order of the page: a database reads all of them and sorts, or reads
    /// all others on the way to them. The page is therefore merged from a page of each value, which an index by the value and
    /// then by the order ends after as many rows as are asked for.
    pub fn into_merged_page(mut self, table: &str, key: &str, order: &str, limit: i64) -> (String, Vec<Value>) {
        let mut lookups: Vec<Vec<&str>> = vec![Vec::new()];
        for Condition { whole, each } in &self.conditions {
            let whole = std::slice::from_ref(whole);
            let each = if each.is_empty() || lookups.len() * each.len() > MOST { whole } else { each };
            let mut longer = Vec::with_capacity(lookups.len() * each.len());
            for lookup in &lookups {
                longer.extend(each.iter().map(|condition| [lookup.as_slice(), &[condition.as_str()]].concat()));
            }
            lookups = longer;
        }
        if lookups.len() == 1 {
            return self.into_page(order, limit);
        }
        let end = format!("ORDER BY {order} LIMIT ${}", self.args.len() + 1);
        let page = |(number, conditions): (usize, &Vec<&str>)| {
            let condition = conditions.join(" AND ");
            format!("SELECT {key} FROM (SELECT {key} FROM {table} WHERE {condition} {end}) AS page{number}")
        };
        let pages: Vec<String> = lookups.iter().enumerate().map(page).collect();
        let tail = format!("WHERE ({key}) IN ({}) {end}", pages.join(" UNION ALL "));
        self.args.push(Value::Integer(limit));
        (tail, self.args)
    }

    /// The text after WHERE, and its values.
    pub fn into_condition(self) -> (String, Vec<Value>) {
        let wholes: Vec<String> = self.conditions.into_iter().map(|condition| condition.whole).collect();
        let condition = if wholes.is_empty() { EVERYTHING.to_owned() } else { wholes.join(" AND ") };
        (condition, self.args)
    }

    fn push(&mut self, whole: String, each: Vec<String>) {
        let each = if self.few { Vec::new() } else { each };
        self.conditions.push(Condition { whole, each });
    }

    /// The condition that a column has one of the values, and the condition for each value.
    fn listed<C: Column>(&mut self, column: &str, values: &[C]) -> (String, Vec<String>) {
        let places: Vec<_> = values.iter().map(|value| self.bind(value.to_value())).collect();
        let checked = format!("{column} || ''");
        let column = if self.few { &checked } else { column };
        let each = places.iter().map(|place| format!("{column} = {place}")).collect();
        let whole = match places.as_slice() {
            [] => NOTHING.to_owned(),
            [one] => format!("{column} = {one}"),
            several => format!("{column} IN ({})", several.join(", ")),
        };
        (whole, each)
    }

    /// Binds a value; returns its place in the text.
    pub fn bind(&mut self, value: Value) -> String {
        self.args.push(value);
        format!("${}", self.args.len())
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
    fn a_page_of_several_values_is_merged_from_a_page_of_each() {
        let mut select = Select::new();
        select.seen_by(&customer(&["acc_1", "acc_2"]));
        select.and("create_time >= ?", Value::Integer(5));
        let (tail, args) = select.into_merged_page("orders", "order_id", "create_time, order_id", 10);
        let of = |account: &str, page: &str| {
            format!(
                "SELECT order_id FROM (SELECT order_id FROM orders WHERE account_id = {account} AND create_time >= $3 \
                 ORDER BY create_time, order_id LIMIT $4) AS {page}"
            )
        };
        let (one, two) = (of("$1", "page0"), of("$2", "page1"));
        let expected = format!("WHERE (order_id) IN ({one} UNION ALL {two}) ORDER BY create_time, order_id LIMIT $4");
        assert_eq!((tail, args.len()), (expected, 4));
    }

    #[test]
    fn what_few_rows_meet_is_looked_up_and_lists_of_values_are_checked() {
        let mut select = Select::new();
        select.few("order_id = ?", Value::Integer(1));
        select.filter("state", &["OPEN".to_owned(), "DONE".to_owned()]);
        let (tail, _) = select.into_merged_page("t", "k", "k", 10);
        assert_eq!(tail, "WHERE order_id = $1 AND state || '' IN ($2, $3) ORDER BY k LIMIT $4");
    }

    #[test]
    fn a_page_is_not_merged_from_more_lookups_than_a_statement_should_have() {
        let mut select = Select::new();
        select.filter("a", &[1, 2, 3, 4]);
        select.filter("b", &(0..100).collect::<Vec<i64>>());
        let (tail, args) = select.into_merged_page("t", "k", "k", 10);
        assert_eq!((tail.matches("UNION ALL").count(), tail.matches("b IN (").count(), args.len()), (3, 4, 105));
    }

    #[test]
    fn a_partner_sees_what_names_it() {
        let partner = Some("par_a".parse().unwrap());
        let caller = Principal { roles: mesh::Role::Partner.into(), partner, ..customer(&[]) };
        let mut select = Select::new();
        select.seen_by_account_or_partner(&["carrier_id", "partner_id"], &caller);
        assert_eq!(select.into_condition().0, "(carrier_id = $1 OR partner_id = $1)");
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
