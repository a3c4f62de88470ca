//! The mesh checks keys, and the partner service knows them: this is the way from one to the other.

use std::sync::Arc;

use futures::FutureExt as _;
use mesh::{
    Accounts, Channel, Kind, Principal, Role,
    credentials::{Grant, KeyLookup, KeyStatus},
};
use proto::partner::v1::{
    ApiKeyStanding, Consumer, ConsumerKind, LookUpApiKeyRequest, LookUpApiKeyResponse,
    consumer_service_client::ConsumerServiceClient,
};
use types::Fault;

/// Asks over this way whose key has a hash.
pub(super) fn look_up(way: &Channel) -> KeyLookup {
    let client = ConsumerServiceClient::new(way.for_principal(&Principal::service("credentials")));
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
    match answer.standing() {
        ApiKeyStanding::Live => {
            let (Some(consumer), Some(key)) = (answer.consumer, answer.api_key) else {
                return Err(Fault::internal("a live key without its consumer"));
            };
            Ok(KeyStatus::Live(Grant { principal: principal(&consumer)?, scopes: key.scopes.into_iter().collect() }))
        }
        ApiKeyStanding::Unknown => Ok(KeyStatus::Unknown),
        ApiKeyStanding::Expired => Ok(KeyStatus::Expired),
        ApiKeyStanding::Revoked => Ok(KeyStatus::Revoked),
        ApiKeyStanding::Suspended => Ok(KeyStatus::Suspended),
        ApiKeyStanding::Unspecified => Err(Fault::internal("a key without a status")),
    }
}

/// Who calls with a consumer's key.
fn principal(consumer: &Consumer) -> Result<Principal, Fault> {
    let access = consumer.access.clone().unwrap_or_default();
    let accounts = match access.account_ids.as_slice() {
        [all] if all == "*" => Accounts::All,
        some => Accounts::Only(
            some.iter()
                .map(|account| account.parse())
                .collect::<Result<_, types::IdError>>()
                .map_err(|error| Fault::internal(format!("the account of a consumer: {error}")))?,
        ),
    };
    let partner = Some(consumer.partner_id.as_str()).filter(|partner| !partner.is_empty());
    let partner = partner.map(str::parse).transpose();
    Ok(Principal {
        kind: match consumer.kind() {
            ConsumerKind::Partner => Kind::Partner,
            ConsumerKind::Application | ConsumerKind::Customer | ConsumerKind::Unspecified => Kind::Application,
        },
        subject: consumer.consumer_id.clone(),
        // Whatever is stored, no key is a service's or an administrator's.
        roles: access
            .roles()
            .filter_map(|role| Role::from_proto_name(role.as_str_name()))
            .filter(|role| *role != Role::Service)
            .collect(),
        accounts,
        partner: partner.map_err(|error| Fault::internal(format!("the partner of a consumer: {error}")))?,
    })
}

#[cfg(test)]
mod tests {
    use proto::{
        options::v1,
        partner::v1::{ApiKey, ConsumerAccess},
    };

    use super::*;

    fn live(kind: ConsumerKind, access: ConsumerAccess, partner_id: &str) -> Grant {
        let consumer = Consumer {
            consumer_id: "con_1".to_owned(),
            kind: kind.into(),
            access: Some(access),
            partner_id: partner_id.to_owned(),
            ..Consumer::default()
        };
        let answer = LookUpApiKeyResponse {
            standing: ApiKeyStanding::Live.into(),
            consumer: Some(consumer),
            api_key: Some(ApiKey { scopes: vec!["read".to_owned()], ..ApiKey::default() }),
        };
        match status(answer).unwrap() {
            KeyStatus::Live(grant) => grant,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_key_calls_as_its_consumer() {
        let roles = vec![v1::Role::Partner.into()];
        let carrier = live(ConsumerKind::Partner, ConsumerAccess { roles, account_ids: Vec::new() }, "par_x").principal;
        assert_eq!(carrier.to_string(), "partner:con_1");
        assert_eq!(carrier.partner.unwrap().to_string(), "par_x");
        assert_eq!((carrier.roles, carrier.accounts), (Role::Partner.into(), Accounts::Only(Vec::new())));

        let access = ConsumerAccess {
            roles: vec![v1::Role::Operations.into(), v1::Role::Service.into(), 99],
            account_ids: vec!["*".to_owned()],
        };
        let own = live(ConsumerKind::Application, access, "").principal;
        assert_eq!((own.roles, own.accounts), (Role::Operations.into(), Accounts::All), "no key is a service's");
    }

    #[test]
    fn a_live_key_without_its_consumer_opens_nothing() {
        let answer = LookUpApiKeyResponse { standing: ApiKeyStanding::Live.into(), ..Default::default() };
        assert!(status(answer).is_err());
        assert_eq!(
            status(LookUpApiKeyResponse { standing: ApiKeyStanding::Revoked.into(), ..Default::default() }),
            Ok(KeyStatus::Revoked)
        );
    }
}
