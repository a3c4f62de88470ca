//! The background work of a service: the logs it follows and the tasks it runs.

use futures::future::{BoxFuture, join_all};
use tokio_util::sync::CancellationToken;
use types::Fault;

use crate::{
    follower::{Follower, Subscription},
    instrument::Instrumentation,
    task::TaskRunner,
};

/// A service's followers and task runners. Cheap to clone.
#[derive(Clone, Default)]
pub struct Workers {
    followers: Vec<Follower>,
    runners: Vec<TaskRunner>,
}

impl Workers {
    /// Nothing to do.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a log to follow.
    #[must_use]
    pub fn follow(mut self, follower: Follower) -> Self {
        self.followers.push(follower);
        self
    }

    /// Adds tasks to run.
    #[must_use]
    pub fn tasks(mut self, runner: TaskRunner) -> Self {
        self.runners.push(runner);
        self
    }

    /// Runs reactions and tasks with instrumentation that continues the trace of their cause.
    #[must_use]
    pub fn traced(self, instrumentation: Instrumentation) -> Self {
        Self {
            followers: self.followers.into_iter().map(|follower| follower.traced(instrumentation)).collect(),
            runners: self.runners.into_iter().map(|runner| runner.traced(instrumentation)).collect(),
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
            let runners = join_all(self.runners.iter().map(|runner| runner.run(stop.clone())));
            tokio::join!(followers, runners);
        })
    }

    /// Handles every event there is and every task that is due; returns how many.
    pub fn drain(&self) -> BoxFuture<'_, Result<usize, Fault>> {
        Box::pin(async move {
            let mut handled = 0;
            for follower in &self.followers {
                handled += follower.drain().await?;
            }
            for runner in &self.runners {
                handled += runner.drain().await?;
            }
            Ok(handled)
        })
    }
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers")
            .field("followers", &self.followers.len())
            .field("runners", &self.runners.len())
            .finish()
    }
}
