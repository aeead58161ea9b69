//! [`Layered`]: a tower layer around all requests of a server.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::ReplyBody;
use super::connection::Requests;
use super::request::{IncomingBody, RequestBody};
use crate::wire::headers;
use crate::{BoxError, Context, Status, errors};

/// The requests of a [`Server`](crate::Server) as a [`tower_service::Service`]: what
/// [`Server::layer`](crate::Server::layer) puts a layer around.
///
/// It takes requests with any body, and only those that came to the server: what it needs to know of
/// their connection is in their extensions.
#[derive(Clone, Debug)]
pub struct RequestService(());

/// What a layer has made of [`RequestService`], whatever its type.
pub(super) trait Layered: Send + Sync {
    fn answer(&self, request: Request<IncomingBody>) -> Answer;
}

/// The answer to a request that goes through a layer.
pub(super) type Answer = Pin<Box<dyn Future<Output = Response<ReplyBody>> + Send>>;

/// The connection that a request came by, among the request's extensions.
#[derive(Clone)]
pub(super) struct CameBy(pub(super) Arc<Requests>);

/// `service` around a server's requests.
pub(super) fn around<S, B>(service: impl FnOnce(RequestService) -> S) -> Arc<dyn Layered>
where
    S: Service<Request<IncomingBody>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    Arc::new(Around(service(RequestService(()))))
}

struct Around<S>(S);

impl<S, B> Layered for Around<S>
where
    S: Service<Request<IncomingBody>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    fn answer(&self, request: Request<IncomingBody>) -> Answer {
        let mut service = self.0.clone();
        Box::pin(async move {
            if let Err(error) = poll_fn(|cx| service.poll_ready(cx)).await {
                return failed(&*error.into());
            }
            match service.call(request).await {
                Ok(mut response) => {
                    headers::strip_connection(response.headers_mut());
                    response.map(reply_body)
                }
                Err(error) => failed(&*error.into()),
            }
        })
    }
}

impl<B> Service<Request<B>> for RequestService
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<ReplyBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        match parts.extensions.remove::<CameBy>() {
            Some(CameBy(requests)) => {
                let answering = requests.answer_layered(parts, request_body(body));
                Box::pin(async { Ok(answering.await) })
            }
            None => Box::pin(std::future::ready(Ok(failed(&Strayed)))),
        }
    }
}

/// h2's own body as it is, if the layer has let it be.
fn request_body<B>(body: B) -> RequestBody
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let mut body = Some(body);
    let own = taken_as(&mut body).map(RequestBody::Own);
    own.or_else(|| body.map(RequestBody::foreign))
        .unwrap_or_else(|| RequestBody::foreign(ReplyBody::empty()))
}

/// Our own body as it is, if the layer has let it be.
fn reply_body<B>(body: B) -> ReplyBody
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let mut body = Some(body);
    let own = taken_as(&mut body);
    own.or_else(|| body.map(ReplyBody::foreign))
        .unwrap_or_default()
}

/// Takes the value out as a `T`, if it is one.
fn taken_as<V: 'static, T: 'static>(value: &mut Option<V>) -> Option<T> {
    let value: &mut dyn Any = value;
    value.downcast_mut::<Option<T>>()?.take()
}

/// The answer where a layer fails: the status that it failed with, or INTERNAL, and the log says why.
fn failed(error: &(dyn Error + 'static)) -> Response<ReplyBody> {
    let mut sources = std::iter::successors(Some(error), |&error| error.source());
    if let Some(status) = sources.find_map(|error| error.downcast_ref::<Status>()) {
        return ReplyBody::trailers_only(None, status);
    }
    let status = errors::internal(
        &format_args!("a layer of the server failed: {error}"),
        &Context::background(),
    );
    ReplyBody::trailers_only(None, &status)
}

/// A layer gives on requests without their extensions, or its own.
#[derive(Debug)]
struct Strayed;

impl fmt::Display for Strayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a request came without the extensions that the server gave it: a layer must pass them on",
        )
    }
}

impl Error for Strayed {}
