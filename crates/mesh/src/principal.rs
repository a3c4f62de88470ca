//! The principal of a call (who calls), and the header in which members send it to each other.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use types::{AccountId, Actor, ActorKind, Fault, PartnerId, Reason, Timestamp};

use crate::{
    credentials::Scopes,
    role::{Role, RoleSet},
};

/// Carries the principal between members. Trusted, so the gateway takes it off whatever comes from outside.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("waybill-principal");

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A human being.
    Person,
    /// A program of the distributor or a customer.
    Application,
    /// An outside party's system.
    Partner,
    /// A service of the mesh.
    Service,
}

/// Which accounts' data a principal sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accounts {
    /// Every account's.
    All,
    /// Only these accounts'.
    Only(Vec<AccountId>),
}

/// No account's.
static NO_ACCOUNTS: Accounts = Accounts::Only(Vec::new());

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// What it is.
    pub kind: Kind,
    /// Its name where it signed in; unique within its kind.
    pub subject: String,
    /// What it is to the distributor.
    pub roles: RoleSet,
    /// Whose data it sees.
    pub accounts: Accounts,
    /// The outside party it belongs to.
    pub partner: Option<PartnerId>,
    /// What the API key that it calls with narrows; none when it calls without one.
    pub key: Option<KeyBounds>,
}

/// What an API key narrows. Its scopes are checked where the call enters the mesh; both bound the keys that it makes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyBounds {
    /// What it may call.
    pub scopes: Scopes,
    /// When it expires; never when none.
    pub expire_time: Option<Timestamp>,
}

impl Principal {
    /// A caller without an identity: may call public methods, sees nothing.
    pub const fn anonymous() -> Self {
        Self {
            kind: Kind::Person,
            subject: String::new(),
            roles: RoleSet::NONE,
            accounts: Accounts::Only(Vec::new()),
            partner: None,
            key: None,
        }
    }

    /// The person at the machine that runs the whole mesh in one process: may do everything.
    pub fn local_administrator() -> Self {
        Self {
            kind: Kind::Person,
            subject: "local-administrator".to_owned(),
            roles: Role::Administrator.into(),
            accounts: Accounts::All,
            partner: None,
            key: None,
        }
    }

    /// A service of the mesh acting on its own behalf.
    pub fn service(name: impl Into<String>) -> Self {
        Self {
            kind: Kind::Service,
            subject: name.into(),
            roles: Role::Service.into(),
            accounts: Accounts::All,
            partner: None,
            key: None,
        }
    }

    /// Who it is, as records and idempotency keys name it.
    pub fn actor(&self) -> Actor {
        Actor::new(self.kind.into(), &self.subject)
    }

    /// Whether the caller is unknown.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.subject.is_empty() && self.roles.is_empty()
    }

    /// Whether it has the role, or is an administrator.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(role) || self.roles.contains(Role::Administrator)
    }

    /// Whether it is one of the distributor's own people or programs.
    pub fn is_staff(&self) -> bool {
        const STAFF: [Role; 5] =
            [Role::CustomerService, Role::Operations, Role::Application, Role::Service, Role::Administrator];
        STAFF.into_iter().any(|role| self.roles.contains(role))
    }

    /// The accounts whose data it sees. Every account's is only for the distributor's own; others see those they name.
    pub fn own_accounts(&self) -> &Accounts {
        if self.accounts == Accounts::All && !self.is_staff() { &NO_ACCOUNTS } else { &self.accounts }
    }

    /// The accounts whose data it sees as one of the distributor's own: of what a customer is not shown, none for it.
    pub fn staff_accounts(&self) -> &Accounts {
        if self.is_staff() { &self.accounts } else { &NO_ACCOUNTS }
    }

    /// Whether it sees every account's data, and with it what belongs to no account.
    pub fn sees_all(&self) -> bool {
        *self.own_accounts() == Accounts::All
    }

    /// The outside party whose data it sees, besides what its other roles show it.
    pub fn own_partner(&self) -> Option<&PartnerId> {
        self.partner.as_ref().filter(|_| self.roles.contains(Role::Partner))
    }

    /// Whether it sees the account's data.
    pub fn sees(&self, account: &AccountId) -> bool {
        match self.own_accounts() {
            Accounts::All => true,
            Accounts::Only(accounts) => accounts.contains(account),
        }
    }

    /// Whether it sees what belongs to this account, or to none.
    pub fn sees_of(&self, account: Option<&AccountId>) -> bool {
        account.map_or_else(|| self.sees_all(), |account| self.sees(account))
    }

    /// The value of the header that carries it.
    pub(crate) fn to_header(&self) -> Option<HeaderValue> {
        let wire = Wire {
            kind: self.kind,
            subject: self.subject.clone(),
            roles: self.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            accounts: match &self.accounts {
                Accounts::All => WireAccounts::All,
                Accounts::Only(accounts) => WireAccounts::Only(accounts.iter().map(ToString::to_string).collect()),
            },
            partner: self.partner.as_ref().map(ToString::to_string),
            key: self.key.as_ref().map(|key| WireKey {
                scopes: key.scopes.iter().cloned().collect(),
                expire_time: key.expire_time.map(Timestamp::as_micros),
            }),
        };
        HeaderValue::from_str(&ascii(&serde_json::to_string(&wire).ok()?)).ok()
    }

    /// The principal a request carries, if any.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, Fault> {
        headers.get(HEADER).map(Self::from_header).transpose()
    }

    /// The principal that is the header's value.
    pub(crate) fn from_header(value: &HeaderValue) -> Result<Self, Fault> {
        let unreadable = || Fault::new(Reason::Unauthenticated, "unreadable principal");
        let wire: Wire = serde_json::from_slice(value.as_bytes()).map_err(|_| unreadable())?;
        let accounts = match wire.accounts {
            WireAccounts::All => Accounts::All,
            WireAccounts::Only(accounts) => {
                let accounts: Result<_, _> = accounts.iter().map(|account| account.parse()).collect();
                Accounts::Only(accounts.map_err(|_| unreadable())?)
            }
        };
        let partner = wire.partner.map(|partner| partner.parse()).transpose().map_err(|_| unreadable())?;
        // A role this version does not know grants nothing.
        let roles = wire.roles.iter().filter_map(|role| Role::from_name(role)).collect();
        let key = wire.key.map(|key| KeyBounds {
            scopes: key.scopes.into_iter().collect(),
            expire_time: key.expire_time.map(Timestamp::from_micros),
        });
        Ok(Self { kind: wire.kind, subject: wire.subject, roles, accounts, partner, key })
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.subject)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ActorKind::from(*self).fmt(f)
    }
}

impl From<Kind> for ActorKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Person => Self::Person,
            Kind::Application => Self::Application,
            Kind::Partner => Self::Partner,
            Kind::Service => Self::Service,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    kind: Kind,
    subject: String,
    roles: Vec<String>,
    accounts: WireAccounts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<WireKey>,
}

#[derive(Serialize, Deserialize)]
struct WireKey {
    scopes: Vec<String>,
    /// Microseconds.
    expire_time: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireAccounts {
    All,
    Only(Vec<String>),
}

/// The same JSON in printable ASCII, which is all a header may have.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            text.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(principal: &Principal) -> Result<Option<Principal>, Fault> {
        Principal::from_headers(&HeaderMap::from_iter([(HEADER, principal.to_header().unwrap())]))
    }

    #[test]
    fn a_principal_is_read_back_as_it_was_sent() {
        let clerk = Principal {
            kind: Kind::Application,
            subject: "Jürgen\u{7f}🚚\n".to_owned(),
            roles: [Role::Customer, Role::Partner].into_iter().collect(),
            accounts: Accounts::Only(vec!["acc_1".parse().unwrap()]),
            partner: Some("par_x".parse().unwrap()),
            key: Some(KeyBounds {
                scopes: ["read".to_owned()].into_iter().collect(),
                expire_time: Some(Timestamp::from_micros(7)),
            }),
        };
        assert_eq!(carried(&clerk), Ok(Some(clerk)));
        let administrator = Principal::local_administrator();
        assert_eq!(carried(&administrator), Ok(Some(administrator)));
    }

    #[test]
    fn an_unreadable_principal_is_refused() {
        let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_static("admin"))]);
        assert_eq!(Principal::from_headers(&headers).unwrap_err().reason, Reason::Unauthenticated);
    }

    #[test]
    fn an_account_is_seen_only_by_those_who_have_it() {
        let account: AccountId = "acc_1".parse().unwrap();
        assert!(Principal::service("order").sees(&account));
        assert!(!Principal::anonymous().sees(&account));
        let named = Accounts::Only(vec![account.clone()]);
        assert!(Principal { accounts: named, ..Principal::anonymous() }.sees(&account));
    }

    #[test]
    fn only_the_distributors_own_see_every_account() {
        let account: AccountId = "acc_1".parse().unwrap();
        for role in Role::ALL {
            let everything = Principal { roles: role.into(), ..Principal::service("x") };
            let outside = matches!(role, Role::Public | Role::Customer | Role::Partner);
            assert_eq!(everything.sees(&account), !outside, "{role:?}");
        }
        let both = [Role::Customer, Role::Operations].into_iter().collect();
        assert!(Principal { roles: both, ..Principal::service("x") }.sees(&account));
    }

    #[test]
    fn what_is_a_partners_is_seen_only_in_that_role() {
        let partner: PartnerId = "par_x".parse().unwrap();
        let clerk = Principal { partner: Some(partner.clone()), ..Principal::service("x") };
        assert_eq!(clerk.own_partner(), None);
        let clerk = Principal { roles: [Role::Partner, Role::Customer].into_iter().collect(), ..clerk };
        assert_eq!(clerk.own_partner(), Some(&partner));
    }
}
