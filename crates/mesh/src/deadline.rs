//! The deadline of a call: read from its headers, and sent with the calls that it makes, where it only shrinks.
//!
//! tower's timeout neither covers the body of a stream nor is sent on.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use types::{Fault, Reason};

pub(crate) const HEADER: HeaderName = HeaderName::from_static("grpc-timeout");

/// The timeout of a request, if it has one.
pub(crate) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if number.is_empty() || number.len() > 8 || !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// The header value of a timeout, in the finest unit that fits its eight digits.
fn to_header(timeout: Duration) -> Option<HeaderValue> {
    const LIMIT: u128 = 100_000_000;
    let text = if timeout.as_micros() < LIMIT {
        format!("{}u", timeout.as_micros())
    } else if timeout.as_millis() < LIMIT {
        format!("{}m", timeout.as_millis())
    } else {
        format!("{}S", u128::from(timeout.as_secs()).min(LIMIT - 1))
    };
    HeaderValue::from_str(&text).ok()
}

/// Shortens the timeout of an outgoing call to what is left of the call it is made for. Returns its deadline.
pub(crate) fn shrink(headers: &mut HeaderMap, outer: Option<Instant>) -> Option<Instant> {
    let now = Instant::now();
    let asked = timeout(headers).and_then(|timeout| now.checked_add(timeout));
    let deadline = [asked, outer].into_iter().flatten().min()?;
    if let Some(value) = to_header(deadline.saturating_duration_since(now)) {
        headers.insert(HEADER, value);
    }
    Some(deadline)
}

/// The fault of a call whose time is over.
pub(crate) fn exceeded() -> Fault {
    Fault::new(Reason::DeadlineExceeded, "the call took longer than its caller allowed")
}

/// What ends a call before its own end.
#[derive(Default)]
pub(crate) struct End {
    deadline: Option<Pin<Box<Sleep>>>,
    draining: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// The end of the credential it was begun with.
    credential: Option<BoxFuture<'static, Fault>>,
    makes_way: bool,
}

impl End {
    /// The call ends at its deadline, if it has one.
    pub(crate) fn at(deadline: Option<Instant>) -> Self {
        Self { deadline: deadline.map(|at| Box::pin(tokio::time::sleep_until(at))), ..Self::default() }
    }

    /// The call has no deadline, and ends when the server drains.
    pub(crate) fn on(draining: CancellationToken) -> Self {
        Self { draining: Some(Box::pin(draining.cancelled_owned())), ..Self::default() }
    }

    /// Ends the call with its credential too.
    pub(crate) fn with_credential(&mut self, ended: Option<BoxFuture<'static, Fault>>) {
        self.credential = ended;
    }

    /// Whether the call had to end for the server to end.
    pub(crate) fn makes_way(&self) -> bool {
        self.makes_way
    }

    /// Ready with the fault, once the call has to end.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(exceeded());
        }
        if let Some(draining) = &mut self.draining
            && draining.as_mut().poll(cx).is_ready()
        {
            self.makes_way = true;
            return Poll::Ready(Fault::unavailable("the server is shutting down"));
        }
        match &mut self.credential {
            Some(credential) => credential.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }

    /// Waits until the call has to end.
    pub(crate) async fn reached(&mut self) -> Fault {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(timeout: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HEADER, HeaderValue::from_static(timeout))])
    }

    #[test]
    fn timeouts_are_read_in_every_unit() {
        assert_eq!(timeout(&headers("2H")), Some(Duration::from_secs(7_200)));
        assert_eq!(timeout(&headers("150m")), Some(Duration::from_millis(150)));
        assert_eq!(timeout(&headers("99999999n")), Some(Duration::from_nanos(99_999_999)));
    }

    #[test]
    fn a_malformed_timeout_is_none() {
        for text in ["", "5", "S", "-1S", "123456789S", "5 S", "5x"] {
            assert_eq!(timeout(&headers(text)), None, "{text}");
        }
    }

    #[test]
    fn long_timeouts_are_told_in_coarser_units() {
        assert_eq!(to_header(Duration::from_secs(1)).unwrap(), "1000000u");
        assert_eq!(to_header(Duration::from_secs(100)).unwrap(), "100000m");
        assert_eq!(to_header(Duration::from_secs(1_000_000)).unwrap(), "1000000S");
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_only_shrinks() {
        let soon = Instant::now() + Duration::from_secs(1);
        let mut longer = headers("5S");
        assert_eq!(shrink(&mut longer, Some(soon)), Some(soon));
        assert_eq!(timeout(&longer), Some(Duration::from_secs(1)));
        let mut shorter = headers("10m");
        assert!(shrink(&mut shorter, Some(soon)) < Some(soon));
        assert_eq!(shrink(&mut HeaderMap::new(), None), None);
    }
}
