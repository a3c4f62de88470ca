//! Pages of other sites in the browser of the person at the machine, where no credentials are configured.

use http::Request;
use tonic::Code;

use crate::{
    process::Process,
    raw::{Body, address, ask, call, http1, http2, whole_body},
};

const LIST: &str = "/waybill.order.v1.OrderService/ListOrders";
const EMPTY: &[u8] = &[0; 5];

async fn request(at: &str, line: &str, headers: &[(&str, &str)]) -> u16 {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    http1(at, &format!("{line} HTTP/1.1\r\n{lines}content-length: 0\r\nconnection: close\r\n\r\n"), 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mesh_without_credentials_answers_no_page_of_another_site() {
    let data = tempfile::tempdir().unwrap();
    let ports = ["--http-port", "0", "--grpc-port", "0", "--admin-port", "0"];
    let mut process = Process::start(&[&["up", "--data", data.path().to_str().unwrap()][..], &ports].concat());
    let at = process.addresses().await;
    let rest = address(&at.rest);
    let port = rest.split(':').nth(1).unwrap();
    let own = format!("http://{rest}");
    let (rebound, named) = (format!("evil.example:{port}"), format!("localhost:{port}"));
    let json = ("content-type", "application/json");

    for (line, headers, expected) in [
        ("GET /v1/orders", &[("host", rest)][..], 200),
        ("GET /v1/orders", &[("host", &named)], 200),
        ("GET /v1/orders", &[("host", rest), ("origin", &own)], 200),
        ("GET /v1/orders", &[("host", &rebound)], 403),
        ("GET /v1/orders", &[("host", rest), ("origin", "http://evil.example")], 403),
        ("GET /v1/orders", &[("host", rest), ("origin", "null")], 403),
        ("GET /v1/orders", &[("host", rest), ("origin", "http://127.0.0.1:3000")], 403),
        ("GET /docs", &[("host", &rebound)], 403),
        ("GET /openapi.json", &[("host", &rebound)], 403),
        ("POST /v1/orders", &[("host", rest), ("content-type", "text/plain")], 415),
        ("POST /v1/orders", &[("host", rest)], 415),
        ("POST /v1/orders", &[("host", rest), json], 400),
        ("POST /v1/orders", &[("host", rest), json, ("origin", "http://evil.example")], 403),
        ("POST /v1/orders", &[("host", rest), json, ("origin", &own)], 400),
        ("PATCH /v1/accounts/acc_1", &[("host", rest), ("content-type", "text/plain")], 415),
    ] {
        assert_eq!(request(rest, line, headers).await, expected, "{line} {headers:?}");
    }

    let admin = address(&at.metrics);
    assert_eq!(request(admin, "GET /metrics", &[("host", admin)]).await, 200);
    for headers in [&[("host", "evil.example")][..], &[("host", admin), ("origin", "http://evil.example")]] {
        assert_eq!(request(admin, "GET /metrics", headers).await, 403, "{headers:?}");
    }

    let grpc = address(&at.grpc["order"]);
    let connection = http2(grpc).await;
    let code = async |request: Request<Body>| {
        let answer = ask(&connection, request).await.unwrap();
        Code::from_bytes(answer.headers()["grpc-status"].as_bytes())
    };
    let with = |authority: &str, name: &'static str, value: &str| {
        let mut request = call(authority, LIST, whole_body(EMPTY));
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    assert_eq!(code(call(grpc, LIST, whole_body(EMPTY))).await, Code::Ok);
    assert_eq!(code(with(grpc, "origin", &format!("http://{grpc}"))).await, Code::Ok);
    assert_eq!(code(call("evil.example", LIST, whole_body(EMPTY))).await, Code::PermissionDenied);
    assert_eq!(code(with(grpc, "origin", "http://evil.example")).await, Code::PermissionDenied);
    assert_eq!(code(with(grpc, "content-type", "text/plain")).await, Code::PermissionDenied);
}
