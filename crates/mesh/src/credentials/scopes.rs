//! Scopes: the calls to which a key restricts its API client.

use prost_reflect::DescriptorPool;
use types::{Fault, Reason};

use crate::{
    access::Rule,
    quota::{self, Class},
};

/// The classes of methods a scope can name.
pub const CLASSES: [&str; 2] = [Class::Read.scope(), Class::Write.scope()];

/// The scopes of a key: classes, services and methods. Everything, when there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Whether there are none, so that they cover everything.
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }

    /// Whether they cover every call that this scope covers; `pool` describes the methods.
    pub fn include(&self, pool: &DescriptorPool, scope: &str) -> bool {
        if self.is_everything() || self.0.iter().any(|own| own == scope) {
            return true;
        }
        let (service, name) = scope.split_once('/').map_or((scope, None), |(service, name)| (service, Some(name)));
        let Some(service) = pool.get_service_by_name(service) else { return false };
        let mut methods = service.methods().filter(|method| name.is_none_or(|name| method.name() == name)).peekable();
        methods.peek().is_some()
            && methods.all(|method| {
                let path = format!("{}/{}", service.full_name(), method.name());
                self.cover(&path, Some(quota::class(&method).scope()))
            })
    }

    fn cover(&self, method: &str, class: Option<&str>) -> bool {
        let service = method.split('/').next().unwrap_or(method);
        let covers = |scope: &String| scope == method || scope == service || Some(scope.as_str()) == class;
        self.is_everything() || self.0.iter().any(covers)
    }

    /// Refuses the method at this path unless a scope covers it.
    pub(super) fn admit(&self, path: &str, rule: Option<&Rule>) -> Result<(), Fault> {
        let method = path.strip_prefix('/').unwrap_or(path);
        if self.cover(method, rule.and_then(|rule| rule.class).map(Class::scope)) {
            return Ok(());
        }
        Err(Fault::new(Reason::PermissionDenied, "the key's scopes do not cover this method"))
    }
}

impl FromIterator<String> for Scopes {
    fn from_iter<I: IntoIterator<Item = String>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Scope, Shape};

    fn admits(scopes: &[&str], path: &str, class: Class) -> bool {
        let rule = Rule { roles: crate::RoleSet::NONE, scope: Scope::None, class: Some(class), shape: Shape::Unary };
        scopes.iter().map(|scope| (*scope).to_owned()).collect::<Scopes>().admit(path, Some(&rule)).is_ok()
    }

    #[test]
    fn a_scope_covers_its_class_its_service_or_its_method() {
        let path = "/a.v1.Orders/Place";
        for scopes in [&[][..], &["write"], &["a.v1.Orders"], &["a.v1.Orders/Place"], &["read", "a.v1.Orders/Place"]] {
            assert!(admits(scopes, path, Class::Write), "{scopes:?}");
        }
        for scopes in [&["read"][..], &["a.v1.Order"], &["a.v1.Orders/Get"], &["a.v1"], &["Place"]] {
            assert!(!admits(scopes, path, Class::Write), "{scopes:?}");
        }
        for class in [Class::Read, Class::Bulk, Class::Stream] {
            assert!(admits(&["read"], path, class) && !admits(&["write"], path, class), "{class:?}");
        }
    }
}
