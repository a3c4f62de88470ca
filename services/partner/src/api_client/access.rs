//! What an API client may be given, by whose program it is.

use mesh::wire::Checks;
use proto::{options::v1::Role, partner::v1::ApiClientAccess};
use types::AccountId;

use super::{Kind, words::Words};

/// Every account.
pub(crate) const ALL: &str = "*";
/// How many accounts one API client may have: they go with every call it makes.
const MOST_ACCOUNTS: usize = 500;

/// What an API client may do and see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    /// Names of its roles.
    pub(crate) roles: Words,
    /// Its accounts; `*` for all.
    pub(crate) account_ids: Words,
}

/// Reads what is given to an API client of this kind. Nobody is made a service of the mesh or an administrator.
pub(crate) fn read(checks: &mut Checks, kind: Kind, given: Option<&ApiClientAccess>) -> Access {
    let none = ApiClientAccess::default();
    let given = given.unwrap_or(&none);
    let mut roles = Vec::new();
    for (index, number) in given.roles.iter().enumerate().take(20) {
        let field = format!("access.roles[{index}]");
        match checks.choice::<Role>(field.clone(), *number) {
            Some(role) if !of(kind).contains(&role) => checks.wrong(field, "is not a role such a program can have"),
            Some(role) => roles.push(name(role).to_owned()),
            None => {}
        }
    }
    if given.roles.is_empty() {
        roles.extend(of(kind).first().map(|role| name(*role).to_owned()));
    }
    let account_ids = accounts(checks, kind, &given.account_ids);
    Access { roles: words(roles), account_ids: words(account_ids) }
}

fn accounts(checks: &mut Checks, kind: Kind, given: &[String]) -> Vec<String> {
    const FIELD: &str = "access.account_ids";
    if let [all] = given
        && all == ALL
    {
        if kind != Kind::Application {
            checks.wrong(FIELD, "only the distributor's own programs see all accounts");
        }
        return given.to_vec();
    }
    if kind == Kind::Customer && given.is_empty() {
        checks.wrong(FIELD, "is required for a customer's program");
    }
    if given.len() > MOST_ACCOUNTS {
        checks.wrong(FIELD, format!("must be at most {MOST_ACCOUNTS}"));
        return Vec::new();
    }
    let each = given.iter().enumerate();
    each.filter_map(|(index, text)| checks.id::<AccountId>(format!("{FIELD}[{index}]"), text))
        .map(String::from)
        .collect()
}

/// In one order and without repeats, so that the same access is the same words.
fn words(mut words: Vec<String>) -> Words {
    words.sort_unstable();
    words.dedup();
    Words(words)
}

/// The roles programs of a kind can have; the first is the usual one.
fn of(kind: Kind) -> &'static [Role] {
    match kind {
        Kind::Partner => &[Role::Partner],
        Kind::Application => &[Role::Application, Role::CustomerService, Role::Operations],
        Kind::Customer => &[Role::Customer],
    }
}

/// The name of a role that an API client can have.
fn name(role: Role) -> &'static str {
    known(role).map_or("", mesh::Role::as_str)
}

/// The mesh's name for a role of the contract.
fn known(role: Role) -> Option<mesh::Role> {
    match role {
        Role::Unspecified => None,
        Role::Public => Some(mesh::Role::Public),
        Role::Customer => Some(mesh::Role::Customer),
        Role::CustomerService => Some(mesh::Role::CustomerService),
        Role::Operations => Some(mesh::Role::Operations),
        Role::Partner => Some(mesh::Role::Partner),
        Role::Application => Some(mesh::Role::Application),
        Role::Service => Some(mesh::Role::Service),
    }
}

/// The contract's role with this name.
pub(crate) fn role(name: &str) -> Role {
    let all = [Kind::Partner, Kind::Application, Kind::Customer].into_iter().flat_map(|kind| of(kind).iter().copied());
    all.into_iter().find(|role| self::name(*role) == name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(kind: Kind, roles: &[Role], accounts: &[&str]) -> Result<Access, Vec<String>> {
        let access = ApiClientAccess {
            roles: roles.iter().map(|role| i32::from(*role)).collect(),
            account_ids: accounts.iter().map(|account| (*account).to_owned()).collect(),
        };
        let mut checks = Checks::new();
        let access = read(&mut checks, kind, Some(&access));
        checks.done().map(|()| access).map_err(|fault| fault.violations.into_iter().map(|wrong| wrong.field).collect())
    }

    #[test]
    fn nobody_is_made_a_service_of_the_mesh() {
        for kind in Kind::ALL.iter().copied() {
            for role in [Role::Service, Role::Public] {
                assert!(given(kind, &[role], &["acc_1"]).is_err(), "{kind:?} {role:?}");
            }
        }
        assert!(given(Kind::Partner, &[Role::Operations], &[]).is_err());
        assert!(given(Kind::Customer, &[Role::Application], &["acc_1"]).is_err());
    }

    #[test]
    fn only_the_distributors_programs_see_all_accounts() {
        assert_eq!(given(Kind::Application, &[], &["*"]).unwrap().account_ids, Words(vec!["*".to_owned()]));
        for kind in [Kind::Partner, Kind::Customer] {
            assert_eq!(given(kind, &[], &["*"]), Err(vec!["access.account_ids".to_owned()]));
        }
        assert_eq!(given(Kind::Application, &[], &["acc_1", "*"]), Err(vec!["access.account_ids[1]".to_owned()]));
        assert_eq!(given(Kind::Customer, &[], &[]), Err(vec!["access.account_ids".to_owned()]));
    }

    #[test]
    fn the_usual_role_is_given_when_none_is_named() {
        for (kind, usual) in
            [(Kind::Partner, "partner"), (Kind::Application, "application"), (Kind::Customer, "customer")]
        {
            assert_eq!(given(kind, &[], &["acc_1"]).unwrap().roles, Words(vec![usual.to_owned()]));
            assert_eq!(name(role(usual)), usual);
        }
    }
}
