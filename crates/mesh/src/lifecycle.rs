//! How a process ends: told once, everything that runs is waited for, up to a limit.

use std::{
    any::Any,
    io,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

/// Tells that it is time to stop. Clones are the same signal.
#[derive(Debug, Clone, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// A signal that was not given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A signal of its own that is also given when this one is.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(self.0.child_token())
    }

    /// Gives the signal.
    pub fn request(&self) {
        self.0.cancel();
    }

    /// Whether the signal was given.
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the signal is given.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// The signal as a token, for those who do not know the mesh.
    pub fn token(&self) -> CancellationToken {
        self.0.clone()
    }
}

/// A signal that is given at the first SIGTERM or SIGINT.
pub fn stop_on_signals() -> io::Result<Stop> {
    let stop = Stop::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let given = stop.clone();
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "stopping");
        given.request();
    });
    Ok(stop)
}

/// A background task panicked; the process should end with an error.
#[derive(Debug, thiserror::Error)]
#[error("a background task panicked")]
pub struct Panicked;

/// The background tasks of a process. Clones are the same set.
#[derive(Debug, Clone)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: Stop,
    abort: CancellationToken,
    panicked: Arc<AtomicBool>,
}

impl Tasks {
    /// An empty set, whose tasks end by themselves when the signal is given.
    pub fn new(stop: Stop) -> Self {
        Self { tracker: TaskTracker::new(), stop, abort: CancellationToken::new(), panicked: Arc::default() }
    }

    /// The signal its tasks end on.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Runs a task in the current span. When it panics the stop signal is given.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let (stop, abort, panicked) = (self.stop.clone(), self.abort.clone(), self.panicked.clone());
        let guarded = async move {
            let outcome = tokio::select! {
                outcome = AssertUnwindSafe(task).catch_unwind() => outcome,
                () = abort.cancelled() => {
                    tracing::warn!(task = name, "background task was cut off");
                    return;
                }
            };
            if let Err(panic) = outcome {
                tracing::error!(task = name, panic = panic_text(panic.as_ref()), "background task panicked");
                panicked.store(true, Ordering::SeqCst);
                stop.request();
            }
        };
        self.tracker.spawn(guarded.in_current_span());
    }

    /// Waits for every task to end, cutting off those that take longer than the limit.
    pub async fn join(self, limit: Duration) -> Result<(), Panicked> {
        self.tracker.close();
        if tokio::time::timeout(limit, self.tracker.wait()).await.is_err() {
            self.abort.cancel();
            self.tracker.wait().await;
        }
        if self.panicked.load(Ordering::SeqCst) { Err(Panicked) } else { Ok(()) }
    }
}

/// What a panic said, when it was text.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("not a text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_are_waited_for_when_told_to_stop() {
        let (stop, done) = (Stop::new(), Arc::new(AtomicBool::new(false)));
        let tasks = Tasks::new(stop.clone());
        tasks.spawn("worker", {
            let (stop, done) = (stop.clone(), done.clone());
            async move {
                stop.requested().await;
                tokio::task::yield_now().await;
                done.store(true, Ordering::SeqCst);
            }
        });
        stop.request();
        tasks.join(Duration::from_secs(5)).await.unwrap();
        assert!(done.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_panicking_task_stops_the_process() {
        let stop = Stop::new();
        let tasks = Tasks::new(stop.clone());
        tasks.spawn("worker", async { panic!("broken") });
        stop.requested().await;
        assert!(tasks.join(Duration::from_secs(5)).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_end_is_cut_off() {
        let tasks = Tasks::new(Stop::new());
        tasks.spawn("worker", std::future::pending());
        tasks.join(Duration::from_secs(5)).await.unwrap();
    }
}
