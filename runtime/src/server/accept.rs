//! The head of a request: is it a call that we take, and what is its context?

use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method as Verb, Response, StatusCode, header};
use tokio::time::Instant;
use tonic::metadata::MetadataMap;

use super::body::ReplyBody;
use super::interceptors::Interceptors;
#[cfg(feature = "server")]
use super::limits::overload_pause;
#[cfg(feature = "server")]
use crate::RateLimit;
use crate::context::Peer;
use crate::errors;
use crate::observe::{Event, Refusal};
use crate::wire::compression::Encodings;
use crate::wire::{headers, timeout};
use crate::{Code, Context, Method, Status};

/// Checks a request's head and makes the call's context.
///
/// The order is the protocol's: what isn't gRPC gets an HTTP answer, what is gets a status.
pub(crate) fn accept(
    parts: Parts,
    peer: Option<Peer>,
    method: Option<&'static Method>,
    chain: &Interceptors,
    bounds: Bounds,
) -> Result<(Context, &'static Method), Refused> {
    let refuse = |reason, problem| Refused::of_request(parts.uri.path(), reason, problem);
    if parts.method != Verb::POST {
        // Who asks for the head alone gets no body.
        let said = if parts.method == Verb::HEAD {
            ""
        } else {
            NOT_GRPC
        };
        return Err(refuse(
            Refusal::NotPost,
            Problem::Http(StatusCode::METHOD_NOT_ALLOWED, said),
        ));
    }
    if !parts
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(headers::is_grpc)
    {
        let http = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(refuse(Refusal::ContentType, Problem::Http(http, NOT_GRPC)));
    }
    #[cfg(feature = "server")]
    if let Some(limit) = bounds.metadata {
        let size = headers::size_of_head(&parts);
        if size > limit {
            let status = metadata_too_large(size, limit);
            return Err(refuse(Refusal::MetadataTooLarge, Problem::Status(status)));
        }
    }
    let Some(method) = method else {
        let message = format!("no service here has a method at `{}`", parts.uri.path());
        let status = Status::new(Code::Unimplemented, message);
        return Err(refuse(Refusal::UnknownMethod, Problem::Status(status)));
    };
    if let Some(status) = unknown_encoding(&parts.headers, chain) {
        return Err(refuse(Refusal::Encoding, Problem::Status(status)));
    }
    let timeout = match timeout::read(&parts.headers) {
        Ok(Some(Duration::ZERO)) => {
            let status = Status::new(Code::DeadlineExceeded, "the deadline had passed on arrival");
            return Err(refuse(Refusal::DeadlineSpent, Problem::Status(status)));
        }
        Ok(timeout) => timeout,
        Err(timeout::Malformed) => {
            let message = "`grpc-timeout` is not one to eight digits and one of H, M, S, m, u, n";
            let status = Status::new(Code::Internal, message);
            return Err(refuse(Refusal::Timeout, Problem::Status(status)));
        }
    };
    // The least of what the caller asks for, the method's cap and the server's.
    let timeout = [timeout, method.capped_at(), bounds.deadline]
        .into_iter()
        .flatten()
        .min();
    // A deadline beyond what the clock can say is none.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let metadata = MetadataMap::from_headers(parts.headers);
    let chain = chain.chain().cloned();
    let context = Context::incoming(method, peer, metadata, deadline, chain);
    Ok((context, method))
}

/// Who comes by browser or curl, and has no gRPC status to read, is told by this.
const NOT_GRPC: &str =
    "this is a gRPC server: it takes POST requests with `content-type: application/grpc`\n";

/// What the server itself bounds of a request. Nothing where another one has taken it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bounds {
    /// How long it works on a call.
    pub(crate) deadline: Option<Duration>,
    /// How large the head of a request is, in bytes, as HTTP/2 counts it.
    #[cfg(feature = "server")]
    pub(crate) metadata: Option<usize>,
}

/// Why a call is not taken, and what its caller is told.
#[derive(Debug)]
pub(crate) struct Refused {
    path: String,
    reason: Refusal,
    problem: Problem,
    /// How long to wait before another try, where waiting helps.
    #[cfg(feature = "server")]
    delay: Option<Duration>,
    /// The call, where the request had become one.
    #[cfg(feature = "server")]
    call: Option<Context>,
}

#[derive(Debug)]
enum Problem {
    /// It isn't gRPC: an HTTP status, and what a person is told.
    Http(StatusCode, &'static str),
    Status(Status),
}

impl Refused {
    /// A request that is no call yet.
    fn of_request(path: &str, reason: Refusal, problem: Problem) -> Self {
        Self {
            path: path.to_owned(),
            reason,
            problem,
            #[cfg(feature = "server")]
            delay: None,
            #[cfg(feature = "server")]
            call: None,
        }
    }

    #[cfg(feature = "server")]
    fn of_call(method: &Method, reason: Refusal, status: Status, call: &Context) -> Self {
        let mut refused = Self::of_request(method.path(), reason, Problem::Status(status));
        refused.call = Some(call.clone());
        refused
    }

    /// A limit on concurrent calls is reached: that of `whose`.
    #[cfg(feature = "server")]
    pub(crate) fn overloaded(method: &Method, whose: &str, limit: usize, call: &Context) -> Self {
        let message = format!("{whose} is at its limit of {limit} concurrent calls");
        let status = Status::new(Code::ResourceExhausted, message);
        let mut refused = Self::of_call(method, Refusal::Overloaded, status, call);
        refused.delay = Some(overload_pause());
        refused
    }

    /// The caller has used up what the method's rate limit gives it.
    #[cfg(feature = "server")]
    pub(crate) fn rate_limited(
        method: &Method,
        limit: RateLimit,
        wait: Duration,
        call: &Context,
    ) -> Self {
        let message = format!("`{method}` takes {limit}, of each caller; try again in {wait:?}");
        let status = Status::new(Code::ResourceExhausted, message);
        let mut refused = Self::of_call(method, Refusal::RateLimited, status, call);
        refused.delay = Some(wait);
        refused
    }

    /// The server stops. Another one, or another connection, can be called at once.
    #[cfg(feature = "server")]
    pub(crate) fn draining(method: &Method, call: &Context) -> Self {
        let status = Status::new(
            Code::Unavailable,
            "the server stops, and has said so on this connection; call on another one",
        );
        Self::of_call(method, Refusal::Draining, status, call)
    }

    /// The answer, once the observers have heard of it.
    pub(crate) fn respond(self, chain: &Interceptors) -> Response<ReplyBody> {
        if let Some(chain) = chain.chain() {
            chain.observers.observe(&Event::Refused {
                path: &self.path,
                reason: self.reason,
                code: match &self.problem {
                    Problem::Http(..) => Code::Unknown,
                    Problem::Status(status) => status.code(),
                },
            });
        }
        match self.problem {
            Problem::Http(http, said) => {
                let mut response = Response::new(ReplyBody::text(said));
                *response.status_mut() = http;
                let text = HeaderValue::from_static("text/plain; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, text);
                if http == StatusCode::METHOD_NOT_ALLOWED {
                    let post = HeaderValue::from_static("POST");
                    response.headers_mut().insert(header::ALLOW, post);
                }
                response
            }
            Problem::Status(status) => {
                let reason = match self.reason {
                    // The protocol has codes for these, and nothing is to be added.
                    Refusal::UnknownMethod | Refusal::Encoding => errors::name(status.code()),
                    reason => reason.as_str(),
                };
                let (code, message) = (status.code(), status.message());
                let nobodys = Context::background();
                #[cfg(feature = "server")]
                let (delay, call) = (self.delay, self.call.as_ref().unwrap_or(&nobodys));
                #[cfg(not(feature = "server"))]
                let (delay, call) = (None, &nobodys);
                let status = errors::plain_until(code, reason, message, delay, call);
                let mut response = ReplyBody::trailers_only(None, &status);
                if self.reason == Refusal::Encoding {
                    let name = headers::GRPC_ACCEPT_ENCODING;
                    let known = chain.chain().map(|chain| chain.encodings.header());
                    let known = known.unwrap_or(headers::IDENTITY);
                    response.headers_mut().insert(name, known);
                }
                response
            }
        }
    }
}

#[cfg(feature = "server")]
#[cold]
fn metadata_too_large(size: usize, limit: usize) -> Status {
    let message = format!(
        "the request's metadata is {size} bytes, and this server takes {limit}: names and values, \
         and 32 for each"
    );
    Status::new(Code::ResourceExhausted, message)
}

fn unknown_encoding(request: &HeaderMap, chain: &Interceptors) -> Option<Status> {
    let none = Encodings::none();
    let known = chain.chain().map_or(&none, |chain| &chain.encodings);
    let name = known.of(request).err()?;
    let names: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
    let and = if names.is_empty() { "" } else { " and " };
    let names = names.join(", ");
    let message =
        format!("messages compressed as `{name}` can't be read; {names}{and}`identity` can");
    Some(Status::new(Code::Unimplemented, message))
}
