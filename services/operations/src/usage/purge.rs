//! Drops days past their retention.

use async_trait::async_trait;
use store::{AnyCommand, Column, Command, Context, Db, Needs, Rows, Task, TaskHandler, Value};
use types::Fault;

use super::{PURGE, Usage, days::Day, schedule_purge};

/// How many rows are purged in one transaction.
const STEP: i64 = 200;

/// Drops days past their retention, once a day.
#[derive(Debug, Clone)]
pub(crate) struct Purge {
    db: Db,
    retention: i64,
}

impl Purge {
    pub(crate) fn new(db: Db, retention: i64) -> Self {
        Self { db, retention }
    }
}

#[async_trait]
impl TaskHandler for Purge {
    fn kind(&self) -> &'static str {
        PURGE
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let oldest = Day::of(self.db.clock().now()).before(self.retention);
        let tail = "WHERE first_day < $1 ORDER BY first_day LIMIT $2";
        let rows: Vec<Usage> = self.db.list(tail, vec![oldest.to_value(), Value::Integer(STEP)]).await?;
        let done = (rows.len() as i64) < STEP;
        let mut commands: Vec<Box<dyn AnyCommand>> = Vec::with_capacity(rows.len() + 1);
        for row in rows {
            commands.push(Box::new(DropDays { usage_id: row.usage_id, oldest }));
        }
        commands.push(if done { Box::new(PurgeTomorrow) } else { Box::new(ContinuePurge { key: task.key.clone() }) });
        Ok(commands)
    }
}

/// Drops the days of a row before `oldest`.
struct DropDays {
    usage_id: String,
    oldest: Day,
}

impl Command for DropDays {
    type Reply = ();
    const NAME: &'static str = "DropUsageDays";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Usage>(&self.usage_id);
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        if let Some(usage) = rows.get::<Usage>(&self.usage_id)?.cloned() {
            rows.put(usage.drop_before(self.oldest));
        }
        Ok(())
    }
}

/// Schedules the next purge for tomorrow.
struct PurgeTomorrow;

impl Command for PurgeTomorrow {
    type Reply = ();
    const NAME: &'static str = "PurgeUsageTomorrow";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        schedule_purge(cx, Day::of(cx.now()));
        Ok(())
    }
}

/// Schedules the purge of the next rows for now.
struct ContinuePurge {
    key: String,
}

impl Command for ContinuePurge {
    type Reply = ();
    const NAME: &'static str = "ContinueUsagePurge";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        cx.schedule(Task::new(PURGE, &self.key, cx.now()));
        Ok(())
    }
}
