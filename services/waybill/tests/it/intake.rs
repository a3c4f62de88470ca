//! How much memory strangers can make a process take.

use std::fs;

use futures::future::join_all;
use http::Request;

use crate::{
    credentials::{Tokens, status},
    process::{Addresses, Process},
    raw::{Body, address, ask, call, half_a_body, http1, http2},
};

/// The most memory that a process may have had, in MiB.
const MOST: u64 = 300;
/// All but the last byte of the largest body.
const NEARLY: usize = (4 << 20) - 1;
/// The prefix of a gRPC message of 4 MiB.
const PREFIX: &[u8] = &[0, 0, 0x3f, 0xff, 0xff];

const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const PLACE: &str = "/waybill.order.v1.OrderService/PlaceOrder";

/// The most memory that the process had since it began, in MiB.
fn peak(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1_024
}

/// 200 connections with a body each.
async fn many_connections(at: &Addresses) {
    let place = address(&at.rest);
    let head = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: {place}\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        NEARLY + 1
    );
    join_all((0..200).map(|_| http1(place, &head, NEARLY))).await;
}

/// One connection with 250 bodies.
async fn one_connection(at: &Addresses) {
    let place = address(&at.rest);
    let connection = http2(place).await;
    let request = || -> Request<Body> {
        let builder = Request::post(format!("http://{place}/v1/orders")).header("content-type", "application/json");
        builder.body(half_a_body(b"{", NEARLY)).unwrap()
    };
    let answers = join_all((0..250).map(|_| ask(&connection, request()))).await;
    let refused = answers.iter().flatten().filter(|answer| matches!(answer.status().as_u16(), 401 | 408 | 503)).count();
    assert!(refused > 0);
}

/// 300 halves of gRPC messages.
async fn half_messages(at: &Addresses, path: &str) {
    let place = address(&at.grpc["order"]);
    let connections = join_all((0..3).map(|_| http2(place))).await;
    let calls = (0..300).map(|number| {
        let connection = &connections[number % connections.len()];
        ask(connection, call(place, path, half_a_body(PREFIX, NEARLY)))
    });
    join_all(calls).await;
}

async fn attack(process: &Process, at: &Addresses) {
    many_connections(at).await;
    assert!(peak(process) <= MOST, "{} MiB after bodies over many connections", peak(process));
    one_connection(at).await;
    assert!(peak(process) <= MOST, "{} MiB after bodies over one connection", peak(process));
    for path in [REFLECTION, HEALTH, PLACE] {
        half_messages(at, path).await;
        assert!(peak(process) <= MOST, "{} MiB after half messages to {path}", peak(process));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_take_no_memory() {
    let (tokens, data) = (Tokens::make(), tempfile::tempdir().unwrap());
    let [[setting, file], _] = tokens.settings();
    let ports = ["--http-port", "0", "--grpc-port", "0", "--admin-port", "0"];
    let own = ["up", "--data", data.path().to_str().unwrap(), &setting, &file];
    let mut process = Process::start(&[&own[..], &ports].concat());
    let at = process.addresses().await;
    attack(&process, &at).await;
    assert_eq!(status(&at.rest, "/v1/orders", Some(Tokens::ADMIN)).await, 200, "others are answered as before");
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_anybody_where_no_credentials_are_configured() {
    let data = tempfile::tempdir().unwrap();
    let ports = ["--http-port", "0", "--grpc-port", "0", "--admin-port", "0"];
    let mut process = Process::start(&[&["up", "--data", data.path().to_str().unwrap()][..], &ports].concat());
    let at = process.addresses().await;
    attack(&process, &at).await;
    assert_eq!(status(&at.rest, "/v1/orders", None).await, 200, "others are answered as before");
    let metrics = reqwest::get(&at.metrics).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("intake_refused_total{bound=") && metrics.contains("intake_bytes"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_over_the_bound_are_closed_and_counted() {
    let data = tempfile::tempdir().unwrap();
    let ports = ["--http-port", "0", "--grpc-port", "0", "--admin-port", "0", "--max-address-connections", "3"];
    let mut process = Process::start(&[&["up", "--data", data.path().to_str().unwrap()][..], &ports].concat());
    let at = process.addresses().await;
    let place = address(&at.rest);
    let held = join_all((0..3).map(|_| http2(place))).await;
    for connection in &held {
        let request = Request::get(format!("http://{place}/docs")).body(half_a_body(b"", 0)).unwrap();
        assert_eq!(ask(connection, request).await.unwrap().status(), 200);
    }
    assert_eq!(http1(place, "GET /docs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", 0).await, 0);
    let metrics = reqwest::get(&at.metrics).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("intake_refused_total{bound=\"address_connections\"} 1"), "{metrics}");
    assert!(metrics.contains("intake_connections 3"), "{metrics}");
    drop(held);
}
