//! Any mix of commands behaves as if they had run one after the other.

use std::collections::BTreeMap;

use futures::future::join_all;
use proptest::{prelude::*, test_runner::TestRunner};
use store::{Db, Options};

use crate::stock::{Receive, Reserve, Stock, call, open};

#[derive(Debug, Clone)]
enum Step {
    Receive(usize, i64),
    Reserve(usize, i64),
}

const SKUS: [&str; 3] = ["A", "B", "C"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..3_usize, 1..10_i64).prop_map(|(sku, quantity)| Step::Receive(sku, quantity)),
        (0..3_usize, 1..8_i64).prop_map(|(sku, quantity)| Step::Reserve(sku, quantity)),
    ];
    prop::collection::vec(step, 1..60)
}

/// On hand, reserved and number of reservations, by SKU.
type Model = BTreeMap<usize, (i64, i64, i64)>;

fn apply(model: &mut Model, step: &Step) -> Option<i64> {
    match step {
        Step::Receive(sku, quantity) => {
            let version = model.get(sku).map_or(0, |(_, _, count)| *count);
            let entry = model.entry(*sku).or_insert((0, 0, 0));
            entry.0 += quantity;
            Some(version)
        }
        Step::Reserve(sku, quantity) => {
            let entry = model.get_mut(sku)?;
            if entry.1 + quantity > entry.0 {
                return None;
            }
            entry.1 += quantity;
            entry.2 += 1;
            Some(entry.2)
        }
    }
}

async fn run(db: &Db, step: Step, reference: usize) -> Option<i64> {
    match step {
        Step::Receive(sku, quantity) => db.run(call(), Receive { sku: SKUS[sku].to_owned(), quantity }).await.ok(),
        Step::Reserve(sku, quantity) => db.run(call(), Reserve::new(SKUS[sku], reference, quantity)).await.ok(),
    }
}

#[test]
fn a_batch_behaves_as_its_commands_one_after_the_other() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 24, ..ProptestConfig::default() });
    let outcome = runner.run(&steps(), |steps| {
        let directory = tempfile::tempdir().unwrap();
        let options = Options::new(format!("sqlite:{}", directory.path().join("test.db").display()));
        runtime.block_on(async {
            let db = open(&options).await;
            // The futures are polled in order, so they arrive in order.
            let answers = join_all(steps.iter().enumerate().map(|(at, step)| run(&db, step.clone(), at))).await;
            let mut model = Model::new();
            for (step, answer) in steps.iter().zip(&answers) {
                let expected = apply(&mut model, step);
                prop_assert_eq!(expected.is_some(), answer.is_some(), "{:?}", step);
                if let Step::Reserve(..) = step {
                    prop_assert_eq!(&expected, answer);
                }
            }
            for (sku, (on_hand, reserved, _)) in &model {
                let stock = db.load::<Stock>(&SKUS[*sku].to_owned()).await.unwrap().unwrap();
                prop_assert_eq!((stock.on_hand, stock.reserved), (*on_hand, *reserved));
            }
            let events: i64 = model.values().map(|(_, _, count)| count).sum();
            prop_assert_eq!(db.head().await, Ok(events));
            prop_assert_eq!(store::log::verify(&db).await.unwrap().first_bad, None);
            Ok(())
        })
    });
    outcome.unwrap();
}
