//! Dropping days past their retention.

use async_trait::async_trait;
use store::{AnyCommand, Column, Command, Context, Db, Needs, Rows, Task, TaskHandler, Value};
use types::Fault;

use super::{PURGE, Usage, days::Day, schedule_purge};

/// How many rows are looked at in one transaction.
const STEP: i64 = 200;

/// Drops, once a day, the days past their retention.
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
        let again = (rows.len() as i64) < STEP;
        let mut commands: Vec<Box<dyn AnyCommand>> = Vec::with_capacity(rows.len() + 1);
        for row in rows {
            commands.push(Box::new(DropDays { usage_id: row.usage_id, oldest }));
        }
        commands.push(match again {
            true => Box::new(PurgeTomorrow),
            false => Box::new(GoOn { key: task.key.clone() }),
        });
        Ok(commands)
    }
}

/// Drops the days of a row before one.
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

/// Looks again tomorrow.
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

/// Looks at the next rows at once.
struct GoOn {
    key: String,
}

impl Command for GoOn {
    type Reply = ();
    const NAME: &'static str = "GoOnPurgingUsage";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        cx.schedule(Task::new(PURGE, &self.key, cx.now()));
        Ok(())
    }
}
