//! Finds orders by a text.
//!
//! 1. [`Search::candidates`] looks up what the text may name, each by an index of its own and each at most a few: orders by id, by the
//!    beginning of their customer PO number, and by tracking number; accounts by the words of their names; items by SKU.
//! 2. [`Search::tail`] merges a page from the orders of each: those named are few, and the orders of an account, or with an SKU at an
//!    account, are read in the order of the list from where the page begins, so that a page costs the same however many there are.

use std::collections::BTreeSet;

use chassis::Select;
use mesh::{Accounts, Principal};
use store::{Column as _, Db, Row, Value, page::Page};
use types::{
    AccountId, Fault, OrderId,
    text::{compared_number, search_words},
};

use super::OrderFilter;

/// The most orders that are found by the beginning of their customer PO number, and by a tracking number.
const MOST_ORDERS: usize = 100;

/// The most accounts that are found by name, and the most items by SKU.
const MOST_NAMED: usize = 10;

/// The most words of names that are read.
const MOST_WORDS: usize = 3 * MOST_NAMED;

/// How many lines of an item are read to find its orders among those of all accounts.
const FEW_LINES: i64 = 1_000;

/// The most pages of accounts and items that a page is merged from.
const MOST_PAGES: usize = 32;

/// What follows every text that begins with another one: no UTF-8 has this byte.
const BEYOND: u8 = 0xFF;

/// How a text is compared in a search: in small letters, as bytes, whose order is the same in every database.
pub(crate) fn search_key(text: &str) -> Vec<u8> {
    text.to_lowercase().into_bytes()
}

/// A text to find orders by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search(pub(crate) String);

/// What a text may name.
struct Candidates {
    orders: Vec<OrderId>,
    accounts: Vec<AccountId>,
    /// Items whose lines are looked up.
    skus: Vec<String>,
    /// Items that so many lines of all accounts are of that every order is asked for one.
    common_skus: Vec<String>,
}

impl Search {
    /// The text after FROM of a page of the orders that are found, and its values; `None` when there are none.
    pub(super) async fn tail(
        &self,
        db: &Db,
        filter: &OrderFilter,
        caller: &Principal,
        page: &Page,
    ) -> Result<Option<(String, Vec<Value>)>, Fault> {
        let accounts = accounts(filter, caller);
        let candidates = self.candidates(db, accounts.as_deref()).await?;
        let (mut select, order) = filter.select(caller, page, true);
        let (direction, after) = filter.order.direction();
        let mut pages = Vec::new();
        let limit = select.bind(Value::Integer(page.limit()));
        let [of_orders, of_lines] = candidates.bind(accounts.as_deref(), &mut select);
        let after = page.after().map(|key| {
            let places: Vec<_> = key.iter().map(|value| select.bind(value.clone())).collect();
            format!(" AND (order_time, order_id) {after} ({})", places.join(", "))
        });
        let after = after.unwrap_or_default();
        let (condition, args) = select.into_condition();
        for (number, which) in of_orders.iter().enumerate() {
            pages.push(format!(
                "SELECT order_id FROM (SELECT order_id FROM orders WHERE {which} AND {condition} ORDER BY {order} LIMIT {limit}) \
                 AS named{number}"
            ));
        }
        // A count, unlike EXISTS, is no join that PostgreSQL might begin with the orders.
        let is_wanted =
            format!("(SELECT COUNT(*) FROM orders WHERE orders.order_id = order_lines.order_id AND {condition}) > 0");
        for (number, which) in of_lines.iter().enumerate() {
            pages.push(format!(
                "SELECT order_id FROM (SELECT DISTINCT order_time, order_id FROM order_lines WHERE {which}{after} AND {is_wanted} \
                 ORDER BY order_time {direction}, order_id {direction} LIMIT {limit}) AS item{number}"
            ));
        }
        if pages.is_empty() {
            return Ok(None);
        }
        let tail = format!("WHERE order_id IN ({}) ORDER BY {order} LIMIT {limit}", pages.join(" UNION ALL "));
        Ok(Some((tail, args)))
    }

    /// What the text may name, among the accounts that may be looked at: all when `None`.
    async fn candidates(&self, db: &Db, accounts: Option<&[AccountId]>) -> Result<Candidates, Fault> {
        let Self(text) = self;
        let mut orders: Vec<OrderId> = text.parse().into_iter().collect();
        let (key, mut select) = (search_key(text), within(accounts));
        begins_with(&mut select, "po_search_key", &key);
        orders.extend(read::<OrderId>(db, "SELECT order_id FROM orders", select, "po_search_key", MOST_ORDERS).await?);

        let number = compared_number(text);
        if !number.is_empty() {
            let mut select = within(accounts);
            select.equal("tracking_number", Some(&number));
            let numbers = "SELECT order_id FROM tracking_numbers";
            orders.extend(read::<OrderId>(db, numbers, select, "order_id", MOST_ORDERS).await?);
        }
        orders.sort();
        orders.dedup();
        let named = named_accounts(db, text, accounts).await?;
        let (mut skus, mut common_skus) = (skus(db, &key).await?, Vec::new());
        if accounts.is_none() {
            (skus, common_skus) = apart(db, skus).await?;
        }
        Ok(Candidates { orders, accounts: named, skus, common_skus })
    }
}

impl Candidates {
    /// The conditions of what was found: of orders, which one by one are few or in the order of the list, and of lines by SKU.
    fn bind(&self, within: Option<&[AccountId]>, select: &mut Select) -> [Vec<String>; 2] {
        let mut one_of = |column: &str, values: Vec<Value>| {
            let places: Vec<_> = values.into_iter().map(|value| select.bind(value)).collect();
            format!("{column} IN ({})", places.join(", "))
        };
        let ids: Vec<_> = self.orders.iter().map(|order_id| order_id.to_value()).collect();
        let mut of_orders = if ids.is_empty() { Vec::new() } else { vec![one_of("order_id", ids)] };
        of_orders.extend(self.accounts.iter().map(|account_id| one_of("account_id", vec![account_id.to_value()])));
        for sku in &self.common_skus {
            let of_item = one_of("sku", vec![sku.to_value()]);
            of_orders.push(format!(
                "(SELECT COUNT(*) FROM order_lines WHERE {of_item} AND order_lines.account_id = orders.account_id \
                 AND order_time = orders.create_time AND order_lines.order_id = orders.order_id) > 0"
            ));
        }
        let skus: Vec<_> = self.skus.iter().map(|sku| one_of("sku", vec![sku.to_value()])).collect();
        let whose: Vec<String> = match within {
            None => vec![String::new()],
            Some([]) => Vec::new(),
            Some(accounts) if accounts.len() * skus.len() > MOST_PAGES => {
                let all = accounts.iter().map(|account_id| account_id.to_value()).collect();
                vec![format!(" AND {}", one_of("account_id", all))]
            }
            Some(accounts) => {
                let one =
                    |account_id: &AccountId| format!(" AND {}", one_of("account_id", vec![account_id.to_value()]));
                accounts.iter().map(one).collect()
            }
        };
        let of_lines = skus.iter().flat_map(|sku| whose.iter().map(move |whose| format!("{sku}{whose}"))).collect();
        [of_orders, of_lines]
    }
}

/// The accounts whose orders may be listed; all when `None`.
fn accounts(filter: &OrderFilter, caller: &Principal) -> Option<Vec<AccountId>> {
    match (&filter.account_id, caller.own_accounts()) {
        (Some(account_id), _) if caller.sees(account_id) => Some(vec![account_id.clone()]),
        (Some(_), _) => Some(Vec::new()),
        (None, Accounts::Only(accounts)) => Some(accounts.to_vec()),
        (None, Accounts::All) => None,
    }
}

/// Rows of these accounts.
fn within(accounts: Option<&[AccountId]>) -> Select {
    let mut select = Select::new();
    if let Some(accounts) = accounts {
        select.one_of("account_id", accounts);
    }
    select
}

fn begins_with(select: &mut Select, column: &str, key: &[u8]) {
    select.and(&format!("{column} >= ?"), key.to_vec().to_value());
    select.and(&format!("{column} < ?"), [key, &[BEYOND]].concat().to_value());
}

/// The first column of the rows.
async fn read<C: store::Column>(
    db: &Db,
    from: &str,
    select: Select,
    order: &str,
    most: usize,
) -> Result<Vec<C>, Fault> {
    let (tail, args) = select.into_page(order, i64::try_from(most).unwrap_or(i64::MAX));
    let rows = db.query(format!("{from} {tail}"), args).await?;
    rows.iter().map(|row: &Row| row.at(0)).collect()
}

/// Those of the items that few lines are of, and the others. The index of lines by SKU goes on with the account: without one, the
/// lines of an item are not in the order of a list, and are all read. Of an item with many lines the next order is not far.
async fn apart(db: &Db, skus: Vec<String>) -> Result<(Vec<String>, Vec<String>), Fault> {
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for sku in skus {
        let mut select = Select::new();
        select.equal("sku", Some(&sku));
        let (tail, args) = select.into_page("account_id", FEW_LINES + 1);
        let count = format!("SELECT COUNT(*) FROM (SELECT account_id FROM order_lines {tail}) AS counted");
        let rows = db.query(count, args).await?;
        let lines: i64 = rows.first().map_or(Ok(0), |row| row.at(0))?;
        if lines > FEW_LINES { many.push(sku) } else { few.push(sku) }
    }
    Ok((few, many))
}

/// Accounts whose names have, for each word of the text, a word that begins with it.
async fn named_accounts(db: &Db, text: &str, accounts: Option<&[AccountId]>) -> Result<Vec<AccountId>, Fault> {
    let mut words: Vec<Vec<u8>> = search_words(text).map(String::into_bytes).collect();
    // The longest word finds the fewest.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let Some((first, others)) = words.split_first() else { return Ok(Vec::new()) };
    let mut select = within(accounts);
    begins_with(&mut select, "word", first);
    for (number, word) in others.iter().enumerate() {
        let (from, to) = (select.bind(word.to_value()), select.bind([word.as_slice(), &[BEYOND]].concat().to_value()));
        select.holds(format!(
            "EXISTS (SELECT 1 FROM account_words AS other{number} WHERE other{number}.account_id = account_words.account_id \
             AND other{number}.word >= {from} AND other{number}.word < {to})"
        ));
    }
    // In the order of the index, so that a short beginning reads few words; a name may have several that begin with it.
    let words = "SELECT account_id FROM account_words";
    let named = read::<AccountId>(db, words, select, "word, account_id", MOST_WORDS).await?;
    let each_once: BTreeSet<AccountId> = named.into_iter().collect();
    Ok(each_once.into_iter().take(MOST_NAMED).collect())
}

/// The SKUs that are the text; if none is, those that begin with it.
async fn skus(db: &Db, key: &Vec<u8>) -> Result<Vec<String>, Fault> {
    let mut select = Select::new();
    select.equal("search_key", Some(key));
    let same = read::<String>(db, "SELECT sku FROM items", select, "sku", MOST_NAMED).await?;
    if !same.is_empty() {
        return Ok(same);
    }
    let mut select = Select::new();
    begins_with(&mut select, "search_key", key);
    read(db, "SELECT sku FROM items", select, "search_key", MOST_NAMED).await
}
