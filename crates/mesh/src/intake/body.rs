//! The body of a request, which is counted and has to keep coming.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::Load;

/// How long a body may stand still, and how long it may take as a whole.
const PACE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that fails with `io::ErrorKind::TimedOut` when it stands still, and with a `Fault` when there are too many bytes.
pub struct Arriving<B> {
    inner: B,
    load: Arc<Load>,
    end: Instant,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<B> Arriving<B> {
    /// This body of the call whose bytes are counted there.
    pub fn new(inner: B, load: &Arc<Load>) -> Self {
        Self { inner, load: load.clone(), end: Instant::now() + PACE.1, waiting: None }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Arriving<B>
where
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            self.waiting = None;
            return Poll::Ready(frame.map(|frame| {
                let frame = frame.map_err(Into::into)?;
                if let Some(data) = frame.data_ref() {
                    self.load.add(data.remaining())?;
                }
                Ok(frame)
            }));
        }
        let until = self.end.min(Instant::now() + PACE.0);
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tokio::sync::mpsc;
    use types::{Fault, Reason};

    use super::*;
    use crate::intake::{Intake, IntakeSettings};

    /// A body that is sent by the test.
    struct Sent(mpsc::UnboundedReceiver<Bytes>);

    impl Body for Sent {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
            self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
        }
    }

    fn arriving(most: usize) -> (mpsc::UnboundedSender<Bytes>, Arriving<Sent>, Intake) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let intake = Intake::of(&IntakeSettings { max_request_bytes: most, ..IntakeSettings::default() });
        (sender, Arriving::new(Sent(receiver), &intake.load(None, None)), intake)
    }

    fn is_late(error: &BoxError) -> bool {
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stands_still_is_given_up() {
        let (sender, body, _) = arriving(1_000);
        sender.send(Bytes::from_static(b"{")).unwrap();
        assert!(is_late(&body.collect().await.unwrap_err()));
        drop(sender);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_given_up_too() {
        let (sender, body, _) = arriving(1_000);
        let trickle = tokio::spawn(async move {
            let mut sent = 0;
            while sender.send(Bytes::from_static(b" ")).is_ok() {
                sent += 1;
                tokio::time::sleep(PACE.0 / 2).await;
            }
            sent
        });
        assert!(is_late(&body.collect().await.unwrap_err()));
        assert!((12..=14).contains(&trickle.await.unwrap()));
    }

    #[tokio::test]
    async fn a_body_that_comes_is_read_whole_and_counted_as_long_as_its_call() {
        let (sender, body, intake) = arriving(100);
        let trickle = tokio::spawn(async move {
            for _ in 0..100 {
                sender.send(Bytes::from_static(b" ")).unwrap();
                tokio::task::yield_now().await;
            }
        });
        let call = body.load.clone();
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 100);
        trickle.await.unwrap();
        assert_eq!(intake.bytes(), 100);
        drop(call);
        assert_eq!(intake.bytes(), 0);
    }

    #[tokio::test]
    async fn a_body_of_too_many_bytes_is_refused_with_a_time_to_come_back() {
        let (sender, body, _) = arriving(9);
        sender.send(Bytes::from_static(b"0123456789")).unwrap();
        let error = body.collect().await.unwrap_err();
        let fault = error.downcast_ref::<Fault>().unwrap();
        assert_eq!(fault.reason, Reason::Unavailable);
        assert!(fault.retry_after.is_some());
    }
}
