//! Receivables that the ERP records.

use std::time::Duration;

use proto::{order::v1 as contract, types::v1::Money};
use testkit::{START, each, wrong_fields};

use super::{credit, limit, owed, receivables, ship_and_deliver, tea, usd};
use crate::world::World;

#[tokio::test]
async fn the_newest_receivables_count_with_what_they_say_they_include() {
    each(World::furnished, async |world| {
        limit(&world, Some(100)).await;
        let order = tea(&world, "PO-1", 6).await;
        let hour = |hours: u64| Some(mesh::wire::timestamp(START.after(Duration::from_secs(hours * 3_600))));
        ship_and_deliver(&world, &order, "shm_1", 2).await;
        world.clock.advance(Duration::from_secs(2 * 3_600));
        ship_and_deliver(&world, &order, "shm_2", 1).await;
        world.clock.advance(Duration::from_secs(2 * 3_600));
        assert_eq!(owed(&world).await, [3, 0, 3, 0]);
        let request = contract::RecordReceivablesRequest {
            request_id: "erp-1".to_owned(),
            account_id: "acc_1".to_owned(),
            amount: usd(7 * 1_005),
            as_of: hour(4),
            includes_ready_until: hour(1),
        };
        let mut orders = world.orders.clone();
        let recorded = orders.record_receivables(request.clone()).await.unwrap().into_inner();
        assert_eq!(orders.record_receivables(request.clone()).await.unwrap().into_inner(), recorded, "a repeat");
        assert_eq!((recorded.as_of, recorded.includes_ready_until), (hour(4), hour(1)));
        assert_eq!(owed(&world).await, [3, 0, 1, 7], "the invoice of the second shipment is still to be made");
        let older = contract::RecordReceivablesRequest {
            request_id: String::new(),
            amount: usd(1),
            as_of: hour(3),
            includes_ready_until: None,
            ..request.clone()
        };
        assert_eq!(orders.record_receivables(older.clone()).await.unwrap().into_inner(), credit(&world).await);
        assert_eq!(owed(&world).await, [3, 0, 1, 7]);
        receivables(&world, -2).await;
        assert_eq!(owed(&world).await, [3, 0, 0, -2], "a balance in its favour");
        let future = contract::RecordReceivablesRequest { as_of: hour(24), ..older.clone() };
        assert_eq!(wrong_fields(orders.record_receivables(future).await), ["as_of"]);
        let euro = Some(Money { currency: "EUR".to_owned(), minor_units: 1 });
        let euro = contract::RecordReceivablesRequest { amount: euro, ..older.clone() };
        assert_eq!(wrong_fields(orders.record_receivables(euro).await), ["amount.currency"]);
        let empty = contract::RecordReceivablesRequest {
            account_id: "acc_1".to_owned(),
            includes_ready_until: hour(1),
            ..Default::default()
        };
        assert_eq!(wrong_fields(orders.record_receivables(empty).await), ["amount", "as_of"]);
        let later = contract::RecordReceivablesRequest { includes_ready_until: hour(4), ..older };
        assert_eq!(wrong_fields(orders.record_receivables(later).await), ["includes_ready_until"]);
    })
    .await;
}
