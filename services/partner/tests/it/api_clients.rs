//! API clients: programs that call from outside.

use mesh::{Principal, Role};
use proto::{
    events::EventType,
    options::v1::Role as RoleWire,
    partner::v1::{
        ApiClient, ApiClientAccess, ApiClientChanged, ApiClientKind, ApiClientState, CreateApiClientRequest,
        GetApiClientRequest, ListApiClientsRequest, PartnerKind, UpdateApiClientRequest,
    },
};
use testkit::{each, partner, reason, wrong_fields};
use tonic::{Code, Response, Status};
use types::Reason;

use crate::world::World;

pub(crate) fn access(roles: &[RoleWire], accounts: &[&str]) -> Option<ApiClientAccess> {
    Some(ApiClientAccess {
        roles: roles.iter().map(|role| i32::from(*role)).collect(),
        account_ids: accounts.iter().map(|account| (*account).to_owned()).collect(),
    })
}

impl World {
    /// Creates an API client of a kind.
    pub(crate) async fn api_client(&self, request: CreateApiClientRequest) -> Result<ApiClient, Status> {
        let created = self.api_clients().create_api_client(request).await;
        created.map(Response::into_inner)
    }

    /// Creates the distributor's own program.
    pub(crate) async fn application(&self, api_client_id: &str) -> ApiClient {
        let request = CreateApiClientRequest {
            api_client_id: api_client_id.to_owned(),
            name: api_client_id.to_owned(),
            kind: ApiClientKind::Application.into(),
            access: access(&[], &["*"]),
            ..CreateApiClientRequest::default()
        };
        self.api_client(request).await.unwrap()
    }
}

#[tokio::test]
async fn a_repeated_request_answers_with_the_first_api_client() {
    each(World::open, async |world| {
        world.partner("par_a", PartnerKind::Warehouse, "").await;
        let request = CreateApiClientRequest {
            request_id: "r1".to_owned(),
            name: "WMS of A".to_owned(),
            kind: ApiClientKind::Partner.into(),
            partner_id: "par_a".to_owned(),
            contact: "it@a.example".to_owned(),
            ..CreateApiClientRequest::default()
        };
        let first = world.api_client(request.clone()).await.unwrap();
        assert_eq!(world.api_client(request.clone()).await.unwrap(), first);
        assert_eq!(first.access, access(&[RoleWire::Partner], &[]));
        assert_eq!(
            (first.state(), first.etag.as_str(), first.partner_id.as_str()),
            (ApiClientState::Live, "1", "par_a")
        );
        let other = CreateApiClientRequest { name: "Else".to_owned(), ..request.clone() };
        assert_eq!(reason(world.api_client(other).await), Reason::RequestIdReused);
        let taken =
            CreateApiClientRequest { api_client_id: first.api_client_id.clone(), request_id: String::new(), ..request };
        assert_eq!(reason(world.api_client(taken).await), Reason::AlreadyExists);

        let get = GetApiClientRequest { api_client_id: first.api_client_id.clone() };
        assert_eq!(world.api_clients().get_api_client(get).await.unwrap().into_inner(), first);
        let emitted = world.events().await.payloads::<ApiClientChanged>(EventType::ApiClientCreated);
        assert_eq!(emitted[0].api_client, Some(first));
    })
    .await;
}

#[tokio::test]
async fn wrong_fields_of_an_api_client_are_named() {
    each(World::open, async |world| {
        let nothing = CreateApiClientRequest { api_client_id: "acc_1".to_owned(), ..CreateApiClientRequest::default() };
        assert_eq!(wrong_fields(world.api_client(nothing).await), ["api_client_id", "name", "kind"]);
        let of = |kind: ApiClientKind, access, partner_id: &str| CreateApiClientRequest {
            name: "X".to_owned(),
            kind: kind.into(),
            access,
            partner_id: partner_id.to_owned(),
            ..CreateApiClientRequest::default()
        };
        for (request, wrong) in [
            (of(ApiClientKind::Partner, None, ""), "partner_id"),
            (of(ApiClientKind::Partner, None, "par_nobody"), "partner_id"),
            (of(ApiClientKind::Application, None, "par_a"), "partner_id"),
            (of(ApiClientKind::Customer, None, ""), "access.account_ids"),
            (of(ApiClientKind::Customer, access(&[], &["*"]), ""), "access.account_ids"),
            (of(ApiClientKind::Application, access(&[RoleWire::Service], &[]), ""), "access.roles[0]"),
            (of(ApiClientKind::Application, access(&[], &["acc_1", "ord_1"]), ""), "access.account_ids[1]"),
        ] {
            assert_eq!(wrong_fields(world.api_client(request).await), [wrong]);
        }
    })
    .await;
}

#[tokio::test]
async fn an_api_client_is_changed_only_as_it_was_read() {
    each(World::open, async |world| {
        let api_client = world.application("cli_a").await;
        let change = |etag: &str, name: &str| UpdateApiClientRequest {
            api_client_id: "cli_a".to_owned(),
            etag: etag.to_owned(),
            name: Some(name.to_owned()),
            access: access(&[RoleWire::Operations, RoleWire::Application], &["acc_2", "acc_1", "acc_2"]),
            state: Some(ApiClientState::Suspended.into()),
            ..UpdateApiClientRequest::default()
        };
        let mut client = world.api_clients();
        let changed = client.update_api_client(change(&api_client.etag, "New")).await.unwrap().into_inner();
        assert_eq!((changed.name.as_str(), changed.state()), ("New", ApiClientState::Suspended));
        assert_eq!(changed.access, access(&[RoleWire::Application, RoleWire::Operations], &["acc_1", "acc_2"]));
        let stale = client.update_api_client(change(&api_client.etag, "Newer")).await;
        assert_eq!(reason(stale), Reason::EtagMismatch);
        let same = client.update_api_client(change("", "New")).await.unwrap().into_inner();
        assert_eq!(same, changed, "what changes nothing emits no event");
        let wrong = UpdateApiClientRequest { access: access(&[RoleWire::Partner], &[]), ..change("", "New") };
        let wrong = client.update_api_client(wrong).await;
        assert_eq!(wrong_fields(wrong), ["access.roles[0]"]);
        let unknown = UpdateApiClientRequest { api_client_id: "cli_b".to_owned(), ..change("", "New") };
        let unknown = client.update_api_client(unknown).await;
        assert_eq!(reason(unknown), Reason::NotFound);
        assert_eq!(
            (world.count(EventType::ApiClientCreated).await, world.count(EventType::ApiClientUpdated).await),
            (1, 1)
        );
    })
    .await;
}

#[tokio::test]
async fn api_clients_are_listed_in_pages() {
    each(World::open, async |world| {
        for api_client_id in ["cli_c", "cli_a", "cli_b"] {
            world.application(api_client_id).await;
        }
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListApiClientsRequest { page_size: 2, page_token };
            let page = world.api_clients().list_api_clients(request).await.unwrap().into_inner();
            listed.extend(page.api_clients.into_iter().map(|api_client| api_client.api_client_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, ["cli_a", "cli_b", "cli_c"]);
    })
    .await;
}

#[tokio::test]
async fn only_operations_and_administrators_manage_api_clients() {
    each(World::open, async |world| {
        let with = |role: Role| Principal { roles: role.into(), ..Principal::service("x") };
        for role in Role::ALL {
            let listed = world.api_clients_of(&with(role)).list_api_clients(ListApiClientsRequest::default()).await;
            if matches!(role, Role::Operations | Role::Administrator) {
                assert!(listed.is_ok(), "{role:?}");
            } else {
                assert_eq!(listed.unwrap_err().code(), Code::PermissionDenied, "{role:?}");
            }
        }
        let partner = world.api_clients_of(&partner("par_a")).list_api_clients(ListApiClientsRequest::default()).await;
        assert_eq!(partner.unwrap_err().code(), Code::PermissionDenied);
    })
    .await;
}
