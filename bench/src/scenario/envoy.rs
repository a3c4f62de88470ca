//! Envoy with its gRPC-JSON transcoder in front of the order service, to compare the gateway with.

use std::{fs, net::SocketAddr, path::Path};

use serde_json::{Value, json};
use waybill::child_process::free_address;

use super::gateway::WORKERS;
use crate::{
    binary::{self, with_log},
    server::Server,
};

/// Starts it with a configuration of its own.
pub(crate) async fn start(directory: &Path, program: &Path, order: SocketAddr) -> anyhow::Result<Server> {
    let address = free_address();
    let descriptors = directory.join("descriptors.bin");
    fs::write(&descriptors, proto::DESCRIPTORS)?;
    let file = directory.join("envoy.json");
    fs::write(&file, serde_json::to_vec_pretty(&configuration(address, order, &descriptors))?)?;
    let workers = WORKERS.to_string();
    let file = file.display().to_string();
    let arguments = ["-c", &file, "--concurrency", &workers, "--log-level", "error", "--use-dynamic-base-id"];
    let mut process = binary::start(directory, program, &arguments.map(str::to_owned), None)?;
    with_log(directory, process.listens(address).await)?;
    Ok(Server { process, address })
}

fn configuration(listen: SocketAddr, order: SocketAddr, descriptors: &Path) -> Value {
    let address = |of: SocketAddr| json!({"socket_address": {"address": of.ip().to_string(), "port_value": of.port()}});
    let named = |name: &str, kind: &str, mut config: Value| {
        config["@type"] = json!(format!("type.googleapis.com/envoy.extensions.{kind}"));
        json!({"name": name, "typed_config": config})
    };
    let transcoder = json!({
        "proto_descriptor": descriptors.display().to_string(),
        "services": ["waybill.order.v1.OrderService"],
        "convert_grpc_status": true,
        "print_options": {"always_print_primitive_fields": false},
    });
    let routes = json!([{"match": {"prefix": "/"}, "route": {"cluster": "order", "timeout": "10s"}}]);
    let connection_manager = json!({
        "stat_prefix": "in",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            named("transcoder", "filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder", transcoder),
            named("router", "filters.http.router.v3.Router", json!({})),
        ],
    });
    let filter = named("http", "filters.network.http_connection_manager.v3.HttpConnectionManager", connection_manager);
    let http2 = json!({
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    });
    let endpoint = json!({"endpoint": {"address": address(order)}});
    json!({"static_resources": {
        "listeners": [{"address": address(listen), "filter_chains": [{"filters": [filter]}]}],
        "clusters": [{
            "name": "order", "type": "STATIC", "connect_timeout": "1s",
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2,
            },
            "load_assignment": {"cluster_name": "order", "endpoints": [{"lb_endpoints": [endpoint]}]},
        }],
    }})
}
