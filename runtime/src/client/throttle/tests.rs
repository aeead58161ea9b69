//! The retry throttle; that of all calls is in `adaptive.rs`.

mod adaptive;

use super::Throttle;

/// A call of up to four attempts, each answered by `answer`. Whether it succeeded.
fn call(throttle: &Throttle, mut answer: impl FnMut() -> bool) -> bool {
    for attempt in 1..=4 {
        if answer() {
            throttle.succeeded();
            return true;
        }
        if !throttle.failed() || attempt == 4 {
            return false;
        }
    }
    unreachable!("the fourth attempt is the last");
}

/// The behaviour that grpc-go's `TestRetryThrottling` expects, with its values: which requests are
/// answered well, how each call ends, and how many requests the server has seen by then.
#[test]
fn rule_09_tokens_are_taken_and_given_back_as_in_go() {
    let throttle = Throttle::new(10_000, 500);
    let mut seen = 0;
    let well = [0, 3, 6, 10, 11, 12, 13, 14, 16, 18];
    for (succeeds, last, tokens) in [
        (true, 0, 10_000),
        (true, 3, 8_500),
        (true, 6, 7_000),
        (false, 8, 5_000),
        (false, 9, 4_000),
        (true, 10, 4_500),
        (true, 11, 5_000),
        (true, 12, 5_500),
        (true, 13, 6_000),
        (true, 14, 6_500),
        (true, 16, 6_000),
        (false, 17, 5_000),
    ] {
        let ended = call(&throttle, || {
            seen += 1;
            well.contains(&(seen - 1))
        });
        assert_eq!(
            (ended, seen - 1, throttle.millitokens()),
            (succeeds, last, tokens)
        );
    }
}

#[test]
fn rule_09_at_half_of_the_tokens_nothing_is_retried_and_above_it_is() {
    let throttle = Throttle::new(3_000, 1);
    // 2.0 of 3.
    assert!(throttle.failed() && throttle.has_tokens());
    // 1.0 of 3, and back to 1.5: half, which is not more than half.
    assert!(!throttle.failed() && !throttle.has_tokens());
    for _ in 0..500 {
        throttle.succeeded();
    }
    assert_eq!(throttle.millitokens(), 1_500);
    assert!(!throttle.has_tokens());
    throttle.succeeded();
    assert!(throttle.has_tokens());
}

#[test]
fn rule_09_tokens_stay_between_none_and_all() {
    let throttle = Throttle::new(2_500, 1_000);
    for _ in 0..9 {
        throttle.failed();
    }
    assert_eq!(throttle.millitokens(), 0);
    for tokens in [1_000, 2_000, 2_500, 2_500] {
        throttle.succeeded();
        assert_eq!(throttle.millitokens(), tokens);
    }
}

#[test]
fn half_of_an_odd_number_is_not_rounded() {
    // Half of 2.001 is 1.0005, so 1.001 is more than half.
    let throttle = Throttle::new(2_001, 0);
    assert!(throttle.failed());
    assert_eq!(throttle.millitokens(), 1_001);
}

#[test]
fn without_tokens_nothing_is_ever_retried() {
    let throttle = Throttle::new(0, 1_000);
    throttle.succeeded();
    assert!(!throttle.has_tokens() && !throttle.failed());
}
