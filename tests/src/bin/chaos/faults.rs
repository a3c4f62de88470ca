//! Causes the faults that were drawn.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::sleep,
};

use crate::{
    members::{Member, Role},
    plan::{Fault, Step},
};

/// How many faults last at the same time.
const AT_ONCE: usize = 3;

/// How long a process in a crash loop is up: long enough to take up its work.
const UP: Duration = Duration::from_millis(500);

/// The faults caused and the violations found.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    violations: Mutex<Vec<String>>,
}

impl Tally {
    /// Counts a fault of a member.
    pub(crate) fn count(&self, what: &'static str, role: Role) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((what, role.name())).or_default() += 1;
    }

    /// Records and prints a violation.
    pub(crate) fn violation(&self, what: impl Into<String>) {
        let what = what.into();
        print(&what);
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// The number of faults by kind and member.
    pub(crate) fn counts(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All violations.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[expect(clippy::print_stderr, reason = "whoever watches a long run wants to know at once")]
fn print(what: &str) {
    eprintln!("violation: {what}");
}

/// Causes all faults. `progress` receives how many have begun, in thousandths.
pub(crate) async fn make(
    members: &[Arc<Member>],
    steps: Vec<Step>,
    tally: &Arc<Tally>,
    progress: &watch::Sender<usize>,
) {
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut lasting = JoinSet::new();
    let count = steps.len().max(1);
    for (number, step) in steps.into_iter().enumerate() {
        sleep(step.after).await;
        let slot = slots.clone().acquire_owned().await;
        let (members, tally) = (members.to_vec(), tally.clone());
        lasting.spawn(async move {
            let _slot = slot;
            let what = format!("{:?}", step.fault);
            if let Err(error) = one(&members, step.fault, &tally).await {
                tally.violation(format!("{what}: {error:#}"));
            }
        });
        while lasting.try_join_next().is_some() {}
        progress.send_replace((number + 1) * 1_000 / count);
    }
    while lasting.join_next().await.is_some() {}
}

fn of(members: &[Arc<Member>], roles: &[Role]) -> Vec<Arc<Member>> {
    members.iter().filter(|member| roles.contains(&member.role)).cloned().collect()
}

async fn one(members: &[Arc<Member>], fault: Fault, tally: &Tally) -> anyhow::Result<()> {
    match fault {
        Fault::Kill { roles, down } => {
            let taken = of(members, &roles);
            let mut processes = Vec::new();
            for member in &taken {
                let (mut process, problem) = member.take().await;
                problem.into_iter().for_each(|problem| tally.violation(problem));
                member.kill(&mut process).await?;
                tally.count("kill", member.role);
                processes.push((member, process));
            }
            sleep(down).await;
            for (member, mut process) in processes {
                member.start(&mut process).await?;
            }
        }
        Fault::Pause { roles, time, killed } => {
            let taken = of(members, &roles);
            let mut processes = Vec::new();
            for member in &taken {
                let (process, problem) = member.take().await;
                problem.into_iter().for_each(|problem| tally.violation(problem));
                member.pause(&process, true).await?;
                tally.count("pause", member.role);
                processes.push((member, process));
            }
            sleep(time).await;
            for (member, mut process) in processes {
                if killed {
                    member.kill(&mut process).await?;
                    tally.count("kill", member.role);
                } else {
                    member.pause(&process, false).await?;
                }
                member.start(&mut process).await?;
            }
        }
        Fault::Replace { role } => {
            for member in of(members, &[role]) {
                let (mut process, problem) = member.take().await;
                problem.into_iter().for_each(|problem| tally.violation(problem));
                let stopped = member.stop(&mut process).await;
                tally.count("replace", role);
                member.start(&mut process).await?;
                stopped?;
            }
        }
        Fault::Cut { role } => {
            for member in of(members, &[role]) {
                member.proxy.cut();
                tally.count("cut", role);
            }
        }
        Fault::Stall { role, time } => {
            for member in of(members, &[role]) {
                member.proxy.stall(true);
                tally.count("stall", role);
                sleep(time).await;
                member.proxy.stall(false);
            }
        }
        Fault::CrashLoop { role, hangs, kills } => {
            let (crashing, hanging) = (of(members, &[role]), of(members, &[hangs]));
            hanging.iter().for_each(|member| member.proxy.stall(true));
            for _ in 0..kills {
                for member in &crashing {
                    let (mut process, problem) = member.take().await;
                    problem.into_iter().for_each(|problem| tally.violation(problem));
                    member.kill(&mut process).await?;
                    tally.count("crash loop", role);
                    member.start(&mut process).await?;
                }
                sleep(UP).await;
            }
            hanging.iter().for_each(|member| member.proxy.stall(false));
        }
        Fault::Full { role, time, killed } => {
            for member in of(members, &[role]) {
                let (mut process, problem) = member.take().await;
                problem.into_iter().for_each(|problem| tally.violation(problem));
                let filled = member.fill(&mut process).await;
                tally.count("full disk", role);
                sleep(time / 2).await;
                if killed {
                    member.kill(&mut process).await?;
                    tally.count("kill", role);
                    member.start(&mut process).await?;
                }
                sleep(time / 2).await;
                member.free(&mut process).await?;
                drop(process);
                // It may have failed to start on the full disk.
                let (mut process, problem) = member.take().await;
                problem.into_iter().for_each(|problem| tally.violation(problem));
                member.start(&mut process).await?;
                filled?;
            }
        }
    }
    Ok(())
}
