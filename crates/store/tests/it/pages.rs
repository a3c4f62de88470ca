//! Pages of large rows.

use store::{Column as _, Kind, Value, page::Page};
use testkit::database::{each, tamper};
use types::limits::MAX_PAGE_BYTES;

use crate::stock::{Stock, open_with};

#[tokio::test]
async fn of_rows_that_do_not_fit_a_page_only_the_length_is_read() {
    each(|options| async move {
        let db = open_with(&options, 1).await;
        let add = |sku: &str, photo: usize| {
            let (sku, zeros) = (sku.to_owned(), "0".repeat(photo));
            let bytes = if options.url.starts_with("sqlite:") { "CAST(P AS BLOB)" } else { "CAST(P AS BYTEA)" };
            let photo = bytes.replace('P', &format!("'{zeros}'"));
            format!(
                "INSERT INTO stock (sku, on_hand, reserved, note, photo, version) \
                 VALUES ('{sku}', 0, 0, NULL, {photo}, 1) RETURNING version"
            )
        };
        assert_eq!(tamper(&options.url, "DELETE FROM stock RETURNING version").await, 1);
        for (sku, photo) in [("A", 900_000), ("B", 900_000), ("C", 10), ("D", 900_000), ("E", 900_000), ("F", 900_000)]
        {
            assert_eq!(tamper(&options.url, &add(sku, photo)).await, 1);
        }
        let page = |size, token: &str| Page::read("stock", &[], &[Kind::Text], size, token).unwrap();
        let select = async |page: Page| {
            let after = page.after().map_or_else(|| String::new().to_value(), |after| after[0].clone());
            let tail = "WHERE sku > $1 ORDER BY sku LIMIT $2";
            let args = vec![after, Value::Integer(page.limit())];
            let key = |stock: &Stock| vec![stock.sku.to_value()];
            let (rows, token) = page.select(&db, tail, args, &["photo", "note"], key).await.unwrap();
            (rows.into_iter().map(|stock| stock.sku).collect::<String>(), token)
        };
        let mut statements = db.observe();
        let (first, token) = select(page(500, "")).await;
        assert_eq!(first, "ABCDE");
        let limits: Vec<_> = std::iter::from_fn(|| statements.try_recv().ok()).map(|one| one.args[1].clone()).collect();
        assert_eq!(limits, [Value::Integer(501), Value::Integer(5)]);
        assert_eq!(select(page(500, &token)).await, ("F".to_owned(), String::new()));
        let (two, token) = select(page(2, "")).await;
        assert_eq!((two.as_str(), select(page(4, &token)).await), ("AB", ("CDEF".to_owned(), String::new())));
        assert_eq!(select(page(1, &token)).await.0, "C");
        assert_eq!(tamper(&options.url, &add("G", MAX_PAGE_BYTES.min(990_000))).await, 1);
        let grow =
            "UPDATE stock SET photo = photo || photo || photo || photo || photo WHERE sku = 'G' RETURNING version";
        let cast = "CAST(photo || photo || photo || photo || photo AS BLOB)";
        let grow = if options.url.starts_with("sqlite:") {
            grow.replace("photo || photo || photo || photo || photo", cast)
        } else {
            grow.to_owned()
        };
        assert_eq!(tamper(&options.url, &grow).await, 1);
        assert_eq!(select(page(500, &token)).await.0, "CDEF", "the next row is larger than a page");
        let last = page(500, &page(500, "").token(&["F".to_owned().to_value()]));
        assert_eq!(select(last).await, ("G".to_owned(), String::new()), "it is a page of its own");
        db.close().await;
    })
    .await;
}
