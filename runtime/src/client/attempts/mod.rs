//! [`Attempts`]: how often a call is sent, and when (gRFC A6).
//!
//! Each attempt asks the circuit breaker and the adaptive throttle; whether there is another one is decided in
//! [`Attempts::settle`], in one order: could it help, may it be done, is there time.

mod decide;
mod hedge;
mod open;

use std::ops::{ControlFlow, Deref};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

pub(super) use self::open::Open;
use super::attempt::{Abreast, Attempt, Way};
use super::backoff::Backoff;
use super::breaker::{Breaker, Outcome, Permit, Who, outcome};
use super::error::CallError;
use super::failure::{Failure, FailureKind};
use super::fallback::Fallback;
use super::outgoing::{Limited, Outgoing};
use super::requests::Requests;
use super::setback::Setback;
use super::throttle::{Counts, Throttle, accepted, unanswered};
use super::trace::{AttemptRecord, AttemptTrace, Verdict};
use super::upstream::MethodState;
use crate::errors::ServiceError;
use crate::observe::Event;
use crate::{Code, HedgingPolicy, Status};

/// The attempts of one call.
///
/// `B` is how the breaker is held: see [`Permit`].
pub(super) struct Attempts<'a, B: Deref<Target = Breaker>> {
    call: &'a Outgoing,
    method: &'a MethodState,
    hold: fn(&'a Arc<Breaker>) -> B,
    /// The one that runs, or ran last.
    pub(super) attempt: Attempt,
    is_running: bool,
    permit: Option<Permit<B>>,
    /// The attempts that run beside each other, if the call is hedged: which one each is, and its permit.
    abreast: Vec<(usize, Option<Permit<B>>)>,
    ways: Option<Arc<Abreast>>,
    trace: AttemptTrace,
    /// How many were made, without those that no server saw (rule 7).
    made: u32,
    /// How many were handed to a connection.
    sent: u32,
    /// Whether a server may have acted on one of them.
    processed: bool,
    /// How the last one ended.
    last: Option<Setback>,
    backoff: Option<Backoff>,
    /// The one that was refused by a server's HTTP/2 was repeated; only one is for nothing.
    repeated: bool,
    /// The last one goes another way than to the target.
    has_fallen_back: bool,
}

impl<'a, B: Deref<Target = Breaker>> Attempts<'a, B> {
    pub(super) fn new(
        call: &'a Outgoing,
        method: &'a MethodState,
        hold: fn(&'a Arc<Breaker>) -> B,
    ) -> Self {
        let mut attempt = Attempt::first();
        attempt.set_wait_for_ready(call.waits_for_ready(method));
        attempt.set_deadline(call.deadline);
        Self {
            call,
            method,
            hold,
            attempt,
            is_running: false,
            permit: None,
            abreast: Vec::new(),
            ways: None,
            trace: AttemptTrace::default(),
            made: 0,
            sent: 0,
            processed: false,
            last: None,
            backoff: None,
            repeated: false,
            has_fallen_back: false,
        }
    }

    /// The next attempt, and how many counted before it: `grpc-previous-rpc-attempts`.
    pub(super) fn next(&mut self) -> (&mut Attempt, u32) {
        self.is_running = true;
        if let Some(info) = self.call.info() {
            info.begin();
        }
        self.call.begin(&mut self.attempt, self.made);
        (&mut self.attempt, self.made)
    }

    /// How the call is hedged, if it is; a stream of requests can't be sent twice at once.
    pub(super) fn hedging(&self, requests: &Requests) -> Option<HedgingPolicy> {
        match requests {
            Requests::One(_) => self.call.hedging(self.method),
            Requests::Many(_) => None,
        }
    }

    /// The first good attempt of a call has ended it, or all have failed.
    pub(super) fn hedged<R>(&mut self, result: Result<R, Setback>) -> Result<R, Setback> {
        if result.is_ok() {
            self.succeeded();
        }
        result
    }

    /// Asks the breaker for the next attempt, and then the adaptive throttle: what an open breaker keeps
    /// back would not go out, so it counts for nothing there.
    pub(super) fn begin(&mut self) -> Result<(), Setback> {
        if let Some(breaker) = &self.method.breaker {
            match Permit::acquire((self.hold)(breaker)) {
                Ok(permit) => self.permit = Some(permit),
                Err(open) => return Err(self.rejected(open.retry_in)),
            }
        }
        match &self.method.adaptive {
            Some(adaptive) => adaptive.admit().map_err(|counts| self.refused(counts)),
            None => Ok(()),
        }
    }

    #[cold]
    fn rejected(&mut self, retry_in: Option<Duration>) -> Setback {
        let mut message = format!(
            "the circuit breaker of {} is open: too many calls failed",
            self.call.method().path()
        );
        if let Some(wait) = retry_in {
            message.push_str(&format!("; it lets a call through in {wait:.1?}"));
        }
        self.stopped(FailureKind::CircuitOpen, message, Verdict::CircuitOpen)
    }

    #[cold]
    fn refused(&mut self, counts: Counts) -> Setback {
        // The breaker hears nothing of what is refused here, and has a probe's place back.
        self.permit = None;
        let message = format!(
            "{} was not sent: of its last {} requests the target accepted {} (adaptive throttle)",
            self.call.method().path(),
            counts.requests,
            counts.accepts
        );
        self.stopped(FailureKind::Refused, message, Verdict::Throttled)
    }

    /// What the call ends with whose next attempt may not go out.
    fn stopped(&mut self, kind: FailureKind, message: String, verdict: Verdict) -> Setback {
        let status = Status::new(Code::Unavailable, message);
        let stopped = Failure::unsent(kind, status).into();
        match self.last.take() {
            // What went wrong says more than that it went wrong too often.
            Some(last) => {
                self.record(&stopped, verdict);
                last
            }
            None => stopped,
        }
    }

    /// How long one attempt may take.
    pub(super) fn limit(&self) -> AttemptLimit {
        AttemptLimit(self.call.retry(self.method).attempt_timeout)
    }

    /// The attempt has ended so, and with it the call if it went well: what comes next.
    pub(super) fn settle<R>(
        &mut self,
        result: Result<R, Setback>,
        requests: &Requests,
    ) -> ControlFlow<Result<R, Setback>, Duration> {
        match result {
            Ok(reply) => {
                self.succeeded();
                ControlFlow::Break(Ok(reply))
            }
            Err(setback) => match self.failed(setback, requests) {
                ControlFlow::Break(setback) => ControlFlow::Break(Err(setback)),
                ControlFlow::Continue(delay) => ControlFlow::Continue(delay),
            },
        }
    }

    fn succeeded(&mut self) {
        self.is_running = false;
        self.sent += 1;
        self.made += 1;
        succeeded(self.permit.take(), self.method.throttle.as_deref());
        self.hear(|| Some(true));
        self.tell(Code::Ok, None);
    }

    /// Tells the adaptive throttle, if there is one, whether the target has accepted an attempt.
    fn hear(&self, accepted: impl FnOnce() -> Option<bool>) {
        // Another target's answer says nothing of this one.
        if let Some(adaptive) = &self.method.adaptive
            && !self.has_fallen_back
            && let Some(accepted) = accepted()
        {
            adaptive.heard(accepted);
        }
    }

    /// The answer has begun; how the attempt ends is for who reads on.
    pub(super) fn opened(&mut self) {
        self.is_running = false;
        self.sent += 1;
        self.made += 1;
    }

    /// The attempt has failed so: what comes next, and after which wait.
    #[cold]
    pub(super) fn failed(
        &mut self,
        setback: Setback,
        requests: &Requests,
    ) -> ControlFlow<Setback, Duration> {
        let verdict = self.decide(&setback, requests);
        self.account(&setback, verdict);
        let delay = match verdict {
            Verdict::Again(delay) => delay,
            Verdict::Unseen => Duration::ZERO,
            _ => return ControlFlow::Break(setback),
        };
        self.attempt.next();
        self.last = Some(setback);
        ControlFlow::Continue(delay)
    }

    /// Counts the attempt that has failed so, and tells of it.
    fn account(&mut self, setback: &Setback, verdict: Verdict) {
        self.is_running = false;
        if verdict == Verdict::Unseen {
            self.repeated = true;
        }
        if let Some(permit) = self.permit.take() {
            let who = match verdict {
                Verdict::Unseen => Who::Resent,
                _ => who(setback),
            };
            let inherited = self.call.inherited();
            permit.settle(outcome(setback.code(), who, inherited, setback.event()));
        }
        if verdict != Verdict::Unseen {
            let sent = self.attempt.way().may_be_sent();
            self.hear(|| accepted(setback, sent, self.call.inherited()));
        }
        self.sent += u32::from(!setback.is_unsent());
        self.made += u32::from(verdict != Verdict::Unseen);
        self.processed |= !setback.is_unprocessed();
        self.tell(setback.code(), Some(verdict));
        self.record(setback, verdict);
    }

    /// The other way for a call that ended so, if there is one and it does no harm.
    pub(super) fn fallback(
        &mut self,
        setback: &Setback,
        requests: &Requests,
    ) -> Option<&'a Fallback> {
        let fallback = self.call.fallback()?;
        let does_harm = self.processed && !self.call.retry(self.method).may_repeat;
        if !(setback.is_unreachable() || self.is_spent()) || does_harm || !requests.halt() {
            return None;
        }
        let (method, cause) = (self.call.method().path(), setback.cause());
        tracing::warn!(method, cause, "a call falls back to another transport");
        self.attempt.next();
        self.has_fallen_back = true;
        Some(fallback)
    }

    /// The fallback has ended so.
    pub(super) fn fell_back<R>(&mut self, result: Result<R, Setback>) -> Result<R, Setback> {
        self.is_running = false;
        self.made += 1;
        match &result {
            Ok(_) => {
                self.sent += 1;
                self.tell(Code::Ok, None);
            }
            Err(setback) => {
                self.sent += u32::from(!setback.is_unsent());
                self.processed |= !setback.is_unprocessed();
                self.tell(setback.code(), Some(Verdict::Final));
                self.record(setback, Verdict::Final);
            }
        }
        result
    }

    /// What came of the call, or of the call so far if its replies are a stream.
    pub(super) fn conclude<R, E: ServiceError>(
        &mut self,
        limited: Limited<Result<R, Setback>>,
    ) -> Result<R, CallError<E>> {
        let mut result = match limited {
            Limited::Done(result) => result.map_err(|setback| match self.has_given_up() {
                true => setback.already_retried().into_error(),
                false => setback.into_error(),
            }),
            Limited::Expired => Err(self.expired().into()),
            Limited::Cancelled => {
                let cause = "the call that it was made in is over";
                self.cut_off(Code::Cancelled, Verdict::Cancelled, cause);
                Err(Failure::cancelled().into())
            }
        };
        if let Err(CallError::Failed(failure)) = &mut result {
            failure.after(self.sent, self.processed, self.trace.clone());
        }
        if let Some(info) = self.call.info() {
            info.set_attempts(self.sent, self.trace.clone());
        }
        result
    }

    /// Whether there is no other attempt though another one might have helped.
    fn is_spent(&self) -> bool {
        let last = self.trace.records().last().map(AttemptRecord::verdict);
        matches!(
            last,
            Some(Verdict::Exhausted | Verdict::Throttled | Verdict::CircuitOpen)
        )
    }

    /// Whether the last attempt would have been followed by another one, as the one before was, if there
    /// were no end to it.
    fn has_given_up(&self) -> bool {
        let last = self.trace.records().last().map(AttemptRecord::verdict);
        self.made > 1 && last.is_some_and(|verdict| verdict != Verdict::Final)
    }

    /// The call's time is over.
    fn expired(&mut self) -> Failure {
        let (code, inherited) = (Code::DeadlineExceeded, self.call.inherited());
        let ways = self.running();
        let permits = self.abreast.iter_mut().map(|(_, permit)| permit);
        for permit in permits.chain([&mut self.permit]) {
            if let Some(permit) = permit.take() {
                permit.settle(outcome(code, Who::Deadline, inherited, None));
            }
        }
        for way in &ways {
            self.hear(|| unanswered(way.may_be_sent(), inherited));
        }
        let failure = self.call.expired(ways.first(), &self.trace);
        self.cut_off(code, Verdict::NoTime, "the call's time was over");
        failure
    }

    /// Where the attempts are that run.
    fn running(&self) -> Vec<Way> {
        if self.is_running {
            return vec![self.attempt.way().clone()];
        }
        let Some(ways) = &self.ways else {
            return Vec::new();
        };
        let abreast = self.abreast.iter();
        abreast.map(|(place, _)| ways.way(*place)).collect()
    }

    /// The attempts that run are dropped: nobody knows of them what came of them.
    #[cold]
    fn cut_off(&mut self, code: Code, verdict: Verdict, cause: &str) {
        for way in self.running() {
            let is_sent = way.may_be_sent();
            self.sent += u32::from(is_sent);
            self.processed |= is_sent;
            self.made += 1;
            self.tell_of(&way, code, Some(verdict));
            self.trace.push(AttemptRecord {
                endpoint: way.endpoint,
                reached: way.reached,
                code,
                cause: cause.to_owned(),
                verdict,
            });
        }
        self.is_running = false;
        self.abreast.clear();
    }

    fn record(&mut self, setback: &Setback, verdict: Verdict) {
        self.trace.push(AttemptRecord {
            endpoint: self.attempt.endpoint().cloned(),
            reached: self.attempt.reached(),
            code: setback.code(),
            cause: setback.cause(),
            verdict,
        });
    }

    fn tell(&self, code: Code, verdict: Option<Verdict>) {
        self.tell_of(self.attempt.way(), code, verdict);
    }

    fn tell_of(&self, way: &Way, code: Code, verdict: Option<Verdict>) {
        way.end(code, verdict);
        self.call.observe(|method, context| Event::Attempt {
            method,
            context,
            number: self.made,
            endpoint: way.endpoint.as_deref(),
            code,
            verdict,
        });
    }
}

impl<B: Deref<Target = Breaker>> Drop for Attempts<'_, B> {
    /// Who drops a call drops its attempts.
    fn drop(&mut self) {
        if self.is_running || !self.abreast.is_empty() {
            self.cut_off(Code::Cancelled, Verdict::Cancelled, "the call was dropped");
            if let Some(info) = self.call.info() {
                info.set_attempts(self.sent, std::mem::take(&mut self.trace));
            }
        }
    }
}

/// How long one attempt may take.
#[derive(Clone, Copy)]
pub(super) struct AttemptLimit(Option<Duration>);

impl AttemptLimit {
    /// Runs an attempt for no longer than that.
    pub(super) async fn run<R>(
        self,
        attempt: impl Future<Output = Result<R, Setback>>,
    ) -> Result<R, Setback> {
        let Some(limit) = self.0 else {
            return attempt.await;
        };
        match timeout(limit, attempt).await {
            Ok(result) => result,
            Err(_) => Err(Setback::TimedOut(limit)),
        }
    }
}

fn succeeded<B: Deref<Target = Breaker>>(permit: Option<Permit<B>>, throttle: Option<&Throttle>) {
    if let Some(permit) = permit {
        permit.settle(Outcome::Success);
    }
    if let Some(throttle) = throttle {
        throttle.succeeded();
    }
}

/// By whom an attempt was ended.
pub(super) fn who(setback: &Setback) -> Who {
    match setback {
        Setback::Transport(_) => Who::Transport,
        Setback::Status { .. } => Who::Server,
        Setback::TimedOut(_) => Who::Deadline,
        Setback::Final(failure) => match failure.kind() {
            FailureKind::Refused | FailureKind::CircuitOpen => Who::Client,
            FailureKind::Transport => Who::Transport,
            FailureKind::Deadline => Who::Deadline,
            _ => Who::Caller,
        },
    }
}
