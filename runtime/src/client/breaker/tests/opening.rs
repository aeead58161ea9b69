//! When a breaker opens, and what is forced.

use super::*;

const RATE: BreakerSettings = BreakerSettings {
    mode: BreakerMode::Rate {
        ratio: 0.5,
        minimum: 20,
        window: Duration::from_secs(10),
    },
    ..BUILT_IN
};

#[tokio::test(start_paused = true)]
async fn rule_19_the_fifth_failure_in_a_row_opens_it() {
    let heard = Heard::new(BUILT_IN);
    for _ in 0..4 {
        heard.fail();
        assert_eq!(heard.state(), BreakerState::Closed);
    }
    assert_eq!(heard.heard(), []);
    heard.fail();
    assert_eq!(heard.state(), BreakerState::Open);
    let opened = (
        BreakerState::Closed,
        BreakerState::Open,
        TransitionReason::Failures,
    );
    assert_eq!(heard.heard(), [opened]);
    let Err(Open { retry_in }) = heard.acquire() else {
        panic!("an open breaker lets nothing through");
    };
    let retry_in = retry_in.expect("known while it is open");
    assert!(retry_in >= OPEN_FOR && retry_in <= OPEN_FOR.mul_f64(1.1));
}

#[tokio::test(start_paused = true)]
async fn rule_19_a_success_begins_the_count_anew() {
    let heard = Heard::new(BUILT_IN);
    for _ in 0..10 {
        for _ in 0..4 {
            heard.fail();
        }
        heard.succeed();
    }
    assert_eq!(heard.fail_until_open(), 5);
}

#[tokio::test(start_paused = true)]
async fn rule_17_what_says_nothing_of_the_target_neither_counts_nor_begins_anew() {
    let heard = Heard::new(BUILT_IN);
    for _ in 0..4 {
        heard.fail();
        heard.acquire().unwrap().settle(Outcome::Ignored);
        drop(heard.acquire().unwrap());
    }
    assert_eq!(heard.fail_until_open(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_threshold_of_none_opens_at_the_first_failure() {
    let heard = Heard::new(BreakerSettings {
        mode: BreakerMode::Consecutive(0),
        ..BUILT_IN
    });
    heard.succeed();
    assert_eq!(heard.fail_until_open(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_on_one_lost_connection_are_one_failure() {
    let heard = Heard::new(BUILT_IN);
    let calls: Vec<_> = (0..1000).map(|_| heard.acquire().unwrap()).collect();
    for call in calls {
        call.settle(Outcome::Failure(Some(7)));
    }
    assert_eq!(heard.state(), BreakerState::Closed);
    assert_eq!(heard.fail_until_open(), 4);
}

#[tokio::test(start_paused = true)]
async fn lost_connections_that_mingle_count_once_each() {
    let heard = Heard::new(BUILT_IN);
    for _ in 0..100 {
        for event in 0..4 {
            heard.fail_of(Some(event));
        }
    }
    assert_eq!(heard.state(), BreakerState::Closed);
    heard.fail_of(Some(4));
    assert_eq!(heard.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn rule_19_a_window_that_slides_opens_after_the_right_number_of_failures() {
    let heard = Heard::new(RATE);
    for _ in 0..10_000 {
        heard.succeed();
    }
    advance(Duration::from_secs(10)).await;
    assert_eq!(heard.fail_until_open(), 20);
}

#[tokio::test(start_paused = true)]
async fn rule_19_a_window_opens_when_its_part_of_the_calls_has_failed() {
    let heard = Heard::new(RATE);
    // Five seconds of 30 calls each, of which two in five fail.
    for _ in 0..5 {
        for call in 0..30 {
            match call % 5 < 2 {
                true => heard.fail(),
                false => heard.succeed(),
            }
        }
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(heard.state(), BreakerState::Closed);
    // 60 of 150 have failed, so 30 more make it 90 of 180.
    assert_eq!(heard.fail_until_open(), 30);
}

#[tokio::test(start_paused = true)]
async fn rule_21_a_window_forgets_what_was_before_it_opened() {
    let quick = Duration::from_millis(100);
    let heard = Heard::new(BreakerSettings {
        open_for: quick,
        ..RATE
    });
    for _ in 0..3 {
        assert_eq!(heard.fail_until_open(), 20);
        advance(quick * 2).await;
        // All of that is within ten seconds.
        heard.succeed();
        assert_eq!(heard.state(), BreakerState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn rule_19_a_window_with_too_few_calls_opens_nothing() {
    let heard = Heard::new(RATE);
    for _ in 0..50 {
        for _ in 0..19 {
            heard.fail();
        }
        advance(Duration::from_secs(10)).await;
    }
    assert_eq!(heard.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn rule_23_what_is_forced_holds_at_once_until_it_is_reset() {
    let heard = Heard::new(BUILT_IN);
    heard.breaker.force_open();
    assert_eq!(heard.state(), BreakerState::ForcedOpen);
    advance(OPEN_FOR * 100).await;
    assert_eq!(heard.acquire().err(), Some(Open { retry_in: None }));

    heard.breaker.force_closed();
    for _ in 0..1000 {
        heard.fail();
    }
    assert_eq!(heard.state(), BreakerState::ForcedClosed);

    heard.breaker.reset();
    assert_eq!(heard.fail_until_open(), 5);
    heard.breaker.reset();
    heard.succeed();
    assert_eq!(heard.fail_until_open(), 5);
}

#[tokio::test(start_paused = true)]
async fn rule_23_every_transition_is_told_of_once() {
    use BreakerState::{Closed, ForcedClosed, ForcedOpen, HalfOpen, Open};

    let heard = Heard::new(BUILT_IN);
    heard.fail_until_open();
    advance(OPEN_FOR.mul_f64(1.11)).await;
    heard.fail();
    advance(OPEN_FOR.mul_f64(1.11)).await;
    heard.succeed();
    for _ in 0..3 {
        heard.breaker.force_open();
    }
    heard.breaker.force_closed();
    heard.breaker.reset();
    heard.breaker.reset();
    let numbers: Vec<_> = heard
        .transitions
        .lock()
        .unwrap()
        .iter()
        .map(|one| one.sequence)
        .collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(
        heard.heard(),
        [
            (Closed, Open, TransitionReason::Failures),
            (Open, HalfOpen, TransitionReason::TimeoutPassed),
            (HalfOpen, Open, TransitionReason::ProbeFailed),
            (Open, HalfOpen, TransitionReason::TimeoutPassed),
            (HalfOpen, Closed, TransitionReason::ProbesSucceeded),
            (Closed, ForcedOpen, TransitionReason::Forced),
            (ForcedOpen, ForcedClosed, TransitionReason::Forced),
            (ForcedClosed, Closed, TransitionReason::Forced),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_handle_overrules_and_shows_its_breaker() {
    let heard = Heard::new(BUILT_IN);
    let handle = CircuitBreaker::new(Arc::clone(&heard.breaker));
    handle.force_open();
    assert!(heard.acquire().is_err());
    assert_eq!(handle.state().as_str(), "FORCED_OPEN");
    handle.force_closed();
    assert!(heard.acquire().is_ok());
    handle.reset();
    assert_eq!(handle.state(), BreakerState::Closed);
}
