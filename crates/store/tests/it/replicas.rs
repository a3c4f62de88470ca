//! Several processes on one database.

use futures::future::join_all;
use testkit::database::each;

use crate::stock::{Receive, Reserve, call, open, open_with, reserved};

/// Refused as transient when the others were faster too often: the caller tries again.
async fn tried<F: Future<Output = Result<i64, store::Fault>>>(run: impl Fn() -> F) -> Result<i64, store::Fault> {
    loop {
        match run().await {
            Err(fault) if fault.is_transient() => {}
            outcome => return outcome,
        }
    }
}

#[tokio::test]
async fn replicas_that_change_the_same_row_lose_nothing() {
    each(|options| async move {
        let dbs = [open_with(&options, 1_000).await, open(&options).await, open(&options).await];
        let commands = (0..150).map(|at| {
            let db = dbs[at % 3].clone();
            async move { tried(|| db.run(call(), Reserve::new("A", at, 1))).await }
        });
        let mut numbers: Vec<i64> = join_all(commands).await.into_iter().map(Result::unwrap).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=150).collect::<Vec<i64>>());
        assert_eq!(reserved(&dbs[0]).await, (150, 150, 150));
        assert_eq!(store::log::verify(&dbs[1]).await.unwrap().first_bad, None);
    })
    .await;
}

#[tokio::test]
async fn a_request_given_to_two_replicas_takes_effect_once() {
    each(|options| async move {
        let (one, other) = (open_with(&options, 1_000).await, open(&options).await);
        for round in 0..20_i64 {
            let run = |db: store::Db| async move {
                tried(|| db.run(call().request(&format!("round {round}"), &round), Reserve::new("A", round, 1))).await
            };
            let (a, b) = tokio::join!(run(one.clone()), run(other.clone()));
            assert_eq!((a, b), (Ok(round + 1), Ok(round + 1)));
        }
        assert_eq!(reserved(&one).await, (20, 20, 20));
    })
    .await;
}

#[tokio::test]
async fn replicas_never_wait_for_each_other_in_a_circle() {
    each(|options| async move {
        let dbs = [open_with(&options, 1_000).await, open(&options).await];
        dbs[1].run(call(), Receive { sku: "B".to_owned(), quantity: 1_000 }).await.unwrap();
        // Each changes rows of its own: what both want is the log's head.
        let callers = (0..8).map(|caller| {
            let (db, sku) = [(&dbs[0], "A"), (&dbs[1], "B")][caller % 2];
            async move {
                for at in 0..40 {
                    let reference = format!("{caller}/{at}");
                    tried(|| db.run(call(), Reserve::new(sku, &reference, 1))).await.unwrap();
                }
            }
        });
        join_all(callers).await;
        // A server counts what its connections have met when they end.
        for db in &dbs {
            db.close().await;
        }
        let db = open(&options).await;
        assert_eq!(db.head().await, Ok(320));
        assert_eq!(store::log::verify(&db).await.unwrap().first_bad, None);
        if options.url.starts_with("postgres") {
            let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
            assert_eq!(db.rows(deadlocks, Vec::new()).await.unwrap()[0].at::<i64>(0), Ok(0));
        }
    })
    .await;
}
