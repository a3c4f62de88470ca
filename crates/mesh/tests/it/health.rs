use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures::{StreamExt, stream};
use mesh::{Channel, Config, Principal, Server};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::probe::{Probe, ask, both, compile, serve, server};

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::test]
async fn health_follows_the_check() {
    let ready = Arc::new(AtomicBool::new(true));
    let check = ready.clone();
    let server = server(&Config::default(), Probe::default()).with_readiness(move || {
        let ready = check.load(Ordering::SeqCst);
        async move { ready }
    });
    for channel in both(server).await {
        let mut client = HealthClient::new(channel);
        for (is_ready, status) in [(true, ServingStatus::Serving), (false, ServingStatus::NotServing)] {
            ready.store(is_ready, Ordering::SeqCst);
            for service in ["", "waybill.test.v1.ProbeService"] {
                assert_eq!(client.check(of(service)).await.unwrap().into_inner().status(), status);
            }
        }
        let unknown = client.check(of("waybill.test.v1.Ghost")).await.unwrap_err();
        assert_eq!(unknown.code(), tonic::Code::NotFound);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_health_is_told_to_those_who_watch() {
    let ready = Arc::new(AtomicBool::new(true));
    let check = ready.clone();
    let server = server(&Config::default(), Probe::default()).with_readiness(move || {
        let ready = check.load(Ordering::SeqCst);
        async move { ready }
    });
    let mut client = HealthClient::new(server.into_channel().unwrap());
    let mut changes = client.watch(of("")).await.unwrap().into_inner();
    assert_eq!(changes.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    ready.store(false, Ordering::SeqCst);
    assert_eq!(changes.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn a_server_that_leaves_is_not_healthy_and_takes_calls_until_it_stops() {
    let served = serve(server(&Config::default(), Probe::default())).await;
    let mut client = HealthClient::new(served.channel.clone());
    let mut changes = client.watch(of("")).await.unwrap().into_inner();
    assert_eq!(changes.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    served.stop.leave();
    assert_eq!(changes.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    let other = Channel::connect(&format!("http://{}", served.address)).unwrap();
    for channel in [served.channel, other] {
        ask(&channel, "echo").await.unwrap();
        assert_eq!(
            HealthClient::new(channel).check(of("")).await.unwrap().into_inner().status(),
            ServingStatus::NotServing
        );
    }
    served.stop.request();
    served.task.await.unwrap().unwrap();
}

async fn reflect(channel: Channel, message: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(message) };
    let asked = stream::once(async { request }).chain(stream::pending());
    let mut answers = ServerReflectionClient::new(channel).server_reflection_info(asked).await.unwrap().into_inner();
    answers.message().await.unwrap().unwrap().message_response.unwrap()
}

#[tokio::test]
async fn reflection_lists_the_services() {
    for channel in both(server(&Config::default(), Probe::default())).await {
        let answer = reflect(channel, MessageRequest::ListServices(String::new())).await;
        let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
        let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
        assert!(names.contains(&"waybill.test.v1.ProbeService") && names.contains(&"grpc.health.v1.Health"));
        assert!(!names.contains(&"waybill.test.v1.CarelessService"), "described but not served");
    }
}

#[tokio::test]
async fn reflection_describes_other_files_of_the_package() {
    let descriptors = compile(&["probe.proto", "ending.proto"]);
    let server = Server::new("probe", &Config::default(), descriptors)
        .with_default_principal(Principal::service("somebody"))
        .add_service(Probe::default());
    for channel in both(server).await {
        let symbol = "waybill.test.v1.EndingService".to_owned();
        let answer = reflect(channel, MessageRequest::FileContainingSymbol(symbol)).await;
        assert!(matches!(&answer, MessageResponse::FileDescriptorResponse(_)), "{answer:?}");
    }
}
