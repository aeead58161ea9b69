//! A breaker against a model of it, which is told what happens and says what must be.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const MS: u64 = 1_000_000;
/// How long the breaker is open, in nanoseconds.
const TIME: u64 = 1_000 * MS;
const PROBES: usize = 2;
const SUCCESSES: u32 = 2;

/// What can happen.
#[derive(Clone, Debug)]
enum Step {
    /// A call asks to be let through.
    Call,
    /// One of the calls that are under way ends.
    End(prop::sample::Index, Outcome),
    /// So many milliseconds pass.
    Wait(u64),
    Force(BreakerState),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop_oneof![
        3 => Just(Outcome::Success),
        6 => Just(Outcome::Failure(None)),
        2 => (0..3_u64).prop_map(|event| Outcome::Failure(Some(event))),
        1 => Just(Outcome::Ignored),
    ];
    let forced = prop_oneof![
        Just(BreakerState::Closed),
        Just(BreakerState::ForcedOpen),
        Just(BreakerState::ForcedClosed),
    ];
    let step = prop_oneof![
        12 => Just(Step::Call),
        12 => (any::<prop::sample::Index>(), outcome).prop_map(|(call, how)| Step::End(call, how)),
        3 => prop_oneof![0..400_u64, Just(1_000), 1_000..1_200_u64].prop_map(Step::Wait),
        1 => forced.prop_map(Step::Force),
    ];
    vec(step, 0..200)
}

/// A call that was let through.
struct Call<P> {
    permit: P,
    /// In which stay in a state: what is older counts for nothing.
    stay: usize,
    /// Until when it holds a place, if it is a probe.
    holds: Option<u64>,
}

/// What a breaker has to be.
struct Model {
    threshold: u32,
    state: BreakerState,
    stay: usize,
    since: u64,
    failures: u32,
    successes: u32,
    events: Vec<u64>,
    transitions: Vec<(BreakerState, BreakerState)>,
}

impl Model {
    fn go(&mut self, to: BreakerState, now: u64) {
        if self.state != to {
            self.transitions.push((self.state, to));
        }
        self.state = to;
        self.stay += 1;
        self.since = now;
        self.failures = 0;
        self.successes = 0;
        self.events.clear();
    }

    /// Whether a call has to be let through, where jitter leaves no choice.
    fn lets_through<P>(&self, calls: &[Call<P>], now: u64) -> Option<bool> {
        match self.state {
            BreakerState::Closed | BreakerState::ForcedClosed => Some(true),
            BreakerState::ForcedOpen => Some(false),
            BreakerState::Open if now < self.since + TIME => Some(false),
            BreakerState::Open if now < self.since + TIME + TIME / 10 => None,
            BreakerState::Open => Some(true),
            BreakerState::HalfOpen => {
                let held = calls
                    .iter()
                    .filter(|call| call.stay == self.stay && call.holds.is_some_and(|at| now < at));
                Some(held.count() < PROBES)
            }
        }
    }

    /// A call was let through; until when it holds a place.
    fn call(&mut self, now: u64) -> Option<u64> {
        if self.state == BreakerState::Open {
            self.go(BreakerState::HalfOpen, now);
        }
        (self.state == BreakerState::HalfOpen).then_some(now + TIME)
    }

    fn end(&mut self, stay: usize, outcome: Outcome, now: u64) {
        if stay != self.stay {
            return;
        }
        match (self.state, outcome) {
            (BreakerState::Closed, Outcome::Success) => self.failures = 0,
            (BreakerState::Closed, Outcome::Failure(event)) => {
                if let Some(event) = event {
                    if self.events.contains(&event) {
                        return;
                    }
                    self.events.push(event);
                }
                self.failures += 1;
                if self.failures == self.threshold {
                    self.go(BreakerState::Open, now);
                }
            }
            (BreakerState::HalfOpen, Outcome::Success) => {
                self.successes += 1;
                if self.successes == SUCCESSES {
                    self.go(BreakerState::Closed, now);
                }
            }
            (BreakerState::HalfOpen, Outcome::Failure(_)) => self.go(BreakerState::Open, now),
            _ => {}
        }
    }
}

async fn run(threshold: u32, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let heard = Heard::new(BreakerSettings {
        mode: BreakerMode::Consecutive(threshold),
        open_for: Duration::from_nanos(TIME),
        probes: u32::try_from(PROBES).unwrap(),
        successes: SUCCESSES,
    });
    let mut model = Model {
        threshold,
        state: BreakerState::Closed,
        stay: 0,
        since: 0,
        failures: 0,
        successes: 0,
        events: Vec::new(),
        transitions: Vec::new(),
    };
    let mut calls: Vec<Call<_>> = Vec::new();
    let mut now = 0;
    for step in steps {
        match step {
            Step::Call => {
                let expected = model.lets_through(&calls, now);
                let permit = heard.acquire();
                if let Some(expected) = expected {
                    prop_assert_eq!(permit.is_ok(), expected, "{:?} at {}", model.state, now);
                }
                if let Ok(permit) = permit {
                    let holds = model.call(now);
                    let stay = model.stay;
                    calls.push(Call {
                        permit,
                        stay,
                        holds,
                    });
                }
            }
            Step::End(which, outcome) if !calls.is_empty() => {
                let call = calls.swap_remove(which.index(calls.len()));
                model.end(call.stay, outcome, now);
                call.permit.settle(outcome);
            }
            Step::End(..) => {}
            Step::Wait(millis) => {
                advance(Duration::from_millis(millis)).await;
                now += millis * MS;
            }
            Step::Force(state) => {
                model.go(state, now);
                match state {
                    BreakerState::ForcedOpen => heard.breaker.force_open(),
                    BreakerState::ForcedClosed => heard.breaker.force_closed(),
                    _ => heard.breaker.reset(),
                }
            }
        }
        prop_assert_eq!(heard.state(), model.state);
    }
    let told: Vec<_> = heard.heard().iter().map(|one| (one.0, one.1)).collect();
    prop_assert_eq!(told, model.transitions);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn property_08_a_breaker_opens_after_its_threshold_and_is_half_open_after_its_time(
        threshold in 1_u32..6,
        steps in steps(),
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(run(threshold, steps))?;
    }
}
