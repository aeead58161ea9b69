//! [`Metrics`] as a part of a chain.

use std::sync::Arc;
use std::time::Duration;

use super::calls::Calls;
use super::{Metrics, UNKNOWN};
#[cfg(feature = "client")]
use crate::client::ClientView;
use crate::interceptors::chain::{Place, Standard, Step, Watch};
use crate::interceptors::interceptor::CallEnd;
use crate::interceptors::trail::Trail;
use crate::observe::{Event, Observer, Refusal, Side};
use crate::{Code, Context, Method};

impl Standard for Metrics {
    fn place(&self) -> Place {
        Place::Metrics
    }

    fn of(&self, side: Side, method: &'static Method) -> Result<Option<Step>, String> {
        if side == Side::Server {
            self.inner.server.begin();
        }
        let calls = self.inner.calls(side, method);
        Ok(Some(Step::Watch(Box::new(Counted(calls)))))
    }

    fn observer(&self) -> Option<Arc<dyn Observer>> {
        Some(Arc::new(Listener(self.clone())))
    }

    fn sink(&self) -> Option<*const ()> {
        Some(Arc::as_ptr(&self.inner).cast())
    }

    #[cfg(feature = "admin")]
    fn metrics(&self) -> Option<Metrics> {
        Some(self.clone())
    }

    #[cfg(feature = "client")]
    fn opened(&self, client: &ClientView) {
        self.inner.pool.add(client);
    }
}

/// Counts the calls of a method.
struct Counted(Arc<Calls>);

impl Watch for Counted {
    fn enter(&self, _context: &Context, trail: &Trail) {
        self.0.begin(trail);
    }

    fn leave(&self, end: &CallEnd<'_>) {
        self.0.end(end);
    }

    /// It was never active, and none of its messages was sent.
    fn miss(&self, end: &CallEnd<'_>) {
        self.0.record(end.code, end.elapsed, end.exemplar());
    }

    fn hear(&self, event: &Event<'_>) {
        if let Event::Attempt {
            number,
            code,
            verdict,
            ..
        } = *event
        {
            self.0.attempted(number, code, verdict);
        }
    }
}

/// Hears of what is no call.
struct Listener(Metrics);

impl Observer for Listener {
    fn observe(&self, event: &Event<'_>) {
        let inner = &self.0.inner;
        match event {
            Event::Connection { change, .. } => inner.server.connection(*change),
            Event::Refused {
                path,
                reason,
                code,
                started,
                ..
            } => {
                inner.server.refusal(*reason);
                if !started {
                    self.refused(path, *reason, *code);
                }
            }
            Event::Undeclared { method, .. } => inner.server.undeclared(method),
            Event::Breaker {
                target,
                method,
                transition,
            } => inner.clients.breaker(target, method, *transition),
            Event::Endpoint { target, change, .. } => inner.clients.endpoint(target, change),
            _ => {}
        }
    }
}

impl Listener {
    /// A call was refused before it came to its method's chain, so nobody else has counted it.
    fn refused(&self, path: &str, reason: Refusal, code: Code) {
        // What isn't gRPC is no call, and has no status.
        if matches!(reason, Refusal::NotPost | Refusal::ContentType) {
            return;
        }
        let known = self.0.inner.known(Side::Server, path);
        let calls = known.unwrap_or_else(|| self.0.inner.calls(Side::Server, &UNKNOWN));
        calls.record(code, Duration::ZERO, None);
    }
}
