//! The access that an API client may be given, by its kind.

use mesh::wire::Checks;
use proto::{options::v1::Role, partner::v1::ApiClientAccess};
use types::AccountId;

use super::ApiClientKind;
use crate::text_list::TextList;

/// Stands for every account.
pub(super) const ALL: &str = "*";
/// The most accounts of one API client: they travel with every call it makes.
const MOST_ACCOUNTS: usize = 500;
/// The most roles that are read.
const MOST_ROLES: usize = 20;

/// What an API client may do and see. Lists are sorted and without repeats, so that equal access is equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    /// Names of its roles.
    pub(crate) roles: TextList,
    /// Its accounts; `*` for all.
    pub(crate) account_ids: TextList,
}

/// Reads the access given to an API client of a kind. No kind may be a service of the mesh or an administrator.
pub(crate) fn parse(checks: &mut Checks, kind: ApiClientKind, given: Option<&ApiClientAccess>) -> Access {
    let none = ApiClientAccess::default();
    let given = given.unwrap_or(&none);
    let allowed = roles_of(kind);
    let mut roles = Vec::new();
    for (index, number) in given.roles.iter().enumerate().take(MOST_ROLES) {
        let field = format!("access.roles[{index}]");
        match checks.choice::<Role>(field.clone(), *number) {
            Some(role) if !allowed.contains(&role) => checks.wrong(field, "is not a role such a program can have"),
            Some(role) => roles.push(name(role).to_owned()),
            None => {}
        }
    }
    if given.roles.is_empty() {
        roles.extend(allowed.first().map(|role| name(*role).to_owned()));
    }
    let account_ids = parse_accounts(checks, kind, &given.account_ids);
    Access { roles: sorted(roles), account_ids: sorted(account_ids) }
}

fn parse_accounts(checks: &mut Checks, kind: ApiClientKind, given: &[String]) -> Vec<String> {
    const FIELD: &str = "access.account_ids";
    if let [all] = given
        && all == ALL
    {
        if kind != ApiClientKind::Application {
            checks.wrong(FIELD, "only the distributor's own programs see all accounts");
        }
        return given.to_vec();
    }
    if kind == ApiClientKind::Customer && given.is_empty() {
        checks.wrong(FIELD, "is required for a customer's program");
    }
    if !checks.at_most(FIELD, given.len(), MOST_ACCOUNTS) {
        return Vec::new();
    }
    let each = given.iter().enumerate();
    each.filter_map(|(index, text)| checks.id::<AccountId>(format!("{FIELD}[{index}]"), text))
        .map(String::from)
        .collect()
}

fn sorted(mut texts: Vec<String>) -> TextList {
    texts.sort_unstable();
    texts.dedup();
    TextList(texts)
}

/// The roles that API clients of a kind can have; the first is given when none is named.
fn roles_of(kind: ApiClientKind) -> &'static [Role] {
    match kind {
        ApiClientKind::Partner => &[Role::Partner],
        ApiClientKind::Application => &[Role::Application, Role::CustomerService, Role::Operations],
        ApiClientKind::Customer => &[Role::Customer],
    }
}

/// The mesh's name of a role.
fn name(role: Role) -> &'static str {
    mesh::Role::from_proto_name(role.as_str_name()).map_or("", mesh::Role::as_str)
}

/// The role with this name.
pub(crate) fn role(name: &str) -> Role {
    let all = ApiClientKind::ALL.iter().flat_map(|kind| roles_of(*kind).iter().copied());
    all.into_iter().find(|role| self::name(*role) == name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(kind: ApiClientKind, roles: &[Role], accounts: &[&str]) -> Result<Access, Vec<String>> {
        let access = ApiClientAccess {
            roles: roles.iter().map(|role| i32::from(*role)).collect(),
            account_ids: accounts.iter().map(|account| (*account).to_owned()).collect(),
        };
        let mut checks = Checks::new();
        let access = parse(&mut checks, kind, Some(&access));
        checks.done().map(|()| access).map_err(|fault| fault.violations.into_iter().map(|wrong| wrong.field).collect())
    }

    #[test]
    fn nobody_is_made_a_service_of_the_mesh() {
        for kind in ApiClientKind::ALL.iter().copied() {
            for role in [Role::Service, Role::Public] {
                assert!(given(kind, &[role], &["acc_1"]).is_err(), "{kind:?} {role:?}");
            }
        }
        assert!(given(ApiClientKind::Partner, &[Role::Operations], &[]).is_err());
        assert!(given(ApiClientKind::Customer, &[Role::Application], &["acc_1"]).is_err());
    }

    #[test]
    fn only_the_distributors_programs_see_all_accounts() {
        assert_eq!(given(ApiClientKind::Application, &[], &["*"]).unwrap().account_ids, TextList(vec!["*".to_owned()]));
        for kind in [ApiClientKind::Partner, ApiClientKind::Customer] {
            assert_eq!(given(kind, &[], &["*"]), Err(vec!["access.account_ids".to_owned()]));
        }
        assert_eq!(
            given(ApiClientKind::Application, &[], &["acc_1", "*"]),
            Err(vec!["access.account_ids[1]".to_owned()])
        );
        assert_eq!(given(ApiClientKind::Customer, &[], &[]), Err(vec!["access.account_ids".to_owned()]));
    }

    #[test]
    fn the_usual_role_is_given_when_none_is_named() {
        for (kind, usual) in [
            (ApiClientKind::Partner, "partner"),
            (ApiClientKind::Application, "application"),
            (ApiClientKind::Customer, "customer"),
        ] {
            assert_eq!(given(kind, &[], &["acc_1"]).unwrap().roles, TextList(vec![usual.to_owned()]));
            assert_eq!(name(role(usual)), usual);
        }
    }
}
