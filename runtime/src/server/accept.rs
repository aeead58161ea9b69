//! The head of a request: is it a call that we take, and what is its context?

use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method as Verb, Response, StatusCode, header};
use tonic::metadata::MetadataMap;

use super::body::ReplyBody;
use super::call::Reply;
#[cfg(feature = "server")]
use super::limits::overload_pause;
#[cfg(feature = "server")]
use crate::RateLimit;
use crate::clock;
use crate::context::Peer;
use crate::errors;
use crate::interceptors::{Chain, Interceptors, MethodChain};
use crate::observe::{Event, Refusal};
use crate::wire::compression::Encodings;
use crate::wire::headers::{self, Incoming, Present};
use crate::wire::timeout;
use crate::{Code, Context, Method, Status};

/// Checks a request's head and makes the call's context, with its headers.
///
/// The order is the protocol's: what isn't gRPC gets an HTTP answer, what is gets a status.
pub(crate) fn accept(
    head: &mut Parts,
    peer: Option<Peer>,
    taker: Option<Taker<'_>>,
    chain: &Interceptors,
    bounds: Bounds,
) -> Result<(Context, &'static Method), Refused> {
    let refuse =
        |reason, problem| Refused::of_request(head.uri.path(), reason, problem).by(peer.clone());
    check_grpc(head).map_err(|(reason, problem)| refuse(reason, problem))?;
    let (present, size) = Present::among(&head.headers);
    #[cfg(not(feature = "server"))]
    let _ = size;
    #[cfg(feature = "server")]
    if let Some(limit) = bounds.metadata {
        let size = headers::size_of_pseudo(head) + size;
        if size > limit {
            let status = metadata_too_large(size, limit);
            return Err(refuse(Refusal::MetadataTooLarge, Problem::Status(status)));
        }
    }
    let Some(taker) = taker else {
        return Err(Refused::unknown_method(head.uri.path()).by(peer.clone()));
    };
    if present.encoding
        && let Some(status) = unknown_encoding(&head.headers, chain)
    {
        return Err(Refused::of_head(
            head,
            peer,
            taker,
            Refusal::Encoding,
            status,
        ));
    }
    let timeout = present.timeout.then(|| timeout::read(&head.headers));
    let timeout = match timeout.unwrap_or(Ok(None)) {
        Ok(Some(Duration::ZERO)) => {
            let status = Status::new(Code::DeadlineExceeded, "the deadline had passed on arrival");
            let reason = Refusal::DeadlineSpent;
            return Err(Refused::of_head(head, peer, taker, reason, status));
        }
        Ok(timeout) => timeout,
        Err(timeout::Malformed) => {
            let message = "`grpc-timeout` is not one to eight digits and one of H, M, S, m, u, n";
            let status = Status::new(Code::Internal, message);
            return Err(Refused::of_head(
                head,
                peer,
                taker,
                Refusal::Timeout,
                status,
            ));
        }
    };
    let Taker { method, chain: own } = taker;
    // The least of what the caller asks for, the method's cap and the server's.
    let timeout = [timeout, method.capped_at(), bounds.deadline]
        .into_iter()
        .flatten()
        .min();
    // A deadline beyond what the clock can say is none.
    let deadline = timeout.and_then(|timeout| clock::recent().checked_add(timeout));
    let metadata = MetadataMap::from_headers(take(&mut head.headers));
    let metadata = Incoming { metadata, present };
    let context = Context::incoming(method, peer, metadata, deadline, own.cloned());
    Ok((context, method))
}

/// Why a request isn't one of gRPC, if it isn't.
fn check_grpc(head: &Parts) -> Result<(), (Refusal, Problem)> {
    if head.method != Verb::POST {
        // Who asks for the head alone gets no body.
        let said = match head.method {
            Verb::HEAD => "",
            _ => NOT_GRPC,
        };
        let problem = Problem::Http(StatusCode::METHOD_NOT_ALLOWED, said);
        return Err((Refusal::NotPost, problem));
    }
    let content = head.headers.get(header::CONTENT_TYPE);
    if !content.is_some_and(headers::is_grpc) {
        let problem = Problem::Http(StatusCode::UNSUPPORTED_MEDIA_TYPE, NOT_GRPC);
        return Err((Refusal::ContentType, problem));
    }
    Ok(())
}

/// Stands for all methods that there are none of: paths are whatever callers send.
pub(crate) static OTHER: Method = Method::unary("/_OTHER/_OTHER");

/// Who takes the requests of a path.
#[derive(Clone, Copy)]
pub(crate) struct Taker<'a> {
    pub(crate) method: &'static Method,
    pub(crate) chain: Option<&'a Arc<MethodChain>>,
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
    path: Box<str>,
    reason: Refusal,
    problem: Problem,
    /// Who is refused; None where that isn't known, or another one says it.
    peer: Option<Box<Peer>>,
    /// How long to wait before another try, where waiting helps.
    #[cfg(feature = "server")]
    delay: Option<Duration>,
    /// The call, where the request had become one, or what it would have been.
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
            path: path.into(),
            reason,
            problem,
            peer: None,
            #[cfg(feature = "server")]
            delay: None,
            call: None,
        }
    }

    /// A request of a method that is there, and which is wrong otherwise.
    fn of_head(
        head: &mut Parts,
        peer: Option<Peer>,
        taker: Taker<'_>,
        reason: Refusal,
        status: Status,
    ) -> Self {
        let mut refused = Self::of_request(head.uri.path(), reason, Problem::Status(status));
        let metadata = MetadataMap::from_headers(take(&mut head.headers));
        let chain = taker.chain.cloned();
        let call = Context::incoming(taker.method, peer, metadata, None, chain);
        refused.call = Some(call);
        refused
    }

    fn by(mut self, peer: Option<Peer>) -> Self {
        self.peer = peer.map(Box::new);
        self
    }

    /// No service has a method at `path`.
    pub(crate) fn unknown_method(path: &str) -> Self {
        let message = format!("no service here has a method at `{path}`");
        let status = Status::new(Code::Unimplemented, message);
        Self::of_request(path, Refusal::UnknownMethod, Problem::Status(status))
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

    /// Observers hear of it; `call` is what it has become at the interceptors, if it came that far.
    fn tell(&self, chain: &Chain, call: Option<&Context>) {
        let context = call.or(self.call.as_ref());
        chain.observers.observe(&Event::Refused {
            path: &self.path,
            reason: self.reason,
            code: self.code(),
            peer: self.peer.as_deref().or_else(|| context?.peer()),
            context,
            started: call.is_some(),
        });
    }

    fn code(&self) -> Code {
        match &self.problem {
            Problem::Http(..) => Code::Unknown,
            Problem::Status(status) => status.code(),
        }
    }

    /// The answer to a call that has come through the interceptors, once the observers have heard of it.
    pub(crate) fn reply(self, chain: &Chain, call: &Context) -> Reply {
        self.tell(chain, Some(call));
        call.trail().refuse(self.reason);
        Reply::failed(match &self.problem {
            Problem::Status(status) => self.leaving(status, call),
            // Only requests that are no calls.
            Problem::Http(..) => Status::new(Code::Internal, NOT_GRPC),
        })
    }

    /// What the caller is told.
    fn leaving(&self, status: &Status, call: &Context) -> Status {
        let reason = match self.reason {
            // The protocol has codes for these, and nothing is to be added.
            Refusal::UnknownMethod | Refusal::Encoding => errors::name(status.code()),
            reason => reason.as_str(),
        };
        #[cfg(feature = "server")]
        let delay = self.delay;
        #[cfg(not(feature = "server"))]
        let delay = None;
        errors::plain_until(status.code(), reason, status.message(), delay, call)
    }

    /// The answer, once the observers have heard of it.
    pub(crate) fn respond(self, chain: &Interceptors) -> Response<ReplyBody> {
        if let Some(chain) = chain.chain() {
            self.tell(chain, None);
        }
        match &self.problem {
            &Problem::Http(http, said) => {
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
                let nobodys = Context::background();
                let call = self.call.as_ref().unwrap_or(&nobodys);
                let status = self.leaving(status, call);
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
