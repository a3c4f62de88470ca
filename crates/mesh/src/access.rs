//! Access rules: the `waybill.options.v1.access` option of every method, read once at the start.

use std::collections::HashMap;

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, Kind, MethodDescriptor, ReflectMessage, Value,
};
use types::{Fault, Reason};

use crate::{
    principal::Principal,
    quota::{self, Class},
    role::{Role, RoleSet},
};

const OPTION: &str = "waybill.options.v1.access";

/// Methods every server has. Health and reflection return no data of any party, so every caller may call them.
const OWN_METHODS: [(&str, Shape); 4] = [
    ("/grpc.health.v1.Health/Check", Shape::Unary),
    ("/grpc.health.v1.Health/Watch", Shape::Stream),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Shape::Stream),
    ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Shape::Stream),
];

/// What narrows the rows a method reads or changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing.
    None,
    /// The caller's accounts.
    Account,
    /// The caller's partner.
    Partner,
    /// Nothing, for callers that see every account; others are refused.
    Distributor,
}

/// How many messages a call has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One in, one out.
    Unary,
    /// More than one in either direction.
    Stream,
}

/// The rule of one method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Who may call it, besides administrators.
    pub roles: RoleSet,
    /// What its answer is narrowed to.
    pub scope: Scope,
    /// Which budget a call is taken from; none for health and reflection.
    pub class: Option<Class>,
    pub(crate) shape: Shape,
}

/// Why a server does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// A service is served but not described.
    #[error("services without a descriptor: {}", .0.join(", "))]
    UnknownServices(Vec<String>),
    /// Methods do not say who may call them.
    #[error("methods without an access rule: {}", .0.join(", "))]
    NoRule(Vec<String>),
}

/// The rules of the methods of a server, by request path.
#[derive(Debug, Clone)]
pub struct Access {
    rules: HashMap<String, Rule>,
}

impl Access {
    /// Reads the rules of these services out of their descriptors.
    pub fn of(pool: &DescriptorPool, services: &[&str]) -> Result<Self, AccessError> {
        let option = pool.get_extension_by_name(OPTION);
        let anybody = |shape| Rule { roles: Role::Public.into(), scope: Scope::None, class: None, shape };
        let mut rules: HashMap<_, _> =
            OWN_METHODS.into_iter().map(|(path, shape)| (path.to_owned(), anybody(shape))).collect();
        let (mut unknown, mut without) = (Vec::new(), Vec::new());
        for name in services.iter().filter(|name| !is_own(name)) {
            let Some(service) = pool.get_service_by_name(name) else {
                unknown.push((*name).to_owned());
                continue;
            };
            for method in service.methods() {
                match option.as_ref().and_then(|option| rule(&method, option)) {
                    Some(rule) => drop(rules.insert(format!("/{name}/{}", method.name()), rule)),
                    None => without.push(method.full_name().to_owned()),
                }
            }
        }
        match (unknown.is_empty(), without.is_empty()) {
            (true, true) => Ok(Self { rules }),
            (false, _) => Err(AccessError::UnknownServices(unknown)),
            (true, false) => Err(AccessError::NoRule(without)),
        }
    }

    /// The rule of the method at this path, if the server has it.
    pub fn rule(&self, path: &str) -> Option<&Rule> {
        self.rules.get(path)
    }

    /// The paths of all methods.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.rules.keys().map(String::as_str)
    }
}

impl Rule {
    /// Whether it is of interest who calls the method: not what every server has, nor what only members of the mesh call.
    pub(crate) fn is_counted(&self) -> bool {
        self.class.is_some() && self.roles != Role::Service.into()
    }

    /// Whether a call has more than one message in either direction.
    pub fn streams(&self) -> bool {
        self.shape == Shape::Stream
    }

    /// Refuses a principal that may not call the method.
    pub fn admit(&self, principal: &Principal) -> Result<(), Fault> {
        let admitted = self.roles.contains(Role::Public)
            || self.roles.intersects(principal.roles)
            || principal.roles.contains(Role::Administrator);
        if admitted && self.scope == Scope::Distributor && !principal.sees_all() {
            Err(Fault::new(Reason::PermissionDenied, "the method is for callers that see every account"))
        } else if admitted {
            Ok(())
        } else if principal.is_anonymous() {
            Err(Fault::new(Reason::Unauthenticated, "the caller did not say who it is"))
        } else {
            Err(Fault::new(Reason::PermissionDenied, "the caller may not call this method"))
        }
    }
}

/// Whether the service is one that every server has.
fn is_own(service: &str) -> bool {
    service == "grpc.health.v1.Health" || service.starts_with("grpc.reflection.")
}

/// The method's rule, when it has one that says something.
fn rule(method: &MethodDescriptor, option: &ExtensionDescriptor) -> Option<Rule> {
    let options = method.options();
    let access = options.get_extension(option);
    let access = access.as_message()?;
    let roles: RoleSet = access
        .get_field_by_name("roles")?
        .as_list()?
        .iter()
        .filter_map(|role| Role::from_proto_name(&value_name(access, "roles", role)?))
        .collect();
    let scope = match value_name(access, "scope", access.get_field_by_name("scope")?.as_ref())?.as_str() {
        "SCOPE_NONE" => Scope::None,
        "SCOPE_ACCOUNT" => Scope::Account,
        "SCOPE_PARTNER" => Scope::Partner,
        "SCOPE_DISTRIBUTOR" => Scope::Distributor,
        _ => return None,
    };
    let shape = if method.is_client_streaming() || method.is_server_streaming() { Shape::Stream } else { Shape::Unary };
    (!roles.is_empty()).then_some(Rule { roles, scope, class: Some(quota::class(method)), shape })
}

/// The name of an enum value of a field.
fn value_name(message: &DynamicMessage, field: &str, value: &Value) -> Option<String> {
    option_name(&message.descriptor().get_field_by_name(field)?.kind(), value)
}

/// The name of an enum value.
pub(crate) fn option_name(kind: &Kind, value: &Value) -> Option<String> {
    let value = kind.as_enum()?.get_value(value.as_enum_number()?)?;
    Some(value.name().to_owned())
}
