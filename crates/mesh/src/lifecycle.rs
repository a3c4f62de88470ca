//! The end of a process: everything that runs is awaited, up to a limit.

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

use futures::{FutureExt, future::BoxFuture};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

/// The end of a process, in two steps: first it leaves, which is no longer being ready while calls are still taken, so
/// that callers turn to others; then it stops. Clones are the same signal.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    leaving: CancellationToken,
    stopping: CancellationToken,
}

impl Stop {
    /// A signal that was not given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A signal of its own that is also given when this one is.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { leaving: self.leaving.child_token(), stopping: self.stopping.child_token() }
    }

    /// Gives the signal to leave.
    pub fn leave(&self) {
        self.leaving.cancel();
    }

    /// Gives the signal to stop.
    pub fn request(&self) {
        self.leaving.cancel();
        self.stopping.cancel();
    }

    /// Whether the signal to leave was given.
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_cancelled()
    }

    /// Whether the signal to stop was given.
    pub fn is_requested(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Waits until the signal to leave is given.
    pub async fn left(&self) {
        self.leaving.cancelled().await;
    }

    /// Waits until the signal to stop is given.
    pub async fn requested(&self) {
        self.stopping.cancelled().await;
    }

    /// Gives this signal as the other one is given, until it stops.
    pub(crate) async fn follow(&self, other: &Self) {
        other.left().await;
        self.leave();
        other.requested().await;
        self.request();
    }

    /// The signal as a token, for those who do not know the mesh.
    pub fn token(&self) -> CancellationToken {
        self.stopping.clone()
    }
}

/// Registers for SIGTERM and SIGINT. The returned future is to run beside the process's work: it gives the signal to
/// leave at the first of them, and the signal to stop after the delay or at the next. It ends when the process stops.
pub fn on_signals(stop: &Stop, delay: Duration) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = stop.clone();
    Ok(async move {
        let next = async move || {
            tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            }
        };
        let ended = end_in_two_steps(&stop, delay, next);
        tokio::select! {
            () = ended => {}
            () = stop.requested() => {}
        }
    })
}

async fn end_in_two_steps(stop: &Stop, delay: Duration, mut signal: impl AsyncFnMut() -> &'static str) {
    let name = signal().await;
    tracing::info!(signal = name, ?delay, "stopping");
    stop.leave();
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        name = signal() => tracing::info!(signal = name, "stopping at once"),
    }
    stop.request();
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
        self.spawn_boxed(name, Box::pin(task));
    }

    fn spawn_boxed(&self, name: &'static str, task: BoxFuture<'static, ()>) {
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

/// The message of a panic, when it is text.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("not a text")
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

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

    #[tokio::test(start_paused = true)]
    async fn a_process_leaves_at_a_signal_and_stops_after_the_delay() {
        let (stop, began, mut signals) = (Stop::new(), Instant::now(), 0);
        let first = async || {
            signals += 1;
            if signals == 1 { "SIGTERM" } else { std::future::pending().await }
        };
        let watched = async {
            stop.left().await;
            assert!(began.elapsed().is_zero() && !stop.is_requested());
            stop.requested().await;
            assert_eq!(began.elapsed(), Duration::from_secs(5));
        };
        tokio::join!(end_in_two_steps(&stop, Duration::from_secs(5), first), watched);
    }

    #[tokio::test(start_paused = true)]
    async fn another_signal_ends_the_delay() {
        let (stop, began) = (Stop::new(), Instant::now());
        end_in_two_steps(&stop, Duration::from_secs(5), async || "SIGINT").await;
        assert!(stop.is_requested() && began.elapsed().is_zero());
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
