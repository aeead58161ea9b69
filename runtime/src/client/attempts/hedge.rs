//! Hedging: the next attempt is made before the last one has an answer, and the first good answer
//! counts (gRFC A6, "Hedging Policy").

use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use super::Attempts;
use crate::client::attempt::Attempt;
use crate::client::breaker::Breaker;
use crate::client::setback::{Pushback, Setback};
use crate::client::trace::Verdict;
use crate::{Code, HedgingPolicy};

/// How an attempt ended, and how far it got.
type Ended<R> = (Attempt, Result<R, Setback>);

/// The attempts that run, and when there is another one.
struct Hedges<F> {
    /// Their permits stand at the same places of [`Attempts::abreast`].
    running: Vec<Pin<Box<F>>>,
    started: u32,
    most: u32,
    /// Those that no server saw.
    unseen: u32,
    next: Next,
}

/// When the next one begins.
enum Next {
    Now,
    Then(Pin<Box<Sleep>>),
    Never,
}

impl<F> Hedges<F> {
    /// The attempt that has ended; `None` when it is time for another one.
    ///
    /// None of the attempts may be running, if there is a time for another one.
    fn poll<R>(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, Ended<R>)>>
    where
        F: Future<Output = Ended<R>>,
    {
        for (index, running) in self.running.iter_mut().enumerate() {
            if let Poll::Ready(ended) = running.as_mut().poll(cx) {
                return Poll::Ready(Some((index, ended)));
            }
        }
        match &mut self.next {
            Next::Now => {}
            Next::Then(then) => ready!(then.as_mut().poll(cx)),
            Next::Never => return Poll::Pending,
        }
        self.next = Next::Never;
        Poll::Ready(None)
    }

    fn start_in(&mut self, delay: Duration) {
        // A timer for now is one for the next millisecond.
        self.next = match delay.is_zero() {
            true => Next::Now,
            false => Next::Then(Box::pin(sleep(delay))),
        };
    }

    /// Whether there is another one to start.
    fn is_more(&self) -> bool {
        self.started < self.most
    }

    fn no_more(&mut self) {
        self.next = Next::Never;
        self.most = self.started;
    }

    /// Whether nothing will come any more.
    fn is_over(&self) -> bool {
        self.running.is_empty() && matches!(self.next, Next::Never)
    }
}

impl<B: Deref<Target = Breaker>> Attempts<'_, B> {
    /// Runs attempts that `begin` makes, given how many there were before; the first good one ends
    /// the others.
    pub(in crate::client) async fn hedge<R, F>(
        &mut self,
        policy: HedgingPolicy,
        begin: impl Fn(Attempt, u32) -> F,
    ) -> Result<R, Setback>
    where
        F: Future<Output = Ended<R>>,
    {
        let mut hedges = Hedges {
            running: Vec::new(),
            started: 0,
            most: policy.max_attempts().max(1),
            unseen: 0,
            next: Next::Now,
        };
        loop {
            let Some((index, (attempt, result))) = poll_fn(|cx| hedges.poll(cx)).await else {
                match self.start(&mut hedges, policy, &begin) {
                    // Those that run may still end well.
                    Some(_) if !hedges.running.is_empty() => hedges.no_more(),
                    Some(rejected) => return Err(rejected),
                    None => {}
                }
                continue;
            };
            drop(hedges.running.swap_remove(index));
            self.attempt = attempt;
            (_, self.permit) = self.abreast.swap_remove(index);
            match result {
                Ok(reply) => {
                    self.overtaken();
                    return Ok(reply);
                }
                Err(setback) => {
                    let verdict = self.after_hedge(&setback, policy, &mut hedges);
                    self.account(&setback, verdict);
                    if hedges.is_over() || verdict == Verdict::Final {
                        return Err(setback);
                    }
                    self.last = Some(setback);
                }
            }
        }
    }

    /// Starts the next one, if it may be; else why not.
    fn start<R, F>(
        &mut self,
        hedges: &mut Hedges<F>,
        policy: HedgingPolicy,
        begin: impl Fn(Attempt, u32) -> F,
    ) -> Option<Setback>
    where
        F: Future<Output = Ended<R>>,
    {
        let throttle = self.method.throttle.as_ref();
        // The first one is no hedge.
        if hedges.started > 0 && throttle.is_some_and(|throttle| !throttle.has_tokens()) {
            hedges.no_more();
            return match hedges.running.is_empty() {
                true => self.last.take(),
                false => None,
            };
        }
        if let Err(rejected) = self.begin() {
            return Some(rejected);
        }
        if let Some(info) = self.call.info() {
            info.begin();
        }
        let ways = self.ways.get_or_insert_with(Arc::default);
        let mut attempt = self.attempt.beside(ways);
        let place = attempt.place();
        let previous = hedges.started - hedges.unseen;
        self.call.begin(&mut attempt, previous);
        let future = begin(attempt, previous);
        hedges.running.push(Box::pin(future));
        self.abreast.push((place, self.permit.take()));
        hedges.started += 1;
        if hedges.started < hedges.most {
            hedges.start_in(policy.delay());
        }
        None
    }

    /// What an attempt that ended so means for the others.
    fn after_hedge<F>(
        &mut self,
        setback: &Setback,
        policy: HedgingPolicy,
        hedges: &mut Hedges<F>,
    ) -> Verdict {
        let non_fatal = match setback {
            Setback::Final(_)
            | Setback::Status {
                after_head: true, ..
            } => false,
            Setback::Status { status, .. } => policy.non_fatal_codes().contains(status.code()),
            Setback::TimedOut(_) | Setback::Transport(_) => {
                setback.is_unprocessed() || self.is_uncommitted()
            }
        };
        if self.is_unseen(setback) {
            hedges.most += 1;
            hedges.unseen += 1;
            hedges.start_in(Duration::ZERO);
            return Verdict::Unseen;
        }
        match setback.pushback() {
            Some(Pushback::Never) => {
                self.take_token(setback);
                hedges.no_more();
                return if non_fatal {
                    Verdict::ServerSaidNo
                } else {
                    Verdict::Final
                };
            }
            _ if !non_fatal => return Verdict::Final,
            Some(Pushback::After(delay)) if hedges.is_more() => {
                self.take_token(setback);
                hedges.start_in(delay);
                return Verdict::Again(delay);
            }
            _ => {}
        }
        if !self.take_token(setback) {
            hedges.no_more();
            return Verdict::Throttled;
        }
        if hedges.is_more() {
            hedges.start_in(Duration::ZERO);
            return Verdict::Again(Duration::ZERO);
        }
        Verdict::Exhausted
    }

    /// Those that run are dropped for one that succeeded: that says nothing of them.
    fn overtaken(&mut self) {
        if !self.abreast.is_empty() {
            let cause = "an attempt of the same call has succeeded";
            self.cut_off(Code::Cancelled, Verdict::Overtaken, cause);
        }
    }
}
