//! Lists of usage.

use std::collections::BTreeSet;

use store::{Column, Db, Kind, Value, page::Page};
use types::Fault;

use super::{Outcome, Usage, days::Day};

/// Which usage.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) client: String,
    pub(super) method: String,
    pub(super) deprecated_only: bool,
    pub(super) from: Option<Day>,
    pub(super) to: Option<Day>,
    pub(super) page_size: i32,
    pub(super) page_token: String,
}

impl Wanted {
    /// What a page token is bound to.
    fn filter(&self) -> [String; 5] {
        let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
        let deprecated = if self.deprecated_only { "deprecated" } else { "" };
        [self.client.clone(), self.method.clone(), deprecated.to_owned(), day(self.from), day(self.to)]
    }
}

/// A page by method, client and outcome, and the token of the next page.
///
/// A row with a gap in its days may have none in the range: then it is left out, and the page is shorter.
pub(super) async fn list(
    db: &Db,
    wanted: &Wanted,
    (first, last): (Day, Day),
    deprecated: &BTreeSet<String>,
) -> Result<(Vec<Usage>, String), Fault> {
    let filter = wanted.filter();
    let filter: Vec<&str> = filter.iter().map(String::as_str).collect();
    let kinds = [Kind::Text, Kind::Text, Kind::Text];
    let page = Page::read("usage", &filter, &kinds, wanted.page_size, &wanted.page_token)?;

    let mut args = vec![first.to_value(), last.to_value()];
    let mut conditions = vec!["last_day >= $1".to_owned(), "first_day <= $2".to_owned()];
    for (column, value) in [("client", &wanted.client), ("method", &wanted.method)] {
        if !value.is_empty() {
            args.push(Value::Text(value.clone()));
            conditions.push(format!("{column} = ${}", args.len()));
        }
    }
    if wanted.deprecated_only {
        if deprecated.is_empty() {
            return Ok((Vec::new(), String::new()));
        }
        let numbers = args.len() + 1..=args.len() + deprecated.len();
        let numbers: Vec<_> = numbers.map(|number| format!("${number}")).collect();
        conditions.push(format!("method IN ({})", numbers.join(", ")));
        args.extend(deprecated.iter().map(|name| Value::Text(name.clone())));
    }
    if let Some(after) = page.after() {
        let at = args.len();
        conditions.push(format!("(method, client, outcome) > (${}, ${}, ${})", at + 1, at + 2, at + 3));
        args.extend(after.iter().cloned());
    }
    args.push(Value::Integer(page.limit()));
    let conditions = conditions.join(" AND ");
    let tail = format!("WHERE {conditions} ORDER BY method, client, outcome LIMIT ${}", args.len());
    let mut rows = db.list::<Usage>(&tail, args).await?;
    let key = |row: &Usage| vec![row.method.to_value(), row.client.to_value(), Outcome::to_value(&row.outcome)];
    let token = page.next(&mut rows, key);
    rows.retain(|row| row.days.within(first, last).next().is_some());
    Ok((rows, token))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::Call;
    use types::{ManualClock, Timestamp};

    use super::*;
    use crate::{
        MIGRATIONS, NAME,
        usage::{Count, RecordUsage},
    };

    #[tokio::test]
    async fn only_the_callers_of_deprecated_methods_are_listed_when_asked_for() {
        testkit::database::each(|options| async move {
            let now = Timestamp::from_micros(0);
            let db = Db::open(&options, NAME, MIGRATIONS, Arc::new(ManualClock::at(now))).await.unwrap();
            let count = |method: &str, client: &str| Count {
                client: client.to_owned(),
                method: method.to_owned(),
                outcome: Outcome::Answered,
                calls: 1,
                last_seen: now,
            };
            let counts =
                vec![count("old.A", "ann"), count("new.A", "bob"), count("old.B", "bob"), count("old.B", "cid")];
            db.run(Call::new(types::Actor::service("order")), RecordUsage { counts, retention: 1 }).await.unwrap();
            let deprecated = BTreeSet::from(["old.A".to_owned(), "old.B".to_owned()]);
            let listed = async |client: &str| {
                let wanted = Wanted { client: client.to_owned(), deprecated_only: true, ..Wanted::default() };
                let (rows, _) = list(&db, &wanted, (Day::of(now), Day::of(now)), &deprecated).await.unwrap();
                rows.into_iter().map(|row| format!("{} {}", row.method, row.client)).collect::<Vec<_>>()
            };
            assert_eq!(listed("").await, ["old.A ann", "old.B bob", "old.B cid"]);
            assert_eq!(listed("bob").await, ["old.B bob"]);
            db.close().await;
        })
        .await;
    }
}
