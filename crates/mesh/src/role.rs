//! Roles of callers.

use std::fmt;

/// One role; all but the administrator's are named in `waybill.options.v1.Role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Anybody, signed in or not.
    Public,
    /// A person or program of a customer.
    Customer,
    /// Customer service of the distributor.
    CustomerService,
    /// Operations of the distributor.
    Operations,
    /// A 3PL, carrier or other outside party.
    Partner,
    /// An internal application of the distributor.
    Application,
    /// Another service of the mesh.
    Service,
    /// May call everything.
    Administrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Public,
        Self::Customer,
        Self::CustomerService,
        Self::Operations,
        Self::Partner,
        Self::Application,
        Self::Service,
        Self::Administrator,
    ];

    /// The name in headers, settings and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Customer => "customer",
            Self::CustomerService => "customer_service",
            Self::Operations => "operations",
            Self::Partner => "partner",
            Self::Application => "application",
            Self::Service => "service",
            Self::Administrator => "administrator",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// The role of a value of the proto enum; administrators are not named there.
    pub fn from_proto_name(name: &str) -> Option<Self> {
        let name = name.strip_prefix("ROLE_")?.to_ascii_lowercase();
        Self::from_name(&name).filter(|role| *role != Self::Administrator)
    }
}

/// A set of roles.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RoleSet(u16);

impl RoleSet {
    /// No role.
    pub const NONE: Self = Self(0);

    /// Whether the role is in the set.
    pub fn contains(self, role: Role) -> bool {
        self.0 & bit(role) != 0
    }

    /// Whether the sets have a role in common.
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether no role is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The roles in the set.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }
}

fn bit(role: Role) -> u16 {
    1 << role as u16
}

impl From<Role> for RoleSet {
    fn from(role: Role) -> Self {
        Self(bit(role))
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | bit(role)))
    }
}

impl fmt::Debug for RoleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Role::as_str)).finish()
    }
}
