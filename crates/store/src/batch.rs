//! One batch: load, decide, save, commit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use futures::future::{try_join4, try_join5};
use proto::event::v1::Event;
use types::{Clock, Fault, Timestamp};

use crate::{
    command::{AnyCommand, Call},
    connection::Connection,
    context::{Context, Effects},
    failure::Failure,
    finish,
    idempotency::Answers,
    log,
    meters::Meters,
    needs::Needs,
    pool::Writer,
    span, task,
    unit::{Finishes, Group, Unit},
    work::Work,
};

#[cfg(test)]
mod tests;

/// How often a command may ask for more rows after seeing those it asked for.
const ROUNDS: usize = 5;

/// Where and for whom a batch is applied.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) writer: Writer,
    pub(crate) meters: Meters,
    pub(crate) source: &'static str,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What became of a committed batch.
pub(crate) struct Applied {
    /// An answer for each unit.
    pub(crate) answers: Vec<Result<Bytes, Fault>>,
    pub(crate) events: Vec<Event>,
    pub(crate) tasks: usize,
}

/// A batch while it is decided.
struct Batch<'a> {
    conn: &'a Connection,
    lock: &'static str,
    source: &'static str,
    now: Timestamp,
    work: Work,
    answers: Answers,
    effects: Effects,
}

/// Applies units in one transaction. On a failure nothing of them remains.
///
/// `attempt` counts from 0. The first reads without locks and relies on versions; a repeat locks what it reads, so that
/// the same rows can not be lost to the same rival again.
pub(crate) async fn apply(place: &mut Place, units: &[Unit], attempt: u32) -> Result<Applied, Failure> {
    let conn = place.writer.connection().await?;
    let outcome = decide_and_save(conn, place.source, place.clock.now(), units, attempt).await;
    let ended = match &outcome {
        Ok((_, true)) => conn.commit().await,
        Ok((_, false)) | Err(_) => conn.rollback().await,
    };
    if ended.is_err() {
        // Whatever is open in it ends with the connection.
        place.writer.reset();
    }
    let (applied, wrote) = outcome?;
    if wrote { ended.map(|()| applied) } else { Ok(applied) }
}

/// Opens a transaction and does all but end it; also answers whether anything was written.
///
/// Statements that do not need each other's answers are handed to the connection together: on PostgreSQL they travel
/// together, so that a batch takes four journeys however many tables it touches.
async fn decide_and_save(
    conn: &Connection,
    source: &'static str,
    now: Timestamp,
    units: &[Unit],
    attempt: u32,
) -> Result<(Applied, bool), Failure> {
    let lock = if attempt == 0 { "" } else { conn.dialect().for_update() };
    let mut work = Work::default();
    let calls = units.iter().flat_map(|unit| &unit.groups).map(|group| &group.call);
    let first = ask_all(units, &work);
    let ((), mut open, answers, loaded) =
        try_join4(conn.begin(), finish::check(conn, units), Answers::load(conn, calls), work.load(conn, first, lock))
            .await?;
    let mut batch = Batch { conn, lock, source, now, work, answers, effects: Effects::default() };
    if loaded {
        batch.load(units).await?;
    }
    let mut answers = Vec::with_capacity(units.len());
    for (unit, open) in units.iter().zip(&mut open) {
        answers.push(if open.is_some() {
            batch.decide(unit, open).await?
        } else {
            Err(Fault::unavailable("another replica was faster"))
        });
    }
    let Batch { work, answers: kept, mut effects, .. } = batch;
    effects.drop_repeats();
    let Effects { events, tasks } = effects;
    let (changed, answered, moved, scheduled, events) = try_join5(
        work.save(conn),
        kept.save(conn),
        finish::save(conn, open.into_iter().flatten()),
        task::save(conn, &tasks),
        // Last, so that the lock on the log's head is the last one taken.
        log::append(conn, events),
    )
    .await?;
    let wrote = changed || answered || moved || scheduled || !events.is_empty();
    Ok((Applied { answers, events, tasks: tasks.len() }, wrote))
}

/// What all commands want to see next.
fn ask_all(units: &[Unit], work: &Work) -> Needs {
    let mut needs = Needs::default();
    let groups = units.iter().flat_map(|unit| &unit.groups).filter(|group| group.poison.is_none());
    for command in groups.flat_map(|group| &group.commands) {
        // A panic is told to the caller when the command decides.
        let _told_later = ask(&**command, work, &mut needs);
    }
    needs
}

impl Batch<'_> {
    /// Loads for all commands together, until none asks for more.
    async fn load(&mut self, units: &[Unit]) -> Result<(), Failure> {
        for _ in 1..ROUNDS {
            let needs = ask_all(units, &self.work);
            if !self.work.load(self.conn, needs, self.lock).await? {
                break;
            }
        }
        Ok(())
    }

    /// Decides a unit. `finishes` is cut short when a group has to be tried again later.
    async fn decide(&mut self, unit: &Unit, finishes: &mut Option<Finishes>) -> Result<Result<Bytes, Fault>, Failure> {
        if let Some(Finishes::Task { kind, key, .. }) = finishes {
            let task = (kind.clone(), key.clone());
            if self.effects.tasks.contains_key(&task) {
                *finishes = None;
                return Ok(Err(Fault::unavailable("the task was replaced")));
            }
            self.effects.tasks.insert(task, None);
        }
        let mut last = Bytes::new();
        for (index, group) in unit.groups.iter().enumerate() {
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
                    self.work.discard();
                    return Ok(Err(fault));
                }
            }
        }
        if let Err(fault) = self.work.accept() {
            self.work.discard();
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
            if let Err(fault) = ask(command, &self.work, &mut needs) {
                return Ok(Err(fault));
            }
            if !self.work.load(self.conn, needs, self.lock).await? {
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
        if self.work.is_changed()
            && let Err(fault) = self.load_for(command).await?
        {
            return Ok(Err(fault));
        }
        let mut cx = Context { now: self.now, source: self.source, call: &group.call, effects };
        let work = &mut self.work;
        let decided =
            group.spans.1.in_scope(|| catch_unwind(AssertUnwindSafe(|| command.decide_encoded(work, &mut cx))));
        Ok(decided.unwrap_or_else(|_| Err(panicked(command, &group.call))))
    }
}

fn ask(command: &dyn AnyCommand, work: &Work, needs: &mut Needs) -> Result<(), Fault> {
    let asked = catch_unwind(AssertUnwindSafe(|| command.collect_needs(work, needs)));
    asked.map_err(|_| panicked(command, &Call::default()))
}

fn panicked(command: &dyn AnyCommand, call: &Call) -> Fault {
    tracing::error!(command = command.name(), actor = call.actor, "a command panicked");
    Fault::internal(format!("{} panicked", command.name()))
}
