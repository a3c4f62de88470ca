//! That keys have changed, told in the process that changes them.

use tokio::sync::watch::Sender;

/// Counts the changes of API keys and of their clients in this process, so that whoever remembers a key asks again. Clones
/// are the same count.
#[derive(Debug, Clone)]
pub struct KeyChanges(Sender<u64>);

impl Default for KeyChanges {
    fn default() -> Self {
        Self(Sender::new(0))
    }
}

impl KeyChanges {
    /// Says that a key or an API client has changed: what was looked up before no longer counts.
    pub fn announce(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// How many changes there were.
    pub(super) fn count(&self) -> u64 {
        *self.0.borrow()
    }

    /// Waits until there were more changes than these.
    pub(super) async fn after(&self, count: u64) {
        // The sender is held here, so it does not close.
        self.0.subscribe().wait_for(|now| *now > count).await.ok();
    }
}
