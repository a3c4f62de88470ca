//! What a caller may give to an API client: nothing that it does not hold itself.

use std::sync::Arc;

use mesh::{Accounts, Principal, Role, RoleSet, wire::Checks};
use types::{Fault, PartnerId, Reason, Timestamp};

use super::{
    ApiClient,
    access::{ALL, Access},
};
use crate::text_list::TextList;

/// What the caller who gives holds.
#[derive(Debug, Clone)]
pub(crate) struct Bounds(pub Arc<Principal>);

/// The roles that somebody with a role may give. Operations set up partners' and customers' programs; nobody else gives a
/// role that it does not have.
fn grants(role: Role) -> &'static [Role] {
    match role {
        Role::Administrator => {
            &[Role::Partner, Role::Customer, Role::CustomerService, Role::Operations, Role::Application]
        }
        Role::Operations => &[Role::Operations, Role::Partner, Role::Customer],
        Role::CustomerService => &[Role::CustomerService, Role::Customer],
        Role::Application => &[Role::Application],
        Role::Partner => &[Role::Partner],
        Role::Customer => &[Role::Customer],
        Role::Public | Role::Service => &[],
    }
}

impl Bounds {
    /// Whether it may give a role.
    fn gives(&self, name: &str) -> bool {
        let given: RoleSet = self.0.roles.iter().flat_map(|role| grants(role).iter().copied()).collect();
        Role::from_name(name).is_some_and(|role| given.contains(role))
    }

    fn has_account(&self, account: &str) -> bool {
        match self.0.own_accounts() {
            Accounts::All => true,
            Accounts::Only(own) => account != ALL && own.iter().any(|own| own.to_string() == account),
        }
    }

    /// What a partner sees may be of any account.
    fn has_partner(&self, partner_id: Option<&PartnerId>) -> bool {
        partner_id.is_none_or(|partner_id| self.0.sees_all() || self.0.own_partner() == Some(partner_id))
    }

    /// Whether its key narrows what it may call.
    fn is_scoped(&self) -> bool {
        self.0.key.as_ref().is_some_and(|key| !key.scopes.is_everything())
    }

    /// Checks the access and the partner that are given to an API client.
    pub(crate) fn check_access(&self, checks: &mut Checks, access: &Access, partner_id: Option<&PartnerId>) {
        for role in access.roles.0.iter().filter(|role| !self.gives(role)) {
            checks.wrong("access.roles", format!("you may not give the role {role}"));
        }
        for account in access.account_ids.0.iter().filter(|account| !self.has_account(account)) {
            let problem = match account.as_str() {
                ALL => "you do not see every account".to_owned(),
                account => format!("{account} is not an account of yours"),
            };
            checks.wrong("access.account_ids", problem);
        }
        if !self.has_partner(partner_id) {
            checks.wrong("partner_id", "is not your partner");
        }
    }

    /// Checks the scopes and the end of a new key.
    pub(crate) fn check_key(&self, checks: &mut Checks, scopes: &TextList, expire_time: Option<Timestamp>) {
        let Some(own) = &self.0.key else { return };
        if scopes.0.is_empty() && !own.scopes.is_everything() {
            checks.wrong("scopes", "is required: your own key has scopes");
        }
        for (index, scope) in scopes.0.iter().enumerate() {
            if !own.scopes.include(proto::pool(), scope) {
                checks.wrong(format!("scopes[{index}]"), "is more than your own key's scopes");
            }
        }
        if own.expire_time.is_some_and(|end| expire_time.is_none_or(|given| given > end)) {
            checks.wrong("expire_time", "must not be after your own key's");
        }
    }

    /// Whether it holds all that the API client has.
    fn cover(&self, api_client: &ApiClient) -> bool {
        api_client.roles.0.iter().all(|role| self.gives(role))
            && api_client.account_ids.0.iter().all(|account| self.has_account(account))
            && self.has_partner(api_client.partner_id.as_ref())
    }

    /// Whether it sees the API client: callers limited to some accounts see those that have no more than they.
    pub(crate) fn see(&self, api_client: &ApiClient) -> bool {
        self.0.sees_all() || self.cover(api_client)
    }

    /// The API client, when the caller sees it.
    pub(crate) fn find(&self, found: Option<ApiClient>, id: &types::ApiClientId) -> Result<ApiClient, Fault> {
        found.filter(|api_client| self.see(api_client)).ok_or_else(|| Fault::not_found("API client", id))
    }

    /// Refuses to act on an API client that has more than the caller: whoever has its key could do it.
    pub(crate) fn check_covers(&self, api_client: &ApiClient) -> Result<(), Fault> {
        if self.cover(api_client) {
            return Ok(());
        }
        Err(Fault::new(Reason::PermissionDenied, "the API client may do or see more than you"))
    }

    /// Refuses to change what an API client's keys may do: those of others may have more scopes than the caller's.
    pub(crate) fn check_unscoped(&self) -> Result<(), Fault> {
        if !self.is_scoped() {
            return Ok(());
        }
        Err(Fault::new(Reason::PermissionDenied, "a key with scopes changes no access"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_an_administrator_gives_every_role_and_nobody_makes_an_administrator() {
        for role in Role::ALL {
            let bounds = Bounds(Arc::new(Principal { roles: role.into(), ..Principal::service("x") }));
            let given: Vec<_> = Role::ALL.into_iter().filter(|given| bounds.gives(given.as_str())).collect();
            assert!(!given.contains(&Role::Administrator) && !given.contains(&Role::Service), "{role:?}: {given:?}");
            assert_eq!(given.len() == 5, role == Role::Administrator, "{role:?}: {given:?}");
        }
    }
}
