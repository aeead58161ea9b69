//! [`Open`]: the attempt of a call whose replies are a stream, once its answer has begun.

use std::sync::Arc;

use super::{Attempts, succeeded, who};
use crate::Code;
use crate::client::attempt::Attempt;
use crate::client::breaker::{Breaker, Permit, outcome};
use crate::client::error::CallError;
use crate::client::outgoing::Outgoing;
use crate::client::setback::Setback;
use crate::client::throttle::{Adaptive, Throttle, accepted};
use crate::client::trace::{AttemptRecord, AttemptTrace, Verdict};
use crate::errors::ServiceError;
use crate::observe::Event;

impl<'a> Attempts<'a, Arc<Breaker>> {
    /// What is left to be settled when the replies have ended.
    pub(in crate::client) fn into_open(mut self) -> Open {
        let throttle = self.method.throttle.clone();
        let adaptive = self.method.adaptive.clone();
        Open {
            permit: self.permit.take(),
            // Another target's success says nothing of this one.
            throttle: throttle.filter(|_| !self.has_fallen_back),
            adaptive: adaptive.filter(|_| !self.has_fallen_back),
            attempt: std::mem::take(&mut self.attempt),
            number: self.made,
            sent: self.sent,
            trace: std::mem::take(&mut self.trace),
            heard: false,
        }
    }
}

/// The attempt of a call whose replies are being read.
pub(in crate::client) struct Open {
    permit: Option<Permit<Arc<Breaker>>>,
    throttle: Option<Arc<Throttle>>,
    /// None once it has heard of the attempt, too.
    adaptive: Option<Arc<Adaptive>>,
    pub(in crate::client) attempt: Attempt,
    number: u32,
    sent: u32,
    /// What became of those before it.
    pub(in crate::client) trace: AttemptTrace,
    heard: bool,
}

impl Open {
    /// A reply has come.
    pub(in crate::client) fn answered(&mut self) {
        if self.heard {
            return;
        }
        if let Some(permit) = &mut self.permit {
            permit.answered();
        }
        self.hear(Some(true));
        self.heard = true;
    }

    /// Tells the adaptive throttle, if there is one, whether the target has accepted the attempt: what
    /// is known first counts.
    fn hear(&mut self, accepted: Option<bool>) {
        if let Some(adaptive) = self.adaptive.take()
            && let Some(accepted) = accepted
        {
            adaptive.heard(accepted);
        }
    }

    /// All replies have come.
    pub(in crate::client) fn succeeded(&mut self, call: Option<&Outgoing>) {
        succeeded(self.permit.take(), self.throttle.as_deref());
        self.hear(Some(true));
        self.tell(call, Code::Ok, None);
    }

    /// The replies ended so; what the call's error is. What the caller ended is not counted.
    #[cold]
    pub(in crate::client) fn failed<E: ServiceError>(
        &mut self,
        call: Option<&Outgoing>,
        setback: Setback,
    ) -> CallError<E> {
        let (code, verdict) = (setback.code(), Verdict::Committed);
        let inherited = call.and_then(Outgoing::inherited);
        self.hear(accepted(&setback, true, inherited));
        if let Some(permit) = self.permit.take() {
            permit.settle(outcome(code, who(&setback), inherited, setback.event()));
        }
        self.tell(call, code, Some(verdict));
        self.trace.push(AttemptRecord {
            endpoint: self.attempt.endpoint().cloned(),
            reached: self.attempt.reached(),
            code,
            cause: setback.cause(),
            verdict,
        });
        if let Some(info) = call.and_then(Outgoing::info) {
            info.set_attempts(self.sent, self.trace.clone());
        }
        let mut error = setback.into_error::<E>();
        if let CallError::Failed(failure) = &mut error {
            failure.after(self.sent, true, std::mem::take(&mut self.trace));
        }
        error
    }

    /// Nobody reads on.
    pub(in crate::client) fn dropped(&self, call: &Outgoing) {
        self.tell(Some(call), Code::Cancelled, Some(Verdict::Cancelled));
    }

    fn tell(&self, call: Option<&Outgoing>, code: Code, verdict: Option<Verdict>) {
        self.attempt.way().end(code, verdict);
        if let Some(call) = call {
            call.observe(|method, context| Event::Attempt {
                method,
                context,
                number: self.number,
                endpoint: self.attempt.endpoint().map(|endpoint| &**endpoint),
                code,
                verdict,
            });
        }
    }
}
