//! Invalid rules are refused at the start.

use std::{collections::HashMap, convert::Infallible};

use http::{Request, Response};
use tonic::body::Body;
use tower::{ServiceExt, service_fn};
use waybill_transcode::{BoxError, Transcoder, Upstream};

use crate::depot::{POOL, compile};

fn unused_upstream() -> Upstream {
    let answer = |_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) };
    Upstream::new(service_fn(answer).map_err(BoxError::from))
}

#[test]
fn every_fault_of_every_rule_is_told_at_once() {
    let upstreams = HashMap::from([("broken.v1.BrokenService".to_owned(), unused_upstream())]);
    let errors = Transcoder::new(&compile("broken.proto"), upstreams).unwrap_err();
    let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "broken.v1.BrokenService.UnknownField: /v1/a/{nobody}: broken.v1.Request has no field `nobody`",
            "broken.v1.BrokenService.ScalarBody: /v1/b: the body `id` is not a message",
            "broken.v1.BrokenService.UnknownBody: /v1/c: broken.v1.Request has no field `nobody` for the body",
            "broken.v1.BrokenService.MapInQuery: /v1/d: the map `labels` cannot be a query parameter",
            "broken.v1.BrokenService.MessagesInQuery: /v1/e: the repeated message `requests` cannot be a query parameter",
            "broken.v1.BrokenService.Second: /v1/f/*: broken.v1.BrokenService.First has this method and path already",
            "broken.v1.BrokenService.ClientStream: /v1/g: a client stream cannot be called over HTTP",
            "broken.v1.BrokenService.BadTemplate: /v1/{id: `{id` is not closed",
            "broken.v1.BrokenService.UnknownResponse: /v1/h: broken.v1.Response has no field `nobody` for the response body",
            "broken.v1.BrokenService.ListInPath: /v1/i/{ids}: `ids` is not a single value that fits into a path",
        ]
    );
}

#[test]
fn a_service_that_is_not_described_is_refused() {
    let upstreams = HashMap::from([("depot.v1.Nobody".to_owned(), unused_upstream())]);
    let errors = Transcoder::new(&POOL, upstreams).unwrap_err();
    assert_eq!(errors[0].to_string(), "depot.v1.Nobody: -: the service is not described");
}

#[tokio::test]
async fn a_service_without_an_upstream_is_not_routed() {
    let transcoder = Transcoder::new(&POOL, HashMap::new()).unwrap();
    let request = crate::depot::request(http::Method::GET, "/v1/crates", &[], "");
    assert_eq!(transcoder.call(request).await.status(), 404);
}
