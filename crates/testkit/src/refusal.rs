//! Reads the refusal of a call.

use tonic::Status;
use types::{Fault, Reason};

/// The fault of a refused call.
pub fn fault<T>(outcome: Result<T, Status>) -> Fault {
    let Err(status) = outcome else { panic!("the call was not refused") };
    mesh::fault(&status)
}

/// The reason of a refused call.
pub fn reason<T>(outcome: Result<T, Status>) -> Reason {
    fault(outcome).reason
}

/// The fields that a refused request has wrong.
pub fn wrong_fields<T>(outcome: Result<T, Status>) -> Vec<String> {
    let fault = fault(outcome);
    assert_eq!(fault.reason, Reason::InvalidArgument, "{fault}");
    fault.violations.into_iter().map(|violation| violation.field).collect()
}
