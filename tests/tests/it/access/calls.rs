//! Calls any method as any caller, over gRPC and over REST.

use mesh::{Channel, Principal, Stop};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage as _, SerializeOptions};
use proto::grpc::BytesCodec;
use reqwest::Method;
use serde_json::{Map, Value};
use tonic::{Code, Request, Status, client::Grpc, codegen::http::uri::PathAndQuery};
use waybill::compose::service_names;
use waybill_e2e::World;

/// Every method of the contracts.
pub(super) fn methods() -> Vec<MethodDescriptor> {
    let pool = proto::pool();
    let services = pool.services().filter(|service| service.full_name().starts_with("waybill."));
    services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// The method with this name.
pub(super) fn method(name: &str) -> MethodDescriptor {
    let mut methods = methods().into_iter().filter(|method| method.name() == name);
    methods.next().unwrap_or_else(|| panic!("there is no method {name}"))
}

/// The scope of a method's access rule, such as `SCOPE_ACCOUNT`.
pub(super) fn scope(method: &MethodDescriptor) -> String {
    let option = method.parent_pool().get_extension_by_name("waybill.options.v1.access").unwrap();
    let options = method.options();
    let access = options.get_extension(&option);
    let access = access.as_message().unwrap();
    let kind = access.descriptor().get_field_by_name("scope").unwrap().kind();
    let number = access.get_field_by_name("scope").unwrap().as_enum_number().unwrap();
    kind.as_enum().unwrap().get_value(number).unwrap().name().to_owned()
}

/// The channels to the services that have the method; those of the event package are every service's.
pub(super) fn channels(world: &World, method: &MethodDescriptor) -> Vec<Channel> {
    let service = method.parent_service().full_name().to_owned();
    let every = service.starts_with("waybill.event.v1.");
    let names = service_names().into_iter();
    let found = names.filter(|name| every || service.starts_with(&format!("waybill.{name}.v1.")));
    let found: Vec<_> = found.map(|name| world.mesh.clients.to(name)).collect();
    assert!(!found.is_empty(), "no service serves {service}");
    found
}

/// Calls a method with an encoded request. The answer is the encoded message; a stream's has only begun.
pub(super) async fn raw(
    channel: &Channel,
    caller: &Principal,
    method: &MethodDescriptor,
    request: Vec<u8>,
) -> Result<Vec<u8>, Status> {
    let mut grpc = Grpc::new(channel.for_principal(caller));
    grpc.ready().await.unwrap();
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = PathAndQuery::try_from(path).unwrap();
    if method.is_server_streaming() {
        grpc.server_streaming(Request::new(request.into()), path, BytesCodec).await.map(|_| Vec::new())
    } else {
        grpc.unary(Request::new(request.into()), path, BytesCodec).await.map(|reply| reply.into_inner().to_vec())
    }
}

/// Calls a method with a request in JSON.
pub(super) async fn grpc(
    world: &World,
    caller: &Principal,
    method: &MethodDescriptor,
    request: &Value,
) -> Result<Value, Status> {
    let message = DynamicMessage::deserialize(method.input(), request).unwrap();
    let channel = channels(world, method).remove(0);
    let answer = raw(&channel, caller, method, message.encode_to_vec()).await?;
    let answer = DynamicMessage::decode(method.output(), answer.as_slice()).unwrap();
    let options = SerializeOptions::new().skip_default_fields(false);
    Ok(answer.serialize_with_options(serde_json::value::Serializer, &options).unwrap())
}

/// A gateway whose callers are all the same one.
pub(super) struct Gateway {
    base: String,
    http: reqwest::Client,
    stop: Stop,
}

impl Gateway {
    pub(super) async fn of(world: &World, caller: &Principal) -> Self {
        let upstreams = world.mesh.clients.rest(caller);
        let router = gateway::router(proto::pool(), &upstreams, None, &gateway::Config::default()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = Stop::new();
        waybill_e2e::serve(listener, router, &stop);
        Self { base, http: reqwest::Client::new(), stop }
    }

    /// Calls every route of a method for which the request has the parts of the path.
    pub(super) async fn call(&self, method: &MethodDescriptor, request: &Value) -> Vec<Result<Value, (Code, Value)>> {
        let mut answers = Vec::new();
        for route in routes(method) {
            let mut rest: Map<String, Value> = request.as_object().unwrap().clone();
            let Some(path) = route.fill(method, &mut rest) else { continue };
            let mut call = self.http.request(route.verb.clone(), format!("{}{path}", self.base));
            if method.is_server_streaming() {
                call = call.header("accept", "text/event-stream");
            }
            call = match route.body.as_str() {
                "" => call.query(&query(&rest)),
                "*" => call.json(&rest),
                field => call.json(&rest[field]),
            };
            let response = call.send().await.unwrap();
            let status = response.status().as_u16();
            answers.push(match status {
                200 if method.is_server_streaming() => Ok(Value::Null),
                200 => Ok(response.json().await.unwrap()),
                _ => Err((code(status), response.json().await.unwrap())),
            });
        }
        answers
    }
}

impl Gateway {
    /// The first entries of an order's timeline, as server-sent events.
    pub(super) async fn follow(&self, order_id: &str, count: usize) -> Vec<Value> {
        let url = format!("{}/v1/orders/{order_id}/timeline:follow", self.base);
        let mut stream = self.http.get(url).header("accept", "text/event-stream").send().await.unwrap();
        let (mut text, mut entries) = (String::new(), Vec::new());
        while entries.len() < count {
            text.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
            while let Some((event, rest)) = text.split_once("\n\n") {
                let data = event.lines().filter_map(|line| line.strip_prefix("data:")).collect::<String>();
                if !data.is_empty() {
                    entries.push(serde_json::from_str::<Value>(&data).unwrap()["entry"].clone());
                }
                text = rest.to_owned();
            }
        }
        entries
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop.request();
    }
}

fn code(status: u16) -> Code {
    match status {
        400 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        _ => panic!("not a refusal of this kind: {status}"),
    }
}

struct Route {
    verb: Method,
    path: String,
    /// The field of the request that is the body, all of it when `*`, and none when empty.
    body: String,
}

impl Route {
    /// The path with its parts out of the request, which keeps the others; `None` when one is missing.
    fn fill(&self, method: &MethodDescriptor, request: &mut Map<String, Value>) -> Option<String> {
        let mut path = self.path.clone();
        for field in method.input().fields() {
            let place = format!("{{{}}}", field.name());
            if path.contains(&place) {
                let value = request.remove(field.json_name())?;
                let value =
                    value.as_i64().map_or_else(|| value.as_str().unwrap_or_default().to_owned(), |it| it.to_string());
                path = path.replace(&place, Some(value.as_str()).filter(|text| !text.is_empty())?);
            }
        }
        Some(path)
    }
}

/// The `google.api.http` rules of a method.
fn routes(method: &MethodDescriptor) -> Vec<Route> {
    let option = method.parent_pool().get_extension_by_name("google.api.http").unwrap();
    let options = method.options();
    let rule = options.get_extension(&option);
    let rule = rule.as_message().unwrap();
    let more = rule.get_field_by_name("additional_bindings").unwrap();
    let more = more.as_list().unwrap().iter().filter_map(prost_reflect::Value::as_message);
    let route = |rule: &DynamicMessage| {
        let (name, verb) = [("get", Method::GET), ("post", Method::POST), ("patch", Method::PATCH)]
            .into_iter()
            .find(|(name, _)| rule.has_field_by_name(name))?;
        let text = |name: &str| Some(rule.get_field_by_name(name)?.as_str()?.to_owned());
        Some(Route { verb, path: text(name)?, body: text("body")? })
    };
    std::iter::once(rule).chain(more).filter_map(route).collect()
}

/// A list is a parameter for each of its values.
fn query(request: &Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut parameters = Vec::new();
    for (name, value) in request {
        let values = if let Value::Array(values) = value { values.as_slice() } else { std::slice::from_ref(value) };
        parameters.extend(values.iter().map(|value| (name.clone(), text(value))));
    }
    parameters
}
