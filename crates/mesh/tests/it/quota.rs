use std::time::Duration;

use mesh::{Access, Accounts, Channel, Class, Config, Kind, Principal, Role};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use types::Reason;

use crate::probe::{ASK, FOLLOW, Probe, ask, both, descriptors, follow, question, server};

fn person(role: Role) -> Principal {
    Principal {
        kind: Kind::Person,
        subject: "alice".to_owned(),
        roles: role.into(),
        accounts: Accounts::All,
        partner: None,
        key: None,
    }
}

fn limited(settings: &[&str]) -> Config {
    let quotas = settings.iter().map(|setting| setting.parse().unwrap()).collect();
    Config { quotas, max_streams: 1, ..Config::default() }
}

fn channel(config: &Config) -> Channel {
    server(config, Probe::default()).into_channel().unwrap()
}

fn header<'a>(status: &'a Status, name: &str) -> &'a str {
    status.metadata().get(name).unwrap().to_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_client_sees_its_remaining_quota_and_is_refused_at_its_end() {
    let channel = channel(&limited(&["customer.write=2/10s"])).for_principal(&person(Role::Customer));
    for expected in ["\"write\";r=1;t=5", "\"write\";r=0;t=10"] {
        let answer = ask(&channel, "echo").await.unwrap();
        assert_eq!(answer.metadata().get("ratelimit-policy").unwrap(), "\"write\";q=2;w=10");
        assert_eq!(answer.metadata().get("ratelimit").unwrap(), expected);
    }
    let refused = ask(&channel, "echo").await.unwrap_err();
    assert_eq!(header(&refused, "ratelimit"), "\"write\";r=0;t=5");
    assert_eq!((header(&refused, "ratelimit-policy"), header(&refused, "retry-after")), ("\"write\";q=2;w=10", "5"));
    let fault = mesh::fault(&refused);
    assert_eq!((fault.reason, fault.retry_after), (Reason::ResourceExhausted, Some(Duration::from_secs(5))));
    assert_eq!(fault.facts, [("quota", "write".to_owned())]);
    let details = refused.get_error_details();
    let violation = &details.quota_failure().unwrap().violations[0];
    assert_eq!(
        (violation.subject.as_str(), violation.description.as_str()),
        ("person:alice", "more than 2 in 10 s of write calls")
    );

    tokio::time::advance(Duration::from_secs(5)).await;
    ask(&channel, "echo").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn services_administrators_and_health_have_no_quota() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let channel = channel(&limited(&["customer.*=1/1m", "public.*=1/1m"]));
    let principals = [Principal::local_administrator(), Principal::service("order")];
    for channel in principals.map(|principal| channel.for_principal(&principal)) {
        for _ in 0..3 {
            let answer = ask(&channel, "echo").await.unwrap();
            assert!(answer.metadata().get("ratelimit").is_none());
        }
    }
    for _ in 0..3 {
        let health = HealthClient::new(channel.for_principal(&Principal::anonymous()));
        health.clone().check(HealthCheckRequest::default()).await.unwrap();
    }
}

#[tokio::test]
async fn an_administrator_is_limited_when_the_settings_say_so() {
    let channel = channel(&limited(&["administrator.write=1/10m"]));
    let channel = channel.for_principal(&Principal::local_administrator());
    ask(&channel, "echo").await.unwrap();
    assert_eq!(ask(&channel, "echo").await.unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn the_budget_is_one_for_all_ways_to_a_server() {
    let [inside, outside] = both(server(&limited(&["customer.write=1/10m"]), Probe::default())).await;
    ask(&inside.for_principal(&person(Role::Customer)), "echo").await.unwrap();
    let refused = ask(&outside.for_principal(&person(Role::Customer)), "echo").await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_call_that_is_not_permitted_costs_nothing_but_one_that_fails_does() {
    let channel = channel(&limited(&["customer.*=1/10m"])).for_principal(&person(Role::Customer));
    for _ in 0..2 {
        assert_eq!(follow(&channel, question("never")).await.unwrap_err().code(), Code::PermissionDenied);
    }
    let failed = ask(&channel, "invalid").await.unwrap_err();
    assert_eq!((failed.code(), header(&failed, "ratelimit")), (Code::InvalidArgument, "\"write\";r=0;t=600"));
    assert_eq!(ask(&channel, "echo").await.unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_client_has_a_limit_of_open_streams_and_opens_another_when_one_ended() {
    for channel in both(server(&limited(&[]), Probe::default())).await {
        let channel = channel.for_principal(&person(Role::Operations));
        let mut open = follow(&channel, question("never")).await.unwrap();
        open.message().await.unwrap().unwrap();
        let refused = follow(&channel, question("never")).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(refused.message().contains("more than 1 streams open"), "{refused:?}");
        let other = Principal { subject: "bob".to_owned(), ..person(Role::Operations) };
        follow(&channel.for_principal(&other), question("never")).await.unwrap();
        drop(open);
        // Over the network the server sees the end a moment later.
        while follow(&channel, question("never")).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
}

#[test]
fn the_class_of_a_method_follows_from_its_shape_unless_it_says_another() {
    let access = Access::of(descriptors(), &["waybill.test.v1.ProbeService", "waybill.test.v1.ClassesService"]);
    let access = access.unwrap();
    let class = |path: &str| access.rule(path).unwrap().class;
    assert_eq!((class(ASK), class(FOLLOW)), (Some(Class::Write), Some(Class::Stream)));
    for (method, expected) in [
        ("Get", Class::Read),
        ("List", Class::Bulk),
        ("Search", Class::Read),
        ("Create", Class::Write),
        ("Export", Class::Bulk),
    ] {
        assert_eq!(class(&format!("/waybill.test.v1.ClassesService/{method}")), Some(expected), "{method}");
    }
    assert_eq!(class("/grpc.health.v1.Health/Check"), None);
}
