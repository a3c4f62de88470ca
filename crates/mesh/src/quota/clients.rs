//! The clients of a server with their remaining budgets. Their number is bounded.
//!
//! A cache would forget clients that have spent their budgets or have open streams.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{
    RateLimiter,
    clock::{Clock, Reference},
    middleware::StateInformationMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{
    class::Class,
    rates::{Rate, Rates},
    streams,
};
use crate::{
    principal::{Kind, Principal},
    role::RoleSet,
};

/// The most clients with budgets of their own; further ones share.
const MOST: usize = 10_000;

/// How often idle clients are removed, once there are as many as may be.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, StateInformationMiddleware>;

/// The runtime's time since the server was made, which a test can own.
#[derive(Debug, Clone, Copy)]
struct Ticks(Instant);

impl Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

/// The clients that are known.
#[derive(Debug)]
pub(super) struct Clients {
    clock: Ticks,
    streams: usize,
    most: usize,
    known: Mutex<Known>,
}

/// By what a client is, so that one is found by its subject without making a text.
#[derive(Debug, Default)]
struct Known {
    groups: HashMap<(Kind, RoleSet), HashMap<Box<str>, Arc<Client>>>,
    count: usize,
    /// The budgets that further clients share.
    others: HashMap<(Kind, RoleSet), Arc<Client>>,
    swept: Option<Nanos>,
}

/// What is left to one client.
#[derive(Debug)]
pub(super) struct Client {
    clock: Ticks,
    budgets: [Option<Budget>; Class::ALL.len()],
    streams: Arc<Semaphore>,
    seen: AtomicU64,
}

#[derive(Debug)]
struct Budget {
    rate: Rate,
    limiter: Limiter,
}

/// Whether a call was taken from the budget.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spent {
    /// It was taken from the budget.
    Left {
        /// How many more could be made at once.
        units: u32,
        /// When the budget is full again.
        full_after: Duration,
    },
    /// The budget is empty.
    TooMuch {
        /// When a call can be made.
        again_after: Duration,
    },
}

impl Clients {
    pub(super) fn new(streams: usize) -> Self {
        Self { clock: Ticks(Instant::now()), streams, most: MOST, known: Mutex::default() }
    }

    pub(super) fn most_streams(&self) -> usize {
        self.streams
    }

    /// The client that a principal is.
    pub(super) fn find(&self, principal: &Principal, rates: &Rates) -> Arc<Client> {
        let now = self.clock.now();
        let group = (principal.kind, principal.roles);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.groups.get(&group).and_then(|group| group.get(principal.subject.as_str()));
        if let Some(client) = found {
            client.seen.store(now.as_u64(), Ordering::Relaxed);
            return client.clone();
        }
        let made = || Arc::new(Client::new(self.clock, principal.roles, rates, self.streams));
        if known.count >= self.most {
            known.sweep(now, rates.longest());
        }
        if known.count >= self.most {
            return known.others.entry(group).or_insert_with(made).clone();
        }
        known.count += 1;
        let client = made();
        known.groups.entry(group).or_default().insert(principal.subject.as_str().into(), client.clone());
        client
    }
}

impl Known {
    /// Forgets those whose budgets are full again and who have no stream open: nothing of them is lost.
    fn sweep(&mut self, now: Nanos, longest: Duration) {
        if self.swept.is_some_and(|swept| now.duration_since(swept) < SWEEP_EVERY.into()) {
            return;
        }
        self.swept = Some(now);
        for group in self.groups.values_mut() {
            group.retain(|_, client| {
                let seen = Nanos::new(client.seen.load(Ordering::Relaxed));
                now.duration_since(seen) < longest.into() || Arc::strong_count(&client.streams) > 1
            });
        }
        self.groups.retain(|_, group| !group.is_empty());
        self.count = self.groups.values().map(HashMap::len).sum();
    }
}

impl Client {
    fn new(clock: Ticks, roles: RoleSet, rates: &Rates, most_streams: usize) -> Self {
        let budgets = Class::ALL.map(|class| {
            let (_, rate) = rates.of(roles, class)?;
            let limiter = RateLimiter::direct_with_clock(rate.quota(), clock).with_middleware();
            Some(Budget { rate, limiter })
        });
        Self { clock, budgets, streams: streams(most_streams), seen: AtomicU64::new(clock.now().as_u64()) }
    }

    /// The right to have one more stream open.
    pub(super) fn open(&self) -> Option<OwnedSemaphorePermit> {
        self.streams.clone().try_acquire_owned().ok()
    }

    /// Takes one call from the budget of a class.
    pub(super) fn spend(&self, class: Class) -> Spent {
        let Some(budget) = &self.budgets[class as usize] else {
            return Spent::Left { units: u32::MAX, full_after: Duration::ZERO };
        };
        match budget.limiter.check() {
            Ok(left) => {
                let units = left.remaining_burst_capacity();
                let full_after = budget.rate.period() * budget.rate.calls.get().saturating_sub(units);
                Spent::Left { units, full_after }
            }
            Err(not_until) => Spent::TooMuch { again_after: not_until.wait_time_from(self.clock.now()) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role;

    fn customer(subject: &str) -> Principal {
        Principal { subject: subject.to_owned(), roles: Role::Customer.into(), ..Principal::anonymous() }
    }

    fn rates() -> Rates {
        Rates::new(&["customer.read=2/10s".parse().unwrap(), "*.write=1/10s".parse().unwrap()])
    }

    fn few(most: usize) -> Clients {
        Clients { most, ..Clients::new(1) }
    }

    fn refused(spent: &Spent) -> bool {
        matches!(spent, Spent::TooMuch { .. })
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_is_spent_and_comes_back_evenly() {
        let (clients, rates) = (few(10), rates());
        let alice = clients.find(&customer("alice"), &rates);
        assert_eq!(alice.spend(Class::Read), Spent::Left { units: 1, full_after: Duration::from_secs(5) });
        assert_eq!(alice.spend(Class::Read), Spent::Left { units: 0, full_after: Duration::from_secs(10) });
        assert_eq!(alice.spend(Class::Read), Spent::TooMuch { again_after: Duration::from_secs(5) });
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(alice.spend(Class::Read), Spent::TooMuch { again_after: Duration::from_secs(1) });
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!refused(&alice.spend(Class::Read)));
        assert!(!refused(&alice.spend(Class::Write)), "each class has its own");
        assert!(!refused(&clients.find(&customer("bob"), &rates).spend(Class::Read)), "and each client");
        assert!(refused(&clients.find(&customer("alice"), &rates).spend(Class::Read)));
    }

    #[tokio::test(start_paused = true)]
    async fn clients_beyond_the_bound_share_a_budget_until_others_are_gone() {
        let (clients, rates) = (few(2), rates());
        let spend = |subject: &str| clients.find(&customer(subject), &rates).spend(Class::Write);
        assert!(!refused(&spend("alice")));
        assert!(!refused(&spend("bob")));
        assert!(!refused(&spend("carol")));
        assert!(refused(&spend("dave")), "who shares with carol");
        assert!(refused(&spend("alice")), "who is still known");
        let open = clients.find(&customer("bob"), &rates).open();
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(!refused(&spend("dave")));
        assert!(!refused(&spend("eve")), "the overflow budget is shared only by clients without one of their own");
        let known = clients.known.lock().unwrap();
        let group = &known.groups[&(Kind::Person, Role::Customer.into())];
        assert!(group.contains_key("bob"), "who has a stream open");
        assert!(group.contains_key("dave") && group.len() == 2);
        drop(open);
    }
}
