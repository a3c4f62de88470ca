//! Lists cost as much as they show, however much has moved.

use proto::inventory::v1::{GetAvailabilityRequest, ListMovementsRequest};
use testkit::{each, plans::Plans};

use crate::world::{HERE, World};

/// An item that moves all the time, of 4,000 times once at a location.
const MOVEMENTS: &str = "INSERT INTO movements \
    SELECT 'A', i, CASE WHEN i % 4000 = 0 THEN 'nod_here' WHEN i % 2 = 0 THEN 'nod_there' ELSE '' END, 'RESERVED', 0, 0, 0, \
    'ord_' || (i / 10), 'acc_' || (i % 100), '', i, i, NULL, NULL, 1 FROM n";
/// Movements of other items at that location.
const OTHERS: &str = "INSERT INTO movements \
    SELECT 'X' || (i % 100), i, 'nod_here', 'RESERVED', 0, 0, 0, '', NULL, '', i, i, NULL, NULL, 1 FROM n";

#[tokio::test]
async fn movements_are_listed_without_reading_others() {
    each(World::open, async |world| {
        let mut plans = Plans::over(&world.options, &world.db, &[MOVEMENTS, OTHERS]).await;
        for (sku, location_id) in [("", ""), ("A", ""), ("", HERE), ("A", HERE)] {
            for reference in ["", "ord_77"] {
                let request = ListMovementsRequest {
                    sku: sku.to_owned(),
                    location_id: location_id.to_owned(),
                    reference: reference.to_owned(),
                    page_size: 10,
                    ..Default::default()
                };
                let what = format!("{request:?}");
                let page = world.client.clone().list_movements(request.clone()).await.unwrap().into_inner();
                plans.check(&what).await;
                if !page.next_page_token.is_empty() {
                    let next = ListMovementsRequest { page_token: page.next_page_token, ..request };
                    world.client.clone().list_movements(next).await.unwrap();
                    plans.check(&format!("the next page of {what}")).await;
                }
            }
        }
        let request = GetAvailabilityRequest { skus: vec!["A".to_owned(), "B".to_owned(), "C".to_owned()] };
        world.client.clone().get_availability(request).await.unwrap();
        plans.check("availability").await;
    })
    .await;
}
