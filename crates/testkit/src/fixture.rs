//! Fixtures of tests of several services.

use std::sync::Arc;

use mesh::{Accounts, Kind, Principal, Role, RoleSet};
use proto::types::v1::LineQuantity;
use types::{ManualClock, Timestamp};

/// The time every test begins at.
pub const START: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

/// A clock that stands at [`START`].
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(START))
}

/// A person with these roles that sees these accounts. Others with other roles or accounts are other persons.
pub fn person(roles: impl Into<RoleSet>, accounts: Accounts) -> Principal {
    let roles = roles.into();
    let mut subject = format!("a {}", roles.iter().map(Role::as_str).collect::<Vec<_>>().join(" and "));
    if let Accounts::Only(accounts) = &accounts {
        accounts.iter().for_each(|account| subject += &format!(" of {account}"));
    }
    Principal { kind: Kind::Person, subject, roles, accounts, partner: None, key: None }
}

/// A customer that sees these accounts.
pub fn customer(accounts: &[&str]) -> Principal {
    person(Role::Customer, Accounts::Only(accounts.iter().map(|account| account.parse().unwrap()).collect()))
}

/// An employee with this role that sees every account.
pub fn staff(role: Role) -> Principal {
    person(role, Accounts::All)
}

/// The system of a partner.
pub fn partner(partner_id: &str) -> Principal {
    Principal {
        kind: Kind::Partner,
        subject: partner_id.to_owned(),
        roles: Role::Partner.into(),
        accounts: Accounts::Only(Vec::new()),
        partner: Some(partner_id.parse().unwrap()),
        key: None,
    }
}

/// Units of an order line, without its SKU.
pub fn units(line_number: i32, quantity: i64) -> LineQuantity {
    LineQuantity { line_number, sku: String::new(), quantity }
}
