//! Pages of a list by keyset: the token has the key after which the next page begins, and identifies the list.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use types::{Fault, limits::MAX_PAGE_BYTES};

use crate::{
    db::Db,
    record::Record,
    value::{Kind, Value},
};

/// Default number of rows of a page.
const USUAL: i64 = 50;

/// Rows of a page at most.
const MOST: i64 = 500;

/// Bytes of a token that identify its list and filter.
const MARK: usize = 8;

/// About how long a row is without its large columns, when it is encoded.
const ROW_BYTES: usize = 300;

/// The page a caller asks for.
///
/// ```
/// # extern crate waybill_store as store;
/// use store::{Column, Kind, page::Page};
///
/// # fn main() -> Result<(), types::Fault> {
/// let page = Page::read("items", &["acc_1"], &[Kind::Text], 2, "")?;
/// assert_eq!((page.limit(), page.after()), (3, None));
/// // SELECT … WHERE sku > $1 ORDER BY sku LIMIT $2
/// let mut rows = vec!["A", "B", "C"];
/// let token = page.next(&mut rows, |sku| vec![(*sku).to_owned().to_value()]);
/// assert_eq!(rows, ["A", "B"]);
/// let next = Page::read("items", &["acc_1"], &[Kind::Text], 2, &token)?;
/// assert_eq!(next.after(), Some(["B".to_owned().to_value()].as_slice()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    size: i64,
    mark: [u8; MARK],
    after: Option<Vec<Value>>,
}

impl Page {
    /// Reads `page_size` and `page_token` of a request.
    ///
    /// `list` and `filter` are what the token is bound to: that of another list or filter is refused. `kinds` are those
    /// of the key columns.
    pub fn read(list: &str, filter: &[&str], kinds: &[Kind], page_size: i32, page_token: &str) -> Result<Self, Fault> {
        let size = match i64::from(page_size) {
            0 => USUAL,
            size @ 1.. => size.min(MOST),
            _ => return Err(Fault::invalid("page_size", "must not be negative")),
        };
        let mark = mark(list, filter);
        let after = if page_token.is_empty() { None } else { Some(decode(page_token, mark, kinds)?) };
        Ok(Self { size, mark, after })
    }

    /// The key after which the page begins; the first page has none.
    pub fn after(&self) -> Option<&[Value]> {
        self.after.as_deref()
    }

    /// The token of a page that begins after this key.
    pub fn token(&self, key: &[Value]) -> String {
        encode(self.mark, key)
    }

    /// How many rows to select: one more than the page has, which shows whether another page follows.
    pub fn limit(&self) -> i64 {
        self.size + 1
    }

    /// Cuts the selected rows to the page; returns the token of the next page, empty on the last.
    pub fn next<R>(&self, rows: &mut Vec<R>, key: impl Fn(&R) -> Vec<Value>) -> String {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        if rows.len() <= size {
            return String::new();
        }
        rows.truncate(size);
        rows.last().map(|last| encode(self.mark, &key(last))).unwrap_or_default()
    }

    /// As [`Page::next`] for rows that may be large: the page also ends before the row with which it would have more than
    /// [`MAX_PAGE_BYTES`], though not before its first one.
    pub fn next_within<R>(
        &self,
        rows: &mut Vec<R>,
        bytes: impl Fn(&R) -> usize,
        key: impl Fn(&R) -> Vec<Value>,
    ) -> String {
        let token = self.next(rows, &key);
        self.cut(rows, token, bytes, key)
    }

    /// Selects the page of rows that may be large as [`select_fitting`] does, and returns the token of the next page. The last of
    /// `args` is [`Page::limit`].
    pub async fn select<R: Record>(
        &self,
        db: &Db,
        tail: &str,
        args: Vec<Value>,
        large: &[&str],
        key: impl Fn(&R) -> Vec<Value>,
    ) -> Result<(Vec<R>, String), Fault> {
        let (rows, has_more) = select_fitting(db, tail, args, large).await?;
        let last = rows.last().filter(|_| has_more);
        let token = last.map(|last| encode(self.mark, &key(last))).unwrap_or_default();
        Ok((rows, token))
    }

    /// Cuts rows that were cut to the page already to [`MAX_PAGE_BYTES`]; returns the token of the next page, which was `token`.
    pub fn cut<R>(
        &self,
        rows: &mut Vec<R>,
        token: String,
        bytes: impl Fn(&R) -> usize,
        key: impl Fn(&R) -> Vec<Value>,
    ) -> String {
        let kept = fitting(rows.iter().map(bytes));
        if kept >= rows.len() {
            return token;
        }
        rows.truncate(kept);
        rows.last().map(|last| encode(self.mark, &key(last))).unwrap_or_default()
    }
}

/// Selects rows that may be large, as many as fit [`MAX_PAGE_BYTES`] but one at least; returns whether there are more. `tail` and
/// `args` are those of [`Db::list`]; the last of `args` is the limit, one more than is wanted. `large` are the columns that may be
/// long; the others are together a few hundred bytes.
///
/// Of rows that do not fit only the length is read, for which neither database reads a long value.
pub async fn select_fitting<R: Record>(
    db: &Db,
    tail: &str,
    mut args: Vec<Value>,
    large: &[&str],
) -> Result<(Vec<R>, bool), Fault> {
    let lengths: Vec<String> = large.iter().map(|column| format!("COALESCE(octet_length({column}), 0)")).collect();
    let sql = format!("SELECT CAST({} AS BIGINT) FROM {} {tail}", lengths.join(" + "), R::TABLE);
    let rows = db.query(sql, args.clone()).await?;
    let bytes = rows.iter().map(|row| row.at::<i64>(0)).collect::<Result<Vec<i64>, Fault>>()?;
    let bytes = bytes.into_iter().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX).saturating_add(ROW_BYTES));
    let fitting = i64::try_from(fitting(bytes)).unwrap_or(i64::MAX);
    let Some(Value::Integer(limit)) = args.last_mut() else {
        return Err(Fault::internal("rows are selected without a limit"));
    };
    let wanted = fitting.min(limit.saturating_sub(1));
    *limit = wanted;
    let has_more = i64::try_from(rows.len()).unwrap_or(i64::MAX) > wanted;
    Ok((db.list(tail, args).await?, has_more))
}

/// How many of the first rows, of so many bytes each, a page has room for: one at least.
fn fitting(bytes: impl Iterator<Item = usize>) -> usize {
    let mut sum = 0_usize;
    let fits = |bytes: &usize| {
        sum = sum.saturating_add(*bytes);
        sum <= MAX_PAGE_BYTES
    };
    bytes.take_while(fits).count().max(1)
}

fn mark(list: &str, filter: &[&str]) -> [u8; MARK] {
    let mut hash = Sha256::new();
    for part in std::iter::once(&list).chain(filter) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut mark = [0; MARK];
    mark.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    mark
}

fn encode(mark: [u8; MARK], key: &[Value]) -> String {
    let mut bytes = mark.to_vec();
    for value in key {
        let content = match value {
            Value::Integer(integer) => integer.to_be_bytes().to_vec(),
            Value::Text(text) => text.as_bytes().to_vec(),
            Value::Bytes(content) => content.clone(),
            Value::Null(_) => Vec::new(),
        };
        bytes.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(content);
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(token: &str, mark: [u8; MARK], kinds: &[Kind]) -> Result<Vec<Value>, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let key = bytes.as_deref().and_then(|bytes| bytes.strip_prefix(mark.as_slice())).and_then(|key| values(key, kinds));
    key.ok_or_else(|| Fault::invalid("page_token", "is not a token of this list with this filter"))
}

fn values(mut bytes: &[u8], kinds: &[Kind]) -> Option<Vec<Value>> {
    let mut values = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (content, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        values.push(match kind {
            Kind::Integer => Value::Integer(i64::from_be_bytes(content.try_into().ok()?)),
            Kind::Text => Value::Text(String::from_utf8(content.to_vec()).ok().filter(|text| !text.contains('\0'))?),
            Kind::Bytes => Value::Bytes(content.to_vec()),
        });
        bytes = rest;
    }
    bytes.is_empty().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: &[Kind] = &[Kind::Integer, Kind::Text];

    fn key() -> Vec<Value> {
        vec![Value::Integer(-7), Value::Text("ord_ä".to_owned())]
    }

    fn token() -> String {
        encode(mark("orders", &["acc_1", ""]), &key())
    }

    fn read(list: &str, filter: &[&str], token: &str) -> Result<Page, Fault> {
        Page::read(list, filter, KINDS, 0, token)
    }

    #[test]
    fn a_token_is_read_back_as_the_key_it_was_made_of() {
        assert_eq!(read("orders", &["acc_1", ""], &token()).unwrap().after(), Some(key().as_slice()));
    }

    #[test]
    fn a_token_of_another_list_or_filter_is_refused() {
        for (list, filter) in [("returns", ["acc_1", ""]), ("orders", ["acc_2", ""]), ("orders", ["", "acc_1"])] {
            let fault = read(list, &filter, &token()).unwrap_err();
            assert_eq!(fault.violations[0].field, "page_token");
        }
    }

    #[test]
    fn a_garbled_token_is_refused() {
        let (mark, mut long) = (mark("orders", &[]), key());
        long.push(Value::Integer(1));
        let wrong = [vec![Value::Integer(1)], long, vec![Value::Text(String::new()), Value::Text(String::new())]];
        let tokens =
            wrong.iter().map(|key| encode(mark, key)).chain(["x".to_owned(), "!".to_owned(), "AAAA".to_owned()]);
        for token in tokens {
            assert!(read("orders", &[], &token).is_err(), "{token}");
        }
    }

    #[test]
    fn a_page_has_fifty_rows_unless_asked_otherwise_and_never_more_than_five_hundred() {
        let limit = |size| Page::read("orders", &[], KINDS, size, "").map(|page| page.limit());
        assert_eq!(limit(0), Ok(51));
        assert_eq!(limit(3), Ok(4));
        assert_eq!(limit(i32::MAX), Ok(501));
        assert_eq!(limit(-1).unwrap_err().violations[0].field, "page_size");
    }

    #[test]
    fn a_page_of_large_rows_ends_early_but_not_before_its_first_row() {
        let page = Page::read("orders", &[], &[Kind::Integer], 3, "").unwrap();
        let key = |number: &i64| vec![Value::Integer(*number)];
        let pages = |rows: &[i64], bytes: usize| {
            let mut rows = rows.to_vec();
            let token = page.next_within(&mut rows, |_| bytes, key);
            (rows, token.is_empty())
        };
        assert_eq!(pages(&[1, 2, 3], 1), (vec![1, 2, 3], true));
        assert_eq!(pages(&[1, 2, 3, 4], 1), (vec![1, 2, 3], false));
        assert_eq!(pages(&[1, 2, 3], MAX_PAGE_BYTES / 2), (vec![1, 2], false));
        assert_eq!(pages(&[1, 2], MAX_PAGE_BYTES / 2), (vec![1, 2], true));
        assert_eq!(pages(&[1, 2], usize::MAX), (vec![1], false));
        assert_eq!(pages(&[1], usize::MAX), (vec![1], true));
        assert_eq!(pages(&[], 1), (vec![], true));
    }

    #[test]
    fn the_last_page_has_no_next() {
        let page = Page::read("orders", &[], &[Kind::Integer], 2, "").unwrap();
        let key = |number: &i64| vec![Value::Integer(*number)];
        let (mut last, mut more) = (vec![1, 2], vec![1, 2, 3]);
        assert_eq!(page.next(&mut last, key), "");
        assert_ne!(page.next(&mut more, key), "");
        assert_eq!(more, [1, 2]);
    }
}
