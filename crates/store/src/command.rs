//! Commands (the rows they need, how they decide), and the call that a command came with.

use bytes::Bytes;
use proto::MessageBytes;
use sha2::{Digest, Sha256};
use types::{Actor, Fault};

use crate::{context::Context, needs::Needs, rows::Rows};

/// Something that changes the database. Decides in memory; the store loads before and saves after.
pub trait Command: Send + Sync + 'static {
    /// What the caller is answered. Kept for repeated requests.
    type Reply: MessageBytes;

    /// Name in metrics and logs, such as `PlaceOrder`.
    const NAME: &'static str;

    /// Says which rows the decision is made on.
    ///
    /// Called again after each load until it asks for nothing new, so that a need may follow from a loaded row.
    fn needs(&self, rows: &Rows, needs: &mut Needs);

    /// Decides. Pure: the same rows, call and time give the same answer; may run more than once.
    ///
    /// After a fault nothing of what it changed or emitted remains.
    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Self::Reply, Fault>;
}

/// A command of any type.
pub trait AnyCommand: Send + Sync + 'static {
    /// `Command::NAME`.
    fn name(&self) -> &'static str;

    /// `Command::needs`.
    fn collect_needs(&self, rows: &Rows, needs: &mut Needs);

    /// `Command::decide`, the reply encoded.
    fn decide_encoded(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Bytes, Fault>;
}

impl<C: Command> AnyCommand for C {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn collect_needs(&self, rows: &Rows, needs: &mut Needs) {
        self.needs(rows, needs);
    }

    fn decide_encoded(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Bytes, Fault> {
        self.decide(rows, cx).map(|reply| reply.to_bytes())
    }
}

/// Who calls, why, and how a repeat is known.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who calls. Request ids are the caller's own: another actor's are others.
    pub actor: Actor,
    /// Repeating a command with the same id returns what the first returned.
    pub request_id: Option<String>,
    /// W3C trace context.
    pub trace_parent: Option<String>,
    /// Id of the event that caused the command. The request id when none did.
    pub causation_id: Option<String>,
    /// Hash of the request, so that another request under the same id is noticed.
    pub request_hash: String,
    /// Whether the command may wait a millisecond, to be committed together with others.
    pub batchable: bool,
}

impl Call {
    /// A call without request id.
    pub fn new(actor: Actor) -> Self {
        Self {
            actor,
            request_id: None,
            trace_parent: None,
            causation_id: None,
            request_hash: String::new(),
            batchable: false,
        }
    }

    /// Makes the command repeatable under `request_id`; an empty id changes nothing.
    #[must_use]
    pub fn request(mut self, request_id: &str, request: &impl MessageBytes) -> Self {
        if !request_id.is_empty() {
            self.request_id = Some(request_id.to_owned());
            self.request_hash = hex(&Sha256::digest(request.to_bytes()));
        }
        self
    }

    /// Sets the trace context.
    #[must_use]
    pub fn trace(mut self, trace_parent: Option<String>) -> Self {
        self.trace_parent = trace_parent;
        self
    }

    /// Lets the command wait a millisecond for others: for callers that are not people.
    #[must_use]
    pub fn batchable(mut self) -> Self {
        self.batchable = true;
        self
    }

    /// Sets the event that caused the command.
    #[must_use]
    pub fn caused_by(mut self, event_id: impl Into<String>) -> Self {
        self.causation_id = Some(event_id.into());
        self
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 0xf)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}
