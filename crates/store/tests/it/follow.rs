//! Following a log.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use proto::{
    event::v1::Event,
    events::{EventType, SharedEvent},
};
use store::{AnyCommand, Command, Context, Db, Fault, Follower, Needs, Reactions, Rows, WorkApi, Workers};
use testkit::database::each;
use types::Reason;

use crate::{
    log::{client, events},
    stock::{Receive, Reserve, Stock, call, open_with, tamper},
};

/// What goes wrong, and how often.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    Nothing,
    /// `react` fails for a moment.
    React,
    /// A command fails for a moment.
    Decide,
    /// `react` is refused for good.
    Refused,
    /// A command is refused for good.
    RefusedCommand,
    /// The database refuses the command.
    Check,
    /// `react` panics.
    Panic,
}

/// For each reservation receives one of SKU `echo`.
struct Echo {
    trouble: Trouble,
    at: &'static str,
    left: Arc<AtomicUsize>,
    order: Mutex<Vec<String>>,
}

impl Echo {
    fn new(trouble: Trouble, at: &'static str) -> Arc<Self> {
        Arc::new(Self { trouble, at, left: Arc::new(AtomicUsize::new(2)), order: Mutex::default() })
    }
}

fn once_less(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl Reactions for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn source(&self) -> &'static str {
        "stock"
    }

    fn event_types(&self) -> &'static [EventType] {
        &[EventType::InventoryReserved]
    }

    async fn react(&self, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        self.order.lock().unwrap().push(event.correlation_id.clone());
        let receive = Receive { sku: "echo".to_owned(), quantity: 1 };
        if event.correlation_id != self.at {
            return Ok(vec![Box::new(receive)]);
        }
        match self.trouble {
            Trouble::React if once_less(&self.left) => Err(Fault::unavailable("for a moment")),
            Trouble::Decide => Ok(vec![Box::new(receive), Box::new(Falter(self.left.clone()))]),
            Trouble::Refused if once_less(&self.left) => Err(Fault::internal("never")),
            Trouble::RefusedCommand if once_less(&self.left) => Ok(vec![Box::new(receive), Box::new(Refuse)]),
            Trouble::Check if once_less(&self.left) => Ok(vec![Box::new(receive), Box::new(Break)]),
            Trouble::Panic if once_less(&self.left) => panic!("on purpose"),
            Trouble::Nothing
            | Trouble::React
            | Trouble::Refused
            | Trouble::RefusedCommand
            | Trouble::Check
            | Trouble::Panic => Ok(vec![Box::new(receive)]),
        }
    }
}

/// Is refused for a moment: the process could as well have died before the commit.
struct Falter(Arc<AtomicUsize>);

impl Command for Falter {
    type Reply = ();
    const NAME: &'static str = "Falter";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        if once_less(&self.0) { Err(Fault::unavailable("for a moment")) } else { Ok(()) }
    }
}

struct Refuse;

impl Command for Refuse {
    type Reply = ();
    const NAME: &'static str = "Refuse";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        Err(Fault::not_supported("not like this"))
    }
}

/// Breaks a CHECK.
struct Break;

impl Command for Break {
    type Reply = ();
    const NAME: &'static str = "Break";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Stock>(&"A".to_owned());
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        let stock = rows.get::<Stock>(&"A".to_owned())?.cloned().unwrap();
        rows.put(Stock { reserved: -1, ..stock });
        Ok(())
    }
}

async fn echoed(db: &Db) -> i64 {
    db.load::<Stock>(&"echo".to_owned()).await.unwrap().map_or(0, |stock| stock.on_hand)
}

async fn with_reservations(options: &store::Options) -> Db {
    let db = open_with(options, 100).await;
    for reference in ["a", "b", "c", "d"] {
        db.run(call(), Reserve::new("A", reference, 1)).await.unwrap();
    }
    db
}

#[tokio::test]
async fn each_event_takes_effect_once_whatever_fails_between_reaction_and_commit() {
    for trouble in [Trouble::Nothing, Trouble::React, Trouble::Decide] {
        each(|options| async move {
            let db = with_reservations(&options).await;
            let follower = Follower::new(db.clone(), client(&db), Echo::new(trouble, "c"));
            let mut failed = 0;
            while let Err(fault) = follower.drain().await {
                assert!(fault.is_transient(), "{fault}");
                failed += 1;
                // What came before the trouble has taken effect and stays.
                assert_eq!((echoed(&db).await, follower.position().await), (2, Ok(2)));
            }
            assert_eq!(failed, if trouble == Trouble::Nothing { 0 } else { 2 });
            assert_eq!((echoed(&db).await, follower.position().await), (4, Ok(4)));
            assert_eq!(follower.drain().await, Ok(0));
            assert_eq!(echoed(&db).await, 4);
        })
        .await;
    }
}

#[tokio::test]
async fn a_reaction_that_is_refused_is_parked_and_opens_an_exception() {
    for trouble in [Trouble::Refused, Trouble::RefusedCommand, Trouble::Check, Trouble::Panic] {
        each(|options| async move {
            let db = with_reservations(&options).await;
            let follower = Follower::new(db.clone(), client(&db), Echo::new(trouble, "b"));
            follower.drain().await.unwrap();
            // All but the refused event have taken effect, and of that one nothing.
            assert_eq!(echoed(&db).await, 3);
            let opened = events(&db).await.pop().unwrap();
            let Ok(Some(SharedEvent::ExceptionOpened(exception))) = SharedEvent::decode(&opened) else {
                panic!("not an opened exception: {opened:?}");
            };
            assert_eq!(exception.r#type, "REACTION_FAILED");
            assert_eq!((exception.order_id.as_str(), exception.facts["position"].as_str()), ("b", "2"));
            let parked = db.rows("SELECT event_id, reason FROM parked_events", Vec::new()).await.unwrap();
            let (event_id, reason): (String, String) = (parked[0].at(0).unwrap(), parked[0].get("reason").unwrap());
            assert_eq!((parked.len(), event_id.as_str()), (1, opened.causation_id.as_str()));
            let expected =
                if trouble == Trouble::RefusedCommand { Reason::ActionNotSupported } else { Reason::Internal };
            assert_eq!(reason, expected.as_str());
            assert_eq!(follower.drain().await, Ok(0));
        })
        .await;
    }
}

#[tokio::test]
async fn a_parked_event_is_applied_once_when_its_work_is_tried_again() {
    for trouble in [Trouble::Refused, Trouble::RefusedCommand, Trouble::Check, Trouble::Panic] {
        each(|options| async move {
            let db = with_reservations(&options).await;
            let follower = Follower::new(db.clone(), client(&db), Echo::new(trouble, "b"));
            let workers = Workers::new(db.clone(), [follower], [], &[]);
            workers.drain().await.unwrap();
            assert_eq!(echoed(&db).await, 3);
            let parked =
                db.rows("SELECT subscription || ':' || event_id FROM parked_events", Vec::new()).await.unwrap();
            let subject: String = parked[0].at(0).unwrap();
            let retry =
                async || WorkApi::new(db.clone()).retry("REACTION_FAILED", std::slice::from_ref(&subject)).await;
            let last = async || SharedEvent::decode(&events(&db).await.pop().unwrap()).unwrap().unwrap();

            // It is refused once more: parked again, and reported again.
            let before = events(&db).await.len();
            assert_eq!(retry().await, Ok(1));
            workers.drain().await.unwrap();
            assert_eq!((echoed(&db).await, events(&db).await.len()), (3, before + 1));
            assert!(matches!(last().await, SharedEvent::ExceptionOpened(opened) if opened.subject == subject));

            // Its cause is gone. Asked for twice, it takes effect once.
            assert_eq!((retry().await, retry().await), (Ok(1), Ok(1)));
            workers.drain().await.unwrap();
            assert_eq!(echoed(&db).await, 4);
            let SharedEvent::ExceptionResolved(resolved) = last().await else { panic!("not resolved") };
            assert_eq!((resolved.r#type.as_str(), resolved.order_id.as_str()), ("REACTION_FAILED", "b"));
            assert_eq!((resolved.subject.as_str(), retry().await), (subject.as_str(), Ok(0)));
            workers.drain().await.unwrap();
            assert_eq!(echoed(&db).await, 4);
        })
        .await;
    }
}

#[tokio::test]
async fn several_replicas_following_apply_each_event_once() {
    each(|options| async move {
        let db = with_reservations(&options).await;
        let other = crate::stock::open(&options).await;
        let followers = [
            Follower::new(db.clone(), client(&db), Echo::new(Trouble::Nothing, "")),
            Follower::new(other.clone(), client(&other), Echo::new(Trouble::Nothing, "")),
        ];
        let (one, two) = tokio::join!(followers[0].drain(), followers[1].drain());
        assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
        for follower in &followers {
            assert_eq!(follower.drain().await, Ok(0));
        }
        assert_eq!(echoed(&db).await, 4);
    })
    .await;
}

#[tokio::test]
async fn a_follower_whose_position_was_moved_drops_what_it_has() {
    each(|options| async move {
        let db = with_reservations(&options).await;
        let echo = Echo::new(Trouble::Nothing, "");
        let follower = Follower::new(db.clone(), client(&db), echo.clone());
        assert_eq!(follower.position().await, Ok(0));
        tamper(&options, "UPDATE subscriptions SET position = 3 WHERE name = 'echo' RETURNING name").await;
        assert_eq!(follower.drain().await, Ok(1));
        assert_eq!((echoed(&db).await, echo.order.lock().unwrap().concat()), (1, "d".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_running_follower_catches_up_and_goes_on() {
    each(|options| async move {
        let db = with_reservations(&options).await;
        let stop = tokio_util::sync::CancellationToken::new();
        let follower = Follower::new(db.clone(), client(&db), Echo::new(Trouble::React, "c"));
        let mut after_commit = db.subscribe();
        let work = async {
            db.run(call(), Reserve::new("A", "e", 1)).await.unwrap();
            assert_eq!(after_commit.recv().await.unwrap()[0].correlation_id, "e");
            while echoed(&db).await < 5 {
                tokio::task::yield_now().await;
            }
            stop.cancel();
        };
        tokio::join!(follower.run(stop.clone()), work);
        assert_eq!(follower.position().await, Ok(5));
    })
    .await;
}
