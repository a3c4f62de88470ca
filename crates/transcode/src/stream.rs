//! Server streams as lines of JSON or as server-sent events.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::{frame::Frames, problem::Problem, protobuf, respond::ResponseOptions, transcoder::ResponseBody};

const HEARTBEAT: Duration = Duration::from_secs(15);

/// How a stream is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON value per line; a failure is a last line with an `error`.
    Lines,
    /// Server-sent events, with comments as heartbeats; a failure is an event `error`.
    Events,
}

impl Format {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Lines => "application/x-ndjson",
            Self::Events => "text/event-stream",
        }
    }
}

struct StreamWriter {
    options: ResponseOptions,
    format: Format,
    frames: Frames,
    heartbeat: Interval,
    ended: bool,
}

/// The body of a stream. Dropping it cancels the call.
pub(crate) fn body(options: ResponseOptions, format: Format, frames: Frames) -> ResponseBody {
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let writer = StreamWriter { options, format, frames, heartbeat, ended: false };
    let chunks = stream::unfold(writer, |mut writer| async move {
        let chunk = writer.chunk().await?;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(chunk))), writer))
    });
    StreamBody::new(chunks).boxed_unsync()
}

impl StreamWriter {
    async fn chunk(&mut self) -> Option<Vec<u8>> {
        if self.ended {
            return None;
        }
        let next = match self.format {
            Format::Lines => self.frames.next().await,
            Format::Events => tokio::select! {
                biased;
                next = self.frames.next() => next,
                _ = self.heartbeat.tick() => return Some(b": heartbeat\n\n".to_vec()),
            },
        };
        self.heartbeat.reset();
        let problem = match next {
            Ok(Some(message)) => match self.item(&message) {
                Ok(item) => return Some(item),
                Err(problem) => problem,
            },
            Ok(None) => {
                self.ended = true;
                return None;
            }
            Err(failure) => self.options.problem(failure),
        };
        self.ended = true;
        Some(self.failed(&problem))
    }

    fn item(&self, message: &[u8]) -> Result<Vec<u8>, Problem> {
        let mut out = Vec::with_capacity(64 + 3 * message.len());
        match self.format {
            Format::Lines => {
                self.options.json(message, &mut out)?;
                out.push(b'\n');
            }
            Format::Events => {
                let token = self.options.token.and_then(|field| protobuf::text(field, message));
                if let Some(token) = token.filter(|token| !token.is_empty() && !token.contains(['\n', '\r', '\0'])) {
                    out.extend_from_slice(b"id: ");
                    out.extend_from_slice(token.as_bytes());
                    out.push(b'\n');
                }
                out.extend_from_slice(b"data: ");
                self.options.json(message, &mut out)?;
                out.extend_from_slice(b"\n\n");
            }
        }
        Ok(out)
    }

    fn failed(&self, problem: &Problem) -> Vec<u8> {
        let json = problem.to_json(self.options.request_id.as_deref());
        let (before, after): (&[u8], &[u8]) = match self.format {
            Format::Lines => (b"{\"error\":", b"}\n"),
            Format::Events => (b"event: error\ndata: ", b"\n\n"),
        };
        [before, &json, after].concat()
    }
}
