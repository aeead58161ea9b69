//! [`HealthWatch`]: whether the server of a connection says that it is SERVING
//! ([gRFC A17](https://github.com/grpc/proposal/blob/master/A17-client-side-health-checking.md)).

mod stream;
#[cfg(test)]
mod tests;

use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Uri};
use prost::Message;
use tokio::time::{Instant, sleep};

use self::stream::Incoming;
use super::backoff::Backoff;
use crate::Code;
use crate::wire::frames::Frames;
use crate::wire::headers::{GRPC, TRAILERS, USER_AGENT};
use crate::wire::status;

/// A stream that ended is opened again after these waits (gRPC's connection-backoff.md).
const FIRST_WAIT: Duration = Duration::from_secs(1);
const WAITS_GROW_BY: f64 = 1.6;
const MAX_WAIT: Duration = Duration::from_secs(120);

/// One that told something and held for this long is opened again at once: a server that says a word
/// and ends must not be asked without end.
const HELD: Duration = Duration::from_secs(1);

/// An answer is a number: what is larger is none.
const MAX_ANSWER: usize = 1024;

/// `HealthCheckResponse.ServingStatus.SERVING`.
const SERVING: i32 = 1;

/// Watches the health of a service, over a connection of its own choice: `grpc.health.v1.Health/Watch`.
#[derive(Clone, Debug)]
pub(crate) struct HealthWatch {
    uri: Uri,
    question: Bytes,
}

/// What is known of a server's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Serving {
    /// It says SERVING, or doesn't say at all: it has no health service.
    Yes,
    /// It says something else, or the stream broke on which it would: this is why.
    No(&'static str),
}

/// `HealthCheckRequest`.
#[derive(Clone, PartialEq, Message)]
struct Question {
    #[prost(string, tag = "1")]
    service: String,
}

/// `HealthCheckResponse`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Answer {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// How a stream ended.
enum End {
    /// There is no health service.
    Unimplemented,
    /// Anything else.
    Broken { told: bool },
}

impl HealthWatch {
    /// Watches `service`, empty for the server as a whole, of the servers at `authority`. None if the
    /// name is longer than a message can be.
    pub(crate) fn new(scheme: Scheme, authority: Authority, service: &str) -> Option<Self> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(scheme);
        parts.authority = Some(authority);
        parts.path_and_query = Some(PathAndQuery::from_static("/grpc.health.v1.Health/Watch"));
        let question = Question {
            service: service.to_owned(),
        };
        let length = u32::try_from(question.encoded_len()).ok()?;
        let mut frame = vec![0];
        frame.extend(length.to_be_bytes());
        frame.extend(question.encode_to_vec());
        Some(Self {
            uri: Uri::from_parts(parts).ok()?,
            question: frame.into(),
        })
    }

    /// Watches over `connection` and tells each change, until the connection takes no more calls. Until
    /// it tells something nothing is known, and the connection not to be used.
    ///
    /// It holds a stream open, and with it the connection: drop it when no call needs that any longer.
    pub(crate) async fn run(self, connection: SendRequest<Bytes>, mut tell: impl FnMut(Serving)) {
        let mut last = None;
        let mut tell = |serving: Serving| {
            if last.as_ref() != Some(&serving) {
                last = Some(serving.clone());
                tell(serving);
            }
        };
        let mut backoff = Backoff::new(FIRST_WAIT, WAITS_GROW_BY, MAX_WAIT);
        loop {
            let Ok(sender) = connection.clone().ready().await else {
                return tell(Serving::No("the connection takes no more calls"));
            };
            let opened = Instant::now();
            match self.watch(sender, &mut tell).await {
                End::Unimplemented => {
                    tracing::warn!(
                        server = ?self.uri.authority(),
                        "the server has no health service; it is taken for healthy"
                    );
                    tell(Serving::Yes);
                    return pending().await;
                }
                End::Broken { told } => {
                    tell(Serving::No("the stream broke that tells of its health"));
                    match told && opened.elapsed() >= HELD {
                        true => backoff.reset(),
                        false => sleep(backoff.next()).await,
                    }
                }
            }
        }
    }

    /// One stream, to its end.
    async fn watch(&self, mut sender: SendRequest<Bytes>, tell: &mut impl FnMut(Serving)) -> End {
        const BROKEN: End = End::Broken { told: false };
        let Ok((head, mut question)) = sender.send_request(self.request(), false) else {
            return BROKEN;
        };
        let _ = question.send_data(self.question.clone(), true);
        let Ok(response) = head.await else {
            return BROKEN;
        };
        let (head, body) = response.into_parts();
        let refused = match head.status {
            http::StatusCode::OK => status::code_in(&head.headers),
            other => Some(status::from_http(other).code()),
        };
        if let Some(code) = refused {
            return End::of(Some(code), false);
        }
        let mut answers = Frames::new(Incoming::new(body), MAX_ANSWER, None);
        let mut told = false;
        while let Some(Ok(answer)) = answers.next().await {
            let Ok(answer) = Answer::decode(answer) else {
                return End::Broken { told };
            };
            told = true;
            tell(answer.serving());
        }
        let trailers = answers.take_trailers();
        End::of(trailers.as_ref().and_then(status::code_in), told)
    }

    fn request(&self) -> Request<()> {
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(http::header::TE, TRAILERS);
        headers.insert(http::header::CONTENT_TYPE, GRPC);
        headers.insert(http::header::USER_AGENT, USER_AGENT);
        request
    }
}

impl End {
    /// That of a stream with this status.
    fn of(code: Option<Code>, told: bool) -> Self {
        match code {
            Some(Code::Unimplemented) => Self::Unimplemented,
            _ => Self::Broken { told },
        }
    }
}

impl Answer {
    fn serving(self) -> Serving {
        match self.status {
            SERVING => Serving::Yes,
            2 => Serving::No("it says NOT_SERVING"),
            3 => Serving::No("it doesn't know the service whose health is watched"),
            _ => Serving::No("it doesn't say that it is SERVING"),
        }
    }
}
