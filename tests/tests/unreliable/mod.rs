//! A server that is reached through a bad network: a tower service around another one, so that
//! nothing of it takes real time.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use apibase::{BoxError, Code, TowerService};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use h2::Reason;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use tonic::body::Body;
use tower_service::Service;

use crate::common::{EchoServiceServer, Scripted};

/// What can befall an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no connection.
    NoConnection,
    /// The server's HTTP/2 turns the stream away.
    Refused,
    /// The connection is lost before an answer; the server has done its work or not.
    Lost,
    /// The server resets the stream before an answer.
    Reset(Reason),
    /// The server's answer is this status, and nothing else.
    Status(Code),
    /// An answer begins, and its status is this one.
    StatusAfterHead(Code),
    /// No answer comes.
    Silence,
    /// The connection is lost after the head of the answer.
    LostAfterHead,
    /// After the head of the answer nothing comes.
    SilenceAfterHead,
    /// The answer takes this long.
    Slow(Duration),
}

/// A service, and what befalls those who ask it: `draw` says for each attempt.
#[derive(Clone)]
pub(crate) struct Unreliable {
    inner: TowerService<EchoServiceServer<Scripted>>,
    draw: Arc<Mutex<Draw>>,
    /// What befalls the attempt that this clone is for.
    drawn: Option<Option<Fault>>,
}

type Draw = Box<dyn FnMut() -> Option<Fault> + Send>;
type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

impl Unreliable {
    pub(crate) fn new(
        scripted: Scripted,
        draw: impl FnMut() -> Option<Fault> + Send + 'static,
    ) -> Self {
        let server = EchoServiceServer::new(scripted);
        Self {
            inner: server.into_service(apibase::Interceptors::none()).unwrap(),
            draw: Arc::new(Mutex::new(Box::new(draw))),
            drawn: None,
        }
    }
}

impl Service<Request<Body>> for Unreliable {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let drawn = (self.draw.lock().unwrap())();
        self.drawn = Some(drawn);
        Poll::Ready(match drawn {
            Some(Fault::NoConnection) => Err(broken(io::ErrorKind::ConnectionRefused)),
            _ => Ok(()),
        })
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let fault = self.drawn.take().expect("asked whether it is ready");
        let mut inner = self.inner.clone();
        Box::pin(async move {
            match fault {
                Some(Fault::Refused) => return Err(reset(Reason::REFUSED_STREAM)),
                Some(Fault::Reset(reason)) => return Err(reset(reason)),
                Some(Fault::Status(code)) => return Ok(trailers_only(code)),
                Some(Fault::Silence) => std::future::pending().await,
                Some(Fault::Slow(time)) => tokio::time::sleep(time).await,
                _ => {}
            }
            let Ok(answer) = inner.call(request).await;
            Ok(match fault {
                Some(Fault::Lost) => return Err(broken(io::ErrorKind::ConnectionReset)),
                Some(Fault::LostAfterHead) => {
                    let lost = Err(broken(io::ErrorKind::ConnectionReset));
                    answer.map(|_| StreamBody::new(stream::iter([lost])).boxed_unsync())
                }
                Some(Fault::SilenceAfterHead) => {
                    answer.map(|_| StreamBody::new(stream::pending()).boxed_unsync())
                }
                Some(Fault::StatusAfterHead(code)) => {
                    let end = Ok(Frame::trailers(status(code)));
                    answer.map(|_| StreamBody::new(stream::iter([end]).boxed()).boxed_unsync())
                }
                _ => answer.map(|body| body.map_err(Into::into).boxed_unsync()),
            })
        })
    }
}

fn broken(kind: io::ErrorKind) -> BoxError {
    io::Error::from(kind).into()
}

fn reset(reason: Reason) -> BoxError {
    h2::Error::from(reason).into()
}

fn status(code: Code) -> HeaderMap {
    let code = HeaderValue::from(i32::from(code));
    HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), code)])
}

fn trailers_only(code: Code) -> Answer {
    let mut answer = Response::new(Body::empty().map_err(Into::into).boxed_unsync());
    *answer.headers_mut() = status(code);
    let grpc = HeaderValue::from_static("application/grpc");
    answer.headers_mut().insert("content-type", grpc);
    answer
}
