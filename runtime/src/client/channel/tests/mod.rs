//! Channels over a network in memory, in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod calls;
mod dials;
mod endpoints;
mod goodbyes;
mod healths;
mod keepalives;
mod links;
mod mix;
mod net;
mod partitions;
mod places;
mod schedules;
mod server;
mod windows;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use http_body::Body as _;

use self::net::Net;
use super::answer::Answer;
use super::{Channel, ChannelOptions};
use crate::Code;
use crate::client::{Attempt, RequestStream, Target, Transport, TransportError, Upstream};
use crate::wire::status;

impl Net {
    /// What a channel over this network is set to.
    fn options(&self) -> ChannelOptions {
        ChannelOptions {
            connector: Some(Arc::new(self.clone())),
            ..ChannelOptions::default()
        }
    }

    /// A channel to `hosts`, by names that only this network knows.
    fn channel(&self, hosts: &str) -> Channel {
        channel(hosts, self.options())
    }
}

fn channel(hosts: &str, options: ChannelOptions) -> Channel {
    let upstream = |_, _| Upstream::default();
    Channel::open(Target::new(hosts).insecure(), options, upstream).unwrap()
}

fn request(body: RequestStream) -> Request<RequestStream> {
    let mut request = Request::new(body);
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = Uri::from(PathAndQuery::from_static("/echo.EchoService/Echo"));
    request
}

fn unary() -> Request<RequestStream> {
    request(RequestStream::message(Bytes::from_static(b"\0\0\0\0\x01a")))
}

/// How a call ended: with its status, or by its transport; and the endpoint it was sent to.
struct Done {
    result: Result<Code, TransportError>,
    attempt: Attempt,
}

impl Done {
    fn endpoint(&self) -> &str {
        self.attempt.endpoint().map_or("", |name| name)
    }

    fn code(&self) -> Code {
        match &self.result {
            Ok(code) => *code,
            Err(error) => error.code(),
        }
    }

    fn error(&self) -> &TransportError {
        self.result.as_ref().unwrap_err()
    }

    /// Asserts that it was answered, by this endpoint.
    #[track_caller]
    fn by(&self, endpoint: &str) {
        assert_eq!(self.result.as_ref().unwrap(), &Code::Ok);
        assert_eq!(self.endpoint(), endpoint);
    }
}

async fn call(channel: &Channel) -> Done {
    let mut attempt = Attempt::first();
    let result = match channel.send(unary(), &mut attempt).await {
        Ok(answer) => read(answer).await,
        Err(error) => Err(error),
    };
    Done { result, attempt }
}

/// Reads an answer to its end, and gives its status.
async fn read(answer: Response<Answer>) -> Result<Code, TransportError> {
    let (head, mut body) = answer.into_parts();
    if let Some(code) = status::code_in(&head.headers) {
        return Ok(code);
    }
    loop {
        let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx));
        match frame.await {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    return Ok(status::code_in(trailers).unwrap());
                }
            }
            Some(Err(error)) => return Err(error),
            None => return Err(TransportError::broken("no status")),
        }
    }
}

/// Lets everybody do what they have to do now.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}
