//! [`HealthWatch`]: whether the server of a connection says that it is SERVING
//! ([gRFC A17](https://github.com/grpc/proposal/blob/master/A17-client-side-health-checking.md)).

#[cfg(test)]
mod tests;

use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Uri};
use prost::Message;
use tokio::time::{Instant, sleep, timeout};

use super::backoff::Backoff;
use super::incoming::Incoming;
use crate::Code;
use crate::wire::frames::Frames;
use crate::wire::headers::{GRPC, TRAILERS, USER_AGENT};
use crate::wire::status;

/// One that told something and held for this long is opened again at once: a server that says a word
/// and ends must not be asked without end.
const HELD: Duration = Duration::from_secs(1);

/// What is told of a server that takes the question and gives no answer.
const SILENT: &str = "it doesn't answer when it is asked for its health";

/// An answer is a number: what is larger is none.
const MAX_ANSWER: usize = 1024;

/// `HealthCheckResponse.ServingStatus.SERVING`.
const SERVING: i32 = 1;

/// Watches the health of a service, over a connection of its own choice: `grpc.health.v1.Health/Watch`.
#[derive(Clone, Debug)]
pub(crate) struct HealthWatch {
    uri: Uri,
    question: Bytes,
    /// How long the first answer may take.
    patience: Duration,
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
    Broken { why: &'static str, told: bool },
}

/// The answers on a stream.
type Answers = Frames<Incoming>;

impl HealthWatch {
    /// Watches `service`, empty for the server as a whole, of the servers at `authority`. None if the
    /// name is longer than a message can be.
    ///
    /// A server has `patience` for its first answer, which the protocol has it give at once: gRFC A17
    /// and grpc-go wait for it without end, and an endpoint whose health service hangs is unused for
    /// ever, without a word. After that it speaks when something changes.
    pub(crate) fn new(
        scheme: Scheme,
        authority: Authority,
        service: &str,
        patience: Duration,
    ) -> Option<Self> {
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
            patience,
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
        let mut backoff = Backoff::connecting();
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
                End::Broken { why, told } => {
                    tell(Serving::No(why));
                    match told && opened.elapsed() >= HELD {
                        true => backoff.reset(),
                        false => sleep(backoff.next()).await,
                    }
                }
            }
        }
    }

    /// One stream, to its end.
    async fn watch(&self, sender: SendRequest<Bytes>, tell: &mut impl FnMut(Serving)) -> End {
        let opened = timeout(self.patience, self.open(sender)).await;
        let (mut answers, mut answer) = match opened {
            Ok(Ok(opened)) => opened,
            Ok(Err(end)) => return end,
            // What is dropped resets the stream.
            Err(_) => {
                return End::Broken {
                    why: SILENT,
                    told: false,
                };
            }
        };
        loop {
            tell(answer.serving());
            match next(&mut answers).await {
                Ok(next) => answer = next,
                Err(end) => return end.after_an_answer(),
            }
        }
    }

    /// One stream, and the first answer on it.
    async fn open(&self, mut sender: SendRequest<Bytes>) -> Result<(Answers, Answer), End> {
        let (head, mut question) = sender
            .send_request(self.request(), false)
            .map_err(|_| End::BROKEN)?;
        let _ = question.send_data(self.question.clone(), true);
        let (head, body) = head.await.map_err(|_| End::BROKEN)?.into_parts();
        if let Some(code) = status::code_of(&head) {
            return Err(End::of(Some(code)));
        }
        let mut answers = Frames::new(Incoming::new(body), MAX_ANSWER, None);
        let first = next(&mut answers).await?;
        Ok((answers, first))
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

/// The next answer on a stream, or how it ended.
async fn next(answers: &mut Answers) -> Result<Answer, End> {
    match answers.next().await {
        Some(Ok(answer)) => Answer::decode(answer).map_err(|_| End::BROKEN),
        _ => {
            let trailers = answers.take_trailers();
            Err(End::of(trailers.as_ref().and_then(status::code_in)))
        }
    }
}

impl End {
    const BROKEN: Self = Self::Broken {
        why: "the stream broke that tells of its health",
        told: false,
    };

    /// That of a stream with this status.
    fn of(code: Option<Code>) -> Self {
        match code {
            Some(Code::Unimplemented) => Self::Unimplemented,
            _ => Self::BROKEN,
        }
    }

    /// The same of a stream that has told something.
    fn after_an_answer(self) -> Self {
        match self {
            Self::Broken { why, .. } => Self::Broken { why, told: true },
            Self::Unimplemented => self,
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
