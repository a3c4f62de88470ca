//! Creating, changing and listing partners.

use proto::{
    events::EventType,
    partner::v1::{
        CreatePartnerRequest, GetPartnerRequest, ListPartnersRequest, PartnerKind, PartnerState, UpdatePartnerRequest,
    },
};
use testkit::{each, partner, reason, wrong_fields};
use types::Reason;

use crate::world::World;

#[tokio::test]
async fn a_repeated_request_answers_with_the_first_partner() {
    each(World::open, async |world| {
        let request = CreatePartnerRequest {
            request_id: "r1".to_owned(),
            name: "Hanse".to_owned(),
            kind: PartnerKind::Warehouse.into(),
            ..CreatePartnerRequest::default()
        };
        let first = world.client().create_partner(request.clone()).await.unwrap().into_inner();
        let again = world.client().create_partner(request.clone()).await.unwrap().into_inner();
        assert_eq!(again, first);
        assert_eq!((first.state(), first.etag.as_str()), (PartnerState::Live, "1"));
        let other = CreatePartnerRequest { name: "Gulf".to_owned(), ..request };
        let refused = world.client().create_partner(other).await;
        assert_eq!(reason(refused), Reason::RequestIdReused);
        let same_id =
            CreatePartnerRequest { partner_id: first.partner_id, name: "x".to_owned(), kind: 1, ..Default::default() };
        let refused = world.client().create_partner(same_id).await;
        assert_eq!(reason(refused), Reason::AlreadyExists);
    })
    .await;
}

#[tokio::test]
async fn wrong_fields_of_a_partner_are_named() {
    each(World::open, async |world| {
        let request = CreatePartnerRequest {
            partner_id: "acc_1".to_owned(),
            scac: "toolong".to_owned(),
            endpoint_url: "ftp://x".to_owned(),
            ..CreatePartnerRequest::default()
        };
        let refused = world.client().create_partner(request).await;
        assert_eq!(wrong_fields(refused), ["partner_id", "name", "kind", "scac", "endpoint_url"]);
    })
    .await;
}

#[tokio::test]
async fn a_partner_is_changed_only_as_it_was_read() {
    each(World::open, async |world| {
        let partner = world.partner("par_a", PartnerKind::Warehouse, "").await;
        let rename = |etag: &str, name: &str| UpdatePartnerRequest {
            partner_id: "par_a".to_owned(),
            etag: etag.to_owned(),
            name: Some(name.to_owned()),
            ..UpdatePartnerRequest::default()
        };
        let renamed = world.client().update_partner(rename(&partner.etag, "New")).await.unwrap().into_inner();
        assert_eq!(renamed.name, "New");
        let stale = world.client().update_partner(rename(&partner.etag, "Newer")).await;
        assert_eq!(reason(stale), Reason::EtagMismatch);
        let same = world.client().update_partner(rename("", "New")).await.unwrap().into_inner();
        assert_eq!(same, renamed);
        assert_eq!(
            (world.count(EventType::PartnerCreated).await, world.count(EventType::PartnerUpdated).await),
            (1, 1)
        );
    })
    .await;
}

#[tokio::test]
async fn a_partner_sees_only_itself() {
    each(World::open, async |world| {
        for partner_id in ["par_a", "par_b", "par_c"] {
            world.partner(partner_id, PartnerKind::Warehouse, "").await;
        }
        let mut client = world.client_of(&partner("par_a"));
        let get = |partner_id: &str| GetPartnerRequest { partner_id: partner_id.to_owned() };
        assert!(client.get_partner(get("par_a")).await.is_ok());
        let refused = client.get_partner(get("par_b")).await;
        assert_eq!(reason(refused), Reason::NotFound);

        let first = ListPartnersRequest { page_size: 2, page_token: String::new() };
        let page = world.client().list_partners(first).await.unwrap().into_inner();
        assert_eq!(page.partners.len(), 2);
        let second = ListPartnersRequest { page_size: 2, page_token: page.next_page_token };
        let page = world.client().list_partners(second).await.unwrap().into_inner();
        assert_eq!((page.partners[0].partner_id.as_str(), page.next_page_token.as_str()), ("par_c", ""));
    })
    .await;
}
