//! Runs tasks that are due.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::{FutureExt, future::join_all};
use tokio_util::sync::CancellationToken;
use tracing::{Span, field::Empty};
use types::{
    Actor, Fault,
    retry::task::{LEASE, SUSPECT, TIME_LIMIT},
};

use super::{
    Task,
    failure::{PostponeTask, ResolveTaskFailure},
};
use crate::{
    command::{AnyCommand, Call},
    db::Db,
    instrument::{Instrumentation, Outcome, in_span},
    span::SPANS,
    value::Value,
    write_request::{Finishes, Group, Refused, WriteRequest},
};

/// How many tasks are claimed together.
const CLAIM: i64 = 32;

const PURGE_EVERY: Duration = Duration::from_secs(3_600);

/// Runs the tasks of one kind.
#[async_trait]
pub trait TaskHandler: Send + Sync + 'static {
    /// Which tasks.
    fn kind(&self) -> &'static str;

    /// Does the work, or returns the commands that do. They and the end of the task are one transaction.
    ///
    /// May run again after a crash: what it does outside the database has to be repeatable. After a fault it is tried again
    /// later.
    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault>;

    /// What is done instead, when it was refused for good: an exception is opened, and it is tried again later, unless the
    /// handler says otherwise.
    fn refused(&self, task: &Task, fault: &Fault) -> Box<dyn AnyCommand> {
        Box::new(PostponeTask::new(task, fault))
    }
}

/// Claims due tasks and runs them until they are done. Several may work on one database.
#[derive(Clone)]
pub struct TaskRunner {
    db: Db,
    handlers: Arc<[Arc<dyn TaskHandler>]>,
    instrumentation: Instrumentation,
}

impl TaskRunner {
    /// A runner for these handlers' kinds.
    pub fn new(db: Db, handlers: impl IntoIterator<Item = Arc<dyn TaskHandler>>) -> Self {
        Self { db, handlers: handlers.into_iter().collect(), instrumentation: in_span }
    }

    /// Runs tasks with instrumentation that continues the trace in which they were scheduled.
    #[must_use]
    pub fn traced(self, instrumentation: Instrumentation) -> Self {
        Self { instrumentation, ..self }
    }

    /// Runs tasks as they come due, until `stop`; also drops answers past their retention.
    pub async fn run(&self, stop: CancellationToken) {
        let purge = async {
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.purge() => {}
            }
        };
        tokio::join!(self.run_tasks(&stop), purge);
    }

    async fn purge(&self) {
        loop {
            if let Err(fault) = self.db.purge_requests().await {
                tracing::warn!(%fault, "kept answers could not be purged");
            }
            tokio::time::sleep(PURGE_EVERY).await;
        }
    }

    async fn run_tasks(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let scheduled = self.db.listeners().tasks.notified();
            self.db.measure();
            let more = match self.run_due().await {
                Ok(ran) => ran > 0,
                Err(fault) => {
                    tracing::warn!(%fault, "tasks could not be claimed");
                    false
                }
            };
            if !more {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = scheduled => {}
                    () = tokio::time::sleep(self.db.dialect().poll()) => {}
                }
            }
        }
    }

    /// Runs all tasks due now; returns how many were tried.
    pub async fn drain(&self) -> Result<usize, Fault> {
        let mut ran = 0;
        loop {
            match self.run_due().await? {
                0 => return Ok(ran),
                some => ran += some,
            }
        }
    }

    /// Claims some due tasks and runs them side by side; their effects are written in the order they were due.
    async fn run_due(&self) -> Result<usize, Fault> {
        if self.handlers.is_empty() || !self.any_due().await? {
            return Ok(0);
        }
        let mut tasks = self.claim(Suspected::No).await?;
        if tasks.is_empty() {
            tasks = self.claim(Suspected::Yes).await?;
        }
        let outcomes = join_all(tasks.iter().map(|task| self.handle(task))).await;
        // The writer gets them in this order and writes them in it; they are waited for and committed together.
        join_all(tasks.iter().zip(outcomes).map(|(task, (span, outcome))| self.end(task, span, outcome))).await;
        Ok(tasks.len())
    }

    async fn any_due(&self) -> Result<bool, Fault> {
        let now = Value::Integer(self.db.clock().now().as_micros());
        let sql = "SELECT COUNT(*) FROM \
                   (SELECT kind FROM tasks WHERE due_time <= $1 AND lease_until <= $2 LIMIT 1000) AS due";
        let rows = self.db.rows(sql, vec![now.clone(), now]).await?;
        let due = rows.first().map_or(Ok(0), |row| row.at::<i64>(0))?;
        metrics::gauge!("store_tasks_due", "source" => self.db.source()).set(due as f64);
        Ok(due > 0)
    }

    /// Claims due tasks: some, or one of those with which the process may have died. That one runs alone, so that no other is
    /// suspected with it; the least suspected one is first.
    async fn claim(&self, suspected: Suspected) -> Result<Vec<Task>, Fault> {
        let now = self.db.clock().now();
        let (condition, order, most) = match suspected {
            Suspected::No => ("unended < $3", "due_time, kind, key", CLAIM),
            Suspected::Yes => ("unended >= $3", "unended, due_time, kind, key", 1),
        };
        let mut args = vec![
            Value::Integer(now.after(LEASE).as_micros()),
            Value::Integer(now.as_micros()),
            Value::Integer(SUSPECT),
            Value::Integer(most),
        ];
        let mut kinds = Vec::new();
        for handler in self.handlers.iter() {
            args.push(Value::Text(handler.kind().to_owned()));
            kinds.push(format!("${}", args.len()));
        }
        // SQLite would read all tasks of the kinds, due or not, were `kind` a bare column.
        let sql = format!(
            "UPDATE tasks SET lease_until = $1, claim = claim + 1, unended = unended + 1 WHERE (kind, key) IN \
             (SELECT kind, key FROM tasks WHERE due_time <= $2 AND lease_until <= $2 AND {condition} AND kind || '' IN ({}) \
             ORDER BY {order} LIMIT $4{}) \
             RETURNING kind, key, {}, claim",
            kinds.join(", "),
            self.db.dialect().skip_locked(),
            super::VALUES.join(", "),
        );
        let rows = self.db.write(sql, args).await?;
        let mut tasks = rows.iter().map(Task::read).collect::<Result<Vec<_>, _>>()?;
        tasks.sort_by(|a, b| (a.due, &a.kind, &a.key).cmp(&(b.due, &b.kind, &b.key)));
        Ok(tasks)
    }

    /// Runs a task; also returns its span.
    async fn handle(&self, task: &Task) -> (Span, Outcome) {
        let span = tracing::info_span!(
            target: SPANS,
            "task",
            otel.name = format!("run {}", task.kind),
            otel.kind = "consumer",
            waybill.task.kind = task.kind,
            waybill.task.key = task.key,
            waybill.task.failures = task.history.failures,
            waybill.order_id = Empty,
        );
        (span.clone(), self.run_in(span, task).await)
    }

    async fn run_in(&self, span: Span, task: &Task) -> Outcome {
        let handler = self.handler(task)?;
        let working = (self.instrumentation)(span, task.trace_parent.as_deref(), handler.run(task));
        let running = AssertUnwindSafe(working).catch_unwind();
        match tokio::time::timeout(TIME_LIMIT, running).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Fault::internal("the task panicked")),
            Err(_) => Err(Fault::unavailable("the task took too long")),
        }
    }

    async fn end(&self, task: &Task, span: Span, outcome: Outcome) {
        // It is claimed again when its lease ends, unless another runner has it already.
        if let Err(fault) = self.finish(task, span, outcome).await {
            tracing::info!(%fault, kind = task.kind, key = task.key, "a task was not finished");
        }
    }

    async fn finish(&self, task: &Task, span: Span, outcome: Outcome) -> Result<(), Fault> {
        let handler = self.handler(task)?.clone();
        let refused = {
            let task = task.clone();
            move |fault: &Fault| handler.refused(&task, fault)
        };
        let commands = match outcome {
            Ok(mut commands) => {
                if task.history.reported > 0 {
                    commands.push(Box::new(ResolveTaskFailure::new(task)));
                }
                commands
            }
            Err(fault) if fault.is_transient() => {
                vec![Box::new(PostponeTask::new(task, &fault)) as Box<dyn AnyCommand>]
            }
            Err(fault) => vec![refused(&fault)],
        };
        match self.apply(task, span.clone(), commands, Some(Box::new(refused))).await {
            Err(fault) if fault.is_transient() => {
                self.apply(task, span, vec![Box::new(PostponeTask::new(task, &fault))], None).await
            }
            done => done,
        }
    }

    /// Applies the commands with the end of the task, unless another runner has it by now.
    async fn apply(
        &self,
        task: &Task,
        span: Span,
        commands: Vec<Box<dyn AnyCommand>>,
        refused: Option<Refused>,
    ) -> Result<(), Fault> {
        let call = Call::new(Actor::service(self.db.source()))
            .trace(task.trace_parent.clone())
            .caused_by(format!("task:{}:{}", task.kind, task.key));
        let operation = self.db.span(&span, commands.first().map_or("", |command| command.name()));
        let group = Group { refused, ..Group::new(call, commands, (span, operation)) };
        let finishes = Finishes::Task { kind: task.kind.clone(), key: task.key.clone(), claim: task.claim };
        self.db.apply(WriteRequest { groups: vec![group], finishes }).await
    }

    fn handler(&self, task: &Task) -> Result<&Arc<dyn TaskHandler>, Fault> {
        let handler = self.handlers.iter().find(|handler| handler.kind() == task.kind);
        handler.ok_or_else(|| Fault::internal(format!("no handler for tasks of kind {}", task.kind)))
    }
}

/// Whether tasks may be what their process died of.
#[derive(Debug, Clone, Copy)]
enum Suspected {
    No,
    Yes,
}
