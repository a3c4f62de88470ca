//! The task that applies reports nobody waits for any more: after a crash, or when a service was down.

use async_trait::async_trait;
use store::{AnyCommand, Task, TaskHandler};
use types::{Fault, MessageId};

use crate::{apply::Applier, message::State, receive::APPLY};

/// Applies reports that are due.
pub(crate) struct Apply(pub Applier);

#[async_trait]
impl TaskHandler for Apply {
    fn kind(&self) -> &'static str {
        APPLY
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let message_id: MessageId = task.key.parse().map_err(|_| Fault::internal("a task for no message"))?;
        let message = self.0.message(&message_id).await?;
        if message.state != State::Received {
            return Ok(Vec::new());
        }
        Ok(vec![Box::new(self.0.apply_stored(&message).await)])
    }
}
