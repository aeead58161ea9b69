//! [`Limits`]: what connections and their calls may take.

use std::time::Duration;

use super::config::ServerSettings;

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
        }
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
