//! What customers add to orders and lines in their own words.

use std::collections::BTreeMap;

use proto::{
    events::EventType,
    order::v1::{self as contract, OrderSubmitted, Reference},
};
use store::Row;
use testkit::{each, wrong_fields};

use crate::world::{World, order_of};

fn reference(kind: &str, value: &str) -> Reference {
    Reference { kind: kind.to_owned(), value: value.to_owned() }
}

fn fields(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn described(customer_po: &str) -> contract::PlaceOrderRequest {
    let mut request = order_of(customer_po, &[("TEA", 2), ("CHAI", 1)]);
    request.note = " Ring twice; Hof links ".to_owned();
    request.references = vec![reference("contract", "RV-2026/7"), reference("cost_centre", "4711 ")];
    request.custom_fields = fields(&[("ward", "3b"), ("erp.key", "\u{fc}"), ("empty", "")]);
    let line = &mut request.lines[1];
    line.note = "no substitutes".to_owned();
    line.references = vec![reference("project", "P1")];
    line.custom_fields = fields(&[("bin", "7")]);
    line.customer_line_reference = "0010".to_owned();
    line.customer_sku = "K-99/1 ".to_owned();
    request
}

#[tokio::test]
async fn what_a_customer_adds_is_in_the_order_and_in_its_first_event() {
    each(World::furnished, async |world| {
        let placed = world.try_place(described("PO-1")).await.unwrap();
        assert_eq!(placed.note, "Ring twice; Hof links");
        assert_eq!(placed.references, [reference("contract", "RV-2026/7"), reference("cost_centre", "4711")]);
        assert_eq!(placed.custom_fields, described("").custom_fields);
        let [plain, line] = placed.lines.as_slice() else { panic!("two lines") };
        assert_eq!((line.customer_line_reference.as_str(), line.customer_sku.as_str()), ("0010", "K-99/1"));
        assert_eq!((line.note.as_str(), line.references.len(), line.custom_fields.len()), ("no substitutes", 1, 1));
        assert!(plain.note.is_empty() && plain.references.is_empty() && plain.custom_fields.is_empty());
        let submitted: Vec<OrderSubmitted> =
            world.events_of(&placed.order_id).await.payloads(EventType::OrderSubmitted);
        assert_eq!(submitted[0].order.as_ref(), Some(&placed));
        world.drain().await;
        let later = world.get(&placed.order_id).await;
        assert_eq!((&later.custom_fields, &later.lines[1].customer_sku), (&placed.custom_fields, &line.customer_sku));
    })
    .await;
}

#[tokio::test]
async fn an_order_without_additions_stores_none() {
    each(World::furnished, async |world| {
        world.place(order_of("PO-1", &[("TEA", 1)])).await;
        let mut blank = order_of("PO-2", &[("TEA", 1)]);
        blank.note = "  ".to_owned();
        blank.lines[0].customer_sku = "\u{200b}".to_owned();
        world.place(blank).await;
        world.place(described("PO-3")).await;
        let kept = "SELECT COUNT(*) FROM orders WHERE own_fields IS NOT NULL UNION ALL \
                    SELECT COUNT(*) FROM order_lines WHERE own_fields IS NOT NULL";
        let counts = world.db.rows(kept, Vec::new()).await.unwrap();
        assert_eq!(counts.iter().map(|row: &Row| row.at::<i64>(0).unwrap()).collect::<Vec<_>>(), [1, 1]);
    })
    .await;
}

#[tokio::test]
async fn additions_have_limits_and_each_wrong_one_is_named() {
    each(World::furnished, async |world| {
        let mut request = described("PO-1");
        request.note = "x".repeat(501);
        request.references = vec![reference("cost centre", "1"), reference("project", " ")];
        request.custom_fields = fields(&[("k\u{e4}y", "1"), ("long", &"x".repeat(501)), ("control", "\u{7}")]);
        request.lines[0].references = vec![reference("a", "b"); 21];
        request.lines[1].customer_line_reference = "x".repeat(65);
        request.lines[1].custom_fields = (0..21).map(|number| (format!("k{number}"), String::new())).collect();
        let wrong = wrong_fields(world.try_place(request).await);
        assert_eq!(
            wrong,
            [
                "lines[0].references",
                "lines[1].custom_fields",
                "lines[1].customer_line_reference",
                "note",
                "references[0].kind",
                "references[1].value",
                "custom_fields.control",
                "custom_fields",
                "custom_fields.long",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_repeat_gives_its_fields_in_any_order() {
    each(World::furnished, async |world| {
        let with = |keys: Vec<usize>| contract::PlaceOrderRequest {
            request_id: "again".to_owned(),
            custom_fields: keys.into_iter().map(|key| (format!("k{key}"), String::new())).collect(),
            ..order_of("PO-1", &[("TEA", 1)])
        };
        let first = world.try_place(with((0..20).collect())).await.unwrap();
        let again = world.try_place(with((0..20).rev().collect())).await.unwrap();
        assert_eq!(first, again);
    })
    .await;
}
