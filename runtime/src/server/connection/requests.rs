//! The requests of a connection, each to its service.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context as Task, Poll};
use std::time::Duration;

use http::request::Parts;
use http::{Request, Response};
use tokio::time::Instant;

use super::executor::Note;
use super::{Route, Shared};
use crate::context::Peer;
use crate::server::accept::{Bounds, OTHER, Refused, Taker, accept};
use crate::server::body::ReplyBody;
use crate::server::call::Call;
use crate::server::chained::{self, Beyond};
use crate::server::deadline::Deadline;
use crate::server::detached::{Detached, Workshop};
use crate::server::guard::{CallGuard, Place};
use crate::server::in_flight::Table;
use crate::server::layered::{self, CameBy};
use crate::server::limits::{Around, MethodLimits, Permits, Places};
use crate::server::request::{IncomingBody, RequestBody};
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
pub(in crate::server) struct Requests {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: Peer,
    pub(super) workshop: Workshop,
    /// Where it says what runs.
    pub(super) running: Arc<Table>,
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
        let permits = route.limits.admit(call, method, around)?;
        // Where there are interceptors, after them.
        if !route.chain.as_ref().is_some_and(|chain| chain.has_steps()) {
            route.limits.count(call, method)?;
        }
        Ok(permits)
    }
}

impl Requests {
    /// Answers a request that has come by the connection itself, which polls what does, and what it has to
    /// know for that.
    pub(super) fn take(self: &Arc<Self>, mut head: Parts, body: IncomingBody) -> (Answering, Note) {
        let Some(layer) = &self.shared.layer else {
            return self.answer(&mut head, RequestBody::Own(body), false);
        };
        let mut request = Request::from_parts(head, body);
        let extensions = request.extensions_mut();
        extensions.insert(self.peer.clone());
        #[cfg(feature = "tls")]
        if let Some(certificate) = &self.certificate {
            extensions.insert(Arc::clone(certificate));
        }
        extensions.insert(CameBy(Arc::clone(self)));
        let answer = layer.answer(request);
        (Answering::Layered { answer }, Note::default())
    }

    /// Answers a request that has come through a layer.
    pub(in crate::server) fn answer_layered(
        &self,
        mut head: Parts,
        body: RequestBody,
    ) -> Answering {
        self.answer(&mut head, body, true).0
    }

    /// Answers a request; the connection polls what does, unless a layer stands between.
    fn answer(&self, head: &mut Parts, body: RequestBody, is_layered: bool) -> (Answering, Note) {
        let unnoted = |answering| (answering, Note::default());
        let shared = &*self.shared;
        let chain = &shared.chain;
        let route = shared.routes.get(head.uri.path());
        let taker = match route {
            Some(route) => Some(Taker {
                method: route.method,
                chain: route.chain.as_ref(),
            }),
            // Who may not call doesn't hear which methods there are.
            None => shared.unknown.as_ref().map(|chain| Taker {
                method: &OTHER,
                chain: Some(chain),
            }),
        };
        let unknown = route.is_none().then(|| head.uri.path().to_owned());
        let cap = route
            .filter(|route| route.is_limited)
            .and(shared.limits.deadline_cap);
        let bounds = Bounds {
            deadline: cap,
            metadata: Some(shared.limits.metadata),
        };
        let peer = Some(self.peer.clone());
        let (context, method) = match accept(head, peer, taker, chain, bounds) {
            Ok(accepted) => accepted,
            Err(refused) => return unnoted(Answering::refused(refused.respond(chain))),
        };
        #[cfg(feature = "tls")]
        let context = context.called_by(self.certificate.clone());
        let Some(route) = route else {
            return unnoted(self.unknown(context, unknown.as_deref().unwrap_or_default()));
        };
        let permits = match self.admit(&context, method, route) {
            Ok(permits) => permits,
            Err(refused) => return unnoted(Answering::refused(refused.respond(chain))),
        };
        let deadline = context.deadline();
        let (deadline, note) = match is_layered {
            true => (Deadline::timed(deadline), Note::default()),
            false => {
                let route = route.index;
                (Deadline::woken(deadline), Note { route, deadline })
            }
        };
        let place = Place {
            _running: self.running.start(context.clone()),
            _permits: permits,
        };
        let guard = CallGuard::new(context.clone(), method);
        if method.is_detached() {
            let dispatch = Self::dispatch(route, context.clone(), body);
            let cap = method.capped_at().into_iter().chain(cap).min();
            let detached = Detached::new(dispatch, context, cap);
            let (work, waiting) = detached.at(place).split();
            self.workshop.spawn(work);
            let answering = Answering::serving(Box::pin(waiting), guard, deadline);
            return (answering, note);
        }
        let dispatch = Self::dispatch(route, context, body);
        let answering = Answering::serving(dispatch, guard.at(place), deadline);
        (answering, note)
    }

    /// What answers a call, once it has come through the interceptors.
    fn dispatch(route: &Arc<Route>, context: Context, body: RequestBody) -> BoxDispatch {
        let Some(chain) = route.chain.as_ref().filter(|chain| chain.has_steps()) else {
            return route.carry(context, body);
        };
        chained::answer(chain, route.method, context, body, route)
    }

    /// What answers a call of a method that there is none of.
    fn unknown(&self, context: Context, path: &str) -> Answering {
        let Some(chain) = &self.shared.unknown else {
            let refused = Refused::unknown_method(path);
            return Answering::refused(refused.respond(&self.shared.chain));
        };
        let around = Around {
            server: &self.shared.places,
            connection: self.places.as_ref(),
        };
        let permits = match MethodLimits::default().admit(&context, &OTHER, Some(around)) {
            Ok(permits) => permits,
            Err(refused) => return Answering::refused(refused.respond(&self.shared.chain)),
        };
        let place = Place {
            _running: self.running.start(context.clone()),
            _permits: permits,
        };
        let deadline = Deadline::timed(context.deadline());
        let guard = CallGuard::new(context.clone(), &OTHER);
        let dispatch = chained::unknown(chain, context, path);
        Answering::serving(dispatch, guard.at(place), deadline)
    }
}

impl Route {
    fn carry(&self, context: Context, body: RequestBody) -> BoxDispatch {
        let call = Call::new(context, self.method, body, self.max_message_size);
        self.service.dispatch_boxed(call)
    }
}

impl Beyond for Route {
    type Request = RequestBody;

    /// Only here it is known who calls, so the rate is counted after the interceptors.
    fn dispatch(&self, context: Context, body: RequestBody) -> BoxDispatch {
        match self.limits.count(&context, self.method) {
            Ok(()) => self.carry(context, body),
            Err(refused) => chained::refuse(refused, self.chain.as_ref(), &context),
        }
    }
}

pin_project_lite::pin_project! {
    /// A request being answered.
    #[project = AnsweringProjection]
    pub(in crate::server) enum Answering {
        // Boxed: all others would be as large, and they are moved.
        Refused { response: Box<Response<ReplyBody>> },
        Serving {
            #[pin]
            serving: Serving<BoxDispatch>,
        },
        Layered { answer: layered::Answer },
    }
}

impl Answering {
    fn serving(dispatch: BoxDispatch, guard: CallGuard, deadline: Deadline) -> Self {
        Self::Serving {
            serving: Serving::new(dispatch, guard, deadline),
        }
    }

    fn refused(response: Response<ReplyBody>) -> Self {
        Self::Refused {
            response: Box::new(response),
        }
    }
}

impl Future for Answering {
    type Output = Response<ReplyBody>;

    fn poll(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnsweringProjection::Refused { response } => Poll::Ready(std::mem::take(response)),
            AnsweringProjection::Serving { serving } => serving.poll(cx),
            AnsweringProjection::Layered { answer } => answer.as_mut().poll(cx),
        }
    }
}
