//! Looks up API keys at the partner service, for the credential checks of the mesh.

use std::sync::Arc;

use futures::FutureExt as _;
use mesh::{
    Accounts, Channel, KeyBounds, Kind, Principal, Role,
    credentials::{Grant, KeyLookup, KeyStatus, Scopes},
};
use proto::partner::v1::{
    ApiClient, ApiClientKind, ApiKeyStatus, LookUpApiKeyRequest, LookUpApiKeyResponse,
    api_client_service_client::ApiClientServiceClient,
};
use types::Fault;

/// A lookup of keys by their hash, over a channel to the partner service.
pub(super) fn look_up(channel: &Channel) -> KeyLookup {
    let client = ApiClientServiceClient::new(channel.for_principal(&Principal::service("credentials")));
    Arc::new(move |hash| {
        let mut client = client.clone();
        async move {
            let request = LookUpApiKeyRequest { sha256: hash.to_vec().into() };
            let answer = client.look_up_api_key(request).await.map_err(|status| mesh::fault(&status))?;
            status(answer.into_inner())
        }
        .boxed()
    })
}

fn status(answer: LookUpApiKeyResponse) -> Result<KeyStatus, Fault> {
    match answer.status() {
        ApiKeyStatus::Live => {
            let (Some(api_client), Some(key)) = (answer.api_client, answer.api_key) else {
                return Err(Fault::internal("a live key without its API client"));
            };
            let scopes: Scopes = key.scopes.into_iter().collect();
            let expire_time = key.expire_time.as_ref().and_then(mesh::wire::from_timestamp);
            let bounds = KeyBounds { scopes: scopes.clone(), expire_time };
            let principal = Principal { key: Some(bounds), ..principal(&api_client)? };
            Ok(KeyStatus::Live(Grant { principal, scopes }))
        }
        ApiKeyStatus::Unknown => Ok(KeyStatus::Unknown),
        ApiKeyStatus::Expired => Ok(KeyStatus::Expired),
        ApiKeyStatus::Revoked => Ok(KeyStatus::Revoked),
        ApiKeyStatus::Suspended => Ok(KeyStatus::Suspended),
        ApiKeyStatus::Unspecified => Err(Fault::internal("a key without a status")),
    }
}

/// The principal of calls with an API client's key.
fn principal(api_client: &ApiClient) -> Result<Principal, Fault> {
    let access = api_client.access.clone().unwrap_or_default();
    let accounts = match access.account_ids.as_slice() {
        [all] if all == "*" => Accounts::All,
        some => Accounts::Only(
            some.iter()
                .map(|account| account.parse())
                .collect::<Result<_, types::IdError>>()
                .map_err(|error| Fault::internal(format!("the account of an API client: {error}")))?,
        ),
    };
    let partner = Some(api_client.partner_id.as_str()).filter(|partner| !partner.is_empty());
    let partner = partner.map(str::parse).transpose();
    Ok(Principal {
        kind: match api_client.kind() {
            ApiClientKind::Partner => Kind::Partner,
            ApiClientKind::Application | ApiClientKind::Customer | ApiClientKind::Unspecified => Kind::Application,
        },
        subject: api_client.api_client_id.clone(),
        // Whatever is stored, no key acts as a service or as the administrator.
        roles: access
            .roles()
            .filter_map(|role| Role::from_proto_name(role.as_str_name()))
            .filter(|role| *role != Role::Service)
            .collect(),
        accounts,
        partner: partner.map_err(|error| Fault::internal(format!("the partner of an API client: {error}")))?,
        key: None,
    })
}

#[cfg(test)]
mod tests {
    use proto::{
        options::v1,
        partner::v1::{ApiClientAccess, ApiKey},
    };

    use super::*;

    fn live(kind: ApiClientKind, access: ApiClientAccess, partner_id: &str) -> Grant {
        let api_client = ApiClient {
            api_client_id: "cli_1".to_owned(),
            kind: kind.into(),
            access: Some(access),
            partner_id: partner_id.to_owned(),
            ..ApiClient::default()
        };
        let answer = LookUpApiKeyResponse {
            status: ApiKeyStatus::Live.into(),
            api_client: Some(api_client),
            api_key: Some(ApiKey { scopes: vec!["read".to_owned()], ..ApiKey::default() }),
        };
        let KeyStatus::Live(grant) = status(answer).unwrap() else { panic!("the key does not work") };
        grant
    }

    #[test]
    fn a_key_calls_as_its_api_client() {
        let roles = vec![v1::Role::Partner.into()];
        let carrier =
            live(ApiClientKind::Partner, ApiClientAccess { roles, account_ids: Vec::new() }, "par_x").principal;
        assert_eq!(carrier.to_string(), "partner:cli_1");
        assert_eq!(carrier.partner.unwrap().to_string(), "par_x");
        assert_eq!((carrier.roles, carrier.accounts), (Role::Partner.into(), Accounts::Only(Vec::new())));

        let access = ApiClientAccess {
            roles: vec![v1::Role::Operations.into(), v1::Role::Service.into(), 99],
            account_ids: vec!["*".to_owned()],
        };
        let own = live(ApiClientKind::Application, access, "").principal;
        assert_eq!((own.roles, own.accounts), (Role::Operations.into(), Accounts::All), "no key acts as a service");
    }

    #[test]
    fn a_live_key_without_its_api_client_is_refused() {
        let answer = LookUpApiKeyResponse { status: ApiKeyStatus::Live.into(), ..Default::default() };
        assert!(status(answer).is_err());
        assert_eq!(
            status(LookUpApiKeyResponse { status: ApiKeyStatus::Revoked.into(), ..Default::default() }),
            Ok(KeyStatus::Revoked)
        );
    }
}
