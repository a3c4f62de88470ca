//! Limits of the path, the query and the headers of a request.

use http::{StatusCode, request::Parts};
use tonic::Code;

use crate::problem::Problem;

/// Bytes of path and query.
const ADDRESS: usize = 16 * 1_024;

/// Parameters of a query; a list needs one for each element.
const PARAMETERS: usize = 1_000;

/// Bytes of all names and values of headers.
const HEADERS: usize = 16 * 1_024;

/// Refuses a request over a limit; the problem names the limit.
pub(crate) fn check(parts: &Parts) -> Result<(), Problem> {
    let query = parts.uri.query().unwrap_or_default();
    if parts.uri.path().len() + query.len() > ADDRESS {
        return Err(too_large(StatusCode::URI_TOO_LONG, format!("path and query are longer than {ADDRESS} bytes")));
    }
    if query.split('&').filter(|parameter| !parameter.is_empty()).count() > PARAMETERS {
        return Err(Problem::malformed(format!("the query has more than {PARAMETERS} parameters")));
    }
    let headers: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers > HEADERS {
        let detail = format!("the headers have more than {HEADERS} bytes");
        return Err(too_large(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail));
    }
    Ok(())
}

fn too_large(status: StatusCode, detail: String) -> Problem {
    Problem::new(status, Code::InvalidArgument, detail)
}
