//! [`Limits`]: what connections and their calls may take.

mod key;
mod keys;
mod methods;
mod places;
mod rate;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::key::RateKey;
pub(super) use self::methods::{Around, ByMethod, MethodLimits, Permits, overload_pause, sweep};
pub(super) use self::places::Places;
pub(super) use self::rate::Limiter;
use super::config::ServerSettings;

/// What the head of a request may take beyond our own limit, in bytes, so that most who are over it
/// hear from us what is wrong, and not by h2's answer that is none of gRPC. Peers are told of both
/// together, and hold back what is larger themselves: with the limit alone, they would never send what
/// we could explain.
const ROOM_TO_EXPLAIN: usize = 64 * 1024;

/// What connections and their calls may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// At once; more are closed as they come.
    pub(super) connections: usize,
    /// At once, of one address.
    pub(super) connections_per_peer: usize,
    /// Until the first bytes of HTTP/2 are there.
    pub(super) handshake: Duration,
    /// How long a connection is silent before it is asked whether it is still there.
    pub(super) keepalive: Option<Duration>,
    /// How long it has to answer.
    pub(super) keepalive_timeout: Duration,
    /// How old a connection gets, ±10%, before its client is asked to open another one.
    pub(super) age: Option<Duration>,
    /// How long its calls then have to end.
    pub(super) age_grace: Duration,
    /// How long a call takes at most.
    pub(super) deadline_cap: Option<Duration>,
    /// How many calls one connection has at once.
    pub(super) rpcs_per_connection: Option<usize>,
    /// How large the head of a request is, in bytes, as HTTP/2 counts it.
    pub(super) metadata: usize,
}

impl Limits {
    pub(super) fn of(settings: &ServerSettings) -> Self {
        Self {
            connections: settings.max_connections.get().unwrap_or(usize::MAX),
            connections_per_peer: settings
                .max_connections_per_peer
                .get()
                .unwrap_or(usize::MAX),
            handshake: *settings.handshake_timeout.get(),
            keepalive: *settings.keepalive_interval.get(),
            keepalive_timeout: *settings.keepalive_timeout.get(),
            age: *settings.max_connection_age.get(),
            age_grace: *settings.max_connection_age_grace.get(),
            deadline_cap: *settings.deadline_cap.get(),
            // With none at all, callers would wait for ever: they don't ask for what isn't there.
            rpcs_per_connection: settings
                .max_concurrent_rpcs_per_connection
                .get()
                .map(|max| max.max(1)),
            metadata: *settings.max_metadata_size.get(),
        }
    }

    /// How large the head of a request is for h2 to hand it to us.
    pub(super) fn header_list(&self) -> u32 {
        let size = self.metadata.saturating_add(ROOM_TO_EXPLAIN);
        u32::try_from(size).unwrap_or(u32::MAX)
    }

    /// The places of one connection's calls; None where they are not counted.
    ///
    /// HTTP/2 itself holds a peer to the limit: it is told of it, and a stream beyond it is reset as
    /// `REFUSED_STREAM`, which clients send again by themselves. What that doesn't count is calls whose
    /// stream has gone and whose servicer has not been dropped yet. An honest peer has some of them
    /// whenever it cancels, and calls again at once; so there is a place for as many again, and only
    /// what is beyond those is refused.
    pub(super) fn places_of_connection(&self) -> Option<Arc<Places>> {
        let max = self.rpcs_per_connection?;
        Some(Places::new(max.saturating_mul(2)))
    }

    /// How long a peer may take nothing of what it is sent (gRFC A18).
    pub(super) fn stall(&self) -> Option<Duration> {
        self.keepalive.and(Some(self.keepalive_timeout))
    }

    /// How old one connection gets, so that those that were opened together don't all end together
    /// (gRFC A9).
    pub(super) fn own_age(&self) -> Option<Duration> {
        let jitter = 0.9 + 0.2 * fastrand::f64();
        Some(self.age?.mul_f64(jitter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_places_again_for_calls_whose_streams_have_gone() {
        let mut settings = ServerSettings::default();
        assert!(Limits::of(&settings).places_of_connection().is_none());
        for (max, places) in [(7, 14), (0, 2), (usize::MAX, usize::MAX)] {
            settings.max_concurrent_rpcs_per_connection.set(Some(max));
            let of_connection = Limits::of(&settings).places_of_connection();
            assert_eq!(of_connection.unwrap().max(), places);
        }
    }

    #[test]
    fn what_h2_takes_has_room_for_an_explanation_and_a_bound() {
        let mut settings = ServerSettings::default();
        assert_eq!(Limits::of(&settings).header_list(), 80 * 1024);
        settings.max_metadata_size.set(usize::MAX);
        assert_eq!(Limits::of(&settings).header_list(), u32::MAX);
    }

    #[test]
    fn ages_differ_by_a_tenth_both_ways() {
        let mut settings = ServerSettings::default();
        settings
            .max_connection_age
            .set(Some(Duration::from_secs(100)));
        let limits = Limits::of(&settings);
        let ages: Vec<_> = (0..1000).filter_map(|_| limits.own_age()).collect();
        let (least, most) = (ages.iter().min().unwrap(), ages.iter().max().unwrap());
        let range = Duration::from_secs(90)..=Duration::from_secs(110);
        assert!(range.contains(least) && range.contains(most));
        assert!(*most - *least > Duration::from_secs(10));
    }
}
