//! [`Calls`]: what is counted of the calls of one method, at one end of them.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::Settings;
use super::family::{Labels, Snapshot};
use super::histogram::{Bounds, Histogram};
use super::shards::Shards;
use crate::errors;
use crate::interceptors::interceptor::CallEnd;
use crate::interceptors::tally::{Flow, Messages};
use crate::interceptors::trail::Trail;
use crate::method::Kind;
use crate::observe::Side;
use crate::{Code, Method, Verdict};

/// How many status codes there are: they are numbered from 0 on.
const CODES: usize = 17;

/// The calls of a method at a server or at clients. It is made when the method is bound, so that a call
/// looks nothing up.
#[derive(Debug)]
pub(super) struct Calls {
    side: Side,
    method: Method,
    shards: Shards<Counts>,
    durations: Durations,
    /// Where one side streams: of other calls, the number of calls says it all.
    messages: Option<Arc<Messages>>,
    /// At clients.
    attempts: Option<Shards<Attempts>>,
}

#[derive(Debug, Default)]
struct Counts {
    /// In one shard it can be less than none: a call may end on another thread than it began on.
    started: AtomicU64,
    ended: ByCode,
}

#[derive(Debug, Default)]
struct Attempts {
    ended: ByCode,
    again: AtomicU64,
}

#[derive(Debug, Default)]
struct ByCode([AtomicU64; CODES]);

#[derive(Debug)]
enum Durations {
    Together(Histogram),
    /// Made when a code is first seen.
    ByStatus(Bounds, Box<[OnceLock<Histogram>; CODES]>),
}

impl Calls {
    pub(super) fn new(side: Side, method: &Method, settings: &Settings) -> Self {
        let streams = method.kind() != Kind::Unary;
        let bounds = match streams {
            false => &settings.requests,
            true => &settings.streams,
        };
        Self {
            side,
            method: *method,
            shards: Shards::new(Counts::default),
            durations: match settings.status_on_histogram {
                false => Durations::Together(Histogram::new(bounds)),
                true => Durations::ByStatus(bounds.clone(), Box::default()),
            },
            messages: streams.then(Arc::default),
            attempts: (side == Side::Client).then(|| Shards::new(Attempts::default)),
        }
    }

    /// A call begins.
    pub(super) fn begin(&self, trail: &Trail) {
        self.shards.own().add(|counts| Some(&counts.started), 1);
        if let Some(messages) = &self.messages {
            trail.set_meter(messages);
            // A client has encoded its one request before.
            if self.side == Side::Client && self.method.kind() == Kind::ServerStream {
                messages.add(Flow::Sent, 1);
            }
        }
    }

    /// Such a call has ended.
    pub(super) fn end(&self, end: &CallEnd<'_>) {
        self.count(end.code, end.elapsed, end.exemplar());
        // A client's one reply is read where nobody counts.
        if let Some(messages) = &self.messages
            && self.side == Side::Client
            && self.method.kind() == Kind::ClientStream
            && end.code == Code::Ok
        {
            messages.add(Flow::Received, 1);
        }
    }

    /// A call is over that never ran.
    pub(super) fn record(&self, code: Code, elapsed: Duration, trace: Option<&str>) {
        self.shards.own().add(|counts| Some(&counts.started), 1);
        self.count(code, elapsed, trace);
    }

    fn count(&self, code: Code, elapsed: Duration, trace: Option<&str>) {
        self.shards
            .own()
            .add(|counts| counts.ended.of_code(code), 1);
        let histogram = match &self.durations {
            Durations::Together(histogram) => histogram,
            Durations::ByStatus(bounds, histograms) => match histograms.get(code as usize) {
                Some(histogram) => histogram.get_or_init(|| Histogram::new(bounds)),
                None => return,
            },
        };
        histogram.observe(elapsed, trace);
    }

    /// An attempt of a client's call has ended.
    pub(super) fn attempted(&self, number: u32, code: Code, verdict: Option<Verdict>) {
        let Some(attempts) = &self.attempts else {
            return;
        };
        let attempts = attempts.own();
        attempts.add(|attempts| attempts.ended.of_code(code), 1);
        // One that no server saw is numbered as the one before it.
        if number > 1 && verdict != Some(Verdict::Unseen) {
            attempts.add(|attempts| Some(&attempts.again), 1);
        }
    }

    /// How its calls are made.
    pub(super) fn kind(&self) -> Kind {
        self.method.kind()
    }

    /// Whether these are the calls of methods that there are none of.
    pub(super) fn is_unknown(&self) -> bool {
        self.method.path() == super::UNKNOWN.path()
    }

    pub(super) fn labels(&self) -> Labels {
        vec![
            ("service", Cow::Borrowed(self.method.service())),
            ("method", Cow::Borrowed(self.method.name())),
        ]
    }

    pub(super) fn with_status(&self, status: Code) -> Labels {
        let mut labels = self.labels();
        labels.push(("status", Cow::Borrowed(errors::name(status))));
        labels
    }

    /// How many run now.
    pub(super) fn active(&self) -> i64 {
        // What has ended is read first: what ends in between counts as if it ran still.
        let ended: u64 = codes().map(|code| self.ended(code)).sum();
        let started = self.shards.iter().map(|shard| &shard.started);
        let started: u64 = started.map(|count| count.load(Ordering::Relaxed)).sum();
        i64::try_from(started.saturating_sub(ended)).unwrap_or(i64::MAX)
    }

    /// How many have ended so.
    pub(super) fn ended(&self, code: Code) -> u64 {
        self.shards.iter().map(|shard| shard.ended.of(code)).sum()
    }

    /// Messages sent and received; `None` where they are not counted.
    pub(super) fn messages(&self) -> Option<[u64; 2]> {
        let messages = self.messages.as_ref()?;
        Some([&messages.sent, &messages.received].map(|count| count.load(Ordering::Relaxed)))
    }

    /// How many attempts have ended so; `None` where there are none.
    pub(super) fn attempts(&self, code: Code) -> Option<u64> {
        let attempts = self.attempts.as_ref()?.iter();
        Some(attempts.map(|shard| shard.ended.of(code)).sum())
    }

    /// How many attempts were not the first; `None` where there are none.
    pub(super) fn retries(&self) -> Option<u64> {
        let again = self.attempts.as_ref()?.iter().map(|shard| &shard.again);
        Some(again.map(|again| again.load(Ordering::Relaxed)).sum())
    }

    /// How long calls took, and the status that they ended with where those are told apart.
    pub(super) fn durations(&self) -> Vec<(Option<Code>, Snapshot)> {
        match &self.durations {
            Durations::Together(histogram) => vec![(None, histogram.snapshot())],
            Durations::ByStatus(_, histograms) => {
                let by_code = codes().zip(histograms.iter());
                let known = by_code.filter_map(|(code, histogram)| Some((code, histogram.get()?)));
                known
                    .map(|(code, histogram)| (Some(code), histogram.snapshot()))
                    .collect()
            }
        }
    }
}

/// All status codes, in their order.
pub(super) fn codes() -> impl Iterator<Item = Code> {
    (0..).take(CODES).map(Code::from_i32)
}

impl ByCode {
    fn of_code(&self, code: Code) -> Option<&AtomicU64> {
        self.0.get(code as usize)
    }

    fn of(&self, code: Code) -> u64 {
        let count = self.of_code(code);
        count.map_or(0, |count| count.load(Ordering::Relaxed))
    }
}
