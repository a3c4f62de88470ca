//! Records that are read with what belongs to them.

use std::sync::atomic::{AtomicI64, Ordering};

use store::{Column as _, Db, Fault};
use testkit::database::each;
use types::Reason;

use crate::stock::{Reservation, Reserve, Stock, call, open_with};

/// Stock with its reservations. Before the first `changes` times that they are read, one more unit is reserved.
async fn read(db: &Db, changes: i64) -> Result<Vec<(Stock, Vec<Reservation>)>, Fault> {
    let (left, stock) = (AtomicI64::new(changes), db.list::<Stock>("ORDER BY sku", Vec::new()).await?);
    db.whole(stock, |stock| {
        let change = left.fetch_sub(1, Ordering::Relaxed);
        async move {
            if change > 0 {
                db.run(call(), Reserve::new("A", format!("{changes} changes, {change} left"), 1)).await?;
            }
            let mut whole = Vec::new();
            for stock in stock {
                let of_stock = vec![stock.sku.clone().to_value()];
                whole.push((stock, db.list("WHERE sku = $1 ORDER BY number", of_stock).await?));
            }
            Ok(whole)
        }
    })
    .await
}

#[tokio::test]
async fn a_record_and_its_parts_are_of_one_moment() {
    each(|options| async move {
        let db = open_with(&options, 10).await;
        db.run(call(), Reserve::new("A", "first", 1)).await.unwrap();
        for changes in [0, 1, 2] {
            let whole = read(&db, changes).await.unwrap();
            let (stock, reservations) = whole.iter().find(|(stock, _)| stock.sku == "A").unwrap();
            let reserved: i64 = reservations.iter().map(|reservation| reservation.quantity).sum();
            assert_eq!(stock.reserved, reserved, "after {changes} changes");
        }
    })
    .await;
}

#[tokio::test]
async fn a_record_that_changes_at_every_attempt_is_unavailable() {
    each(|options| async move {
        let db = open_with(&options, 1_000).await;
        assert_eq!(read(&db, i64::MAX).await.unwrap_err().reason, Reason::Unavailable);
        assert_eq!(db.whole(Vec::<Stock>::new(), async |_| Ok(vec![()])).await, Ok(Vec::new()));
    })
    .await;
}
