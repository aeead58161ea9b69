//! What a page says about how clients call a method.

use minijinja::{Value, context};

use crate::model::policy::{
    Breaker, Code, FailureRate, Hedging, MethodPolicy, Opens, Retry, RetryThrottle, proto_name,
    shown,
};

/// Sentences without their ends; empty for what is the client's own.
pub(super) fn of_method(policy: &MethodPolicy) -> Value {
    context! {
        deadline => policy.deadline.map(shown).unwrap_or_default(),
        retry => policy.retry.as_ref().map(retry).unwrap_or_default(),
        hedging => policy.hedging.as_ref().map(hedging).unwrap_or_default(),
        breaker => policy.breaker.map(breaker).unwrap_or_default(),
        throttle => policy.retry_throttle.map(throttle).unwrap_or_default(),
    }
}

fn retry(retry: &Retry) -> String {
    let attempts = retry.max_attempts;
    let mut text = format!("up to {attempts} attempts, on {}", codes(&retry.codes));
    if let Some(first) = retry.initial_backoff {
        text.push_str(&format!("; the first wait is {}", shown(first)));
    }
    let longest = retry.max_backoff.map(shown);
    text.push_str(&match (retry.backoff_multiplier, longest) {
        (Some(times), Some(longest)) => {
            format!("; each is {times} times the one before, {longest} at most")
        }
        (Some(times), None) => format!("; each is {times} times the one before"),
        (None, Some(longest)) => format!("; none is longer than {longest}"),
        (None, None) => String::new(),
    });
    if let Some(timeout) = retry.attempt_timeout {
        text.push_str(&format!(
            "; an attempt is given up after {}",
            shown(timeout)
        ));
    }
    text
}

fn hedging(hedging: &Hedging) -> String {
    let attempts = hedging.max_attempts;
    let mut text = match hedging.delay {
        Some(delay) => format!("up to {attempts} attempts, {} apart", shown(delay)),
        None => format!("{attempts} attempts at once"),
    };
    if !hedging.non_fatal_codes.is_empty() {
        let codes = codes(&hedging.non_fatal_codes);
        text.push_str(&format!("; the others go on after {codes}"));
    }
    text
}

fn breaker(breaker: Breaker) -> String {
    let mut text = match breaker.opens {
        Opens::After(1) => "opens after one failure".to_owned(),
        Opens::After(failures) => format!("opens after {failures} failures in a row"),
        Opens::At(rate) => failure_rate(rate),
    };
    if let Some(timeout) = breaker.timeout {
        text.push_str(&format!(", for {}", shown(timeout)));
    }
    if let Some(probes @ 2..) = breaker.half_open_probes {
        text.push_str(&format!(
            "; then lets {probes} calls through at once to see"
        ));
    }
    text
}

fn failure_rate(rate: FailureRate) -> String {
    // Three decimals are what the runtime keeps.
    let percent = (rate.threshold * 1000.0 + 0.000_5).floor() / 10.0;
    let mut text = format!("opens when {percent}% of the calls");
    if let Some(window) = rate.window {
        text.push_str(&format!(" within {}", shown(window)));
    }
    text.push_str(" fail");
    if let Some(minimum) = rate.minimum_calls {
        text.push_str(&format!(", if there are {minimum} or more"));
    }
    text
}

fn throttle(throttle: RetryThrottle) -> String {
    format!(
        "of {} tokens a failure takes one and a success gives back {}; at half of them or less nothing \
         is sent again",
        throttle.max_tokens, throttle.token_ratio
    )
}

fn codes(codes: &[Code]) -> String {
    let names = codes.iter().map(|code| format!("`{}`", proto_name(*code)));
    names.collect::<Vec<_>>().join(", ")
}
