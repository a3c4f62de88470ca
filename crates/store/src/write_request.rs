//! Write requests: commands of one transaction, as the writer gets them.

use bytes::Bytes;
use tokio::sync::oneshot;
use tracing::Span;
use types::Fault;

use crate::{
    command::{AnyCommand, Call},
    row::Row,
    value::Value,
};

/// Commands that are applied in one transaction, and what they finish.
pub(crate) struct WriteRequest {
    pub(crate) groups: Vec<Group>,
    pub(crate) finishes: Finishes,
}

/// What a write request finishes with its commands. The write request is dropped when it is finished already.
#[derive(Debug, Clone)]
pub(crate) enum Finishes {
    /// A caller's command finishes nothing.
    Nothing,
    /// Moves a subscription from one position to another.
    Subscription { name: &'static str, from: i64, to: i64 },
    /// Deletes a claimed task.
    Task { kind: String, key: String, claim: i64 },
}

/// Commands of which all or none take effect: a caller's one, or those of one event or task.
pub(crate) struct Group {
    pub(crate) call: Call,
    pub(crate) commands: Vec<Box<dyn AnyCommand>>,
    /// Makes the command to apply instead when they are refused for good.
    pub(crate) refused: Option<Refused>,
    /// The subscription's position before this group.
    pub(crate) before: i64,
    /// Of its caller, and of the operation at the database.
    pub(crate) spans: (Span, Span),
    /// The database refused the group before.
    pub(crate) poison: Option<Fault>,
}

pub(crate) type Refused = Box<dyn Fn(&Fault) -> Box<dyn AnyCommand> + Send + Sync>;

/// An entry of the writer's queue.
pub(crate) enum Job {
    Write {
        request: WriteRequest,
        reply: oneshot::Sender<Result<Bytes, Fault>>,
    },
    /// One statement in a transaction of its own.
    Statement {
        sql: String,
        args: Vec<Value>,
        reply: oneshot::Sender<Result<Vec<Row>, Fault>>,
    },
}

impl Job {
    /// Whether it can wait for more to be committed with it.
    pub(crate) fn is_batchable(&self) -> bool {
        let Self::Write { request, .. } = self else { return false };
        matches!(request.finishes, Finishes::Subscription { .. })
            || request.groups.iter().any(|group| group.call.batchable)
    }
}

impl WriteRequest {
    /// A caller's command.
    pub(crate) fn interactive(call: Call, command: Box<dyn AnyCommand>, spans: (Span, Span)) -> Self {
        Self { groups: vec![Group::new(call, vec![command], spans)], finishes: Finishes::Nothing }
    }

    pub(crate) fn commands(&self) -> usize {
        self.groups.iter().map(|group| group.commands.len()).sum()
    }

    /// One write request per group, so that one that the database refuses does not stop the others.
    pub(crate) fn split(self) -> Vec<Self> {
        let mut ends: Vec<i64> = self.groups.iter().skip(1).map(|group| group.before).collect();
        let mut finishes = self.finishes;
        if let Finishes::Subscription { to, .. } = &finishes {
            ends.push(*to);
        }
        let mut ends = ends.into_iter();
        let mut requests = Vec::new();
        for group in self.groups {
            if let (Finishes::Subscription { to, .. }, Some(end)) = (&mut finishes, ends.next()) {
                *to = end;
            }
            requests.push(Self { groups: vec![group], finishes: finishes.clone() });
            if let Finishes::Subscription { from, to, .. } = &mut finishes {
                *from = *to;
            }
        }
        requests
    }
}

impl Group {
    pub(crate) fn new(call: Call, commands: Vec<Box<dyn AnyCommand>>, spans: (Span, Span)) -> Self {
        Self { call, commands, refused: None, before: 0, spans, poison: None }
    }
}
