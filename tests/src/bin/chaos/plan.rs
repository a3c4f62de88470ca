//! The faults and their times, drawn from the seed alone, so that the same seed makes the same faults.

use std::time::Duration;

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use crate::members::Role;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `kill -9`, and a restart after `down`.
    Kill { roles: Vec<Role>, down: Duration },
    /// Stopped with SIGTERM, as by an orchestrator, and restarted.
    Replace { role: Role },
    /// Suspended, then resumed or killed.
    Pause { roles: Vec<Role>, time: Duration, killed: bool },
    /// Every connection to it is reset.
    Cut { role: Role },
    /// No connection to it passes any data for a while.
    Stall { role: Role, time: Duration },
    /// Killed again and again, each time soon after its start, while another hangs.
    CrashLoop { role: Role, hangs: Role, kills: usize },
    /// Its disk is full for a while; it may be killed and restarted meanwhile.
    Full { role: Role, time: Duration, killed: bool },
}

/// A fault and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Time since the beginning of the step before.
    pub(crate) after: Duration,
    /// The fault.
    pub(crate) fault: Fault,
}

impl Step {
    /// How many processes it kills.
    pub(crate) fn kills(&self) -> usize {
        match &self.fault {
            Fault::Kill { roles, .. } | Fault::Pause { roles, killed: true, .. } => roles.len(),
            Fault::Full { killed: true, .. } => 1,
            // Beside those that are drawn.
            Fault::CrashLoop { .. }
            | Fault::Pause { .. }
            | Fault::Full { .. }
            | Fault::Replace { .. }
            | Fault::Cut { .. }
            | Fault::Stall { .. } => 0,
        }
    }
}

/// How often a crash loop kills.
const CRASHES: usize = 22;

/// Draws steps until so many processes were killed, with a crash loop in the middle.
pub(crate) fn draw(seed: u64, kills: usize) -> Vec<Step> {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut steps, mut killed) = (Vec::new(), 0);
    while killed < kills {
        let step = Step { after: millis(&mut rng, 100, 1_500), fault: fault(&mut rng) };
        killed += step.kills();
        steps.push(step);
    }
    let fault = Fault::CrashLoop { role: Role::Fulfillment, hangs: Role::Inventory, kills: CRASHES };
    steps.insert(steps.len() / 2, Step { after: Duration::ZERO, fault });
    steps
}

fn fault(rng: &mut StdRng) -> Fault {
    match rng.random_range(0..100) {
        0..50 => Fault::Kill { roles: some(rng), down: millis(rng, 0, 1_500) },
        50..62 => Fault::Pause { roles: some(rng), time: millis(rng, 50, 3_000), killed: rng.random_bool(0.3) },
        62..70 => Fault::Replace { role: one(rng, Role::ALL) },
        70..80 => Fault::Cut { role: one(rng, Role::ALL) },
        80..90 => Fault::Stall { role: one(rng, Role::ALL), time: millis(rng, 50, 3_000) },
        _ => Fault::Full {
            role: one(rng, Role::WITH_DATABASE),
            time: millis(rng, 200, 2_500),
            killed: rng.random_bool(0.3),
        },
    }
}

/// Mostly one, sometimes two or three, seldom all.
fn some(rng: &mut StdRng) -> Vec<Role> {
    let count = match rng.random_range(0..20) {
        0..12 => 1,
        12..16 => 2,
        16..19 => 3,
        _ => Role::ALL.len(),
    };
    let mut roles: Vec<Role> = Role::ALL.choose_multiple(rng, count).copied().collect();
    roles.sort();
    roles
}

fn one(rng: &mut StdRng, of: &[Role]) -> Role {
    of.choose(rng).copied().unwrap_or(Role::Order)
}

fn millis(rng: &mut StdRng, from: u64, to: u64) -> Duration {
    Duration::from_millis(rng.random_range(from..=to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_faults_with_as_many_kills_as_asked_for() {
        let steps = draw(7, 200);
        assert_eq!(steps, draw(7, 200));
        assert_ne!(steps, draw(8, 200));
        let killed: usize = steps.iter().map(Step::kills).sum();
        assert!((200..200 + Role::ALL.len()).contains(&killed), "{killed}");
    }

    #[test]
    fn every_kind_of_fault_is_drawn() {
        let steps = draw(1, 300);
        let has = |kind: fn(&Fault) -> bool| assert!(steps.iter().any(|step| kind(&step.fault)));
        has(|fault| matches!(fault, Fault::Kill { roles, .. } if roles.len() == Role::ALL.len()));
        has(|fault| matches!(fault, Fault::Pause { killed: true, .. }));
        has(|fault| matches!(fault, Fault::Replace { .. }));
        has(|fault| matches!(fault, Fault::Cut { .. }));
        has(|fault| matches!(fault, Fault::Stall { .. }));
        has(|fault| matches!(fault, Fault::Full { killed: true, .. }));
        has(|fault| matches!(fault, Fault::CrashLoop { kills, .. } if *kills > 20));
    }
}
