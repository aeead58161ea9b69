//! The requests of a connection, each to its service.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context as Task, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::executor::{Executor, Note};
use super::{Route, Shared};
use crate::context::Peer;
use crate::server::accept::{Bounds, Refused, accept};
use crate::server::body::ReplyBody;
use crate::server::call::Call;
use crate::server::deadline::Deadline;
use crate::server::detached::{Detached, Workshop};
use crate::server::guard::{CallGuard, Place};
use crate::server::limits::{Around, Permits, Places};
use crate::server::request::RequestBody;
use crate::server::service::BoxDispatch;
use crate::server::serving::Serving;
#[cfg(feature = "tls")]
use crate::tls::PeerCertificate;
use crate::{Context, Method};

/// How long a call may be on its way to us whose caller hasn't heard yet that the server stops. It is
/// taken: whoever sent it has done nothing wrong. A peer that answers the PING of HTTP/2's graceful end
/// (RFC 9113, section 6.8) sends nothing after it, so this is for those that don't.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// The requests of one connection.
pub(super) struct Requests {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: Peer,
    pub(super) executor: Executor,
    pub(super) workshop: Workshop,
    /// Those of this connection; None where they are not counted.
    pub(super) places: Option<Arc<Places>>,
    /// What the client has shown.
    #[cfg(feature = "tls")]
    pub(super) certificate: Option<Arc<PeerCertificate>>,
}

/// Since when a server stops.
#[derive(Debug, Default)]
pub(in crate::server) struct Drain(OnceLock<Instant>);

impl Drain {
    /// Begins now.
    pub(super) fn begin(&self) {
        // Only the first time counts.
        let _ = self.0.set(Instant::now());
    }

    /// Whether peers have had the time to hear of it.
    fn is_known(&self) -> bool {
        self.0
            .get()
            .is_some_and(|begun| begun.elapsed() > ON_ITS_WAY)
    }
}

impl Requests {
    /// The call's places among those that run, or why it has none.
    fn admit(
        &self,
        call: &Context,
        method: &'static Method,
        route: &Route,
    ) -> Result<Permits, Refused> {
        if self.shared.drain.is_known() {
            return Err(Refused::draining(method, call));
        }
        let around = route.is_limited.then_some(Around {
            server: &self.shared.places,
            connection: self.places.as_ref(),
        });
        route.limits.admit(call, method, around)
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
        let bounds = Bounds {
            deadline: cap,
            metadata: Some(shared.limits.metadata),
        };
        let peer = Some(self.peer.clone());
        let (context, method, route) = match (accept(parts, peer, method, chain, bounds), route) {
            (Ok((context, method)), Some(route)) => (context, method, route),
            (Err(refused), _) => return Answering::refused(refused.respond(chain)),
            // Nothing without a method is accepted.
            (Ok(_), None) => return Answering::refused(Response::default()),
        };
        #[cfg(feature = "tls")]
        let context = context.called_by(self.certificate.clone());
        let permits = match self.admit(&context, method, route) {
            Ok(permits) => permits,
            Err(refused) => return Answering::refused(refused.respond(chain)),
        };
        let deadline = context.deadline();
        self.executor.note(Note {
            route: route.index,
            deadline,
        });
        let place = Place {
            _running: shared.in_flight.start(context.clone()),
            _permits: permits,
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
