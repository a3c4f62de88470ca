//! Pages of large messages and API clients end by bytes, and the next ones go on after them.

use proto::partner::v1::{
    ApiClientKind, CreateApiClientRequest, ListApiClientsRequest, ListMessagesRequest, PartnerKind,
};
use testkit::{database::tamper, each, pages};

use crate::{
    api_clients::access,
    world::{World, accepted},
};

#[tokio::test]
async fn pages_of_messages_end_by_bytes() {
    each(World::open, async |world| {
        world.partner("par_a", PartnerKind::Warehouse, "").await;
        for number in 1..=20 {
            world.submit(accepted("par_a", &format!("m{number}"), "ful_1")).await.unwrap();
        }
        let long = format!("UPDATE messages SET outcome = '{}' RETURNING version", "x".repeat(400_000));
        assert_eq!(tamper(&world.options.url, &long).await, 20);
        let mut client = world.client();
        let read = pages(
            async |page_token| {
                let request = ListMessagesRequest { page_token, page_size: 500, ..Default::default() };
                client.list_messages(request).await.unwrap().into_inner()
            },
            |page| (page.messages.into_iter().map(|one| one.control_number).collect(), page.next_page_token),
        )
        .await;
        assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), [9, 9, 2]);
        let expected: Vec<String> = (1..=20).rev().map(|number| format!("m{number}")).collect();
        assert_eq!(read.concat(), expected);
    })
    .await;
}

#[tokio::test]
async fn pages_of_api_clients_end_by_bytes() {
    each(World::open, async |world| {
        for number in 1..=20 {
            let name = format!("portal {number}");
            let kind = ApiClientKind::Customer.into();
            let request = CreateApiClientRequest { name, kind, access: access(&[], &["acc_1"]), ..Default::default() };
            world.api_client(request).await.unwrap();
        }
        let accounts: Vec<String> = (100_000..140_000).map(|number| format!("acc_{number}")).collect();
        let many = format!("UPDATE api_clients SET account_ids = '{}' RETURNING version", accounts.join(" "));
        assert_eq!(tamper(&world.options.url, &many).await, 20);
        let mut client = world.api_clients();
        let read = pages(
            async |page_token| {
                let request = ListApiClientsRequest { page_token, page_size: 500 };
                client.list_api_clients(request).await.unwrap().into_inner()
            },
            |page| (page.api_clients.into_iter().map(|one| one.name).collect(), page.next_page_token),
        )
        .await;
        assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), [8, 8, 4]);
        let mut names: Vec<String> = read.concat();
        names.dedup();
        assert_eq!(names.len(), 20);
    })
    .await;
}
