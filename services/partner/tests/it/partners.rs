//! Partners themselves.

use proto::partner::v1::{
    CreatePartnerRequest, GetPartnerRequest, ListPartnersRequest, PartnerKind, PartnerState, UpdatePartnerRequest,
};
use testkit::database::each;
use types::Reason;

use crate::{
    calls::{of_partner, refusal},
    setup::World,
};

#[tokio::test]
async fn a_repeated_request_answers_with_the_first_partner() {
    each(|options| async move {
        let world = World::open(options).await;
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
        let refused = world.client().create_partner(other).await.map_err(|status| mesh::fault(&status));
        assert_eq!(refusal(refused).0, Reason::RequestIdReused);
        let same_id =
            CreatePartnerRequest { partner_id: first.partner_id, name: "x".to_owned(), kind: 1, ..Default::default() };
        let refused = world.client().create_partner(same_id).await.map_err(|status| mesh::fault(&status));
        assert_eq!(refusal(refused).0, Reason::AlreadyExists);
    })
    .await;
}

#[tokio::test]
async fn wrong_fields_of_a_partner_are_named() {
    each(|options| async move {
        let world = World::open(options).await;
        let request = CreatePartnerRequest {
            partner_id: "acc_1".to_owned(),
            scac: "toolong".to_owned(),
            endpoint_url: "ftp://x".to_owned(),
            ..CreatePartnerRequest::default()
        };
        let refused = world.client().create_partner(request).await.map_err(|status| mesh::fault(&status));
        assert_eq!(refusal(refused).1, ["partner_id", "name", "kind", "scac", "endpoint_url"]);
    })
    .await;
}

#[tokio::test]
async fn a_partner_is_changed_only_as_it_was_read() {
    each(|options| async move {
        let world = World::open(options).await;
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
        assert_eq!(refusal(stale.map_err(|status| mesh::fault(&status))).0, Reason::EtagMismatch);
        let same = world.client().update_partner(rename("", "New")).await.unwrap().into_inner();
        assert_eq!(same, renamed);
        let told = world.told().await;
        assert_eq!((told["partner.created"], told["partner.updated"]), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_partner_sees_only_itself() {
    each(|options| async move {
        let world = World::open(options).await;
        for partner_id in ["par_a", "par_b", "par_c"] {
            world.partner(partner_id, PartnerKind::Warehouse, "").await;
        }
        let mut client = world.client_of(&of_partner("par_a"));
        let get = |partner_id: &str| GetPartnerRequest { partner_id: partner_id.to_owned() };
        assert!(client.get_partner(get("par_a")).await.is_ok());
        let refused = client.get_partner(get("par_b")).await.map_err(|status| mesh::fault(&status));
        assert_eq!(refusal(refused).0, Reason::NotFound);

        let first = ListPartnersRequest { page_size: 2, page_token: String::new() };
        let page = world.client().list_partners(first).await.unwrap().into_inner();
        assert_eq!(page.partners.len(), 2);
        let second = ListPartnersRequest { page_size: 2, page_token: page.next_page_token };
        let page = world.client().list_partners(second).await.unwrap().into_inner();
        assert_eq!((page.partners[0].partner_id.as_str(), page.next_page_token.as_str()), ("par_c", ""));
    })
    .await;
}
