//! The adaptive throttle by itself, in virtual time. What is left to chance has a seed that is printed.

use std::time::Duration;

use tokio::time::advance;

use super::super::accepts::{Accepts, Counts, PART};
use super::super::{Adaptive, accepted, unanswered};
use crate::client::failure::{Failure, FailureKind};
use crate::client::setback::Setback;
use crate::client::transport::TransportError;
use crate::{Code, Status};

const SECOND: Duration = Duration::from_secs(1);

/// Calls in a second.
const RATE: u32 = 100;

fn counts(requests: u32, accepts: u32) -> Counts {
    Counts { requests, accepts }
}

/// What is left to chance is the same with the same seed.
fn seeded(seed: u64) -> u64 {
    println!("seed: {seed}");
    fastrand::seed(seed);
    seed
}

/// Calls of one second: how many were sent to a target that takes up to `takes`, and how many of them
/// it took.
async fn second(throttle: &Adaptive, takes: u32) -> (u32, u32) {
    let (mut sent, mut taken) = (0, 0);
    for _ in 0..RATE {
        if throttle.admit().is_ok() {
            sent += 1;
            let takes = taken < takes;
            taken += u32::from(takes);
            throttle.heard(takes);
        }
    }
    advance(SECOND).await;
    (sent, taken)
}

/// The same of so many seconds.
async fn seconds(throttle: &Adaptive, seconds: u32, takes: u32) -> (u32, u32) {
    let mut sum = (0, 0);
    for _ in 0..seconds {
        let (sent, taken) = second(throttle, takes).await;
        sum = (sum.0 + sent, sum.1 + taken);
    }
    sum
}

/// After how many seconds nothing is refused any more where the target takes all.
async fn recovers(throttle: &Adaptive) -> u32 {
    let mut last = 0;
    for now in 1..=900 {
        if second(throttle, u32::MAX).await.0 < RATE {
            last = now;
        }
    }
    last
}

#[test]
fn rule_13_the_chance_of_a_refusal_is_the_books() {
    for (requests, accepts, multiplier, chance) in [
        (0, 0, 2.0, 0.0),
        (1, 0, 2.0, 0.5),
        (99, 0, 2.0, 0.99),
        (99, 10, 2.0, 0.79),
        (100, 50, 2.0, 0.0),
        (100, 100, 1.0, 0.0),
        (99, 49, 1.0, 0.5),
        (99, 20, 1.5, 0.69),
    ] {
        let found = counts(requests, accepts).chance_of_refusal(multiplier);
        assert!(
            (found - chance).abs() < 1e-9,
            "{requests} {accepts}: {found}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn rule_13_to_a_target_that_takes_a_tenth_little_more_goes_than_k_times_that() {
    for multiplier in [1.1, 1.5, 2.0, 3.0] {
        for seed in 1..=5 {
            let seed = seeded(seed);
            let throttle = Adaptive::new(multiplier);
            seconds(&throttle, 600, RATE / 10).await;
            let (sent, taken) = seconds(&throttle, 300, RATE / 10).await;
            // Nearly all that it takes is sent, where K leaves little room for chance.
            assert!(taken > 300 * RATE / 10 * 9 / 10, "{taken}, seed {seed}");
            // And one call a second, which is always sent.
            let expected = multiplier * f64::from(taken);
            let (least, most) = (0.95 * expected, 1.05 * expected + 300.0);
            let sent = f64::from(sent);
            println!("K {multiplier}: {sent} were sent, {taken} accepted");
            assert!(sent > least && sent < most, "{sent}, seed {seed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rule_13_it_recovers_when_the_target_does() {
    for seed in 1..=5 {
        let seed = seeded(seed);
        let throttle = Adaptive::new(2.0);
        seconds(&throttle, 600, RATE / 10).await;
        let of_a_tenth = recovers(&throttle).await;
        seconds(&throttle, 600, 0).await;
        let of_nothing = recovers(&throttle).await;
        println!("after {of_a_tenth} s from a tenth, {of_nothing} s from nothing");
        assert!((60..240).contains(&of_a_tenth), "{of_a_tenth}, seed {seed}");
        assert!((60..480).contains(&of_nothing), "{of_nothing}, seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_13_a_target_that_takes_nothing_is_asked_once_a_second() {
    let seed = seeded(7);
    let throttle = Adaptive::new(2.0);
    seconds(&throttle, 120, 0).await;
    let (sent, _) = seconds(&throttle, 120, 0).await;
    // By chance, one in 12,000 goes out besides.
    assert!((120..130).contains(&sent), "{sent}, seed {seed}");
}

#[tokio::test(start_paused = true)]
async fn rule_13_after_two_minutes_nothing_is_held_against_a_target() {
    let throttle = Adaptive::new(2.0);
    for _ in 0..1000 {
        throttle.heard(false);
    }
    let refused = || (0..50).filter(|_| throttle.admit().is_err()).count();
    advance(Duration::from_secs(109)).await;
    assert!(refused() > 40);
    // Those were refused in the last part: they go later.
    advance(Duration::from_secs(121)).await;
    assert_eq!(refused(), 0);
}

#[tokio::test(start_paused = true)]
async fn rule_13_what_is_refused_counts_as_a_request_that_was_not_accepted() {
    seeded(3);
    let throttle = Adaptive::new(2.0);
    for _ in 0..10_000 {
        throttle.heard(false);
    }
    // The first one is that of the second.
    throttle.admit().unwrap();
    assert_eq!(throttle.admit(), Err(counts(10_000, 0)));
    assert_eq!(throttle.admit(), Err(counts(10_001, 0)));
    throttle.heard(true);
    assert_eq!(throttle.admit(), Err(counts(10_003, 1)));
}

#[test]
fn a_multiplier_below_one_is_one() {
    for multiplier in [0.0, -1.0, f64::NAN] {
        let throttle = Adaptive::new(multiplier);
        for _ in 0..100 {
            throttle.heard(true);
            throttle.admit().unwrap();
        }
    }
}

// The window.

#[test]
fn a_part_of_the_window_is_over_when_a_lap_has_passed() {
    // Where the numbers of the parts begin anew, too.
    for start in [0, 1, 11, 12, (1 << 20) - 6, 3 * (1 << 20) - 1] {
        let window = Accepts::new();
        for tick in start..start + 12 {
            window.record(tick, true);
            window.record(tick, false);
        }
        let last = start + 11;
        assert_eq!(window.counts(last), counts(24, 12), "{start}");
        // A clock that was read a moment before another one's.
        assert_eq!(window.counts(last - 1), counts(24, 12), "{start}");
        for later in 1..=12 {
            let left = 12 - u32::try_from(later).unwrap();
            assert_eq!(
                window.counts(last + later),
                counts(2 * left, left),
                "{start}"
            );
        }
        // Who read the clock long ago brings nothing back, and takes nothing away.
        window.record(last + 3, true);
        window.record(last - 9, true);
        assert_eq!(window.counts(last + 3), counts(19, 10), "{start}");
    }
}

#[test]
fn a_part_that_is_full_counts_nothing_more() {
    let window = Accepts::new();
    let full = (1 << 22) - 1;
    for _ in 0..full {
        window.record(0, true);
    }
    for _ in 0..10 {
        window.record(0, false);
    }
    assert_eq!(window.counts(0), counts(full, full));
    window.record(1, false);
    assert_eq!(window.counts(1), counts(full + 1, full));
}

#[test]
fn what_many_threads_count_at_once_is_all_there() {
    let window = Accepts::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let window = &window;
            scope.spawn(move || {
                for n in 0..10_000 {
                    window.record(100 + n / 2500, thread % 2 == 0);
                }
            });
        }
    });
    assert_eq!(window.counts(103), counts(40_000, 20_000));
}

// What counts.

fn status(code: Code) -> Setback {
    let (status, after_head) = (Status::new(code, ""), false);
    Setback::Status { status, after_head }
}

#[test]
fn rule_13_all_answers_are_accepts_but_resource_exhausted_and_unavailable() {
    for code in (1..=16).map(Code::from_i32) {
        let taken = !matches!(code, Code::ResourceExhausted | Code::Unavailable);
        assert_eq!(accepted(&status(code), true, None), Some(taken), "{code:?}");
    }
    let unreadable = Failure::decode("no message".to_owned(), None).into();
    assert_eq!(accepted(&unreadable, true, None), Some(true));
}

#[test]
fn rule_13_an_answer_that_breaks_off_is_what_its_end_stands_for() {
    let broken = |reason| Setback::from(TransportError::broken(h2::Error::from(reason)));
    for (reason, taken) in [
        (h2::Reason::ENHANCE_YOUR_CALM, false),
        (h2::Reason::REFUSED_STREAM, false),
        (h2::Reason::CANCEL, true),
        (h2::Reason::INTERNAL_ERROR, true),
    ] {
        assert_eq!(
            accepted(&broken(reason), true, None),
            Some(taken),
            "{reason:?}"
        );
    }
    let lost = TransportError::broken(std::io::Error::other("lost")).into();
    assert_eq!(accepted(&lost, true, None), Some(false));
}

#[test]
fn rule_13_where_no_server_was_reached_nothing_counts() {
    let unsent = TransportError::unavailable("no connection", "refused").into();
    assert_eq!(accepted(&unsent, false, None), None);
    let late = Failure::new(
        FailureKind::Deadline,
        Status::new(Code::DeadlineExceeded, ""),
    );
    for setback in [Setback::TimedOut(SECOND), late.into()] {
        assert_eq!(accepted(&setback, false, None), None);
        assert_eq!(accepted(&setback, true, None), Some(false));
    }
    assert_eq!(unanswered(false, None), None);
}

#[test]
fn rule_13_what_the_caller_ends_or_the_client_refuses_counts_for_nothing() {
    let short = Some(Duration::from_millis(99));
    assert_eq!(unanswered(true, short), None);
    assert_eq!(unanswered(true, Some(SECOND)), Some(false));
    let refused = Status::new(Code::Unavailable, "");
    for failure in [
        Failure::cancelled(),
        Failure::unsent(FailureKind::Refused, refused.clone()),
        Failure::unsent(FailureKind::CircuitOpen, refused.clone()),
        Failure::new(FailureKind::Refused, refused.clone()),
        Failure::encode_in_stream(refused),
    ] {
        let kind = failure.kind();
        assert_eq!(accepted(&failure.into(), true, None), None, "{kind:?}");
    }
}

#[cfg(feature = "testing")]
mod properties {
    use proptest::prelude::*;

    use super::*;

    /// What a target accepts of some calls, and how long it is to the next ones, in seconds.
    fn history() -> impl Strategy<Value = Vec<(u64, u32, u32)>> {
        proptest::collection::vec((0..45_u64, 0..60_u32, 0..=100_u32), 1..60)
    }

    /// Requests and accepts of the last 12 parts, counted one by one.
    fn of_window(log: &[(u64, bool)], now: u64) -> Counts {
        let within = |at: u64| at / PART + 12 > now / PART;
        let last: Vec<_> = log.iter().filter(|(at, _)| within(*at)).collect();
        let accepts = last.iter().filter(|(_, accepted)| *accepted).count();
        counts(last.len() as u32, accepts as u32)
    }

    async fn never_refuses(
        multiplier: f64,
        history: &[(u64, u32, u32)],
    ) -> Result<(), TestCaseError> {
        let throttle = Adaptive::new(multiplier);
        let (mut log, mut now) = (Vec::new(), 0);
        for (wait, calls, percent) in history {
            advance(Duration::from_secs(*wait)).await;
            now += wait;
            for call in 0..*calls {
                let Counts { requests, accepts } = of_window(&log, now);
                let well = multiplier * f64::from(accepts) >= f64::from(requests);
                let accepted = match throttle.admit() {
                    Ok(()) => {
                        let accepted = call * 100 < calls * percent;
                        throttle.heard(accepted);
                        accepted
                    }
                    Err(said) => {
                        prop_assert!(!well, "refused after {requests} and {accepts}");
                        prop_assert_eq!(said, counts(requests, accepts));
                        false
                    }
                };
                log.push((now, accepted));
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn rule_13_nothing_is_refused_while_the_target_accepts_one_in_k(
            history in history(),
            multiplier in 1.0..4.0_f64,
            seed: u64,
        ) {
            fastrand::seed(seed);
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_time().start_paused(true).build().unwrap();
            runtime.block_on(never_refuses(multiplier, &history))?;
        }
    }
}
