//! What a page says about how clients call a method.

use minijinja::{Value, context};

use crate::model::policy::{
    Breaker, Code, Hedging, MethodPolicy, Retry, RetryThrottle, proto_name, shown,
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
    let mut text = match breaker.failure_threshold {
        1 => "opens after one failure".to_owned(),
        failures => format!("opens after {failures} failures in a row"),
    };
    if let Some(timeout) = breaker.timeout {
        text.push_str(&format!(", for {}", shown(timeout)));
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
