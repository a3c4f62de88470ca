//! The background work of a service: the logs it follows and the tasks it runs.

use std::sync::Arc;

use futures::future::{BoxFuture, join_all};
use tokio_util::sync::CancellationToken;
use types::Fault;

use crate::{
    db::Db,
    follower::{Follower, Subscription},
    instrument::Instrumentation,
    park::ReplayTask,
    task::{TaskHandler, TaskRunner},
    watchdog::{Check, Watchdog},
};

/// A service's followers, its task runner and its watchdog. Cheap to clone.
#[derive(Clone)]
pub struct Workers {
    followers: Vec<Follower>,
    runner: TaskRunner,
    watchdog: Watchdog,
}

impl Workers {
    /// Follows the logs, runs the tasks of these handlers and makes these checks. Events that were parked are replayed.
    pub fn new(
        db: Db,
        followers: impl IntoIterator<Item = Follower>,
        handlers: impl IntoIterator<Item = Arc<dyn TaskHandler>>,
        checks: &'static [Check],
    ) -> Self {
        let followers: Vec<_> = followers.into_iter().collect();
        let replay: Arc<dyn TaskHandler> = Arc::new(ReplayTask(followers.clone()));
        let runner = TaskRunner::new(db.clone(), handlers.into_iter().chain([replay]));
        Self { followers, runner, watchdog: Watchdog { db, checks } }
    }

    /// Runs reactions and tasks with instrumentation that continues the trace of their cause.
    #[must_use]
    pub fn traced(self, instrumentation: Instrumentation) -> Self {
        Self {
            followers: self.followers.into_iter().map(|follower| follower.traced(instrumentation)).collect(),
            runner: self.runner.traced(instrumentation),
            ..self
        }
    }

    /// Which events of which logs the service reacts to.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.followers.iter().map(Follower::subscription).collect()
    }

    /// Works until `stop`.
    pub fn run(&self, stop: CancellationToken) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let followers = join_all(self.followers.iter().map(|follower| follower.run(stop.clone())));
            tokio::join!(followers, self.runner.run(stop.clone()), self.watchdog.run(stop.clone()));
        })
    }

    /// Handles every event there is and every task that is due; returns how many.
    pub fn drain(&self) -> BoxFuture<'_, Result<usize, Fault>> {
        Box::pin(async move {
            let mut handled = 0;
            for follower in &self.followers {
                handled += follower.drain().await?;
            }
            Ok(handled + self.runner.drain().await?)
        })
    }

    /// Sets going what is stranded; returns how much there was.
    pub fn look(&self) -> BoxFuture<'_, Result<usize, Fault>> {
        Box::pin(self.watchdog.look())
    }
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers").field("followers", &self.followers.len()).finish_non_exhaustive()
    }
}
