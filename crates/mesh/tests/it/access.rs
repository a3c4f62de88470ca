use mesh::{Access, AccessError, Accounts, Config, Kind, Principal, Role, Scope, Server};
use tonic::Code;

use crate::probe::{ASK, Probe, ask, ask_with, both, descriptors, follow, question, server};

fn customer() -> Principal {
    Principal {
        kind: Kind::Person,
        subject: "alice".to_owned(),
        roles: Role::Customer.into(),
        accounts: Accounts::Only(vec!["acc_1".parse().unwrap()]),
        partner: None,
        key: None,
    }
}

#[tokio::test]
async fn a_caller_without_the_role_is_refused() {
    for channel in both(server(&Config::default(), Probe::default())).await {
        let channel = channel.for_principal(&customer());
        ask(&channel, "echo").await.unwrap();
        assert_eq!(follow(&channel, question("never")).await.unwrap_err().code(), Code::PermissionDenied);
        let administrator = channel.for_principal(&Principal::local_administrator());
        follow(&administrator, question("never")).await.unwrap();
    }
}

#[tokio::test]
async fn a_caller_without_credentials_is_anonymous() {
    let server = Server::new("probe", &Config::default(), descriptors()).add_service(Probe::default());
    for channel in both(server).await {
        assert_eq!(ask(&channel, "echo").await.unwrap_err().code(), Code::Unauthenticated);
        let signed = channel.for_service("order");
        assert_eq!(ask(&signed, "echo").await.unwrap().into_inner().principal, "service:order");
    }
}

#[tokio::test]
async fn a_principal_written_by_the_caller_itself_is_not_sent() {
    let server = Server::new("probe", &Config::default(), descriptors()).add_service(Probe::default());
    for channel in both(server).await {
        let mut request = question("echo");
        let forged = r#"{"kind":"person","subject":"root","roles":["administrator"],"accounts":"all"}"#;
        request.metadata_mut().insert("waybill-principal", forged.parse().unwrap());
        assert_eq!(ask_with(&channel, request, ASK).await.unwrap_err().code(), Code::Unauthenticated);
    }
}

#[tokio::test]
async fn a_call_made_within_a_call_is_the_callers() {
    let [inside, outside] = both(server(&Config::default(), Probe::default())).await;
    for next in [inside.for_service("probe"), outside.for_service("probe")] {
        for channel in both(server(&Config::default(), Probe::forwarding_to(next.clone()))).await {
            let answer = ask(&channel.for_principal(&customer()), "forward").await.unwrap().into_inner();
            assert_eq!(answer.principal, "person:alice");
        }
        let own = next.for_principal(&Principal::service("probe"));
        let channel = server(&Config::default(), Probe::forwarding_to(own)).into_channel().unwrap();
        let answer = ask(&channel.for_principal(&customer()), "forward").await.unwrap().into_inner();
        assert_eq!(answer.principal, "service:probe", "unless made on a service's own behalf");
    }
}

#[tokio::test]
async fn a_method_the_server_does_not_have_is_told_so() {
    for channel in both(server(&Config::default(), Probe::default())).await {
        for path in ["/waybill.test.v1.ProbeService/Guess", "/waybill.test.v1.ProbeService/Ask/", "/"] {
            assert_eq!(ask_with(&channel, question("echo"), path).await.unwrap_err().code(), Code::Unimplemented);
        }
    }
}

#[test]
fn rules_are_read_from_the_contract() {
    let access = Access::of(descriptors(), &["waybill.test.v1.ProbeService"]).unwrap();
    let rule = access.rule(ASK).unwrap();
    assert_eq!((rule.roles.iter().collect(), rule.scope), (vec![Role::Customer, Role::Service], Scope::Account));
    assert!(access.rule("/grpc.health.v1.Health/Check").unwrap().roles.contains(Role::Public));
    assert_eq!(access.rule("/waybill.test.v1.CarelessService/Ruled"), None);
}

#[test]
fn methods_without_a_rule_do_not_boot_and_are_all_named() {
    let error = Access::of(descriptors(), &["waybill.test.v1.CarelessService"]).unwrap_err();
    let careless = ["Silent", "Nobody"].map(|method| format!("waybill.test.v1.CarelessService.{method}"));
    assert_eq!(error, AccessError::NoRule(careless.into()));

    let error = Access::of(descriptors(), &["waybill.test.v1.Ghost"]).unwrap_err();
    assert_eq!(error, AccessError::UnknownServices(vec!["waybill.test.v1.Ghost".to_owned()]));
}
