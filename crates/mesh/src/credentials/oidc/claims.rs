//! The principal that a token's claims describe.

use serde_json::{Map, Value};
use types::{AccountId, Fault, PartnerId};

use super::super::{Config, refusal};
use crate::{
    principal::{Accounts, Kind, Principal},
    role::{Role, RoleSet},
};

/// How long a subject may be, as OpenID Connect has it.
const LONGEST_SUBJECT: usize = 255;

/// Every account, where a list of them could be.
const ALL: &str = "*";

/// The names of the claims that say what a caller is.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    roles: String,
    accounts: String,
    partner: String,
}

impl Claims {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            roles: config.oidc_roles_claim.clone(),
            accounts: config.oidc_accounts_claim.clone(),
            partner: config.oidc_partner_claim.clone(),
        }
    }

    /// The caller. One without roles is known, and may do nothing.
    pub(super) fn principal(&self, claims: &Map<String, Value>) -> Result<Principal, Fault> {
        let sound =
            |subject: &&str| (1..=LONGEST_SUBJECT).contains(&subject.len()) && !subject.chars().any(char::is_control);
        let subject = claims.get("sub").and_then(Value::as_str).filter(sound);
        let subject = subject.ok_or_else(|| unreadable("sub"))?;
        let partner = match words(claims, &self.partner)?.as_slice() {
            [] => None,
            [partner] => Some(partner.parse::<PartnerId>().map_err(|_| unreadable(&self.partner))?),
            _ => return Err(unreadable(&self.partner)),
        };
        Ok(Principal {
            kind: kind(claims, subject, partner.is_some()),
            subject: subject.to_owned(),
            roles: self.roles(claims)?,
            accounts: self.accounts(claims)?,
            partner,
            key: None,
        })
    }

    /// A role that is not known here grants nothing, and no caller from outside is a service of the mesh.
    fn roles(&self, claims: &Map<String, Value>) -> Result<RoleSet, Fault> {
        let roles = words(claims, &self.roles)?;
        let known = roles.iter().filter_map(|name| Role::from_name(name));
        Ok(known.filter(|role| !matches!(role, Role::Service | Role::Public)).collect())
    }

    fn accounts(&self, claims: &Map<String, Value>) -> Result<Accounts, Fault> {
        let accounts = words(claims, &self.accounts)?;
        if accounts.contains(&ALL) {
            return Ok(Accounts::All);
        }
        let accounts: Result<Vec<AccountId>, _> = accounts.iter().map(|account| account.parse()).collect();
        accounts.map(Accounts::Only).map_err(|_| unreadable(&self.accounts))
    }
}

/// A token that a program was given for itself names the program as its subject.
fn kind(claims: &Map<String, Value>, subject: &str, of_partner: bool) -> Kind {
    let program = ["client_id", "azp"].iter().any(|name| claims.get(*name).and_then(Value::as_str) == Some(subject));
    match (of_partner, program) {
        (true, _) => Kind::Partner,
        (false, true) => Kind::Application,
        (false, false) => Kind::Person,
    }
}

/// A claim's words: a list of texts, or one text with spaces in between. None, when there is no such claim.
///
/// A name with dots that is no claim itself leads into nested ones, as in `realm_access.roles`.
fn words<'c>(claims: &'c Map<String, Value>, name: &str) -> Result<Vec<&'c str>, Fault> {
    let nested = || {
        let mut names = name.split('.');
        let first = claims.get(names.next()?)?;
        names.try_fold(first, |claim, name| claim.get(name))
    };
    match claims.get(name).or_else(nested) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(text.split_whitespace().collect()),
        Some(Value::Array(list)) => list.iter().map(|word| word.as_str().ok_or_else(|| unreadable(name))).collect(),
        Some(_) => Err(unreadable(name)),
    }
}

fn unreadable(claim: &str) -> Fault {
    refusal("claim", format!("the token's claim {claim} cannot be read"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn principal(claims: Value) -> Result<Principal, Fault> {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        Claims::of(&Config::default()).principal(&claims)
    }

    #[test]
    fn claims_say_what_a_caller_may_do_and_see() {
        let clerk = json!({
            "sub": "alice", "waybill_roles": ["customer", "customer_service", "janitor"],
            "waybill_accounts": ["acc_1", "acc_2"],
        });
        let clerk = principal(clerk).unwrap();
        assert_eq!(clerk.to_string(), "person:alice");
        assert_eq!(clerk.roles, [Role::Customer, Role::CustomerService].into_iter().collect());
        assert!(clerk.sees(&"acc_2".parse().unwrap()) && !clerk.sees(&"acc_3".parse().unwrap()));

        let program = json!({
            "sub": "erp", "client_id": "erp", "waybill_roles": "application operations", "waybill_accounts": "*",
        });
        let program = principal(program).unwrap();
        assert_eq!(program.to_string(), "application:erp");
        assert_eq!((program.roles.contains(Role::Operations), program.accounts), (true, Accounts::All));

        let carrier = principal(json!({"sub": "x", "waybill_roles": ["partner"], "waybill_partner": "par_x"})).unwrap();
        assert_eq!(
            (carrier.to_string().as_str(), carrier.partner.unwrap().to_string().as_str()),
            ("partner:x", "par_x")
        );
    }

    #[test]
    fn a_subject_without_roles_may_do_nothing_and_nobody_is_a_service() {
        for claims in
            [json!({"sub": "bob"}), json!({"sub": "bob", "waybill_roles": ["service", "public", "Operations"]})]
        {
            let bob = principal(claims).unwrap();
            assert!(bob.roles.is_empty() && bob.accounts == Accounts::Only(Vec::new()) && !bob.is_anonymous());
        }
    }

    #[test]
    fn a_claim_that_can_not_be_read_is_refused_rather_than_taken_for_none() {
        for claims in [
            json!({"sub": ""}),
            json!({"sub": 7}),
            json!({"sub": "a\nb"}),
            json!({"sub": "a".repeat(256)}),
            json!({"sub": "x", "waybill_roles": {"operations": true}}),
            json!({"sub": "x", "waybill_roles": [1]}),
            json!({"sub": "x", "waybill_accounts": ["ord_1"]}),
            json!({"sub": "x", "waybill_partner": "hanse"}),
            json!({"sub": "x", "waybill_partner": ["par_a", "par_b"]}),
        ] {
            assert_eq!(principal(claims.clone()).unwrap_err().facts[0].1, "claim", "{claims}");
        }
    }

    #[test]
    fn a_claim_may_be_nested_and_its_name_may_have_dots() {
        let config = Config {
            oidc_roles_claim: "realm_access.roles".to_owned(),
            oidc_accounts_claim: "https://example.com/accounts".to_owned(),
            ..Config::default()
        };
        let claims = json!({
            "sub": "x", "realm_access": {"roles": ["operations"]}, "https://example.com/accounts": ["acc_1"],
        });
        let found = Claims::of(&config).principal(claims.as_object().unwrap()).unwrap();
        assert!(found.roles.contains(Role::Operations) && found.sees(&"acc_1".parse().unwrap()));
    }
}
