//! Usage: counts the calls of each client and method in memory, until the counts are fetched.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::HeaderMap;
use tonic::Code;
use types::{Clock, Timestamp};

use crate::principal::{Kind, Principal};

/// The most clients that are counted by name between two fetches; further ones are [`OTHERS`].
const MOST: usize = 10_000;

/// What clients beyond the bound are counted as.
const OTHERS: &str = "_others";

/// Characters of a client's name that are kept.
const LONGEST: usize = 300;

const DAY_MICROS: i64 = 86_400_000_000;

/// How a call ended, and who caused its failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Answered; a stream was begun.
    Answered,
    /// Refused for what the caller asked.
    Refused,
    /// Refused for how much the caller asked.
    Limited,
    /// Failed for reasons of ours.
    Failed,
}

/// The calls of one client to one method on one day that ended alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Who called: what it is, and its subject.
    pub client: String,
    /// Full name of the method.
    pub method: String,
    /// How they ended.
    pub outcome: Outcome,
    /// How many.
    pub calls: u64,
    /// When the last came; its day is the day they count for.
    pub last_seen: Timestamp,
}

/// What is counted of the calls to one server. Clones are the same counts.
///
/// A call is counted when its answer begins; one whose caller went away before that is not.
#[derive(Debug, Clone)]
pub struct Usage {
    clock: Arc<dyn Clock>,
    run: Arc<str>,
    most: usize,
    counts: Arc<Mutex<Counts>>,
}

type Methods = HashMap<Box<str>, [Cell; 4]>;

#[derive(Debug, Default)]
struct Counts {
    /// By what a client is and its subject, so that counting a known one makes no text.
    clients: HashMap<Kind, HashMap<Box<str>, Methods>>,
    known: usize,
    /// What ended with its day.
    ended: Vec<Counted>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    calls: u64,
    last_seen: Timestamp,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Answered, Self::Refused, Self::Limited, Self::Failed];

    /// What the head of an answer says; without a status there the answer has begun.
    fn of(headers: &HeaderMap) -> Self {
        let Some(code) = headers.get("grpc-status") else { return Self::Answered };
        match Code::from_bytes(code.as_bytes()) {
            Code::Ok => Self::Answered,
            Code::ResourceExhausted => Self::Limited,
            Code::Cancelled
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange => Self::Refused,
            Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => Self::Failed,
        }
    }
}

impl Usage {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let run = format!("{:032x}", rand::random::<u128>()).into();
        Self { clock, run, most: MOST, counts: Arc::default() }
    }

    /// A name of this server's run that no other has, for reports that may be repeated.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Counts a call.
    pub(crate) fn count(&self, principal: &Principal, path: &str, answer: &HeaderMap) {
        let outcome = Outcome::of(answer);
        let now = self.clock.now();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.count((principal.kind, &principal.subject), (path, outcome), now, self.most);
    }

    /// Takes what was counted since the last time.
    pub fn take(&self) -> Vec<Counted> {
        let Counts { clients, mut ended, .. } =
            std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        for (kind, clients) in clients {
            for (subject, methods) in clients {
                for (path, cells) in methods {
                    let cells = Outcome::ALL.into_iter().zip(cells).filter(|(_, cell)| cell.calls > 0);
                    ended.extend(cells.map(|(outcome, cell)| counted((kind, &subject), (&path, outcome), cell)));
                }
            }
        }
        ended.sort_by(|a, b| (&a.method, &a.client, a.outcome).cmp(&(&b.method, &b.client, b.outcome)));
        ended
    }
}

impl Counts {
    fn count(&mut self, who: (Kind, &str), what: (&str, Outcome), now: Timestamp, most: usize) {
        let kind = self.clients.entry(who.0).or_default();
        let subject = if kind.contains_key(who.1) || self.known < most { who.1 } else { OTHERS };
        if !kind.contains_key(subject) {
            self.known += 1;
            kind.insert(subject.into(), Methods::new());
        }
        let Some(methods) = kind.get_mut(subject) else { return };
        if !methods.contains_key(what.0) {
            methods.insert(what.0.into(), Default::default());
        }
        let Some(cell) = methods.get_mut(what.0).map(|cells| &mut cells[what.1 as usize]) else { return };
        if cell.calls > 0 && day(cell.last_seen) != day(now) {
            self.ended.push(counted((who.0, subject), what, std::mem::take(cell)));
        }
        cell.calls += 1;
        cell.last_seen = now;
    }
}

fn day(time: Timestamp) -> i64 {
    time.as_micros().div_euclid(DAY_MICROS)
}

fn counted((kind, subject): (Kind, &str), (path, outcome): (&str, Outcome), cell: Cell) -> Counted {
    // A name that is kept and shown for long.
    let plain = |c: char| if c.is_control() { '?' } else { c };
    let client = format!("{kind}:{subject}").chars().take(LONGEST).map(plain).collect();
    let method = path.trim_start_matches('/').replace('/', ".");
    Counted { client, method, outcome, calls: cell.calls, last_seen: cell.last_seen }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;
    use types::ManualClock;

    use super::*;

    const GET: &str = "/waybill.order.v1.OrderService/GetOrder";

    fn answer(code: Code) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), HeaderValue::from(code as i32))])
    }

    fn person(subject: &str) -> Principal {
        Principal { subject: subject.to_owned(), ..Principal::anonymous() }
    }

    fn counted_calls(usage: &Usage) -> Vec<(String, String, Outcome, u64)> {
        usage.take().into_iter().map(|it| (it.client, it.method, it.outcome, it.calls)).collect()
    }

    #[test]
    fn calls_are_counted_by_client_method_and_outcome_until_they_are_fetched() {
        let usage = Usage::new(Arc::new(ManualClock::default()));
        usage.count(&person("ann"), GET, &HeaderMap::new());
        usage.count(&person("ann"), GET, &HeaderMap::new());
        usage.count(&person("ann"), GET, &answer(Code::NotFound));
        usage.count(&Principal::service("ann"), GET, &answer(Code::Internal));
        let get = || GET.trim_start_matches('/').replace('/', ".");
        let expected = [
            ("person:ann".to_owned(), get(), Outcome::Answered, 2),
            ("person:ann".to_owned(), get(), Outcome::Refused, 1),
            ("service:ann".to_owned(), get(), Outcome::Failed, 1),
        ];
        assert_eq!(counted_calls(&usage), expected);
        assert_eq!(counted_calls(&usage), []);
    }

    #[test]
    fn the_calls_of_two_days_are_told_apart() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(DAY_MICROS - 1)));
        let usage = Usage::new(clock.clone());
        usage.count(&person("ann"), GET, &HeaderMap::new());
        clock.advance(Duration::from_micros(1));
        usage.count(&person("ann"), GET, &HeaderMap::new());
        usage.count(&person("ann"), GET, &HeaderMap::new());
        let mut counted_calls: Vec<_> = usage.take().iter().map(|it| (day(it.last_seen), it.calls)).collect();
        counted_calls.sort_unstable();
        assert_eq!(counted_calls, [(0, 1), (1, 2)]);
    }

    #[test]
    fn clients_beyond_the_bound_are_counted_together() {
        let usage = Usage { most: 2, ..Usage::new(Arc::new(ManualClock::default())) };
        for subject in ["ann", "bob", "cid", "dan", "ann"] {
            usage.count(&person(subject), GET, &HeaderMap::new());
        }
        let counted_calls: Vec<_> =
            counted_calls(&usage).into_iter().map(|(client, _, _, calls)| (client, calls)).collect();
        let expected = [("person:_others", 2), ("person:ann", 2), ("person:bob", 1)];
        assert_eq!(counted_calls, expected.map(|(client, calls)| (client.to_owned(), calls)));
    }

    #[test]
    fn a_clients_name_is_fit_to_be_kept() {
        let usage = Usage::new(Arc::new(ManualClock::default()));
        usage.count(&person(&format!("a\n{}", "b".repeat(1_000))), GET, &HeaderMap::new());
        let name = &counted_calls(&usage)[0].0;
        assert!(name.starts_with("person:a?b"), "{name}");
        assert_eq!(name.chars().count(), LONGEST);
    }
}
