//! Runs tasks that are due.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::{FutureExt, future::join_all};
use tokio_util::sync::CancellationToken;
use tracing::{Span, field::Empty};
use types::{
    Actor, Fault,
    retry::{
        self,
        task::{ATTEMPTS, FIRST_PAUSE, LEASE, LONGEST_PAUSE, TIME_LIMIT},
    },
};

use super::Task;
use crate::{
    command::{AnyCommand, Call},
    db::Db,
    instrument::{Instrumentation, Outcome, in_span},
    park::GiveUp,
    span::SPANS,
    value::Value,
    write_request::{Finishes, Group, WriteRequest},
};

/// How many tasks are claimed together.
const CLAIM: u16 = 32;

const PURGE_EVERY: Duration = Duration::from_secs(3_600);

/// Runs the tasks of one kind.
#[async_trait]
pub trait TaskHandler: Send + Sync + 'static {
    /// Which tasks.
    fn kind(&self) -> &'static str;

    /// Does the work, or returns the commands that do. They and the end of the task are one transaction.
    ///
    /// May run again after a crash: what it does outside the database has to be repeatable. A transient fault is tried
    /// again later, any other opens an exception.
    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault>;
}

/// Claims due tasks and runs them. Several may work on one database.
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
        let tasks = self.claim().await?;
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

    async fn claim(&self) -> Result<Vec<Task>, Fault> {
        let now = self.db.clock().now();
        let mut args = vec![
            Value::Integer(now.after(LEASE).as_micros()),
            Value::Integer(now.as_micros()),
            Value::Integer(now.as_micros()),
            Value::Integer(CLAIM.into()),
        ];
        let mut kinds = Vec::new();
        for handler in self.handlers.iter() {
            args.push(Value::Text(handler.kind().to_owned()));
            kinds.push(format!("${}", args.len()));
        }
        // SQLite would read all tasks of the kinds, due or not, were `kind` a bare column.
        let sql = format!(
            "UPDATE tasks SET lease_until = $1, claim = claim + 1, attempts = attempts + 1 WHERE (kind, key) IN \
             (SELECT kind, key FROM tasks WHERE due_time <= $2 AND lease_until <= $3 AND kind || '' IN ({}) \
             ORDER BY due_time, kind, key LIMIT $4{}) \
             RETURNING kind, key, due_time, payload, attempts, claim, trace_parent",
            kinds.join(", "),
            self.db.dialect().skip_locked(),
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
            waybill.task.attempt = task.attempts,
            waybill.order_id = Empty,
        );
        (span.clone(), self.run_in(span, task).await)
    }

    async fn run_in(&self, span: Span, task: &Task) -> Outcome {
        let Some(handler) = self.handlers.iter().find(|handler| handler.kind() == task.kind) else {
            return Err(Fault::internal(format!("no handler for tasks of kind {}", task.kind)));
        };
        if task.attempts > ATTEMPTS {
            return Err(Fault::internal("the task did not come to an end in any attempt"));
        }
        let working = (self.instrumentation)(span, task.trace_parent.as_deref(), handler.run(task));
        let running = AssertUnwindSafe(working).catch_unwind();
        match tokio::time::timeout(TIME_LIMIT, running).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Fault::internal("the task panicked")),
            Err(_) => Err(Fault::unavailable("the task took too long")),
        }
    }

    async fn end(&self, task: &Task, span: Span, outcome: Outcome) {
        if let Err(fault) = self.finish(task, span, outcome).await {
            tracing::warn!(%fault, kind = task.kind, key = task.key, "a task was not finished");
        }
    }

    async fn finish(&self, task: &Task, span: Span, outcome: Outcome) -> Result<(), Fault> {
        let commands = match outcome {
            Ok(commands) => commands,
            Err(fault) if fault.is_transient() && task.attempts < ATTEMPTS => return self.retry(task, &fault).await,
            Err(fault) => {
                tracing::warn!(%fault, kind = task.kind, key = task.key, "a task is given up");
                vec![Box::new(GiveUp::new(task, &fault)) as Box<dyn AnyCommand>]
            }
        };
        let call = Call::new(Actor::service(self.db.source()))
            .trace(task.trace_parent.clone())
            .caused_by(format!("task:{}:{}", task.kind, task.key));
        let refused = {
            let task = task.clone();
            move |fault: &Fault| Box::new(GiveUp::new(&task, fault)) as Box<dyn AnyCommand>
        };
        let operation = self.db.span(&span, commands.first().map_or("", |command| command.name()));
        let group = Group { refused: Some(Box::new(refused)), ..Group::new(call, commands, (span, operation)) };
        let finishes = Finishes::Task { kind: task.kind.clone(), key: task.key.clone(), claim: task.claim };
        match self.db.apply(WriteRequest { groups: vec![group], finishes }).await {
            Err(fault) if fault.is_transient() => self.retry(task, &fault).await,
            done => done,
        }
    }

    /// Reschedules the task, unless another runner has it by now.
    async fn retry(&self, task: &Task, fault: &Fault) -> Result<(), Fault> {
        let pause = retry::doubling(FIRST_PAUSE, LONGEST_PAUSE, task.attempts);
        let later = self.db.clock().now().after(pause);
        tracing::info!(%fault, kind = task.kind, key = task.key, attempt = task.attempts, "a task is tried again later");
        let sql = "UPDATE tasks SET lease_until = $1, last_error = $2 WHERE kind = $3 AND key = $4 AND claim = $5 \
                   RETURNING kind";
        let args = vec![
            Value::Integer(later.as_micros()),
            Value::Text(fault.to_string()),
            Value::Text(task.kind.clone()),
            Value::Text(task.key.clone()),
            Value::Integer(task.claim),
        ];
        self.db.write(sql, args).await.map(|_| ())
    }
}
