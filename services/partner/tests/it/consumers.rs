//! Programs that call from outside.

use mesh::{Principal, Role};
use proto::{
    options::v1::Role as RoleWire,
    partner::v1::{
        Consumer, ConsumerAccess, ConsumerChanged, ConsumerKind, ConsumerState, CreateConsumerRequest,
        GetConsumerRequest, ListConsumersRequest, PartnerKind, UpdateConsumerRequest,
    },
};
use testkit::database::each;
use tonic::Code;
use types::{Fault, Reason};

use crate::{
    calls::{of_partner, refusal},
    setup::World,
};

pub(crate) fn access(roles: &[RoleWire], accounts: &[&str]) -> Option<ConsumerAccess> {
    Some(ConsumerAccess {
        roles: roles.iter().map(|role| i32::from(*role)).collect(),
        account_ids: accounts.iter().map(|account| (*account).to_owned()).collect(),
    })
}

impl World {
    /// Creates a consumer of a kind.
    pub(crate) async fn consumer(&self, request: CreateConsumerRequest) -> Result<Consumer, Fault> {
        let created = self.consumers().create_consumer(request).await;
        created.map(tonic::Response::into_inner).map_err(|status| mesh::fault(&status))
    }

    /// Creates the distributor's own program.
    pub(crate) async fn application(&self, consumer_id: &str) -> Consumer {
        let request = CreateConsumerRequest {
            consumer_id: consumer_id.to_owned(),
            name: consumer_id.to_owned(),
            kind: ConsumerKind::Application.into(),
            access: access(&[], &["*"]),
            ..CreateConsumerRequest::default()
        };
        self.consumer(request).await.unwrap()
    }
}

#[tokio::test]
async fn a_repeated_request_answers_with_the_first_consumer() {
    each(|options| async move {
        let world = World::open(options).await;
        world.partner("par_a", PartnerKind::Warehouse, "").await;
        let request = CreateConsumerRequest {
            request_id: "r1".to_owned(),
            name: "WMS of A".to_owned(),
            kind: ConsumerKind::Partner.into(),
            partner_id: "par_a".to_owned(),
            contact: "it@a.example".to_owned(),
            ..CreateConsumerRequest::default()
        };
        let first = world.consumer(request.clone()).await.unwrap();
        assert_eq!(world.consumer(request.clone()).await.unwrap(), first);
        assert_eq!(first.access, access(&[RoleWire::Partner], &[]));
        assert_eq!(
            (first.state(), first.etag.as_str(), first.partner_id.as_str()),
            (ConsumerState::Live, "1", "par_a")
        );
        let other = CreateConsumerRequest { name: "Else".to_owned(), ..request.clone() };
        assert_eq!(refusal(world.consumer(other).await).0, Reason::RequestIdReused);
        let taken =
            CreateConsumerRequest { consumer_id: first.consumer_id.clone(), request_id: String::new(), ..request };
        assert_eq!(refusal(world.consumer(taken).await).0, Reason::AlreadyExists);

        let get = GetConsumerRequest { consumer_id: first.consumer_id.clone() };
        assert_eq!(world.consumers().get_consumer(get).await.unwrap().into_inner(), first);
        let events = world.events().await;
        let told = events.iter().find_map(store::payload::<ConsumerChanged>).unwrap();
        assert_eq!(told.consumer, Some(first));
    })
    .await;
}

#[tokio::test]
async fn wrong_fields_of_a_consumer_are_named() {
    each(|options| async move {
        let world = World::open(options).await;
        let nothing = CreateConsumerRequest { consumer_id: "acc_1".to_owned(), ..CreateConsumerRequest::default() };
        assert_eq!(refusal(world.consumer(nothing).await).1, ["consumer_id", "name", "kind"]);
        let of = |kind: ConsumerKind, access, partner_id: &str| CreateConsumerRequest {
            name: "X".to_owned(),
            kind: kind.into(),
            access,
            partner_id: partner_id.to_owned(),
            ..CreateConsumerRequest::default()
        };
        for (request, wrong) in [
            (of(ConsumerKind::Partner, None, ""), "partner_id"),
            (of(ConsumerKind::Partner, None, "par_nobody"), "partner_id"),
            (of(ConsumerKind::Application, None, "par_a"), "partner_id"),
            (of(ConsumerKind::Customer, None, ""), "access.account_ids"),
            (of(ConsumerKind::Customer, access(&[], &["*"]), ""), "access.account_ids"),
            (of(ConsumerKind::Application, access(&[RoleWire::Service], &[]), ""), "access.roles[0]"),
            (of(ConsumerKind::Application, access(&[], &["acc_1", "ord_1"]), ""), "access.account_ids[1]"),
        ] {
            assert_eq!(refusal(world.consumer(request).await).1, [wrong]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_consumer_is_changed_only_as_it_was_read() {
    each(|options| async move {
        let world = World::open(options).await;
        let consumer = world.application("con_a").await;
        let change = |etag: &str, name: &str| UpdateConsumerRequest {
            consumer_id: "con_a".to_owned(),
            etag: etag.to_owned(),
            name: Some(name.to_owned()),
            access: access(&[RoleWire::Operations, RoleWire::Application], &["acc_2", "acc_1", "acc_2"]),
            state: Some(ConsumerState::Suspended.into()),
            ..UpdateConsumerRequest::default()
        };
        let mut client = world.consumers();
        let changed = client.update_consumer(change(&consumer.etag, "New")).await.unwrap().into_inner();
        assert_eq!((changed.name.as_str(), changed.state()), ("New", ConsumerState::Suspended));
        assert_eq!(changed.access, access(&[RoleWire::Application, RoleWire::Operations], &["acc_1", "acc_2"]));
        let stale = client.update_consumer(change(&consumer.etag, "Newer")).await;
        assert_eq!(refusal(stale.map_err(|status| mesh::fault(&status))).0, Reason::EtagMismatch);
        let same = client.update_consumer(change("", "New")).await.unwrap().into_inner();
        assert_eq!(same, changed, "what changes nothing is told to nobody");
        let wrong = UpdateConsumerRequest { access: access(&[RoleWire::Partner], &[]), ..change("", "New") };
        let wrong = client.update_consumer(wrong).await.map_err(|status| mesh::fault(&status));
        assert_eq!(refusal(wrong).1, ["access.roles[0]"]);
        let unknown = UpdateConsumerRequest { consumer_id: "con_b".to_owned(), ..change("", "New") };
        let unknown = client.update_consumer(unknown).await.map_err(|status| mesh::fault(&status));
        assert_eq!(refusal(unknown).0, Reason::NotFound);
        let told = world.told().await;
        assert_eq!((told["consumer.created"], told["consumer.updated"]), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn consumers_are_listed_in_pages() {
    each(|options| async move {
        let world = World::open(options).await;
        for consumer_id in ["con_c", "con_a", "con_b"] {
            world.application(consumer_id).await;
        }
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListConsumersRequest { page_size: 2, page_token };
            let page = world.consumers().list_consumers(request).await.unwrap().into_inner();
            listed.extend(page.consumers.into_iter().map(|consumer| consumer.consumer_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, ["con_a", "con_b", "con_c"]);
    })
    .await;
}

#[tokio::test]
async fn only_operations_and_administrators_keep_consumers() {
    each(|options| async move {
        let world = World::open(options).await;
        let with = |role: Role| Principal { roles: role.into(), ..Principal::service("x") };
        for role in Role::ALL {
            let listed = world.consumers_of(&with(role)).list_consumers(ListConsumersRequest::default()).await;
            match role {
                Role::Operations | Role::Administrator => assert!(listed.is_ok(), "{role:?}"),
                _ => assert_eq!(listed.unwrap_err().code(), Code::PermissionDenied, "{role:?}"),
            }
        }
        let partner = world.consumers_of(&of_partner("par_a")).list_consumers(ListConsumersRequest::default()).await;
        assert_eq!(partner.unwrap_err().code(), Code::PermissionDenied);
    })
    .await;
}
