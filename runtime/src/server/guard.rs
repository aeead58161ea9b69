//! [`CallGuard`]: what has to happen once when a call is over, however it ends.

use tokio::time::Instant;

#[cfg(feature = "server")]
use super::in_flight::{Phase, Running};
#[cfg(feature = "server")]
use super::limits::Permits;
use crate::clock;
use crate::interceptors::CallEnd;
use crate::observe::{Event, Side};
use crate::{Code, Context, Method};

/// Held from a call's start to its last trailer. Dropping it ends the call: all who wait on its
/// context are woken, observers hear the final code, and its permit is free.
pub(crate) struct CallGuard {
    context: Context,
    code: Code,
    /// None where nobody observes.
    observed: Option<Observed>,
    /// Its place on our own server: among those that may run, and in the table of those that do.
    #[cfg(feature = "server")]
    place: Option<Place>,
}

/// A call's place on our own server.
#[cfg(feature = "server")]
pub(super) struct Place {
    pub(super) _running: Running,
    pub(super) _permits: Permits,
}

struct Observed {
    method: &'static Method,
    started: Instant,
}

impl CallGuard {
    pub(crate) fn new(context: Context, method: &'static Method) -> Self {
        let chain = context.chain().filter(|chain| chain.is_heard());
        let observed = chain.map(|chain| {
            chain.observers.observe(&Event::Started {
                side: Side::Server,
                method,
                context: &context,
            });
            Observed {
                method,
                started: clock::recent(),
            }
        });
        Self {
            context,
            // Who drops a call without an end has cancelled it.
            code: Code::Cancelled,
            observed,
            #[cfg(feature = "server")]
            place: None,
        }
    }

    /// The same call, at this place.
    #[cfg(feature = "server")]
    pub(super) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The servicer has answered.
    pub(crate) fn replies(&self) {
        #[cfg(feature = "server")]
        self.context.phase().set(Phase::Replying);
    }

    /// The reply has gone out whole, with this code.
    pub(crate) fn finish(&mut self, code: Code) {
        self.code = code;
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.context.cancel();
        let (Some(observed), Some(chain)) = (&self.observed, self.context.chain()) else {
            return;
        };
        let (method, ended) = (observed.method, clock::now());
        let elapsed = ended.saturating_duration_since(observed.started);
        chain.leave(&CallEnd {
            side: Side::Server,
            method,
            context: &self.context,
            code: self.code,
            elapsed,
            ended,
            trail: self.context.trail(),
        });
        chain.observers.observe(&Event::Ended {
            side: Side::Server,
            method,
            context: &self.context,
            code: self.code,
            elapsed,
        });
    }
}
