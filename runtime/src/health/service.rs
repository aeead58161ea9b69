//! `grpc.health.v1.Health`: Check, List and Watch.
//!
//! The rules are those of <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>, of
//! List those of gRFC A90, and of what clients do with Watch those of gRFC A17.

use std::future::ready;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use futures_core::Stream;
use tokio::sync::watch;

use super::Health;
use super::messages::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse, WireStatus,
};
use super::own;
use super::state::{MAX_NAME, Phase, State};
use crate::server::{Call, Reply, Service};
use crate::stream::Streamed;
use crate::{Code, Context, DomainError, Method, errors};

/// The names of one List; with more it fails (gRFC A90 leaves the number to the server).
const MAX_LISTED: usize = 100;

impl Service for Health {
    const NAME: &'static str = "grpc.health.v1.Health";

    const METHODS: &'static [Method] = &[
        Method::unary("/grpc.health.v1.Health/Check"),
        Method::unary("/grpc.health.v1.Health/List"),
        Method::server_stream("/grpc.health.v1.Health/Watch"),
    ];

    /// `protos/common/health.proto`, under the name that the standard has.
    const DESCRIPTORS: &'static [u8] = own::V1;

    fn dispatch(&self, mut call: Call) -> impl Future<Output = Reply> + Send + 'static {
        let health = self.clone();
        async move {
            match call.rpc() {
                "Check" => {
                    call.unary(|_, request: HealthCheckRequest| ready(health.check(&request)))
                        .await
                }
                "List" => {
                    call.unary(|ctx, _: HealthListRequest| ready(health.list(ctx)))
                        .await
                }
                "Watch" => {
                    call.server_stream(|ctx, request| ready(health.watch(ctx, request)))
                        .await
                }
                _ => call.unimplemented(),
            }
        }
    }
}

impl Health {
    pub(super) fn check(
        &self,
        request: &HealthCheckRequest,
    ) -> Result<HealthCheckResponse, DomainError> {
        match self.status(&request.service) {
            Some(status) => Ok(WireStatus::from(status).into()),
            None => Err(DomainError::not_found("unknown service")),
        }
    }

    pub(super) fn list(&self, ctx: &Context) -> Result<HealthListResponse, DomainError> {
        let state = self.shared().states.borrow();
        let all = state.list();
        if all.len() > MAX_LISTED {
            let message = format!("there are more than {MAX_LISTED} services");
            return Err(failed(Code::ResourceExhausted, &message, ctx));
        }
        let statuses = all.map(|(name, status)| (name.to_owned(), WireStatus::from(status).into()));
        Ok(HealthListResponse {
            statuses: statuses.collect(),
        })
    }

    /// A reply now, and one for every change. A client whose stream ended after a reply opens it
    /// again at once (gRFC A17), so there is none from a server that stops.
    pub(super) fn watch(
        &self,
        ctx: &Context,
        request: HealthCheckRequest,
    ) -> Result<Streamed<HealthCheckResponse, DomainError>, DomainError> {
        let states = self.shared().states.subscribe();
        if states.borrow().phase() == Phase::Over {
            return Err(stopping(ctx));
        }
        // Who watches need not hold a megabyte that will never be a name.
        let name = (request.service.len() <= MAX_NAME).then_some(request.service);
        let watcher = Watcher {
            states,
            name,
            told: None,
            ctx: ctx.clone(),
        };
        Ok(Streamed::new(Changes {
            next: Some(Box::pin(watcher.next())),
        }))
    }
}

fn failed(code: Code, message: &str, ctx: &Context) -> DomainError {
    errors::plain(code, errors::name(code), message, ctx).into()
}

fn stopping(ctx: &Context) -> DomainError {
    let message = "the server is shutting down";
    errors::plain(Code::Unavailable, "DRAINING", message, ctx).into()
}

/// Someone who watches a name.
struct Watcher {
    states: watch::Receiver<State>,
    /// None if it can't be one.
    name: Option<String>,
    told: Option<WireStatus>,
    ctx: Context,
}

impl Watcher {
    /// The newest status, once it is another one than was told last.
    async fn next(mut self) -> (Self, Result<HealthCheckResponse, DomainError>) {
        loop {
            let (status, phase) = self.read();
            if self.told != Some(status) {
                self.told = Some(status);
                return (self, Ok(status.into()));
            }
            if phase == Phase::Over || self.states.changed().await.is_err() {
                let end = stopping(&self.ctx);
                return (self, Err(end));
            }
        }
    }

    fn read(&mut self) -> (WireStatus, Phase) {
        let state = self.states.borrow_and_update();
        let known = self.name.as_deref().and_then(|name| state.status(name));
        let status = known.map_or(WireStatus::ServiceUnknown, WireStatus::from);
        (status, state.phase())
    }
}

/// What a watcher is told, as a stream. It waits for its reader: a slow one gets the newest alone.
struct Changes {
    next: Option<Pin<Box<dyn Future<Output = Change> + Send>>>,
}

type Change = (Watcher, Result<HealthCheckResponse, DomainError>);

impl Stream for Changes {
    type Item = Result<HealthCheckResponse, DomainError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Option<Self::Item>> {
        let Some(next) = &mut self.next else {
            return Poll::Ready(None);
        };
        let (watcher, change) = ready!(next.as_mut().poll(cx));
        // One box a change.
        self.next = change.is_ok().then(|| Box::pin(watcher.next()) as _);
        Poll::Ready(Some(change))
    }
}
