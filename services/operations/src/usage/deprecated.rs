//! The methods that their contracts mark as deprecated.

use std::{collections::BTreeSet, sync::LazyLock};

use prost::Message;
use prost_types::FileDescriptorSet;

/// Their full names, such as `waybill.order.v1.OrderService.ListOrders`.
pub(super) fn deprecated() -> &'static BTreeSet<String> {
    static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| read(proto::DESCRIPTORS));
    &NAMES
}

fn read(descriptors: &[u8]) -> BTreeSet<String> {
    // The contracts are part of the program: it does not start with unreadable ones.
    let files = FileDescriptorSet::decode(descriptors).unwrap_or_default();
    let mut names = BTreeSet::new();
    for file in &files.file {
        for service in &file.service {
            for method in &service.method {
                if method.options.as_ref().is_some_and(|options| options.deprecated()) {
                    names.insert([file.package(), service.name(), method.name()].join("."));
                }
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use prost_types::{FileDescriptorProto, MethodDescriptorProto, MethodOptions, ServiceDescriptorProto};

    use super::*;

    #[test]
    fn a_method_is_deprecated_when_its_option_says_so() {
        let method = |name: &str, deprecated| MethodDescriptorProto {
            name: Some(name.to_owned()),
            options: Some(MethodOptions { deprecated, ..MethodOptions::default() }),
            ..MethodDescriptorProto::default()
        };
        let service = ServiceDescriptorProto {
            name: Some("Orders".to_owned()),
            method: vec![method("Old", Some(true)), method("New", Some(false)), method("Newer", None)],
            ..ServiceDescriptorProto::default()
        };
        let file = FileDescriptorProto {
            package: Some("shop.v1".to_owned()),
            service: vec![service],
            ..FileDescriptorProto::default()
        };
        let names = read(&FileDescriptorSet { file: vec![file] }.encode_to_vec());
        assert_eq!(names, BTreeSet::from(["shop.v1.Orders.Old".to_owned()]));
    }
}
