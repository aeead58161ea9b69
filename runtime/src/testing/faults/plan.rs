//! What is to go wrong, in which order of precedence, and what did.

use std::collections::VecDeque;

use http::HeaderMap;
use tokio::time::Instant;

use super::Fault;
use super::fault::Kind;
use super::link::Link;
use super::seen::{Counts, SeenAttempt};
use crate::Method;
use crate::wire::timeout;

/// How many attempts are remembered; the counts go on.
const REMEMBERED: usize = 1024;

const PREVIOUS: &str = "grpc-previous-rpc-attempts";

/// What goes wrong, and what did.
pub(super) struct Plan {
    script: Vec<Scripted>,
    always: Vec<Always>,
    chances: Vec<Chance>,
    random: fastrand::Rng,
    counts: Counts,
    seen: VecDeque<SeenAttempt>,
    pub(super) link: Link,
}

/// An attempt that something may still go wrong with.
#[derive(Clone, Copy)]
pub(super) struct Ticket {
    /// Counted from 1.
    number: u64,
    is_late: bool,
    /// What it is on; None where there is none.
    pub(super) connection: Option<u64>,
}

/// A fault of one attempt to come.
struct Scripted {
    of: Option<&'static str>,
    fault: Fault,
}

struct Always {
    of: Option<&'static str>,
    fault: Fault,
}

struct Chance {
    of: Option<&'static str>,
    probability: f64,
    fault: Fault,
}

/// For which calls: those of a method, by its path, or all.
pub(super) fn path_of(method: Option<&'static Method>) -> Option<&'static str> {
    method.map(Method::path)
}

fn is_for(of: Option<&'static str>, path: &str) -> bool {
    of.is_none_or(|of| of == path)
}

impl Plan {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            script: Vec::new(),
            always: Vec::new(),
            chances: Vec::new(),
            random: fastrand::Rng::with_seed(seed),
            counts: Counts::default(),
            seen: VecDeque::new(),
            link: Link::new(),
        }
    }

    pub(super) fn script(&mut self, of: Option<&'static str>, fault: Fault) {
        self.script.push(Scripted { of, fault });
    }

    pub(super) fn always(&mut self, of: Option<&'static str>, fault: Fault) {
        self.always.retain(|always| always.of != of);
        self.always.push(Always { of, fault });
    }

    pub(super) fn chance(&mut self, of: Option<&'static str>, probability: f64, fault: Fault) {
        self.chances.push(Chance {
            of,
            probability,
            fault,
        });
    }

    pub(super) fn clear(&mut self) {
        self.script.clear();
        self.always.clear();
        self.chances.clear();
    }

    pub(super) fn unused(&self) -> usize {
        self.script.len()
    }

    /// What is to happen to the attempt that has come.
    pub(super) fn next(&mut self, path: &str, headers: &HeaderMap) -> (Fault, Ticket) {
        let fault = self.choose(path);
        let is_late = !fault.delay.is_zero();
        self.remember(path, headers, is_late);
        let has_connection = !matches!(fault.kind, Kind::NoConnection);
        let ticket = Ticket {
            number: self.counts.attempts,
            is_late,
            connection: has_connection.then(|| self.link.connection()),
        };
        (fault, ticket)
    }

    /// It has happened: something of this name, in place of nothing or a delay.
    pub(super) fn happened(&mut self, ticket: Ticket, name: &'static str) {
        if !ticket.is_late {
            self.counts.passed = self.counts.passed.saturating_sub(1);
            self.counts.faults += 1;
        }
        let ago = usize::try_from(self.counts.attempts - ticket.number).unwrap_or(usize::MAX);
        if let Some(seen) = self.seen.iter_mut().rev().nth(ago) {
            seen.fault = name;
        }
    }

    fn choose(&mut self, path: &str) -> Fault {
        let scripted = self.script.iter().position(|next| is_for(next.of, path));
        if let Some(at) = scripted {
            return self.script.remove(at).fault;
        }
        // What is said of a method beats what is said of all.
        let of_method = self.always.iter().find(|always| always.of == Some(path));
        let of_all = || self.always.iter().find(|always| always.of.is_none());
        if let Some(always) = of_method.or_else(of_all) {
            return always.fault.clone();
        }
        // One throw for all of them, so that their probabilities add up.
        let mut thrown = self.random.f64();
        for chance in &self.chances {
            if is_for(chance.of, path) {
                if thrown < chance.probability {
                    return chance.fault.clone();
                }
                thrown -= chance.probability;
            }
        }
        Fault::none()
    }

    fn remember(&mut self, path: &str, headers: &HeaderMap, is_late: bool) {
        let previous = headers.get(PREVIOUS).and_then(|value| value.to_str().ok());
        let previous_attempts = previous.and_then(|value| value.parse().ok());
        self.counts.attempts += 1;
        self.counts.first_attempts += u64::from(previous_attempts.is_none());
        let (count, fault) = match is_late {
            true => (&mut self.counts.faults, "delay"),
            false => (&mut self.counts.passed, "none"),
        };
        *count += 1;
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(SeenAttempt {
            path: path.to_owned(),
            previous_attempts,
            timeout: timeout::read(headers).ok().flatten(),
            headers: headers.clone(),
            fault,
            at: Instant::now(),
        });
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn seen(&self) -> Vec<SeenAttempt> {
        self.seen.iter().cloned().collect()
    }
}
