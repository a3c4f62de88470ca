//! Lists usage, a page at a time.

use std::collections::BTreeSet;

use chassis::Select;
use mesh::wire::Checks;
use proto::operations::v1::ListUsageRequest;
use store::{Column, Db, Kind, page::Page};
use types::Fault;

use super::{Outcome, Usage, days::Day, wire};

/// Which usage to list.
#[derive(Debug, Default)]
pub(super) struct UsageFilter {
    client: String,
    method: String,
    deprecated_only: bool,
    pub(super) from: Option<Day>,
    pub(super) to: Option<Day>,
    page_size: i32,
    page_token: String,
}

impl UsageFilter {
    pub(super) fn parse(request: ListUsageRequest) -> Result<Self, Fault> {
        let ListUsageRequest { client, method, deprecated_only, from_day, to_day, page_size, page_token } = request;
        let mut checks = Checks::new();
        checks.optional_text("client", &client, wire::MAX_CLIENT);
        checks.optional_text("method", &method, wire::MAX_METHOD);
        let mut day = |field, text: &str| {
            let day = (!text.is_empty()).then(|| text.parse::<Day>()).transpose();
            day.map_err(|error| checks.wrong(field, error.to_string())).ok().flatten()
        };
        let (from, to) = (day("from_day", &from_day), day("to_day", &to_day));
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            checks.wrong("to_day", "must not be before from_day");
        }
        checks.done()?;
        Ok(Self { client, method, deprecated_only, from, to, page_size, page_token })
    }

    /// What a page token is bound to.
    fn binding(&self) -> [String; 5] {
        let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
        let deprecated = if self.deprecated_only { "deprecated" } else { "" };
        [self.client.clone(), self.method.clone(), deprecated.to_owned(), day(self.from), day(self.to)]
    }
}

/// About how long a row is without its days, when it is encoded.
const ROW_BYTES: usize = 400;

/// The same of a day.
const DAY_BYTES: usize = 24;

/// A page by method, client and outcome, and the token of the next page.
///
/// A row with a gap in its days may have none in the range: it is left out then, and the page is shorter.
pub(super) async fn list(
    db: &Db,
    filter: &UsageFilter,
    (first, last): (Day, Day),
    deprecated: &BTreeSet<String>,
) -> Result<(Vec<Usage>, String), Fault> {
    let binding = filter.binding();
    let binding: Vec<&str> = binding.iter().map(String::as_str).collect();
    let kinds = [Kind::Text, Kind::Text, Kind::Text];
    let page = Page::read("usage", &binding, &kinds, filter.page_size, &filter.page_token)?;

    let mut select = Select::new();
    select.and("last_day >= ?", first.to_value());
    select.and("first_day <= ?", last.to_value());
    select.equal("client", Some(&filter.client).filter(|client| !client.is_empty()));
    select.equal("method", Some(&filter.method).filter(|method| !method.is_empty()));
    if filter.deprecated_only {
        select.one_of("method", &deprecated.iter().cloned().collect::<Vec<_>>());
    }
    select.after(&["method", "client", "outcome"], ">", &page);
    let (tail, args) = select.into_page("method, client, outcome", page.limit());
    let key = |row: &Usage| vec![row.method.to_value(), row.client.to_value(), Outcome::to_value(&row.outcome)];
    let (mut rows, token) = page.select(db, &tail, args, &["days"], key).await?;
    let bytes = |row: &Usage| ROW_BYTES + DAY_BYTES * row.days.within(first, last).count();
    let token = page.cut(&mut rows, token, bytes, key);
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
                let filter = UsageFilter { client: client.to_owned(), deprecated_only: true, ..UsageFilter::default() };
                let (rows, _) = list(&db, &filter, (Day::of(now), Day::of(now)), &deprecated).await.unwrap();
                rows.into_iter().map(|row| format!("{} {}", row.method, row.client)).collect::<Vec<_>>()
            };
            assert_eq!(listed("").await, ["old.A ann", "old.B bob", "old.B cid"]);
            assert_eq!(listed("bob").await, ["old.B bob"]);
            db.close().await;
        })
        .await;
    }
}
