//! What an open breaker lets through, and what becomes of it.

use super::*;

#[tokio::test(start_paused = true)]
async fn rule_20_it_is_open_for_its_time_and_at_most_a_tenth_longer() {
    let mut latest = Duration::ZERO;
    for _ in 0..200 {
        let heard = Heard::open(BUILT_IN);
        advance(OPEN_FOR - Duration::from_nanos(1)).await;
        let Err(Open {
            retry_in: Some(wait),
        }) = heard.acquire()
        else {
            panic!("let through too early");
        };
        assert!(wait <= OPEN_FOR / 10 + Duration::from_nanos(1));
        latest = latest.max(wait);
        advance(wait - Duration::from_nanos(1)).await;
        assert!(heard.acquire().is_err());
        assert_eq!(heard.state(), BreakerState::Open);
        advance(Duration::from_nanos(1)).await;
        assert!(heard.acquire().is_ok());
        assert_eq!(heard.state(), BreakerState::HalfOpen);
    }
    assert!(latest > OPEN_FOR / 20, "no jitter: {latest:?}");
}

#[tokio::test(start_paused = true)]
async fn rule_20_ten_thousand_callers_get_one_probe() {
    let heard = Heard::open(BUILT_IN);
    advance(OPEN_FOR * 2).await;
    let (hold, held) = tokio::sync::watch::channel(());
    let callers: Vec<_> = (0..10_000)
        .map(|_| {
            let breaker = Arc::clone(&heard.breaker);
            let mut held = held.clone();
            tokio::spawn(async move {
                let permit = Permit::acquire(breaker);
                let _ = held.changed().await;
                permit.is_ok()
            })
        })
        .collect();
    tokio::task::yield_now().await;
    hold.send(()).unwrap();
    let mut probes = 0;
    for caller in callers {
        probes += u32::from(caller.await.unwrap());
    }
    assert_eq!(probes, 1);
}

#[tokio::test(start_paused = true)]
async fn rule_20_one_probe_is_let_through_whatever_time_is_set() {
    for open_for in [Duration::ZERO, Duration::from_nanos(1)] {
        let heard = Heard::open(BreakerSettings {
            open_for,
            ..BUILT_IN
        });
        advance(Duration::from_millis(2)).await;
        let _probe = heard.acquire().unwrap();
        for _ in 0..10 {
            assert!(heard.acquire().is_err());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rule_20_there_are_as_many_probes_as_are_set_and_as_many_successes_close_it() {
    let settings = BreakerSettings {
        probes: 3,
        successes: 2,
        ..BUILT_IN
    };
    let (heard, first) = Heard::half_open(settings).await;
    let second = heard.acquire().unwrap();
    let third = heard.acquire().unwrap();
    assert_eq!(heard.acquire().err(), Some(Open { retry_in: None }));
    first.settle(Outcome::Success);
    assert_eq!(heard.state(), BreakerState::HalfOpen);
    // The first one's place is free again.
    let fourth = heard.acquire().unwrap();
    assert!(heard.acquire().is_err());
    second.settle(Outcome::Success);
    assert_eq!(heard.state(), BreakerState::Closed);
    third.settle(Outcome::Failure(None));
    fourth.settle(Outcome::Failure(None));
    assert_eq!(heard.fail_until_open(), 5);
}

#[tokio::test(start_paused = true)]
async fn rule_20_a_failed_probe_opens_it_for_its_whole_time_again() {
    let (heard, probe) = Heard::half_open(BUILT_IN).await;
    probe.settle(Outcome::Failure(None));
    assert_eq!(heard.state(), BreakerState::Open);
    advance(OPEN_FOR - Duration::from_nanos(1)).await;
    assert!(heard.acquire().is_err());
    advance(OPEN_FOR / 9).await;
    assert!(heard.acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn rule_20_a_dropped_probe_gives_its_place_back() {
    let (heard, probe) = Heard::half_open(BUILT_IN).await;
    assert!(heard.acquire().is_err());
    drop(probe);
    for _ in 0..100 {
        let probe = heard.acquire().expect("the place is free");
        assert!(heard.acquire().is_err());
        probe.settle(Outcome::Ignored);
    }
    assert_eq!(heard.heard(), []);
    heard.succeed();
    assert_eq!(heard.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn rule_20_a_probe_that_never_ends_keeps_its_place_no_longer_than_its_time() {
    let (heard, leaked) = Heard::half_open(BUILT_IN).await;
    std::mem::forget(leaked);
    advance(OPEN_FOR - Duration::from_nanos(1)).await;
    assert!(heard.acquire().is_err());
    advance(Duration::from_nanos(1)).await;
    heard.succeed();
    assert_eq!(heard.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_a_late_probe_says_counts_and_its_place_is_given_back_once() {
    let (heard, late) = Heard::half_open(BUILT_IN).await;
    advance(OPEN_FOR).await;
    let second = heard.acquire().expect("the first took too long");
    // It has no place to give back: the second one's is not free.
    drop(late);
    assert!(heard.acquire().is_err());
    advance(OPEN_FOR).await;
    let third = heard.acquire().unwrap();
    // Calls that all take longer than a probe's time close it all the same.
    second.settle(Outcome::Success);
    assert_eq!(heard.state(), BreakerState::Closed);
    drop(third);
}

#[tokio::test(start_paused = true)]
async fn rule_21_a_success_from_before_it_opened_does_not_close_it() {
    let heard = Heard::new(BUILT_IN);
    let stale: Vec<_> = (0..3).map(|_| heard.acquire().unwrap()).collect();
    heard.fail_until_open();
    let mut stale = stale.into_iter();
    stale.next().unwrap().settle(Outcome::Success);
    assert_eq!(heard.state(), BreakerState::Open);
    advance(OPEN_FOR * 2).await;
    let probe = heard.acquire().unwrap();
    stale.next().unwrap().settle(Outcome::Success);
    assert_eq!(heard.state(), BreakerState::HalfOpen);
    assert!(heard.acquire().is_err(), "nor does it give a place back");
    stale.next().unwrap().settle(Outcome::Failure(None));
    assert_eq!(heard.state(), BreakerState::HalfOpen);
    probe.settle(Outcome::Success);
    assert_eq!(heard.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn rule_21_failures_from_before_it_opened_do_not_open_it_again() {
    let heard = Heard::new(BUILT_IN);
    let stale: Vec<_> = (0..100).map(|_| heard.acquire().unwrap()).collect();
    heard.fail_until_open();
    advance(OPEN_FOR * 2).await;
    heard.succeed();
    for call in stale {
        call.settle(Outcome::Failure(None));
    }
    assert_eq!(heard.state(), BreakerState::Closed);
    assert_eq!(heard.fail_until_open(), 5);
}

#[tokio::test(start_paused = true)]
async fn rule_21_what_was_under_way_changes_nothing_that_is_forced() {
    let (heard, probe) = Heard::half_open(BUILT_IN).await;
    heard.breaker.force_open();
    probe.settle(Outcome::Success);
    assert_eq!(heard.state(), BreakerState::ForcedOpen);
    heard.breaker.reset();
    let stale: Vec<_> = (0..9).map(|_| heard.acquire().unwrap()).collect();
    heard.breaker.reset();
    for call in stale {
        call.settle(Outcome::Failure(None));
    }
    assert_eq!(heard.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_was_counted_still_fails_a_probe() {
    let heard = Heard::new(BUILT_IN);
    for event in 0..5 {
        heard.fail_of(Some(event));
    }
    advance(OPEN_FOR * 2).await;
    heard.fail_of(Some(4));
    assert_eq!(heard.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_a_probe_closes_it_with_its_first_message() {
    let (heard, mut stream) = Heard::half_open(BUILT_IN).await;
    stream.answered();
    assert_eq!(heard.state(), BreakerState::Closed);
    for _ in 0..4 {
        stream.answered();
        heard.fail();
    }
    // How it ends counts as any other call.
    stream.settle(Outcome::Failure(None));
    assert_eq!(heard.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_message_on_a_stream_that_is_no_probe_changes_nothing() {
    let heard = Heard::new(BUILT_IN);
    let mut stream = heard.acquire().unwrap();
    for _ in 0..4 {
        heard.fail();
        stream.answered();
    }
    assert_eq!(heard.fail_until_open(), 1);
    stream.answered();
    stream.settle(Outcome::Success);
    assert_eq!(heard.state(), BreakerState::Open);
}
