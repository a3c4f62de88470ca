//! Tasks.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::future::join_all;
use proto::events::SharedEvent;
use store::{AnyCommand, Command, Context, Db, Fault, Needs, Rows, Task, TaskHandler, TaskRunner, WorkApi};
use testkit::database::each;
use tokio::sync::Notify;
use types::ManualClock;

use crate::{
    log::events,
    stock::{Receive, Stock, call, clock, open_at},
};

/// Schedules tasks: keys and seconds from now.
struct Schedule(Vec<(&'static str, u64)>);

impl Command for Schedule {
    type Reply = ();
    const NAME: &'static str = "Schedule";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        for (key, seconds) in &self.0 {
            let task = Task::new("count", key, cx.now().after(Duration::from_secs(*seconds))).payload(&7_i64);
            cx.schedule(task.order("ord_1", None));
        }
        Ok(())
    }
}

struct Unschedule(&'static str);

impl Command for Unschedule {
    type Reply = ();
    const NAME: &'static str = "Unschedule";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        cx.unschedule("count", self.0);
        Ok(())
    }
}

/// Receives one of SKU `count` per task; how tasks fail first is up to the test.
#[derive(Default)]
struct Count {
    ran: Mutex<Vec<String>>,
    transient: AtomicUsize,
    refused: Mutex<Option<Fault>>,
    again: AtomicUsize,
}

#[async_trait]
impl TaskHandler for Count {
    fn kind(&self) -> &'static str {
        "count"
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        assert_eq!(task.decode::<i64>(), Ok(7));
        if self.transient.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(Fault::unavailable("for a moment"));
        }
        if let Some(fault) = self.refused.lock().unwrap().clone() {
            return Err(fault);
        }
        self.ran.lock().unwrap().push(task.key.clone());
        let mut commands: Vec<Box<dyn AnyCommand>> = vec![Box::new(Receive { sku: "count".to_owned(), quantity: 1 })];
        if self.again.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            commands.push(Box::new(Schedule(vec![("again", 60)])));
        }
        Ok(commands)
    }
}

fn runner(db: &Db, count: &Arc<Count>) -> TaskRunner {
    TaskRunner::new(db.clone(), [count.clone() as Arc<dyn TaskHandler>])
}

async fn counted(db: &Db) -> i64 {
    db.load::<Stock>(&"count".to_owned()).await.unwrap().map_or(0, |stock| stock.on_hand)
}

async fn left(db: &Db) -> i64 {
    db.rows("SELECT COUNT(*) FROM tasks", Vec::new()).await.unwrap()[0].at(0).unwrap()
}

async fn set_up(options: &store::Options) -> (Db, Arc<ManualClock>, Arc<Count>) {
    let clock = clock();
    (open_at(options, clock.clone()).await, clock, Arc::default())
}

#[tokio::test]
async fn tasks_run_when_they_are_due_in_that_order() {
    each(|options| async move {
        let (db, clock, count) = set_up(&options).await;
        let tasks = vec![("third", 30), ("first", 10), ("dropped", 15), ("second", 20), ("moved", 5)];
        db.run(call(), Schedule(tasks)).await.unwrap();
        db.run(call(), Schedule(vec![("moved", 40)])).await.unwrap();
        db.run(call(), Unschedule("dropped")).await.unwrap();
        let runner = runner(&db, &count);
        assert_eq!(runner.drain().await, Ok(0));
        clock.advance(Duration::from_secs(20));
        assert_eq!(runner.drain().await, Ok(2));
        assert_eq!((counted(&db).await, left(&db).await), (2, 2));
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(runner.drain().await, Ok(2));
        assert_eq!(*count.ran.lock().unwrap(), ["first", "second", "third", "moved"]);
        assert_eq!((counted(&db).await, left(&db).await), (4, 0));
    })
    .await;
}

#[tokio::test]
async fn a_task_is_claimed_by_one_of_several_runners() {
    each(|options| async move {
        let (db, clock, count) = set_up(&options).await;
        let keys: Vec<&'static str> = (0..100).map(|at| &*Box::leak(format!("{at}").into_boxed_str())).collect();
        db.run(call(), Schedule(keys.iter().map(|key| (*key, 0)).collect())).await.unwrap();
        let other = open_at(&options, clock.clone()).await;
        let runners: Vec<TaskRunner> = [&db, &db, &other, &other].map(|db| runner(db, &count)).into();
        // A rival may be faster many times, while a task is claimed or while it ends: then it is tried again.
        let drained = async |runner: &TaskRunner| {
            while let Err(fault) = runner.drain().await {
                assert!(fault.is_transient(), "{fault:?}");
            }
        };
        join_all(runners.iter().map(drained)).await;
        assert_eq!(count.ran.lock().unwrap().len(), 100);
        while left(&db).await > 0 {
            clock.advance(Duration::from_secs(3_600));
            drained(&runners[0]).await;
        }
        assert_eq!(counted(&db).await, 100);
    })
    .await;
}

/// Never comes to an end.
struct Hang(Notify);

#[async_trait]
impl TaskHandler for Hang {
    fn kind(&self) -> &'static str {
        "count"
    }

    async fn run(&self, _: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        self.0.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn what_a_process_that_died_had_claimed_is_taken_over() {
    each(|options| async move {
        let (db, clock, count) = set_up(&options).await;
        db.run(call(), Schedule(vec![("one", 0)])).await.unwrap();
        let hang = Arc::new(Hang(Notify::new()));
        let dying = TaskRunner::new(db.clone(), [hang.clone() as Arc<dyn TaskHandler>]);
        tokio::select! {
            _ = dying.drain() => unreachable!("it hangs"),
            () = hang.0.notified() => {}
        }
        let next = open_at(&options, clock.clone()).await;
        if options.url.starts_with("postgres") {
            // Another replica may be at work on it, for as long as a claim holds.
            assert_eq!(runner(&next, &count).drain().await, Ok(0));
            clock.advance(Duration::from_secs(60));
        }
        assert_eq!(runner(&next, &count).drain().await, Ok(1));
        assert_eq!((counted(&next).await, left(&next).await), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn a_task_that_fails_for_a_moment_is_tried_again_later() {
    each(|options| async move {
        let (db, clock, count) = set_up(&options).await;
        count.transient.store(2, Ordering::SeqCst);
        db.run(call(), Schedule(vec![("one", 0)])).await.unwrap();
        let runner = runner(&db, &count);
        for (wait, counted_then) in [(0, 0), (2, 0), (4, 1)] {
            clock.advance(Duration::from_secs(wait));
            assert_eq!(runner.drain().await, Ok(1));
            assert_eq!((runner.drain().await, counted(&db).await), (Ok(0), counted_then));
        }
        assert_eq!(left(&db).await, 0);
    })
    .await;
}

/// What exceptions were opened (true) and resolved (false), each with its subject and its order.
async fn exceptions(db: &Db) -> Vec<(bool, String, String)> {
    let events = events(db).await;
    let exceptions = events.iter().filter_map(|event| match SharedEvent::decode(event).unwrap()? {
        SharedEvent::ExceptionOpened(opened) => {
            assert_eq!(opened.r#type, "TASK_FAILED");
            Some((true, opened.subject, opened.order_id))
        }
        SharedEvent::ExceptionResolved(resolved) => Some((false, resolved.subject, resolved.order_id)),
    });
    exceptions.collect()
}

fn about(opened: bool, subject: &str) -> (bool, String, String) {
    (opened, subject.to_owned(), "ord_1".to_owned())
}

#[tokio::test]
async fn a_task_that_is_refused_opens_an_exception_of_its_order_and_is_tried_again_until_it_is_done() {
    each(|options| async move {
        let (db, clock, count) = set_up(&options).await;
        *count.refused.lock().unwrap() = Some(Fault::internal("never"));
        db.run(call(), Schedule(vec![("one", 0)])).await.unwrap();
        let runner = runner(&db, &count);
        assert_eq!((runner.drain().await, exceptions(&db).await), (Ok(1), vec![about(true, "count:one")]));
        clock.advance(Duration::from_secs(3_599));
        assert_eq!(runner.drain().await, Ok(0));
        clock.advance(Duration::from_secs(1));
        assert_eq!((runner.drain().await, exceptions(&db).await), (Ok(1), vec![about(true, "count:one"); 2]));

        *count.refused.lock().unwrap() = None;
        // A person does not wait for an hour.
        assert_eq!(WorkApi::new(db.clone()).retry("TASK_FAILED", &["count:one".to_owned()]).await, Ok(1));
        assert_eq!((runner.drain().await, counted(&db).await, left(&db).await), (Ok(1), 1, 0));
        let all = [about(true, "count:one"), about(true, "count:one"), about(false, "count:one")];
        assert_eq!(exceptions(&db).await, all);
        // What is done already is not done twice, and its exception does not stay.
        assert_eq!(WorkApi::new(db.clone()).retry("TASK_FAILED", &["count:one".to_owned()]).await, Ok(0));
        assert_eq!((runner.drain().await, counted(&db).await), (Ok(0), 1));
        assert_eq!(exceptions(&db).await.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_task_that_keeps_failing_is_never_given_up() {
    each(|options| async move {
        let (db, clock, count) = set_up(&options).await;
        count.transient.store(45, Ordering::SeqCst);
        db.run(call(), Schedule(vec![("one", 0)])).await.unwrap();
        let (runner, mut opened) = (runner(&db, &count), Vec::new());
        while left(&db).await > 0 {
            assert_eq!(runner.drain().await, Ok(1));
            opened.push(exceptions(&db).await.len());
            clock.advance(Duration::from_secs(512));
        }
        // After 20 failures, after 20 more, and when it is done.
        assert_eq!((opened[18], opened[19], opened[38], opened[39], opened[44], opened[45]), (0, 1, 1, 2, 2, 3));
        assert_eq!((opened.len(), counted(&db).await), (46, 1));
        assert_eq!(exceptions(&db).await.pop(), Some(about(false, "count:one")));
    })
    .await;
}

/// Lets a process die while it runs tasks.
async fn die(options: &store::Options, clock: &Arc<ManualClock>) {
    let hang = Arc::new(Hang(Notify::new()));
    let dying = TaskRunner::new(open_at(options, clock.clone()).await, [hang.clone() as Arc<dyn TaskHandler>]);
    // As long as a claim holds, which other replicas respect.
    clock.advance(Duration::from_secs(60));
    tokio::select! {
        _ = dying.drain() => unreachable!("it hangs"),
        () = hang.0.notified() => {}
    }
}

#[tokio::test]
async fn attempts_that_ended_with_their_process_are_not_failures() {
    each(|options| async move {
        let (db, clock, count) = set_up(&options).await;
        db.run(call(), Schedule(vec![("one", 0), ("two", 0), ("three", 0)])).await.unwrap();
        for _ in 0..40 {
            die(&options, &clock).await;
        }
        clock.advance(Duration::from_secs(60));
        let next = open_at(&options, clock.clone()).await;
        assert_eq!(runner(&next, &count).drain().await, Ok(3));
        assert_eq!((counted(&next).await, left(&next).await, exceptions(&next).await), (3, 0, Vec::new()));
    })
    .await;
}

/// Hangs on one task, as if the process died of it, and does the others.
struct Poisoned(Arc<Count>, Notify);

#[async_trait]
impl TaskHandler for Poisoned {
    fn kind(&self) -> &'static str {
        "count"
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        if task.key == "poison" {
            self.1.notify_one();
            return std::future::pending().await;
        }
        self.0.run(task).await
    }
}

#[tokio::test]
async fn a_task_of_which_the_process_dies_does_not_stop_the_others() {
    each(|options| async move {
        let (db, clock, count) = set_up(&options).await;
        db.run(call(), Schedule(vec![("poison", 0), ("one", 0), ("two", 0)])).await.unwrap();
        for _ in 0..14 {
            clock.advance(Duration::from_secs(60));
            let poisoned = Arc::new(Poisoned(count.clone(), Notify::new()));
            let dying =
                TaskRunner::new(open_at(&options, clock.clone()).await, [poisoned.clone() as Arc<dyn TaskHandler>]);
            tokio::select! {
                _ = dying.drain() => {}
                () = poisoned.1.notified() => {}
            }
        }
        assert_eq!((counted(&db).await, left(&db).await), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn a_task_may_schedule_itself_again() {
    each(|options| async move {
        let (db, clock, count) = set_up(&options).await;
        count.again.store(2, Ordering::SeqCst);
        db.run(call(), Schedule(vec![("again", 0)])).await.unwrap();
        let runner = runner(&db, &count);
        for expected in 1..=3 {
            assert_eq!(runner.drain().await, Ok(1));
            assert_eq!(counted(&db).await, expected);
            clock.advance(Duration::from_secs(60));
        }
        assert_eq!((runner.drain().await, left(&db).await), (Ok(0), 0));
    })
    .await;
}

/// Runs a task while somebody schedules it anew.
struct Replaced(Db);

#[async_trait]
impl TaskHandler for Replaced {
    fn kind(&self) -> &'static str {
        "count"
    }

    async fn run(&self, _: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        self.0.run(call(), Schedule(vec![("one", 60)])).await?;
        Ok(vec![Box::new(Receive { sku: "count".to_owned(), quantity: 1 })])
    }
}

#[tokio::test]
async fn a_task_scheduled_anew_while_it_runs_is_not_lost() {
    each(|options| async move {
        let (db, clock, count) = set_up(&options).await;
        db.run(call(), Schedule(vec![("one", 0)])).await.unwrap();
        let replaced = TaskRunner::new(db.clone(), [Arc::new(Replaced(db.clone())) as Arc<dyn TaskHandler>]);
        replaced.drain().await.unwrap();
        assert_eq!((counted(&db).await, left(&db).await), (0, 1));
        clock.advance(Duration::from_secs(60));
        assert_eq!(runner(&db, &count).drain().await, Ok(1));
        assert_eq!((counted(&db).await, left(&db).await), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn a_running_runner_takes_what_is_scheduled() {
    each(|options| async move {
        let (db, _, count) = set_up(&options).await;
        let stop = tokio_util::sync::CancellationToken::new();
        let runner = runner(&db, &count);
        let work = async {
            db.run(call(), Schedule(vec![("one", 0)])).await.unwrap();
            while counted(&db).await < 1 {
                tokio::task::yield_now().await;
            }
            stop.cancel();
        };
        tokio::join!(runner.run(stop.clone()), work);
        assert_eq!(left(&db).await, 0);
    })
    .await;
}
