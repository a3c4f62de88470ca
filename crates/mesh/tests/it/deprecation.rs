//! Methods whose end is announced.

use std::{convert::Infallible, sync::Arc};

use http::Uri;
use mesh::{Channel, Config, DeprecationError, Deprecations, Server, ServerError};
use prost_reflect::DescriptorPool;
use tonic::{Code, Status, body::Body, metadata::MetadataMap, server::NamedService};
use types::{ManualClock, Reason, Timestamp};

use crate::probe::{ASK, Probe, ask_with, both, compile, question};

const STAY: &str = "/waybill.test.v1.EndingService/Stay";
const LEAVE: &str = "/waybill.test.v1.EndingService/Leave";
const FADE: &str = "/waybill.test.v1.EndingService/Fade";
/// 2027-01-31T12:00:00Z
const SUNSET: i64 = 1_801_396_800_000_000;

/// Answers every method as the probe answers a question.
#[derive(Clone)]
struct Ending(Probe);

impl NamedService for Ending {
    const NAME: &'static str = "waybill.test.v1.EndingService";
}

impl tower::Service<http::Request<Body>> for Ending {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = <Probe as tower::Service<http::Request<Body>>>::Future;

    fn poll_ready(&mut self, waker: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        tower::Service::poll_ready(&mut self.0, waker)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        *request.uri_mut() = Uri::from_static(ASK);
        tower::Service::call(&mut self.0, request)
    }
}

fn descriptors() -> &'static DescriptorPool {
    compile(&["ending.proto"])
}

fn server(config: &Config, now: i64) -> Server {
    Server::new("ending", config, descriptors())
        .with_clock(Arc::new(ManualClock::at(Timestamp::from_micros(now))))
        .add_service(Ending(Probe::default()))
}

async fn status_and_metadata(channel: &Channel, path: &'static str) -> (Option<Status>, MetadataMap) {
    match ask_with(channel, question("echo"), path).await {
        Ok(answer) => (None, answer.metadata().clone()),
        Err(status) => (Some(status.clone()), status.metadata().clone()),
    }
}

fn all(metadata: &MetadataMap, name: &str) -> Vec<String> {
    metadata.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_answer_of_a_deprecated_method_says_when_it_ends_and_what_comes_instead() {
    for channel in both(server(&Config::default(), SUNSET - 1)).await {
        let (refused, metadata) = status_and_metadata(&channel, LEAVE).await;
        assert!(refused.is_none(), "{refused:?}");
        assert_eq!(all(&metadata, "deprecation"), ["@1767225600"]);
        assert_eq!(all(&metadata, "sunset"), ["Sun, 31 Jan 2027 12:00:00 GMT"]);
        assert_eq!(
            all(&metadata, "link"),
            [
                "<https://example.com/leave?why=1>; rel=\"deprecation\"",
                "</waybill.test.v1.EndingService/Stay>; rel=\"successor-version\"",
            ]
        );
        let refused = ask_with(&channel, question("invalid"), LEAVE).await.unwrap_err();
        assert_eq!(all(refused.metadata(), "deprecation"), ["@1767225600"], "a refusal says so too");

        let (_, metadata) = status_and_metadata(&channel, FADE).await;
        assert_eq!(all(&metadata, "deprecation"), ["@1767225600"]);
        assert!(all(&metadata, "sunset").is_empty() && all(&metadata, "link").is_empty());
        let (_, metadata) = status_and_metadata(&channel, STAY).await;
        assert!(all(&metadata, "deprecation").is_empty());
    }
}

#[tokio::test]
async fn a_method_that_has_ended_is_refused_and_names_its_successor() {
    for channel in both(server(&Config::default(), SUNSET)).await {
        let (refused, metadata) = status_and_metadata(&channel, LEAVE).await;
        let refused = refused.unwrap();
        assert_eq!(refused.code(), Code::Unimplemented);
        let fault = mesh::fault(&refused);
        assert_eq!(fault.reason, Reason::MethodEnded);
        assert_eq!(fault.message, "the method ended on Sun, 31 Jan 2027 12:00:00 GMT");
        assert_eq!(fault.facts, [("successor", "waybill.test.v1.EndingService.Stay".to_owned())]);
        assert_eq!(all(&metadata, "sunset"), ["Sun, 31 Jan 2027 12:00:00 GMT"]);
        for path in [FADE, STAY] {
            assert!(status_and_metadata(&channel, path).await.0.is_none(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_setting_keeps_methods_after_their_end() {
    let config = Config { serve_ended: true, ..Config::default() };
    let channel = server(&config, SUNSET + 1).into_channel().unwrap();
    let (refused, metadata) = status_and_metadata(&channel, LEAVE).await;
    assert!(refused.is_none(), "{refused:?}");
    assert_eq!(all(&metadata, "sunset").len(), 1);
}

#[test]
fn announcements_that_can_not_be_meant_are_all_named() {
    let pool = descriptors();
    let error: DeprecationError = Deprecations::of(pool, &["waybill.test.v1.ConfusedService"]).unwrap_err();
    let problems = error.to_string().replace("waybill.test.v1.ConfusedService.", "");
    assert_eq!(
        problems.strip_prefix("impossible lifecycles: ").unwrap().split("; ").collect::<Vec<_>>(),
        [
            "Dateless: is deprecated but has no lifecycle",
            "Endless: has no deprecate_time",
            "Secret: has a lifecycle but is not deprecated",
            "Hasty: its sunset_time is before its deprecate_time",
            "Vague: its deprecate_time `soon` is not a time as in 2027-01-31T00:00:00Z",
            "Heirless: its successor `waybill.test.v1.EndingService.Nobody` is not another method",
            "Lost: its link `somewhere` is not an http or https URL",
        ]
    );
}

#[test]
fn a_server_with_an_impossible_announcement_does_not_boot() {
    #[derive(Clone)]
    struct Broken(Ending);
    impl NamedService for Broken {
        const NAME: &'static str = "waybill.test.v1.BrokenService";
    }
    impl tower::Service<http::Request<Body>> for Broken {
        type Response = http::Response<Body>;
        type Error = Infallible;
        type Future = <Ending as tower::Service<http::Request<Body>>>::Future;

        fn poll_ready(&mut self, waker: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
            tower::Service::poll_ready(&mut self.0, waker)
        }

        fn call(&mut self, request: http::Request<Body>) -> Self::Future {
            tower::Service::call(&mut self.0, request)
        }
    }
    let server = Server::new("broken", &Config::default(), descriptors()).add_service(Broken(Ending(Probe::default())));
    let refused = server.into_channel().unwrap_err();
    assert!(matches!(refused, ServerError::Deprecation(_)), "{refused}");
}
