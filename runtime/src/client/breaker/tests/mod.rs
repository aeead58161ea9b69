mod opening;
mod probes;
#[cfg(feature = "testing")]
mod property;
mod threads;
mod window;

use std::sync::{Arc, Mutex};

use tokio::time::advance;

use super::*;

const OPEN_FOR: Duration = Duration::from_secs(30);

/// A breaker with the built-in settings, and what its listener has heard.
pub(super) struct Heard {
    pub(super) breaker: Arc<Breaker>,
    transitions: Arc<Mutex<Vec<BreakerTransition>>>,
}

pub(super) const BUILT_IN: BreakerSettings = BreakerSettings {
    mode: BreakerMode::Consecutive(5),
    open_for: OPEN_FOR,
    probes: 1,
    successes: 1,
};

impl Heard {
    pub(super) fn new(settings: BreakerSettings) -> Self {
        let transitions = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&transitions);
        let listener = move |transition| heard.lock().unwrap().push(transition);
        Self {
            breaker: Arc::new(Breaker::new(settings, listener)),
            transitions,
        }
    }

    /// One that is open.
    pub(super) fn open(settings: BreakerSettings) -> Self {
        let heard = Self::new(settings);
        heard.fail_until_open();
        heard.heard();
        heard
    }

    /// One that is half open, with its first probe under way.
    pub(super) async fn half_open(settings: BreakerSettings) -> (Self, Permit<Arc<Breaker>>) {
        let heard = Self::open(settings);
        advance(OPEN_FOR.mul_f64(1.11)).await;
        let probe = heard.acquire().expect("its time has passed");
        heard.heard();
        (heard, probe)
    }

    pub(super) fn acquire(&self) -> Result<Permit<Arc<Breaker>>, Open> {
        Permit::acquire(Arc::clone(&self.breaker))
    }

    pub(super) fn succeed(&self) {
        self.acquire()
            .expect("let through")
            .settle(Outcome::Success);
    }

    pub(super) fn fail(&self) {
        self.fail_of(None);
    }

    pub(super) fn fail_of(&self, event: Option<u64>) {
        let permit = self.acquire().expect("let through");
        permit.settle(Outcome::Failure(event));
    }

    /// How many failures that took.
    pub(super) fn fail_until_open(&self) -> u32 {
        let mut failures = 0;
        while self.state() == BreakerState::Closed {
            self.fail();
            failures += 1;
            assert!(failures < 100_000, "it never opens");
        }
        failures
    }

    pub(super) fn state(&self) -> BreakerState {
        self.breaker.state()
    }

    /// The transitions since this was last asked.
    pub(super) fn heard(&self) -> Vec<(BreakerState, BreakerState, TransitionReason)> {
        let heard = std::mem::take(&mut *self.transitions.lock().unwrap());
        heard
            .iter()
            .map(|one| (one.from, one.to, one.reason))
            .collect()
    }
}
