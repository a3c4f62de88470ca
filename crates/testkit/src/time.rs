//! Time of the test's runtime, which passes only when the test advances it, so that no test waits for a deadline.

use std::{sync::mpsc, time::Duration};

/// Only keeps a test that fails from hanging.
const HANGS: Duration = Duration::from_secs(300);

/// The clock of the runtime, stopped until this is dropped. What happens elsewhere meanwhile, on a disk or on the network,
/// takes no time.
#[derive(Debug)]
pub struct Stopped(#[expect(dead_code, reason = "held until the clock goes on")] mpsc::Sender<()>);

impl Stopped {
    /// Stops the clock.
    #[expect(clippy::new_without_default, reason = "it does something")]
    pub fn new() -> Self {
        tokio::time::pause();
        let (held, until_dropped) = mpsc::channel::<()>();
        // When nothing else is to be done the runtime moves a stopped clock by itself, save while a thread works for it.
        tokio::task::spawn_blocking(move || until_dropped.recv_timeout(HANGS));
        Self(held)
    }

    /// Lets so much time pass at once.
    pub async fn pass(&self, time: Duration) {
        tokio::time::advance(time).await;
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        tokio::time::resume();
    }
}

/// Lets so much time pass at once; before and after it the clock runs as usual.
pub async fn pass(time: Duration) {
    Stopped::new().pass(time).await;
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn time_stands_still_until_it_is_let_pass() {
        let day = Duration::from_hours(24);
        let clock = Stopped::new();
        let begun = Instant::now();
        // Nothing to do for the runtime meanwhile.
        let (elsewhere, done) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || elsewhere.send(()));
        tokio::select! {
            told = done => told.unwrap(),
            () = tokio::time::sleep(day) => panic!("the clock ran off"),
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        // Timers are rounded up to the next millisecond.
        let passed = day + Duration::from_millis(1);
        tokio::join!(tokio::time::sleep(day), clock.pass(passed));
        assert_eq!(begun.elapsed(), passed);
    }
}
