//! How a call comes to a place on a connection, now or later.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{Cluster, Phase, Unready};
use crate::client::channel::connection::Place;
use crate::client::channel::endpoint::{Endpoint, Status, Trouble};
use crate::client::{Attempt, Reached, TransportError};

/// How long a call that waits for a place leaves it to those before it to look for one. They look at once
/// when there is one; but whose turn it is may be a call that nobody polls, as one of many of a stream whose
/// consumer is busy.
const PATIENCE: Duration = Duration::from_millis(100);

/// Why a call has no place.
enum Obstacle {
    /// All connections have as many calls as their servers take.
    Full,
    /// No endpoint has a connection.
    Unready,
}

impl Cluster {
    /// A place for a call, when there is one at once.
    pub(in crate::client::channel) fn place_now(&self, attempt: &Attempt) -> Option<Place> {
        // Who waits was here before.
        match self.queue.is_empty() {
            true => self.place(attempt).ok(),
            false => None,
        }
    }

    /// A place for a call, when there is one.
    pub(in crate::client::channel) async fn place_soon(
        self: &Arc<Self>,
        attempt: &mut Attempt,
    ) -> Result<Place, TransportError> {
        self.start().map_err(TransportError::outside)?;
        let queue = &*self.queue;
        let mut waiting = None;
        let mut turn = None;
        let mut has_turn = pin!(queue.turn.lock());
        let mut patience = pin!(sleep(PATIENCE));
        let mut is_impatient = false;
        loop {
            // What happens after the look is heard of.
            let mut changed = pin!(queue.changed.notified());
            changed.as_mut().enable();
            let mut freed = pin!(queue.freed.notified());
            if turn.is_some() {
                freed.as_mut().enable();
            }
            // Who comes looks only where nobody waits, and of those who wait one does.
            let may_look = turn.is_some()
                || std::mem::take(&mut is_impatient)
                || (waiting.is_none() && queue.is_empty());
            let obstacle = match may_look {
                true => match self.place(attempt) {
                    Ok(place) => return Ok(place),
                    Err(obstacle) => obstacle,
                },
                false if self.ready.load().is_empty() => Obstacle::Unready,
                false => Obstacle::Full,
            };
            match obstacle {
                Obstacle::Full => {
                    attempt.set_reached(Reached::Queued);
                    if waiting.is_none() {
                        waiting = Some(self.queue.enter().ok_or_else(|| self.overloaded())?);
                    }
                }
                Obstacle::Unready => {
                    let is_resolved = self.check(attempt.waits_for_ready())?;
                    attempt.set_reached(match is_resolved {
                        true => Reached::Connecting,
                        false => Reached::Resolving,
                    });
                }
            }
            tokio::select! {
                biased;
                // A place may have been freed before this one was in the queue: it looks again.
                held = has_turn.as_mut(), if waiting.is_some() && turn.is_none() => turn = Some(held),
                () = freed, if turn.is_some() => {}
                () = changed => {}
                () = patience.as_mut(), if waiting.is_some() && turn.is_none() => {
                    is_impatient = true;
                    patience.as_mut().reset(Instant::now() + PATIENCE);
                }
            }
        }
    }

    /// Ready once an endpoint is, and no later than connecting may take.
    pub(in crate::client::channel) async fn ready(self: &Arc<Self>) -> Result<(), Unready> {
        self.start()
            .map_err(|missing| Unready::new(missing.to_string(), Instant::now()))?;
        let patience = self.options.connect_timeout;
        let ready = timeout(patience, self.until_ready()).await;
        ready.unwrap_or_else(|_| {
            let doing = match self.outlook()? {
                false => "its name is being resolved",
                true if self.has_connection() => "no server says that it is SERVING",
                true => "it is still connecting",
            };
            let what = format!("connecting timed out after {patience:?}: {doing}");
            Err(Unready::new(what, Instant::now()))
        })
    }

    async fn until_ready(self: &Arc<Self>) -> Result<(), Unready> {
        loop {
            let mut changed = pin!(self.queue.changed.notified());
            changed.as_mut().enable();
            if !self.ready.load().is_empty() {
                return Ok(());
            }
            self.outlook()?;
            changed.await;
        }
    }

    fn place(&self, attempt: &Attempt) -> Result<Place, Obstacle> {
        let ready = self.ready.load();
        let picked = self.picker.pick(&ready, Endpoint::candidate, attempt);
        let Some(first) = picked else {
            return Err(Obstacle::Unready);
        };
        if let Some(place) = ready.get(first).and_then(|endpoint| endpoint.place()) {
            return Ok(place);
        }
        let others = || ready.iter().cycle().skip(first).take(ready.len());
        let good = others().filter(|endpoint| endpoint.candidate().is_good(attempt));
        if let Some(place) = good.chain(others()).find_map(|endpoint| endpoint.place()) {
            return Ok(place);
        }
        for endpoint in ready.iter() {
            endpoint.set_crowded();
        }
        Err(Obstacle::Full)
    }

    /// Whether names are resolved; fails where waiting is of no use.
    fn check(&self, waits_for_ready: bool) -> Result<bool, TransportError> {
        match self.outlook() {
            Ok(is_resolved) => Ok(is_resolved),
            Err(_) if waits_for_ready => Ok(true),
            Err(unready) => {
                let event = unready.event;
                let words = format!("`{}`: {unready}", self.name);
                let error = TransportError::unavailable("cannot connect to the server", words);
                Err(error.of_event(event))
            }
        }
    }

    /// Whether names are resolved, if an endpoint may be ready soon; else why none will.
    fn outlook(&self) -> Result<bool, Unready> {
        let state = self.state();
        if state.phase == Phase::Closed {
            return Err(Unready::new(
                "the channel is closed".to_owned(),
                Instant::now(),
            ));
        }
        if state.endpoints.is_empty() {
            return match &state.unresolved {
                Some(unready) => Err(unready.clone()),
                None => Ok(false),
            };
        }
        let mut latest = None;
        for endpoint in &state.endpoints {
            let Status::Failing(trouble) = endpoint.status() else {
                return Ok(true);
            };
            let is_later = |(_, other): &(_, Arc<Trouble>)| trouble.event > other.event;
            if latest.as_ref().is_none_or(is_later) {
                latest = Some((endpoint, trouble));
            }
        }
        let Some((endpoint, trouble)) = latest else {
            return Ok(true);
        };
        let others = match state.endpoints.len() - 1 {
            0 => String::new(),
            others => format!(" (and {others} more)"),
        };
        Err(Unready {
            event: trouble.event,
            what: format!("{}{others}: {}", endpoint.identity.name(), trouble.cause),
            next: trouble.next,
        })
    }

    fn has_connection(&self) -> bool {
        let state = self.state();
        state.endpoints.iter().any(|one| one.has_connection())
    }

    fn overloaded(&self) -> TransportError {
        let words = format!(
            "`{}`: {} calls wait for a place on a connection already",
            self.name,
            self.queue.max()
        );
        TransportError::overloaded("too many calls wait", words)
    }
}
