//! [`Redial`]: when an endpoint is dialled again.

use std::time::Duration;

use crate::client::backoff::Backoff;

/// A connection that has held for so long was of use.
const HELD: Duration = Duration::from_secs(1);

/// When an endpoint is dialled again.
///
/// A connection that could be made and is lost is made anew at once, but only once in a row: a server
/// that takes connections and drops them must not be dialled without end. One that has answered a call,
/// or has held for a second, makes up for what was before.
#[derive(Debug)]
pub(super) struct Redial {
    backoff: Backoff,
    /// The last connection was lost before it was of use.
    brief: bool,
}

impl Redial {
    pub(super) fn new() -> Self {
        Self {
            backoff: Backoff::connecting(),
            brief: false,
        }
    }

    /// The wait after a connection could not be made.
    pub(super) fn failed(&mut self) -> Duration {
        self.backoff.next()
    }

    /// The wait after one was lost that was of use, or wasn't and held for this long.
    pub(super) fn lost(&mut self, was_of_use: bool, held: Duration) -> Duration {
        if was_of_use || held >= HELD {
            self.backoff.reset();
            self.brief = false;
            return Duration::ZERO;
        }
        match std::mem::replace(&mut self.brief, true) {
            false => Duration::ZERO,
            true => self.failed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_two_minutes_within_their_jitter() {
        for _ in 0..100 {
            let mut redial = Redial::new();
            for n in 0..1000 {
                let wait = redial.failed().as_secs_f64();
                let nominal = 1.6_f64.powi(n).min(120.0);
                assert!(
                    (0.8 * nominal..=1.2 * nominal).contains(&wait),
                    "{n}: {wait}"
                );
            }
        }
    }

    #[test]
    fn rule_25_reconnects_of_a_thousand_clients_spread_over_the_jitter() {
        let waits: Vec<_> = (0..1000)
            .map(|_| Redial::new().failed().as_millis())
            .collect();
        let mut tenths = [0; 4];
        for wait in waits {
            // From 800 to 1,200 ms.
            tenths[(wait as usize - 800).min(399) / 100] += 1;
        }
        assert!(
            tenths.iter().all(|share| (150..350).contains(share)),
            "{tenths:?}"
        );
    }

    #[test]
    fn what_was_of_use_is_made_anew_at_once_and_what_was_not_is_once() {
        let mut redial = Redial::new();
        let brief = Duration::from_millis(10);
        redial.failed();
        redial.failed();
        assert_eq!(redial.lost(false, brief), Duration::ZERO);
        assert!(
            redial.lost(false, brief) >= Duration::from_secs(2),
            "as before"
        );
        assert_eq!(redial.lost(true, brief), Duration::ZERO);
        assert_eq!(redial.lost(false, HELD), Duration::ZERO);
        assert!(redial.failed() <= Duration::from_millis(1200));
    }
}
