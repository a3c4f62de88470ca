//! The one writer of a database in a process: it takes all waiting commands, applies them as one batch, and replies to
//! each.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use proto::event::v1::Event;
use tokio::{
    sync::{Notify, broadcast, mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use types::{
    Fault,
    retry::{
        self,
        batch::{ATTEMPTS, ATTEMPTS_TOGETHER, FIRST_PAUSE, LONGEST_PAUSE},
    },
};

use crate::{
    batch::{self, Applier},
    failure::Failure,
    log::Recent,
    row::Row,
    write_request::{Job, WriteRequest},
};

/// How many commands are committed together.
pub(crate) const BATCH: usize = 128;

/// How long a batchable write request waits for others.
const GATHER: Duration = Duration::from_millis(1);

/// How many batches begin with the attempt that succeeded, after one was lost to another process: while several write as
/// fast as they can, the attempts before it are as good as lost.
const CONTENDED: u32 = 128;

/// The first attempt that locks all it loads.
const LOCKING: u32 = 2;

/// Callers' commands, and batchable ones with background work, in queues of their own so that neither waits for the
/// other to run dry.
pub(crate) struct Queues {
    pub(crate) interactive: mpsc::Receiver<Job>,
    pub(crate) background: mpsc::Receiver<Job>,
}

/// Who is notified of a commit.
#[derive(Debug, Clone)]
pub(crate) struct Listeners {
    pub(crate) events: broadcast::Sender<Arc<[Event]>>,
    pub(crate) recent: Recent,
    /// The last position known here, which others may have written.
    pub(crate) head: watch::Sender<i64>,
    /// Notified of this process's own commits.
    pub(crate) committed: Arc<Notify>,
    pub(crate) tasks: Arc<Notify>,
}

impl Listeners {
    /// Takes note that another process has written up to this position.
    pub(crate) fn written_elsewhere(&self, position: i64) {
        if position > *self.head.borrow() {
            self.recent.forget_before(position);
            self.head.send_if_modified(|head| std::mem::replace(head, position.max(*head)) < position);
        }
    }
}

type Reply = oneshot::Sender<Result<Bytes, Fault>>;

/// Works until `stop`, then through what is still queued.
pub(crate) async fn run(mut applier: Applier, listeners: Listeners, mut queues: Queues, stop: CancellationToken) {
    loop {
        let first = tokio::select! {
            Some(job) = queues.interactive.recv() => job,
            Some(job) = queues.background.recv() => job,
            () = stop.cancelled(), if !queues.interactive.is_closed() => {
                queues.interactive.close();
                queues.background.close();
                continue;
            }
            else => break,
        };
        if first.is_batchable() && queues.interactive.is_empty() {
            // Commands that arrive meanwhile join the batch.
            tokio::time::sleep(GATHER).await;
        }
        let (requests, replies) = collect(&mut applier, first, &mut queues).await;
        if requests.is_empty() {
            continue;
        }
        let answers = settle(&mut applier, &listeners, requests).await;
        for (reply, answer) in replies.into_iter().zip(answers) {
            // A caller that is gone does not want its answer.
            drop(reply.send(answer));
        }
    }
}

/// All that waits, up to the size of a batch. Background work fills at most half of it beyond its first write request.
async fn collect(applier: &mut Applier, first: Job, queues: &mut Queues) -> (Vec<WriteRequest>, Vec<Reply>) {
    let (mut requests, mut replies, mut commands) = (Vec::new(), Vec::new(), 0);
    let mut next = Some(first);
    while let Some(job) = next.take() {
        commands += admit(applier, job, &mut requests, &mut replies).await;
        next = (commands < BATCH).then(|| queues.interactive.try_recv().ok()).flatten();
    }
    let mut background = 0;
    while background < BATCH / 2 {
        let Ok(job) = queues.background.try_recv() else { break };
        background += admit(applier, job, &mut requests, &mut replies).await.max(1);
    }
    (requests, replies)
}

/// Adds a write request to the batch; runs a statement at once. Returns how many commands were added.
async fn admit(applier: &mut Applier, job: Job, requests: &mut Vec<WriteRequest>, replies: &mut Vec<Reply>) -> usize {
    match job {
        Job::Write { request, reply } => {
            let commands = request.commands();
            requests.push(request);
            replies.push(reply);
            commands
        }
        Job::Statement { sql, args, reply } => {
            drop(reply.send(run_statement(applier, &sql, &args).await));
            0
        }
    }
}

async fn run_statement(applier: &mut Applier, sql: &str, args: &[crate::Value]) -> Result<Vec<Row>, Fault> {
    let mut attempt = 1;
    loop {
        let outcome = match applier.writer.connection().await {
            Ok(connection) => connection.fetch(sql, args).await,
            Err(failure) => Err(failure),
        };
        match outcome {
            Err(Failure::Conflict) if attempt < ATTEMPTS => {}
            Err(failure @ Failure::Lost(_)) => {
                applier.writer.reset();
                return Err(failure.into_fault());
            }
            outcome => return outcome.map_err(Failure::into_fault),
        }
        pause(attempt).await;
        attempt += 1;
    }
}

/// Applies write requests together, and one by one when the database refuses them together.
async fn settle(
    applier: &mut Applier,
    listeners: &Listeners,
    requests: Vec<WriteRequest>,
) -> Vec<Result<Bytes, Fault>> {
    let count = requests.len();
    let failure = match apply(applier, listeners, &requests, if count > 1 { ATTEMPTS_TOGETHER } else { ATTEMPTS }).await
    {
        Ok(answers) => return answers,
        Err(failure) => failure,
    };
    if matches!(failure, Failure::Lost(_)) {
        let fault = failure.into_fault();
        return (0..count).map(|_| Err(fault.clone())).collect();
    }
    let mut answers = Vec::with_capacity(count);
    for request in requests {
        answers.push(settle_one(applier, listeners, request).await);
    }
    answers
}

async fn settle_one(applier: &mut Applier, listeners: &Listeners, request: WriteRequest) -> Result<Bytes, Fault> {
    let mut answer = Ok(Bytes::new());
    for mut piece in request.split() {
        answer = match apply(applier, listeners, std::slice::from_ref(&piece), ATTEMPTS).await {
            Ok(answers) => {
                answers.into_iter().next().unwrap_or_else(|| Err(Fault::internal("a write request has no answer")))
            }
            Err(failure) => {
                let fault = failure.into_fault();
                match piece.groups.first_mut() {
                    Some(group) if group.refused.is_some() && !fault.is_transient() => {
                        group.poison = Some(fault);
                        let again = apply(applier, listeners, std::slice::from_ref(&piece), ATTEMPTS).await;
                        again.map_err(Failure::into_fault)?.into_iter().next().unwrap_or(Ok(Bytes::new()))
                    }
                    _ => Err(fault),
                }
            }
        };
        if answer.is_err() {
            break;
        }
    }
    answer
}

/// Applies write requests together, again after a conflict, and notifies the listeners.
async fn apply(
    applier: &mut Applier,
    listeners: &Listeners,
    requests: &[WriteRequest],
    attempts: u32,
) -> Result<Vec<Result<Bytes, Fault>>, Failure> {
    let started = Instant::now();
    let first = if applier.contended > 0 { applier.level } else { 0 };
    applier.contended = applier.contended.saturating_sub(1);
    let mut attempt = first;
    let applied = loop {
        match batch::apply(applier, requests, attempt).await {
            Err(Failure::Conflict | Failure::Exists(_)) if attempt + 1 < attempts => {
                attempt += 1;
                metrics::counter!("store_conflicts", "source" => applier.source).increment(1);
                pause(attempt).await;
            }
            outcome => break outcome?,
        }
    };
    applier.meters.batch(requests, &applied.answers, started.elapsed());
    if let Some(last) = applied.events.last() {
        if !listeners.recent.add(&applied.events) && attempt > first {
            applier.contended = CONTENDED;
            applier.level = attempt.min(LOCKING);
        }
        listeners.head.send_if_modified(|head| std::mem::replace(head, last.position.max(*head)) < last.position);
        listeners.committed.notify_one();
        // Nobody listening is fine.
        drop(listeners.events.send(applied.events.into()));
    }
    if applied.tasks > 0 {
        listeners.tasks.notify_waiters();
    }
    Ok(applied.answers)
}

/// Pauses after so many attempts, for a random time, so that replicas do not meet again.
async fn pause(attempts: u32) {
    let longest = retry::doubling(FIRST_PAUSE, LONGEST_PAUSE, attempts);
    tokio::time::sleep(longest.mul_f64(rand::random_range(0.0..1.0))).await;
}
