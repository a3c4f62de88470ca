//! Which calls may be repeated.
//!
//! A request with an id is recognized by its first bytes, so `request_id` has to be the first field of its message.

use std::{collections::HashMap, sync::LazyLock};

use prost_reflect::{Kind, MethodDescriptor, Value};

/// Why a repeat of a method is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeatable {
    /// The method is idempotent.
    Always,
    /// Its request has an id in the field with this number, when the caller sets it.
    WithId(u32),
}

/// Where a message begins: after the compression flag and the length.
const PREFIX: usize = 5;

/// Whether the call is safe to repeat: its method reads (`google.api.http` has a GET), says so by
/// `idempotency_level`, or the request carries a `request_id`.
pub(super) fn is_repeatable(path: &str, message: &[u8]) -> bool {
    match METHODS.get(path) {
        Some(Repeatable::Always) => true,
        Some(Repeatable::WithId(number)) => begins_with(message, *number),
        None => false,
    }
}

/// Reads the contracts now, which would take too long in a call.
pub(super) fn load() {
    LazyLock::force(&METHODS);
}

/// Whether calls of the method can be repeatable at all.
pub(super) fn may_be_repeatable(path: &str) -> bool {
    METHODS.contains_key(path)
}

/// Whether the message begins with a text in this field. Every encoder writes the first field first; one that does not
/// is only never repeated.
fn begins_with(framed: &[u8], number: u32) -> bool {
    let compressed = framed.first() != Some(&0);
    let (key, length) = (framed.get(PREFIX), framed.get(PREFIX + 1));
    !compressed && key.is_some_and(|key| u32::from(*key) == number << 3 | 2) && length.is_some_and(|length| *length > 0)
}

static METHODS: LazyLock<HashMap<String, Repeatable>> = LazyLock::new(|| {
    let methods = proto::pool().services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods
        .filter(|method| !method.is_client_streaming() && !method.is_server_streaming())
        .filter_map(|method| {
            let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
            Some((path, repeatable(&method)?))
        })
        .collect()
});

fn repeatable(method: &MethodDescriptor) -> Option<Repeatable> {
    // 1 is NO_SIDE_EFFECTS, 2 is IDEMPOTENT.
    let options = method.options();
    let level = options.get_field_by_name("idempotency_level").and_then(|level| level.as_enum_number());
    if matches!(level, Some(1 | 2)) || is_get(method) == Some(true) {
        return Some(Repeatable::Always);
    }
    let id = method.input().get_field_by_name("request_id")?;
    (id.kind() == Kind::String && id.number() < 16).then(|| Repeatable::WithId(id.number()))
}

fn is_get(method: &MethodDescriptor) -> Option<bool> {
    let option = method.parent_pool().get_extension_by_name("google.api.http")?;
    let options = method.options();
    let rule = options.get_extension(&option);
    let path = rule.as_message()?.get_field_by_name("get")?;
    Some(matches!(path.as_ref(), Value::String(path) if !path.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_requests_with_an_id_may_be_repeated() {
        let with_id = [0, 0, 0, 0, 3, 0x0a, 1, b'a'];
        let without_id = [0, 0, 0, 0, 3, 0x12, 1, b'a'];
        assert!(is_repeatable("/waybill.order.v1.OrderService/GetOrder", &without_id));
        assert!(is_repeatable("/waybill.order.v1.OrderService/PlaceOrder", &with_id));
        assert!(!is_repeatable("/waybill.order.v1.OrderService/PlaceOrder", &without_id));
        assert!(!is_repeatable("/waybill.order.v1.OrderService/PlaceOrder", &[1, 0, 0, 0, 3, 0x0a, 1, b'a']));
        assert!(!is_repeatable("/made.up.Service/Method", &with_id));
        assert!(!may_be_repeatable("/waybill.event.v1.EventService/FollowEvents"), "streams are not repeated");
    }
}
