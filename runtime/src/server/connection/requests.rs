//! The requests of a connection, each to its service.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use http::{Request, Response};
use hyper::body::Incoming;

use super::Shared;
use super::executor::{Executor, Note};
use crate::context::Peer;
use crate::server::accept::{Refused, accept};
use crate::server::body::ReplyBody;
use crate::server::call::Call;
use crate::server::deadline::Deadline;
use crate::server::detached::{Detached, Workshop};
use crate::server::guard::{CallGuard, Place};
use crate::server::request::RequestBody;
use crate::server::service::BoxDispatch;
use crate::server::serving::Serving;

/// The requests of one connection.
pub(super) struct Requests {
    shared: Arc<Shared>,
    peer: Peer,
    executor: Executor,
    workshop: Workshop,
}

impl Requests {
    pub(super) fn new(
        peer: Peer,
        shared: Arc<Shared>,
        executor: Executor,
        workshop: Workshop,
    ) -> Self {
        Self {
            shared,
            peer,
            executor,
            workshop,
        }
    }
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<ReplyBody>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let shared = &*self.shared;
        let chain = &shared.chain;
        let (parts, body) = request.into_parts();
        let route = shared.routes.get(parts.uri.path());
        let method = route.map(|route| route.method);
        let cap = route
            .filter(|route| route.is_limited)
            .and(shared.limits.deadline_cap);
        let (context, method) = match accept(parts, Some(self.peer.clone()), method, chain, cap) {
            Ok(accepted) => accepted,
            Err(refused) => return Answering::refused(refused.respond(chain)),
        };
        let permit = match route {
            Some(route) if route.is_limited => {
                Some(Arc::clone(&shared.permits).try_acquire_owned()).transpose()
            }
            _ => Ok(None),
        };
        let (Some(route), Ok(permit)) = (route, permit) else {
            let refused = Refused::overloaded(method.path(), shared.max_concurrent_rpcs);
            return Answering::refused(refused.respond(chain));
        };
        let deadline = context.deadline();
        self.executor.note(Note {
            route: route.index,
            deadline,
        });
        let place = Place {
            running: shared.in_flight.start(context.clone()),
            _permit: permit,
        };
        let guard = CallGuard::new(context.clone(), method);
        let body = RequestBody::Own(body);
        if method.is_detached() {
            let call = Call::new(context.clone(), method, body, shared.max_message_size);
            let cap = method.capped_at().into_iter().chain(cap).min();
            let detached = Detached::new(route.service.dispatch_boxed(call), context, cap);
            let (work, waiting) = detached.at(place).split();
            self.workshop.spawn(work);
            return Answering::Serving {
                serving: Serving::new(Box::pin(waiting), guard, Deadline::woken(deadline)),
            };
        }
        let guard = guard.at(place);
        let call = Call::new(context, method, body, shared.max_message_size);
        Answering::Serving {
            serving: Serving::new(
                route.service.dispatch_boxed(call),
                guard,
                Deadline::woken(deadline),
            ),
        }
    }
}

pin_project_lite::pin_project! {
    /// A request being answered.
    #[project = AnsweringProjection]
    pub(super) enum Answering {
        Refused { response: Option<Response<ReplyBody>> },
        Serving {
            #[pin]
            serving: Serving<BoxDispatch>,
        },
    }
}

impl Answering {
    fn refused(response: Response<ReplyBody>) -> Self {
        Self::Refused {
            response: Some(response),
        }
    }
}

impl Future for Answering {
    type Output = Result<Response<ReplyBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnsweringProjection::Refused { response } => {
                Poll::Ready(Ok(response.take().unwrap_or_default()))
            }
            AnsweringProjection::Serving { serving } => serving.poll(cx).map(Ok),
        }
    }
}
