//! Commands through the writer.

use futures::future::join_all;
use store::{Command, Context, Fault, Needs, Rows};
use testkit::database::each;
use types::Reason;

use crate::stock::{Reservation, Reserve, Stock, call, open_with, reserved};

#[tokio::test]
async fn a_row_is_read_back_as_it_was_saved() {
    each(|options| async move {
        let db = open_with(&options, 10).await;
        assert_eq!(db.run(call(), Reserve::new("A", "r", 3)).await, Ok(1));
        let stock = db.load::<Stock>(&"A".to_owned()).await.unwrap().unwrap();
        assert_eq!((stock.reserved, stock.note, stock.version), (3, None, 2));
        assert_eq!(stock.photo, [0, 255, 39, 0]);
        assert_eq!(reserved(&db).await, (3, 3, 1));
    })
    .await;
}

#[tokio::test]
async fn a_refused_command_leaves_nothing_and_the_others_untouched() {
    each(|options| async move {
        let db = open_with(&options, 10).await;
        let quantities = [4, 7, 3, 100, 2, 3, 1];
        let all = quantities.iter().enumerate().map(|(at, quantity)| db.run(call(), Reserve::new("A", at, *quantity)));
        let answers = join_all(all).await;
        let accepted: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(accepted, [true, false, true, false, true, false, true]);
        assert_eq!(answers[1].as_ref().map_err(|fault| fault.reason), Err(Reason::InsufficientStock));
        assert_eq!(reserved(&db).await, (10, 10, 4));
    })
    .await;
}

#[tokio::test]
async fn many_commands_on_one_row_lose_and_double_nothing() {
    each(|options| async move {
        let db = open_with(&options, 200).await;
        let answers = join_all((0..128).map(|at| db.run(call(), Reserve::new("A", at, 1)))).await;
        let mut numbers: Vec<i64> = answers.into_iter().map(Result::unwrap).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=128).collect::<Vec<i64>>());
        assert_eq!(reserved(&db).await, (128, 128, 128));
    })
    .await;
}

#[tokio::test]
async fn the_last_unit_is_taken_once() {
    each(|options| async move {
        let db = open_with(&options, 1).await;
        let (one, other) =
            tokio::join!(db.run(call(), Reserve::new("A", "one", 1)), db.run(call(), Reserve::new("A", "other", 1)));
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        assert_eq!(reserved(&db).await, (1, 1, 1));
    })
    .await;
}

/// Reads a row it never asked for.
struct Forgetful;

impl Command for Forgetful {
    type Reply = ();
    const NAME: &'static str = "Forgetful";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Stock>(&"B".to_owned());
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        assert_eq!(rows.get::<Stock>(&"B".to_owned()), Ok(None));
        rows.get::<Stock>(&"A".to_owned()).map(|_| ())
    }
}

#[tokio::test]
async fn a_forgotten_need_is_an_internal_error_and_not_an_absent_row() {
    each(|options| async move {
        let db = open_with(&options, 1).await;
        let refused = db.run(call(), Forgetful).await.unwrap_err();
        assert_eq!(refused.reason, Reason::Internal);
        assert!(refused.message.contains("stock"), "{refused}");
    })
    .await;
}

/// Puts a row that breaks a rule of the database.
enum Faulty {
    /// Reserved above on hand.
    Check,
    /// A reference that is taken.
    Unique,
    /// A key that is taken, and was not asked for.
    Exists,
    Panics,
    /// A row that was not made from the present one.
    Stale,
}

impl Command for Faulty {
    type Reply = ();
    const NAME: &'static str = "Faulty";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        if let Self::Check | Self::Stale = self {
            needs.row::<Stock>(&"A".to_owned());
        }
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        let reservation = |number, reference: &str| Reservation {
            sku: "A".to_owned(),
            number,
            reference: reference.to_owned(),
            quantity: 1,
            version: 0,
        };
        match self {
            Self::Check => {
                let stock = rows.get::<Stock>(&"A".to_owned())?.cloned().unwrap();
                rows.put(Stock { reserved: stock.on_hand + 1, ..stock });
            }
            Self::Unique => drop(rows.put(reservation(900, "first"))),
            Self::Exists => drop(rows.put(reservation(1, "another"))),
            Self::Panics => panic!("on purpose"),
            Self::Stale => {
                let stock = rows.get::<Stock>(&"A".to_owned())?.cloned().unwrap();
                rows.put(Stock { version: stock.version - 1, ..stock });
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_command_the_database_refuses_does_not_poison_its_batch() {
    each(|options| async move {
        let cases = [
            (Faulty::Check, Reason::Internal),
            (Faulty::Unique, Reason::AlreadyExists),
            (Faulty::Exists, Reason::AlreadyExists),
            (Faulty::Panics, Reason::Internal),
            (Faulty::Stale, Reason::Internal),
        ];
        let db = open_with(&options, 100).await;
        db.run(call(), Reserve::new("A", "first", 1)).await.unwrap();
        let mut expected = 1;
        for (faulty, reason) in cases {
            let (before, refused, after) = tokio::join!(
                db.run(call(), Reserve::new("A", format!("before {reason:?} {expected}"), 1)),
                db.run(call(), faulty),
                db.run(call(), Reserve::new("A", format!("after {reason:?} {expected}"), 1)),
            );
            assert!(before.is_ok() && after.is_ok(), "{before:?} {after:?}");
            assert_eq!(refused.map_err(|fault| fault.reason), Err(reason));
            expected += 2;
            assert_eq!(reserved(&db).await, (expected, expected, expected));
        }
    })
    .await;
}

/// Reads the stock of the SKU that another row names: what it needs depends on what was loaded.
struct Follow;

/// Changes which SKU that is.
struct Point(&'static str);

const POINTER: &str = "pointer";

impl Command for Point {
    type Reply = ();
    const NAME: &'static str = "Point";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Stock>(&POINTER.to_owned());
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        let new =
            || Stock { sku: POINTER.to_owned(), on_hand: 0, reserved: 0, note: None, photo: Vec::new(), version: 0 };
        let pointer = rows.get::<Stock>(&POINTER.to_owned())?.cloned().unwrap_or_else(new);
        rows.put(Stock { note: Some(self.0.to_owned()), ..pointer });
        Ok(())
    }
}

impl Command for Follow {
    type Reply = i64;
    const NAME: &'static str = "Follow";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Stock>(&POINTER.to_owned());
        if let Ok(Some(Stock { note: Some(sku), .. })) = rows.get::<Stock>(&POINTER.to_owned()) {
            needs.row::<Stock>(sku);
        }
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<i64, Fault> {
        let pointer = rows.get::<Stock>(&POINTER.to_owned())?.cloned().unwrap();
        Ok(rows.get::<Stock>(&pointer.note.unwrap())?.map_or(-1, |stock| stock.on_hand))
    }
}

#[tokio::test]
async fn what_a_command_needs_may_change_within_its_batch() {
    each(|options| async move {
        let db = open_with(&options, 7).await;
        db.run(call(), Point("none")).await.unwrap();
        let (before, _, after) =
            tokio::join!(db.run(call(), Follow), db.run(call(), Point("A")), db.run(call(), Follow));
        assert_eq!((before, after), (Ok(-1), Ok(7)));
    })
    .await;
}

/// Counts the reservations under a reference, then adds one more.
struct Unique(&'static str);

impl Command for Unique {
    type Reply = i64;
    const NAME: &'static str = "Unique";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.by::<Reservation>(&["reference"], self.0);
        needs.under::<Reservation>("A");
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<i64, Fault> {
        if !rows.by::<Reservation>(&["reference"], self.0)?.is_empty() {
            return Err(Fault::new(Reason::AlreadyExists, "taken"));
        }
        let number = rows.under::<Reservation>("A")?.len() as i64 + 1;
        let reference = self.0.to_owned();
        rows.put(Reservation { sku: "A".to_owned(), number, reference, quantity: 1, version: 0 });
        assert_eq!(rows.by::<Reservation>(&["reference"], self.0)?.len(), 1);
        Ok(number)
    }
}

#[tokio::test]
async fn a_lookup_sees_what_earlier_commands_of_the_batch_have_made() {
    each(|options| async move {
        let db = open_with(&options, 1).await;
        let (one, again, two) =
            tokio::join!(db.run(call(), Unique("x")), db.run(call(), Unique("x")), db.run(call(), Unique("y")));
        assert_eq!((one, again.map_err(|fault| fault.message), two), (Ok(1), Err("taken".to_owned()), Ok(2)));
        let later = db.run(call(), Unique("y")).await;
        assert_eq!(later.map_err(|fault| fault.message), Err("taken".to_owned()));
    })
    .await;
}
