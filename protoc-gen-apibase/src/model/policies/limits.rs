//! Durations, throttles, callers: each by itself.

use std::time::Duration;

use super::Site;
use super::breakers::breaker;
use crate::descriptors::rules;
use crate::error::Diagnostics;
use crate::model::policy::{Auth, RateLimit, RetryThrottle, ServicePolicy};

/// The longest `google.protobuf.Duration`, in seconds: about 10,000 years.
const LONGEST: u64 = 315_576_000_000;

/// The longest time in which a rate limit that is used up may come back. The runtime has the same.
const LONGEST_REFILL: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// What tokens and their ratio can be: gRFC A6 allows 1000 tokens, and keeps three decimals.
const TOKENS: std::ops::RangeInclusive<f64> = 0.001..=1000.0;

/// The longest time of a call, an attempt, a wait.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// What a service says, but for its errors.
pub(super) fn service(
    site: &Site<'_>,
    rule: &rules::ServiceRule,
    problems: &mut Diagnostics,
) -> ServicePolicy {
    ServicePolicy {
        deadline: duration(site, "deadline", rule.deadline.as_ref(), problems),
        errors: (!rule.errors.is_empty()).then(|| rule.errors.clone()),
        breaker: rule
            .breaker
            .as_ref()
            .map(|rule| breaker(site, rule, problems)),
        retry_throttle: rule
            .retry_throttle
            .as_ref()
            .map(|rule| throttle(site, rule, problems)),
        auth: rule
            .auth
            .as_ref()
            .and_then(|rule| auth(site, rule, problems)),
    }
}

/// A duration of the rule's `field`, which must be longer than 0 and no longer than a year; none when
/// it isn't set.
pub(super) fn duration(
    site: &Site<'_>,
    field: &str,
    value: Option<&prost_types::Duration>,
    problems: &mut Diagnostics,
) -> Option<Duration> {
    let duration = any_duration(site, field, value, problems)?;
    if duration > YEAR {
        let message = format!("has a `{field}` that is longer than a year");
        problems.push(site.wrong(field, message).help(
            "shorten it, or remove it; the unit is the second: 1.5 of them are { seconds: 1 nanos: \
             500000000 }",
        ));
        return None;
    }
    Some(duration)
}

/// As [`duration`], of any length.
fn any_duration(
    site: &Site<'_>,
    field: &str,
    value: Option<&prost_types::Duration>,
    problems: &mut Diagnostics,
) -> Option<Duration> {
    let value = value?;
    let same_sign = value.seconds == 0 || (value.seconds < 0) == (value.nanos < 0);
    let (message, help) = if value.nanos.unsigned_abs() >= 1_000_000_000
        || value.seconds.unsigned_abs() > LONGEST
        || (value.nanos != 0 && !same_sign)
    {
        (
            format!("has a `{field}` that is no duration"),
            "`nanos` is from 0 to 999999999, `seconds` from 0 to 315576000000: 1.5 seconds are \
             { seconds: 1 nanos: 500000000 }",
        )
    } else if (value.seconds, value.nanos) <= (0, 0) {
        (
            format!("has a `{field}` that is not longer than 0"),
            "give it a length, { seconds: 2 } for example, or remove it",
        )
    } else {
        let seconds = value.seconds.unsigned_abs();
        return Some(Duration::new(seconds, value.nanos.unsigned_abs()));
    };
    problems.push(site.wrong(field, message).help(help));
    None
}

/// Who may call; none when that can't be told.
pub(super) fn auth(
    site: &Site<'_>,
    rule: &rules::Auth,
    problems: &mut Diagnostics,
) -> Option<Auth> {
    for (index, scope) in rule.scopes.iter().enumerate() {
        let field = format!("auth.scopes.{index}");
        if !is_scope(scope) {
            problems.push(
                site.wrong(
                    &field,
                    format!("has {scope:?} among its scopes, which can't be one"),
                )
                .help(
                    "a scope is made of printable ASCII characters without blanks, quotes and \
                         backslashes (RFC 6749, section 3.3): `items.write`",
                ),
            );
        }
    }
    let says = (rule.required, rule.public, !rule.scopes.is_empty());
    match says {
        (true, false, false) => Some(Auth::Required),
        (false, true, false) => Some(Auth::Public),
        (false, false, true) => Some(Auth::Scopes(rule.scopes.clone())),
        _ => {
            let message = match says {
                (false, false, false) => "has `auth`, which doesn't say who may call",
                _ => "has `auth`, which says two things about who may call",
            };
            problems.push(site.wrong("auth", message).help(
                "say one of `required: true` (a valid token), `scopes: [\"…\"]` (a token with all \
                 of them) and `public: true` (anybody)",
            ));
            None
        }
    }
}

/// `scope-token` of RFC 6749.
fn is_scope(scope: &str) -> bool {
    !scope.is_empty()
        && scope
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// How often a method may be called; none when that can't be told.
pub(super) fn rate_limit(
    site: &Site<'_>,
    rule: &rules::RateLimit,
    problems: &mut Diagnostics,
) -> Option<RateLimit> {
    if rule.requests == 0 {
        problems.push(
            site.wrong(
                "rate_limit.requests",
                "has a `rate_limit` of no requests, so that nobody could call it",
            )
            .help("set `requests` to 1 at least"),
        );
    }
    if rule.per.is_none() {
        problems.push(
            site.wrong("rate_limit", "has a `rate_limit` without its period")
                .help("set `per`, { seconds: 1 } for example"),
        );
    }
    let per = any_duration(site, "rate_limit.per", rule.per.as_ref(), problems)?;
    let at_once = u128::from(rule.requests) + u128::from(rule.burst);
    let is_counted = rule.requests > 0;
    if is_counted
        && per.as_nanos() * at_once > LONGEST_REFILL.as_nanos() * u128::from(rule.requests)
    {
        problems.push(
            site.wrong(
                "rate_limit",
                "has a `rate_limit` that takes more than a hundred years to come back",
            )
            .help("shorten `per`, or lower `burst`: servers don't count for so long"),
        );
    }
    Some(RateLimit {
        requests: rule.requests,
        per,
        burst: rule.burst,
    })
}

fn throttle(
    site: &Site<'_>,
    rule: &rules::RetryThrottle,
    problems: &mut Diagnostics,
) -> RetryThrottle {
    for (field, value, example) in [
        ("max_tokens", rule.max_tokens, "100"),
        ("token_ratio", rule.token_ratio, "0.1"),
    ] {
        if !TOKENS.contains(&value) {
            let field = format!("retry_throttle.{field}");
            let message = format!("has a `{field}` that is out of range");
            problems.push(site.wrong(&field, message).help(format!(
                "it is from 0.001 to 1000 (gRFC A6), {example} for example"
            )));
        }
    }
    RetryThrottle {
        max_tokens: rule.max_tokens,
        token_ratio: rule.token_ratio,
    }
}
