//! The steps of a method's constant that say how clients call it.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::tokens::{duration, ident};
use crate::model::policy::{
    Breaker, Code, FailureRate, Hedging, MethodPolicy, Opens, Retry, RetryThrottle,
};

/// What the steps of a policy name, but for `Duration`.
pub(super) fn names(policy: &MethodPolicy) -> impl Iterator<Item = &'static str> {
    let hedging = policy.hedging.as_ref();
    let codes = policy.retry.is_some() || hedging.is_some_and(|h| !h.non_fatal_codes.is_empty());
    [
        (policy.breaker.is_some(), "BreakerPolicy"),
        (codes, "Code"),
        (policy.hedging.is_some(), "HedgingPolicy"),
        (policy.retry.is_some(), "RetryPolicy"),
        (policy.retry_throttle.is_some(), "RetryThrottle"),
    ]
    .into_iter()
    .filter_map(|(is_named, name)| is_named.then_some(name))
}

/// Whether they name `Duration`.
pub(super) fn lasts(policy: &MethodPolicy) -> bool {
    let retry = policy.retry.as_ref();
    let retry = retry.and_then(|retry| {
        let waits = retry.initial_backoff.or(retry.max_backoff);
        waits.or(retry.attempt_timeout)
    });
    let breaker = policy.breaker.and_then(|breaker| match breaker.opens {
        Opens::After(_) => breaker.timeout,
        Opens::At(rate) => breaker.timeout.or(rate.window),
    });
    policy.deadline.or(retry).or(breaker).is_some() || policy.hedging.is_some()
}

pub(super) fn steps(policy: &MethodPolicy) -> TokenStream {
    let deadline = step("deadline", policy.deadline.map(duration));
    let retry = step("retry", policy.retry.as_ref().map(retry));
    let hedging = step("hedging", policy.hedging.as_ref().map(hedging));
    let breaker = step("breaker", policy.breaker.map(breaker));
    let throttle = step("retry_throttle", policy.retry_throttle.map(throttle));
    quote!(#deadline #retry #hedging #breaker #throttle)
}

fn step(name: &str, value: Option<TokenStream>) -> Option<TokenStream> {
    let name = ident(name);
    value.map(|value| quote!(.#name(#value)))
}

fn retry(retry: &Retry) -> TokenStream {
    let attempts = Literal::u32_unsuffixed(retry.max_attempts);
    let initial = step("initial_backoff", retry.initial_backoff.map(duration));
    let longest = step("max_backoff", retry.max_backoff.map(duration));
    let multiplier = step("multiplier", retry.backoff_multiplier.map(number));
    let timeout = step("attempt_timeout", retry.attempt_timeout.map(duration));
    let codes = codes(&retry.codes);
    quote!(RetryPolicy::up_to(#attempts) #initial #longest #multiplier #timeout .codes(#codes))
}

fn hedging(hedging: &Hedging) -> TokenStream {
    let attempts = Literal::u32_unsuffixed(hedging.max_attempts);
    let delay = match hedging.delay {
        Some(delay) => duration(delay),
        None => quote!(Duration::ZERO),
    };
    let listed = &hedging.non_fatal_codes;
    let listed = (!listed.is_empty()).then(|| codes(listed));
    let non_fatal = step("non_fatal", listed);
    quote!(HedgingPolicy::up_to(#attempts, #delay) #non_fatal)
}

fn breaker(breaker: Breaker) -> TokenStream {
    let policy = match breaker.opens {
        Opens::After(failures) => {
            let failures = count(failures);
            quote!(BreakerPolicy::after(#failures))
        }
        Opens::At(rate) => failure_rate(rate),
    };
    let timeout = step("timeout", breaker.timeout.map(duration));
    let probes = step("probes", breaker.half_open_probes.map(count));
    quote!(#policy #timeout #probes)
}

fn failure_rate(rate: FailureRate) -> TokenStream {
    let threshold = number(rate.threshold);
    let minimum = step("minimum_calls", rate.minimum_calls.map(count));
    let window = step("window", rate.window.map(duration));
    quote!(BreakerPolicy::at_rate(#threshold) #minimum #window)
}

fn throttle(throttle: RetryThrottle) -> TokenStream {
    let (tokens, ratio) = (number(throttle.max_tokens), number(throttle.token_ratio));
    quote!(RetryThrottle::new(#tokens, #ratio))
}

fn codes(codes: &[Code]) -> TokenStream {
    let names = codes.iter().map(|code| ident(&format!("{code:?}")));
    quote!(&[#(Code::#names),*])
}

fn count(value: u32) -> TokenStream {
    let literal = Literal::u32_unsuffixed(value);
    quote!(#literal)
}

fn number(value: f64) -> TokenStream {
    let literal = Literal::f64_unsuffixed(value);
    quote!(#literal)
}
