//! One batch: load, decide, save, commit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use proto::event::v1::Event;
use types::{Clock, Fault, Timestamp};

use crate::{
    command::AnyCommand,
    connection::{Connection, Lock, Scope},
    context::{Context, Effects},
    dialect::Dialect,
    failure::Failure,
    finish,
    idempotency::Answers,
    log::{self, Head},
    meters::Meters,
    needs::Needs,
    pool::Writer,
    rows::{Missing, Rows},
    span,
    statement::Change,
    task,
    write_request::{Finishes, Group, WriteRequest},
};

#[cfg(test)]
mod tests;

/// How often a command may ask for more rows after seeing those it asked for.
const ROUNDS: usize = 5;

/// What applies batches.
#[derive(Debug)]
pub(crate) struct Applier {
    pub(crate) writer: Writer,
    pub(crate) meters: Meters,
    pub(crate) source: &'static str,
    pub(crate) clock: Arc<dyn Clock>,
    /// For how many batches attempts are yet to begin with `level`.
    pub(crate) contended: u32,
    pub(crate) level: u32,
}

/// The outcome of a committed batch.
pub(crate) struct Applied {
    /// An answer for each write request.
    pub(crate) answers: Vec<Result<Bytes, Fault>>,
    pub(crate) events: Vec<Event>,
    pub(crate) tasks: usize,
}

/// A batch while it is decided.
struct Batch<'a> {
    conn: &'a Connection,
    lock: Lock,
    source: &'static str,
    now: Timestamp,
    rows: Rows,
    answers: Answers,
    effects: Effects,
}

/// Applies write requests together. On a failure nothing of them remains.
///
/// `attempt` counts from 0; see `guard` for what the attempts do.
pub(crate) async fn apply(applier: &mut Applier, requests: &[WriteRequest], attempt: u32) -> Result<Applied, Failure> {
    let reused = applier.writer.is_connected();
    let mut sent = false;
    match apply_once(applier, requests, attempt, &mut sent).await {
        // The connection was lost since it was last used, and nothing was written over it.
        Err(Failure::Lost(_)) if reused && !sent => apply_once(applier, requests, attempt, &mut sent).await,
        outcome => outcome,
    }
}

/// How an attempt to apply a batch is guarded against other writers, of which SQLite has none.
///
/// On PostgreSQL the first attempt relies on versions alone and writes in one statement. The second is a transaction that
/// locks the log's head before it writes, so that only a changed row fails it. Later ones lock all that they load, so that
/// the same rows cannot be lost to the same rival again.
const fn guard(dialect: Dialect, attempt: u32) -> (Scope, Lock) {
    match (dialect, attempt) {
        (Dialect::Postgres, 0) => (Scope::Statement, Lock::Nothing),
        (Dialect::Postgres, 1) => (Scope::Transaction, Lock::Nothing),
        (Dialect::Postgres | Dialect::Sqlite, _) => (Scope::Transaction, Lock::Rows),
    }
}

/// `sent` is set before anything is written.
async fn apply_once(
    applier: &mut Applier,
    requests: &[WriteRequest],
    attempt: u32,
    sent: &mut bool,
) -> Result<Applied, Failure> {
    let conn = applier.writer.connection().await?;
    let (scope, lock) = guard(conn.dialect(), attempt);
    let outcome = async {
        if scope == Scope::Transaction {
            conn.begin().await?;
        }
        let (applied, changes) = decide(conn, applier.source, applier.clock.now(), requests, (scope, lock)).await?;
        *sent = true;
        conn.write(&changes, scope).await?;
        if scope == Scope::Transaction {
            conn.commit().await?;
        }
        Ok(applied)
    };
    let outcome = outcome.await;
    let usable = match &outcome {
        Ok(_) => true,
        Err(Failure::Lost(_)) => false,
        Err(_) => scope == Scope::Statement || conn.rollback().await.is_ok(),
    };
    if !usable {
        // Whatever is open in it ends with the connection.
        applier.writer.reset();
    }
    outcome
}

/// Loads and decides; also returns the changes, which are not written yet.
///
/// All loads of a round are passed to the connection together: on PostgreSQL they are one round trip, and so are the
/// changes.
///
/// Rows that others may have changed come first among the changes, in the order in which loads lock them, then the
/// log's head, then new rows. So the slower of two writers notices the conflict before it inserts what the other would
/// wait for.
async fn decide(
    conn: &Connection,
    source: &'static str,
    now: Timestamp,
    requests: &[WriteRequest],
    (scope, lock): (Scope, Lock),
) -> Result<(Applied, Vec<Change>), Failure> {
    let mut rows = Rows::default();
    let calls = requests.iter().flat_map(|request| &request.groups).map(|group| &group.call);
    let mut asking = asking(requests);
    let missing = rows.missing(ask_all(&mut asking, &rows));
    let mut loads = Vec::from(finish::loads(requests));
    loads.push(Answers::load(calls));
    let first = loads.len();
    loads.extend(missing.iter().map(Missing::load));
    if scope == Scope::Statement {
        loads.push(Head::load());
    }
    let mut found = conn.load(&loads, lock).await?;
    let head = if scope == Scope::Statement { found.pop() } else { None };
    let found_rows = found.split_off(first);
    let [positions, claims, answers] = found.try_into().unwrap_or_default();
    let mut open = finish::check(requests, &positions, &claims)?;
    let (answers, loaded) = (Answers::read(&answers)?, !missing.is_empty());
    rows.absorb(missing, found_rows)?;

    let mut batch = Batch { conn, lock, source, now, rows, answers, effects: Effects::default() };
    if loaded {
        batch.load(asking).await?;
    }
    let mut answers = Vec::with_capacity(requests.len());
    for (request, open) in requests.iter().zip(&mut open) {
        answers.push(if open.is_some() {
            batch.decide(request, open).await?
        } else {
            Err(Fault::unavailable("another replica was faster"))
        });
    }
    let Batch { rows, answers: kept, mut effects, .. } = batch;
    effects.drop_repeats();
    let Effects { mut events, tasks, additions } = effects;
    let mut changes = vec![finish::changes(open.iter().flatten())];
    changes.extend(task::finished(&tasks, open.iter().flatten()));
    changes.extend(rows.updates());
    let mut log = None;
    if !events.is_empty() {
        let head = match head {
            Some(head) => Head::read(&head)?,
            None => Head::lock(conn).await?,
        };
        if lock == Lock::Rows {
            // Nobody else appends until this is committed. Otherwise an event the log has fails the write.
            let found = conn.load(&[log::known(&events)], Lock::Nothing).await?;
            log::drop_known(&mut events, found.iter().flatten())?;
        }
        let (moved, appended) = head.append(&mut events);
        changes.push(moved);
        log = Some(appended);
    }
    changes.extend(additions.changes());
    changes.extend(rows.inserts());
    changes.push(kept.changes());
    changes.push(task::scheduled(&tasks, open.iter().flatten()));
    changes.extend(log);
    Ok((Applied { answers, events, tasks: tasks.len() }, changes))
}

/// The commands of write requests: all ask for rows.
fn asking(requests: &[WriteRequest]) -> Vec<&dyn AnyCommand> {
    let groups = requests.iter().flat_map(|request| &request.groups).filter(|group| group.poison.is_none());
    groups.flat_map(|group| &group.commands).map(|command| &**command).collect()
}

/// What commands want to see next. A command that lacks nothing asks no more.
fn ask_all(asking: &mut Vec<&dyn AnyCommand>, rows: &Rows) -> Needs {
    let mut needs = Needs::default();
    asking.retain(|command| {
        let known = needs.wanted.len();
        // A panic is reported to the caller when the command decides.
        let _reported_later = ask(*command, rows, &mut needs);
        let lacks = needs.wanted.get(known..).is_some_and(|wanted| rows.lack(wanted));
        if !lacks {
            needs.wanted.truncate(known);
        }
        lacks
    });
    needs
}

impl Batch<'_> {
    /// Loads for all commands together, until none asks for more.
    async fn load(&mut self, mut asking: Vec<&dyn AnyCommand>) -> Result<(), Failure> {
        for _ in 1..ROUNDS {
            let needs = ask_all(&mut asking, &self.rows);
            if !self.rows.load(self.conn, needs, self.lock).await? {
                break;
            }
        }
        Ok(())
    }

    /// Decides a write request. `finishes` is cut short when a group has to be tried again later.
    async fn decide(
        &mut self,
        request: &WriteRequest,
        finishes: &mut Option<Finishes>,
    ) -> Result<Result<Bytes, Fault>, Failure> {
        if let Some(Finishes::Task { kind, key, .. }) = finishes {
            let task = (kind.clone(), key.clone());
            if self.effects.tasks.contains_key(&task) {
                *finishes = None;
                return Ok(Err(Fault::unavailable("the task was replaced")));
            }
            self.effects.tasks.insert(task, None);
        }
        let mut last = Bytes::new();
        for (index, group) in request.groups.iter().enumerate() {
            match self.decide_group(group).await? {
                Ok(reply) => last = reply,
                Err(fault) => {
                    *finishes = match finishes.take() {
                        Some(Finishes::Subscription { name, from, .. }) if index > 0 => {
                            Some(Finishes::Subscription { name, from, to: group.before })
                        }
                        Some(Finishes::Task { kind, key, .. }) => {
                            self.effects.tasks.remove(&(kind, key));
                            None
                        }
                        _ => None,
                    };
                    return Ok(Err(fault));
                }
            }
        }
        Ok(Ok(last))
    }

    async fn decide_group(&mut self, group: &Group) -> Result<Result<Bytes, Fault>, Failure> {
        let outcome = match &group.poison {
            Some(fault) => Err(fault.clone()),
            None => self.decide_all(group).await?,
        };
        match (outcome, &group.refused) {
            (Err(fault), Some(refused)) if !fault.is_transient() => {
                tracing::warn!(%fault, "a reaction was refused");
                let instead = refused(&fault);
                if let Err(fault) = self.load_for(&*instead).await? {
                    return Ok(Err(fault));
                }
                self.decide_commands(group, &[instead]).await
            }
            (outcome, _) => Ok(outcome),
        }
    }

    async fn decide_all(&mut self, group: &Group) -> Result<Result<Bytes, Fault>, Failure> {
        let name = group.commands.first().map_or("", |command| command.name());
        if let Some(known) = self.answers.find(&group.call, name) {
            return Ok(known);
        }
        let outcome = self.decide_commands(group, &group.commands).await?;
        if let Ok(reply) = &outcome {
            self.answers.keep(&group.call, name, reply, self.now);
        }
        Ok(outcome)
    }

    /// All or none of the commands.
    async fn decide_commands(
        &mut self,
        group: &Group,
        commands: &[Box<dyn AnyCommand>],
    ) -> Result<Result<Bytes, Fault>, Failure> {
        let mut effects = Effects::default();
        let mut last = Bytes::new();
        for command in commands {
            match self.decide_one(&**command, group, &mut effects).await? {
                Ok(reply) => last = reply,
                Err(fault) => {
                    self.rows.discard();
                    return Ok(Err(fault));
                }
            }
        }
        if let Err(fault) = self.rows.accept() {
            self.rows.discard();
            return Ok(Err(fault));
        }
        span::note_order(&group.spans, &effects.events);
        self.effects.extend(effects);
        Ok(Ok(last))
    }

    /// Loads what a command needs and nobody has asked for.
    async fn load_for(&mut self, command: &dyn AnyCommand) -> Result<Result<(), Fault>, Failure> {
        for _ in 0..ROUNDS {
            let mut needs = Needs::default();
            if let Err(fault) = ask(command, &self.rows, &mut needs) {
                return Ok(Err(fault));
            }
            if !self.rows.load(self.conn, needs, self.lock).await? {
                break;
            }
        }
        Ok(Ok(()))
    }

    async fn decide_one(
        &mut self,
        command: &dyn AnyCommand,
        group: &Group,
        effects: &mut Effects,
    ) -> Result<Result<Bytes, Fault>, Failure> {
        // Commands before this one may have changed what it needs.
        if self.rows.is_changed()
            && let Err(fault) = self.load_for(command).await?
        {
            return Ok(Err(fault));
        }
        let mut cx = Context { now: self.now, source: self.source, call: &group.call, effects };
        let rows = &mut self.rows;
        let decided =
            group.spans.1.in_scope(|| catch_unwind(AssertUnwindSafe(|| command.decide_encoded(rows, &mut cx))));
        Ok(decided.unwrap_or_else(|_| Err(panicked(command))))
    }
}

fn ask(command: &dyn AnyCommand, rows: &Rows, needs: &mut Needs) -> Result<(), Fault> {
    let asked = catch_unwind(AssertUnwindSafe(|| command.collect_needs(rows, needs)));
    asked.map_err(|_| panicked(command))
}

fn panicked(command: &dyn AnyCommand) -> Fault {
    tracing::error!(command = command.name(), "a command panicked");
    Fault::internal(format!("{} panicked", command.name()))
}
