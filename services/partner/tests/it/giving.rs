//! Nobody gives an API client or a key more than it holds itself.

use mesh::{Accounts, KeyBounds, Principal, Role};
use proto::{
    options::v1::Role as RoleWire,
    partner::v1::{
        ApiClient, ApiClientKind, ApiClientState, CreateApiClientRequest, CreateApiKeyRequest, GetApiClientRequest,
        ListApiClientsRequest, ListApiKeysRequest, PartnerKind, RevokeApiKeyRequest, UpdateApiClientRequest,
    },
};
use testkit::{START, each, partner, person, staff, wrong_fields};
use tonic::{Code, Response, Status};
use types::Timestamp;

use crate::{api_clients::access, world::World};

/// Operations that see these accounts.
fn foreman(accounts: &[&str]) -> Principal {
    let accounts = accounts.iter().map(|account| account.parse().unwrap()).collect();
    person(Role::Operations, Accounts::Only(accounts))
}

/// The caller with a key that has these scopes and ends at this time.
fn with_key(caller: Principal, scopes: &[&str], expire_time: Option<Timestamp>) -> Principal {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    Principal { key: Some(KeyBounds { scopes, expire_time }), ..caller }
}

fn new(kind: ApiClientKind, roles: &[RoleWire], accounts: &[&str]) -> CreateApiClientRequest {
    let access = access(roles, accounts);
    CreateApiClientRequest { name: "program".to_owned(), kind: kind.into(), access, ..Default::default() }
}

fn code<T>(outcome: Result<T, Status>) -> Option<Code> {
    outcome.err().map(|status| status.code())
}

impl World {
    async fn give(&self, giver: &Principal, request: CreateApiClientRequest) -> Result<ApiClient, Status> {
        self.api_clients_of(giver).create_api_client(request).await.map(Response::into_inner)
    }

    async fn make_key_as(&self, giver: &Principal, request: CreateApiKeyRequest) -> Result<(), Status> {
        self.api_clients_of(giver).create_api_key(request).await.map(|_| ())
    }

    async fn update_as(&self, giver: &Principal, request: UpdateApiClientRequest) -> Result<ApiClient, Status> {
        self.api_clients_of(giver).update_api_client(request).await.map(Response::into_inner)
    }
}

fn key_for(api_client: &ApiClient) -> CreateApiKeyRequest {
    CreateApiKeyRequest { api_client_id: api_client.api_client_id.clone(), ..Default::default() }
}

fn scoped(api_client: &ApiClient, scopes: &[&str]) -> CreateApiKeyRequest {
    CreateApiKeyRequest { scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(), ..key_for(api_client) }
}

#[tokio::test]
async fn a_program_gets_no_role_account_or_partner_that_its_creator_does_not_hold() {
    each(World::open, async |world| {
        world.partner("par_a", PartnerKind::Warehouse, "").await;
        let giver = foreman(&["acc_b"]);
        let application = |roles: &[RoleWire], accounts: &[&str]| new(ApiClientKind::Application, roles, accounts);
        let wrong = async |request| wrong_fields(world.give(&giver, request).await);
        assert_eq!(wrong(application(&[RoleWire::Operations], &["*"])).await, ["access.account_ids"]);
        assert_eq!(wrong(application(&[RoleWire::Operations], &["acc_a", "acc_b"])).await, ["access.account_ids"]);
        for role in [RoleWire::Application, RoleWire::CustomerService] {
            assert_eq!(wrong(application(&[role], &["acc_b"])).await, ["access.roles"], "{role:?}");
        }
        // The role that is given when none is named is bounded too.
        assert_eq!(wrong(application(&[], &["acc_b"])).await, ["access.roles"]);
        let of_partner = |kind| CreateApiClientRequest { partner_id: "par_a".to_owned(), ..new(kind, &[], &[]) };
        assert_eq!(wrong(of_partner(ApiClientKind::Partner)).await, ["partner_id"]);
        assert_eq!(wrong(new(ApiClientKind::Customer, &[], &["acc_a"])).await, ["access.account_ids"]);

        assert!(world.give(&giver, application(&[RoleWire::Operations], &["acc_b"])).await.is_ok());
        assert!(world.give(&giver, new(ApiClientKind::Customer, &[], &["acc_b"])).await.is_ok());
        let all = staff(Role::Operations);
        assert!(world.give(&all, of_partner(ApiClientKind::Partner)).await.is_ok());
        assert!(world.give(&all, application(&[RoleWire::Operations], &["*"])).await.is_ok());
        assert_eq!(wrong_fields(world.give(&all, application(&[], &["*"])).await), ["access.roles"]);
        let of_own = Principal {
            roles: [Role::Operations, Role::Partner].into_iter().collect(),
            partner: partner("par_a").partner,
            ..giver.clone()
        };
        assert!(world.give(&of_own, of_partner(ApiClientKind::Partner)).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_program_with_more_than_the_caller_is_neither_seen_nor_given_a_key() {
    each(World::open, async |world| {
        let strong = world.application("cli_strong").await;
        let weak = world.give(&foreman(&["acc_b"]), new(ApiClientKind::Customer, &[], &["acc_b"])).await.unwrap();
        let both = world.give(&staff(Role::Operations), new(ApiClientKind::Customer, &[], &["acc_a", "acc_b"])).await;
        let both = both.unwrap();
        let giver = foreman(&["acc_b"]);
        for hidden in [&strong, &both] {
            let api_client_id = hidden.api_client_id.clone();
            let mut client = world.api_clients_of(&giver);
            let get = GetApiClientRequest { api_client_id: api_client_id.clone() };
            assert_eq!(code(client.get_api_client(get).await), Some(Code::NotFound));
            let keys = ListApiKeysRequest { api_client_id: api_client_id.clone(), ..Default::default() };
            assert_eq!(code(client.list_api_keys(keys).await), Some(Code::NotFound));
            assert_eq!(code(world.make_key_as(&giver, key_for(hidden)).await), Some(Code::NotFound));
            let change = UpdateApiClientRequest { api_client_id: api_client_id.clone(), ..Default::default() };
            assert_eq!(code(world.update_as(&giver, change).await), Some(Code::NotFound));
            let made = world.api_clients().create_api_key(key_for(hidden)).await.unwrap().into_inner();
            let api_key_id = made.api_key.unwrap().api_key_id;
            let revoke = RevokeApiKeyRequest { api_client_id, api_key_id, ..Default::default() };
            assert_eq!(code(client.revoke_api_key(revoke).await), Some(Code::NotFound));
        }
        let mut client = world.api_clients_of(&giver);
        let listed = client.list_api_clients(ListApiClientsRequest { page_size: 1, ..Default::default() }).await;
        let listed = listed.unwrap().into_inner();
        assert_eq!((listed.api_clients.as_slice(), listed.next_page_token.as_str()), ([weak.clone()].as_slice(), ""));
        assert!(world.make_key_as(&giver, key_for(&weak)).await.is_ok());

        // Operations that see every account see it, may suspend it, and give it nothing.
        let all = staff(Role::Operations);
        let change = |change: UpdateApiClientRequest| UpdateApiClientRequest {
            api_client_id: strong.api_client_id.clone(),
            ..change
        };
        let state =
            |state: ApiClientState| change(UpdateApiClientRequest { state: Some(state.into()), ..Default::default() });
        assert!(world.update_as(&all, state(ApiClientState::Suspended)).await.is_ok());
        assert_eq!(code(world.update_as(&all, state(ApiClientState::Live)).await), Some(Code::PermissionDenied));
        let given = UpdateApiClientRequest { access: access(&[RoleWire::Operations], &["*"]), ..Default::default() };
        assert_eq!(code(world.update_as(&all, change(given)).await), Some(Code::PermissionDenied));
        assert_eq!(code(world.make_key_as(&all, key_for(&strong)).await), Some(Code::PermissionDenied));
        let given = UpdateApiClientRequest {
            api_client_id: weak.api_client_id.clone(),
            access: access(&[], &["acc_a", "acc_b"]),
            ..Default::default()
        };
        assert_eq!(wrong_fields(world.update_as(&giver, given).await), ["access.account_ids"]);
    })
    .await;
}

#[tokio::test]
async fn a_key_makes_no_key_with_more_scopes_or_a_later_end() {
    each(World::open, async |world| {
        let all = staff(Role::Operations);
        let own = world.give(&all, new(ApiClientKind::Application, &[RoleWire::Operations], &["*"])).await.unwrap();
        let maker = "waybill.partner.v1.ApiClientService/CreateApiKey";
        let narrow = with_key(all.clone(), &[maker], None);
        assert_eq!(wrong_fields(world.make_key_as(&narrow, key_for(&own)).await), ["scopes"]);
        for scope in ["read", "write", "waybill.partner.v1.ApiClientService", "waybill.order.v1.OrderService/GetOrder"]
        {
            assert_eq!(
                wrong_fields(world.make_key_as(&narrow, scoped(&own, &[scope])).await),
                ["scopes[0]"],
                "{scope}"
            );
        }
        assert!(world.make_key_as(&narrow, scoped(&own, &[maker])).await.is_ok());
        let given = UpdateApiClientRequest {
            api_client_id: own.api_client_id.clone(),
            access: access(&[RoleWire::Operations], &["*"]),
            ..Default::default()
        };
        assert_eq!(code(world.update_as(&narrow, given).await), Some(Code::PermissionDenied));

        let other = world.give(&all, new(ApiClientKind::Application, &[RoleWire::Operations], &["*"])).await.unwrap();
        let end = START.after(std::time::Duration::from_secs(3_600));
        let ending = with_key(all.clone(), &["waybill.partner.v1.ApiClientService", "read"], Some(end));
        let until = |expire_time: Option<Timestamp>| CreateApiKeyRequest {
            expire_time: expire_time.map(mesh::wire::timestamp),
            ..scoped(&other, &["read", maker])
        };
        assert_eq!(wrong_fields(world.make_key_as(&ending, until(None)).await), ["expire_time"]);
        let later = end.after(std::time::Duration::from_secs(1));
        assert_eq!(wrong_fields(world.make_key_as(&ending, until(Some(later))).await), ["expire_time"]);
        assert!(world.make_key_as(&ending, until(Some(end))).await.is_ok());
    })
    .await;
}
