//! `types::Fault` on the wire: a gRPC status with `google.rpc` details.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};
use types::{Fault, LineReason, Reason, Violation, limits::MAX_VIOLATIONS};

use crate::{credentials, request::Context};

/// The `ErrorInfo.domain` of every reason.
const DOMAIN: &str = "waybill";

/// The status of a fault. An internal fault is logged here, once, and becomes "internal error".
pub fn status(fault: Fault) -> Status {
    status_with(fault, |_| ())
}

/// As `status`, with further details.
pub(crate) fn status_with(fault: Fault, more: impl FnOnce(&mut ErrorDetails)) -> Status {
    let fault = if fault.reason == Reason::Internal {
        let call = Context::current().call;
        let request_id = call.as_ref().map(|call| call.request_id.as_str());
        tracing::error!(error = fault.message, facts = ?fault.facts, request_id, "internal error");
        Fault::internal("internal error")
    } else {
        fault
    };
    let challenge = (fault.reason == Reason::Unauthenticated).then(|| credentials::challenge(&fault));
    let facts: HashMap<_, _> = fault.facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let mut details = ErrorDetails::new();
    details.set_error_info(fault.reason.as_str(), DOMAIN, facts);
    if !fault.violations.is_empty() {
        let wrong = |Violation { field, description, reason }: Violation| FieldViolation {
            reason: reason.map(|reason| reason.as_str().to_owned()).unwrap_or_default(),
            ..FieldViolation::new(field, description)
        };
        details.set_bad_request(fault.violations.into_iter().take(MAX_VIOLATIONS).map(wrong).collect::<Vec<_>>());
    }
    if fault.retry_after.is_some() {
        details.set_retry_info(fault.retry_after);
    }
    more(&mut details);
    let mut status = Status::with_error_details(code(fault.reason), fault.message, details);
    if let Some(challenge) = challenge.and_then(|challenge| challenge.to_str().ok()?.parse().ok()) {
        status.metadata_mut().insert("www-authenticate", challenge);
    }
    status
}

/// The fault of a status. A status without a reason of ours is read by its code.
pub fn fault(status: &Status) -> Fault {
    let details = status.get_error_details();
    let info = details.error_info().filter(|info| info.domain == DOMAIN);
    let reason = info.and_then(|info| Reason::from_wire(&info.reason)).unwrap_or_else(|| reason(status.code()));
    let mut fault = Fault::new(reason, status.message());
    if let Some(info) = info {
        let named = |(name, value): (&String, &String)| Some((fact_name(name)?, value.clone()));
        fault.facts = info.metadata.iter().filter_map(named).collect();
        fault.facts.sort_unstable();
    }
    if let Some(bad) = details.bad_request() {
        let wrong = |one: &FieldViolation| Violation {
            reason: LineReason::from_wire(&one.reason),
            ..Violation::new(&one.field, &one.description)
        };
        fault.violations = bad.field_violations.iter().map(wrong).collect();
    }
    fault.retry_after = details.retry_info().and_then(|retry| retry.retry_delay);
    fault
}

/// The gRPC code of a reason, as `proto/waybill/error/v1/reason.proto` documents it.
fn code(reason: Reason) -> Code {
    match reason {
        Reason::InvalidArgument => Code::InvalidArgument,
        Reason::Unauthenticated => Code::Unauthenticated,
        Reason::PermissionDenied => Code::PermissionDenied,
        Reason::NotFound => Code::NotFound,
        Reason::AlreadyExists | Reason::RequestIdReused | Reason::ControlNumberReused | Reason::DuplicateCustomerPo => {
            Code::AlreadyExists
        }
        Reason::EtagMismatch => Code::Aborted,
        Reason::ActionNotSupported
        | Reason::InsufficientStock
        | Reason::NoReturnableQuantity
        | Reason::AccountBlocked
        | Reason::CreditLimitExceeded => Code::FailedPrecondition,
        Reason::ResourceExhausted => Code::ResourceExhausted,
        Reason::Unavailable => Code::Unavailable,
        Reason::DeadlineExceeded => Code::DeadlineExceeded,
        Reason::Unimplemented | Reason::MethodEnded => Code::Unimplemented,
        Reason::Internal => Code::Internal,
    }
}

/// The broadest reason with this code.
fn reason(code: Code) -> Reason {
    match code {
        Code::InvalidArgument | Code::OutOfRange => Reason::InvalidArgument,
        Code::Unauthenticated => Reason::Unauthenticated,
        Code::PermissionDenied => Reason::PermissionDenied,
        Code::NotFound => Reason::NotFound,
        Code::AlreadyExists => Reason::AlreadyExists,
        Code::Aborted => Reason::EtagMismatch,
        Code::FailedPrecondition => Reason::ActionNotSupported,
        Code::ResourceExhausted => Reason::ResourceExhausted,
        Code::Unavailable | Code::Cancelled => Reason::Unavailable,
        Code::DeadlineExceeded => Reason::DeadlineExceeded,
        Code::Unimplemented => Reason::Unimplemented,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => Reason::Internal,
    }
}

/// A fact's name for the life of the process. Names are few, written in code; past a bound further ones are dropped, so
/// that a peer cannot fill the memory.
fn fact_name(name: &str) -> Option<&'static str> {
    const MOST: usize = 256;
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return Some(known);
    }
    if names.len() == MOST || name.len() > 64 {
        return None;
    }
    let kept: &'static str = name.to_owned().leak();
    names.insert(kept);
    Some(kept)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use super::*;

    #[test]
    fn every_reason_comes_back_with_its_details() {
        for reason in Reason::ALL.iter().copied().filter(|reason| *reason != Reason::Internal) {
            let mut sent = Fault::new(reason, "message").fact("account", "acc_1").fact("order", "ord_1");
            let of_line = LineReason::ALL.iter().copied().map(Some).chain([None]);
            let wrong = |reason| Violation { reason, ..Violation::new("lines[0].sku", "is required") };
            sent.violations = of_line.map(wrong).collect();
            sent.retry_after = Some(Duration::from_millis(1_500));
            assert_eq!(fault(&status(sent.clone())), sent);
        }
    }

    #[test]
    fn nothing_of_an_internal_fault_is_told_outside() {
        let sent = status(Fault::internal("disk on fire").fact("path", "/data"));
        assert_eq!(sent.message(), "internal error");
        assert_eq!(fault(&sent), Fault::internal("internal error"));
    }

    #[test]
    fn a_status_without_a_reason_is_read_by_its_code() {
        assert_eq!(fault(&Status::not_found("gone")).reason, Reason::NotFound);
        assert_eq!(fault(&Status::unknown("odd")).reason, Reason::Internal);
        for reason in Reason::ALL.iter().copied() {
            let code = code(reason);
            assert_eq!(super::code(super::reason(code)), code, "{reason:?}");
        }
    }

    #[test]
    fn a_reason_of_another_domain_is_not_ours() {
        let details = ErrorDetails::with_error_info("NOT_FOUND", "elsewhere", HashMap::new());
        let sent = Status::with_error_details(Code::Unavailable, "down", details);
        assert_eq!(fault(&sent).reason, Reason::Unavailable);
    }

    #[test]
    fn the_contract_documents_exactly_the_reasons_of_lines_of_the_code() {
        let unspecified = proto::error::v1::LineReason::Unspecified;
        let documented: BTreeSet<_> = (0..1_000)
            .filter_map(|number| proto::error::v1::LineReason::try_from(number).ok())
            .filter(|reason| *reason != unspecified)
            .map(|reason| reason.as_str_name().trim_start_matches("LINE_REASON_"))
            .collect();
        assert_eq!(documented, LineReason::ALL.iter().map(|reason| reason.as_str()).collect());
    }

    #[test]
    fn the_contract_documents_exactly_the_reasons_of_the_code() {
        let unspecified = proto::error::v1::Reason::Unspecified;
        let documented: BTreeSet<_> = (0..1_000)
            .filter_map(|number| proto::error::v1::Reason::try_from(number).ok())
            .filter(|reason| *reason != unspecified)
            .map(|reason| reason.as_str_name().trim_start_matches("REASON_"))
            .collect();
        assert_eq!(documented, Reason::ALL.iter().map(|reason| reason.as_str()).collect());
    }
}
