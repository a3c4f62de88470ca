//! The catalogue of services.

use std::collections::HashMap;

use http::Method;
use waybill_transcode::{Binding, CallKind, DescribedMethod, Transcoder};

use crate::depot::{Depot, POOL};

fn method(name: &str) -> DescribedMethod {
    let services = Depot::silent().transcoder.services();
    let depot = services.iter().find(|service| service.name == "depot.v1.DepotService").unwrap();
    assert_eq!(depot.description, "Crates and where they stand");
    depot.methods.iter().find(|method| method.name == name).unwrap().clone()
}

#[test]
fn a_method_is_told_with_its_bindings_its_kind_and_its_comment() {
    let list = method("ListCrates");
    assert_eq!((list.path.as_str(), list.description.as_str()), ("/depot.v1.DepotService/ListCrates", "Lists crates"));
    assert_eq!((list.kind, list.deprecated), (CallKind::Unary, false));
    let get = |path: &str| Binding { method: Some(Method::GET), path: path.to_owned() };
    assert_eq!(list.bindings, [get("/v1/crates"), get("/v1/shelves/{filter.shelf}/crates")]);
    assert_eq!(method("GetCrate").description, "Reads a crate", "the first sentence");
    assert_eq!(method("LockCrate").bindings[0].method.as_ref().unwrap().as_str(), "LOCK");
    assert_eq!(method("WatchCrates").kind, CallKind::ServerStream);
    assert!(method("ListOldLabels").deprecated);
    assert!(method("Hide").bindings.is_empty());
}

#[test]
fn a_service_that_is_not_routed_is_told_without_bindings() {
    let services = Transcoder::new(&POOL, HashMap::new()).unwrap().services();
    assert!(services[0].methods.len() > 10);
    assert!(services[0].methods.iter().all(|method| method.bindings.is_empty()));
}
