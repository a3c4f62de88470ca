//! Replaces the rules by which free units are given.
//!
//! 1. The rules are stored, and `backorder_rules.updated` has them with those before.
//! 2. A task has [`FillBackorders`] for every item that orders wait for: units that no longer wait for a release are given, and
//!    what scheduled receipts are expected to fill is dated by the new rules.

use std::{collections::HashSet, sync::Arc};

use mesh::wire::Checks;
use proto::{events::InventoryEvent, inventory::v1 as wire};
use store::{AnyCommand, Command, Context, Db, Needs, NewEvent, Rows, Task, TaskHandler, Value};
use types::{Fault, Timestamp};

use crate::{
    backorder::{BackorderRules, Criteria, Criterion},
    quantity::check_once,
    reach::FillBackorders,
    wire::backorder_rules,
};

/// The rules that are to hold.
pub(crate) struct UpdateBackorderRules {
    /// The etag that was read; any when empty.
    etag: String,
    criteria: Criteria,
    max_account_share_percent: Option<i64>,
    hold_for_release: i64,
}

impl UpdateBackorderRules {
    pub(crate) fn parse(request: &wire::UpdateBackorderRulesRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let (mut seen, mut criteria) = (HashSet::new(), Vec::new());
        for (index, criterion) in request.criteria.iter().enumerate() {
            let field = format!("criteria[{index}]");
            let criterion = checks.choice(&field, *criterion).and_then(Criterion::from_contract);
            if let Some(criterion) = criterion {
                check_once(&mut checks, &mut seen, criterion, || field);
                criteria.push(criterion);
            }
        }
        let percent = i64::from(request.max_account_share_percent);
        if !(0..=100).contains(&percent) {
            checks.wrong("max_account_share_percent", "must be 0 to 100");
        }
        checks.done()?;
        Ok(Self {
            etag: request.etag.clone(),
            criteria: Criteria(criteria),
            max_account_share_percent: Some(percent).filter(|percent| *percent > 0),
            hold_for_release: request.hold_for_release.into(),
        })
    }
}

impl Command for UpdateBackorderRules {
    type Reply = wire::BackorderRules;
    const NAME: &'static str = "UpdateBackorderRules";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<BackorderRules>(&BackorderRules::key());
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::BackorderRules, Fault> {
        let present = BackorderRules::find(rows)?;
        Fault::check_etag("backorder rules", &self.etag, present.version)?;
        let rules = BackorderRules {
            criteria: self.criteria.clone(),
            max_account_share_percent: self.max_account_share_percent,
            hold_for_release: self.hold_for_release,
            ..present.clone()
        };
        if rules == present {
            return Ok(backorder_rules(&present));
        }
        let rules = rows.put(BackorderRules { update_time: cx.now(), ..rules });
        let answer = backorder_rules(&rules);
        let payload =
            wire::BackorderRulesUpdated { rules: Some(answer.clone()), previous: Some(backorder_rules(&present)) };
        let payload = InventoryEvent::BackorderRulesUpdated(payload);
        cx.emit(NewEvent::new(payload, &rules.name, rules.version, rules.version));
        cx.schedule(review(String::new(), cx.now()));
        Ok(answer)
    }
}

/// Kind of the task. There is one; its payload is the item that it begins after.
const REVIEW: &str = "backorders.review";

/// How many items a run of the task fills.
const PORTION: usize = 200;

fn review(after: String, due: Timestamp) -> Task {
    let mut task = Task::new(REVIEW, BackorderRules::key(), due);
    task.payload = after.into_bytes();
    task
}

/// Runs the task.
#[derive(Debug)]
pub(crate) struct ReviewTasks {
    pub(crate) db: Db,
}

#[async_trait::async_trait]
impl TaskHandler for ReviewTasks {
    fn kind(&self) -> &'static str {
        REVIEW
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let sql = "SELECT DISTINCT backordered_sku FROM reservations \
                   WHERE backordered_sku IS NOT NULL AND backordered_sku > $1 ORDER BY backordered_sku LIMIT $2";
        let portion = i64::try_from(PORTION).unwrap_or(i64::MAX);
        let after = String::from_utf8(task.payload.clone());
        let after = after.map_err(|_| Fault::internal("the payload of a review task names no item"))?;
        let values = vec![Value::Text(after), Value::Integer(portion)];
        let skus: Vec<String> =
            self.db.rows(sql, values).await?.iter().map(|row| row.at(0)).collect::<Result<_, _>>()?;
        let next = skus.last().filter(|_| skus.len() == PORTION).cloned();
        let fill = |sku: String| Box::new(FillBackorders { sku }) as Box<dyn AnyCommand>;
        let mut commands: Vec<Box<dyn AnyCommand>> = skus.into_iter().map(fill).collect();
        commands.extend(next.map(|after| Box::new(ReviewMore { after }) as Box<dyn AnyCommand>));
        Ok(commands)
    }
}

/// Schedules the task for the next items.
struct ReviewMore {
    after: String,
}

impl Command for ReviewMore {
    type Reply = ();
    const NAME: &'static str = "ReviewMoreBackorders";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        cx.schedule(review(self.after.clone(), cx.now()));
        Ok(())
    }
}
