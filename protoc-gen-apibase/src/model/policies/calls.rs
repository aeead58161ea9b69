//! What a method says about its calls: deadlines, retries, hedging, callers.

use std::time::Duration;

use super::Site;
use super::limits::{auth, duration, rate_limit};
use crate::descriptors::rules;
use crate::error::Diagnostics;
use crate::model::policy::{Code, Hedging, MethodPolicy, Retry, ServicePolicy};
use crate::model::{Idempotency, Kind, Method};

/// What a method says, but for its errors.
pub(super) fn method(
    site: &Site<'_>,
    rule: &rules::MethodRule,
    method: &Method,
    service: &ServicePolicy,
    problems: &mut Diagnostics,
) -> MethodPolicy {
    if rule.retry.is_some() {
        check_repeats(site, "retry", method, problems);
    }
    if rule.hedging.is_some() {
        check_repeats(site, "hedging", method, problems);
    }
    if rule.retry.is_some() && rule.hedging.is_some() {
        problems.push(
            site.wrong("hedging", "has both `retry` and `hedging`")
                .help("remove one of the two: gRFC A6 allows one for a method"),
        );
    }
    let policy = MethodPolicy {
        deadline: duration(site, "deadline", rule.deadline.as_ref(), problems),
        deadline_cap: duration(site, "deadline_cap", rule.deadline_cap.as_ref(), problems),
        retry: rule.retry.as_ref().map(|rule| retry(site, rule, problems)),
        hedging: rule
            .hedging
            .as_ref()
            .map(|rule| hedging(site, rule, problems)),
        errors: Vec::new(),
        auth: rule
            .auth
            .as_ref()
            .and_then(|rule| auth(site, rule, problems)),
        rate_limit: rule
            .rate_limit
            .as_ref()
            .and_then(|rule| rate_limit(site, rule, problems)),
        detached: rule.detached,
    };
    check_deadlines(site, &policy, service, problems);
    policy
}

/// Whether the request may be sent more than once at all.
fn check_repeats(site: &Site<'_>, field: &str, method: &Method, problems: &mut Diagnostics) {
    if method.idempotency == Idempotency::Unknown {
        let message = format!("has `{field}`, and nothing says that a second call does no harm");
        problems.push(site.wrong(field, message).help(format!(
            "add `option idempotency_level = IDEMPOTENT;` (or NO_SIDE_EFFECTS) if that is so, or \
             remove `{field}`"
        )));
    }
    if matches!(method.kind, Kind::ClientStream | Kind::Bidi) {
        let message = format!("has `{field}`, and its requests are a stream");
        problems.push(site.wrong(field, message).help(format!(
            "remove `{field}`: only a single request is kept, so that it can be sent again"
        )));
    }
}

fn check_deadlines(
    site: &Site<'_>,
    policy: &MethodPolicy,
    service: &ServicePolicy,
    problems: &mut Diagnostics,
) {
    let (deadline, whose) = match (policy.deadline, service.deadline) {
        (Some(own), _) => (own, "its `deadline`"),
        (None, Some(inherited)) => (inherited, "the `deadline` of its service"),
        (None, None) => return,
    };
    // At the field that the method itself has.
    let field = |other: &'static str| match policy.deadline {
        Some(_) => "deadline",
        None => other,
    };
    if let Some(cap) = policy.deadline_cap
        && deadline > cap
    {
        let message = format!("has a `deadline_cap` that is shorter than {whose}");
        problems.push(site.wrong(field("deadline_cap"), message).help(
            "the server would end calls that the client still waits for: lengthen the cap, or \
             shorten the deadline",
        ));
    }
    let wait = |field: &'static str, wait: Option<Duration>| Some((field, wait?));
    let retry = policy.retry.as_ref();
    let hedging = policy.hedging.as_ref();
    let waits = [
        retry.and_then(|retry| wait("retry.initial_backoff", retry.initial_backoff)),
        hedging.and_then(|hedging| wait("hedging.delay", hedging.delay)),
    ];
    for (field, wait) in waits.into_iter().flatten() {
        if wait >= deadline {
            let message = format!("has a `{field}` that is not shorter than {whose}");
            problems.push(site.wrong(field, message).help(
                "there would never be a second attempt: shorten the wait, or lengthen the deadline",
            ));
        }
    }
}

fn retry(site: &Site<'_>, rule: &rules::Retry, problems: &mut Diagnostics) -> Retry {
    check_attempts(site, "retry", rule.max_attempts, problems);
    let [initial_backoff, max_backoff] = [
        ("retry.initial_backoff", &rule.initial_backoff),
        ("retry.max_backoff", &rule.max_backoff),
    ]
    .map(|(field, value)| duration(site, field, value.as_ref(), problems));
    if let (Some(first), Some(longest)) = (initial_backoff, max_backoff)
        && first > longest
    {
        problems.push(
            site.wrong(
                "retry.initial_backoff",
                "has a `retry.initial_backoff` that is longer than its `max_backoff`",
            )
            .help("swap the two, or lengthen `max_backoff`"),
        );
    }
    // Unset is 0, so that 0 can't be told from it.
    let multiplier = (rule.backoff_multiplier != 0.0).then_some(rule.backoff_multiplier);
    if multiplier.is_some_and(|multiplier| !(multiplier >= 1.0 && multiplier.is_finite())) {
        problems.push(
            site.wrong(
                "retry.backoff_multiplier",
                "has a `retry.backoff_multiplier` that is not 1 or more",
            )
            .help("with 1 all waits are equally long, with 2 each is twice as long as the last"),
        );
    }
    let mut codes = codes(site, "retry.codes", &rule.codes, problems);
    if codes.is_empty() {
        codes.push(Code::Unavailable);
    }
    Retry {
        max_attempts: rule.max_attempts,
        initial_backoff,
        max_backoff,
        backoff_multiplier: multiplier,
        codes,
    }
}

fn hedging(site: &Site<'_>, rule: &rules::Hedging, problems: &mut Diagnostics) -> Hedging {
    check_attempts(site, "hedging", rule.max_attempts, problems);
    Hedging {
        max_attempts: rule.max_attempts,
        delay: duration(site, "hedging.delay", rule.delay.as_ref(), problems),
        non_fatal_codes: codes(
            site,
            "hedging.non_fatal_codes",
            &rule.non_fatal_codes,
            problems,
        ),
    }
}

fn check_attempts(site: &Site<'_>, rule: &str, max_attempts: u32, problems: &mut Diagnostics) {
    if max_attempts < 2 {
        let field = format!("{rule}.max_attempts");
        let message = format!("has `{rule}` with less than 2 attempts, the first one included");
        problems.push(site.wrong(&field, message).help(format!(
            "set `max_attempts` to 2 at least, or remove `{rule}`"
        )));
    }
}

fn codes(site: &Site<'_>, field: &str, numbers: &[i32], problems: &mut Diagnostics) -> Vec<Code> {
    let mut codes = Vec::new();
    for (index, number) in numbers.iter().enumerate() {
        match Code::try_from(*number) {
            Ok(Code::Unspecified) => problems.push(
                site.wrong(
                    &format!("{field}.{index}"),
                    format!("has CODE_UNSPECIFIED in `{field}`, which is no code"),
                )
                .help("remove it, or name the code: UNAVAILABLE"),
            ),
            Ok(code) if !codes.contains(&code) => codes.push(code),
            // One twice says the same; an unknown one was reported when it was read.
            Ok(_) | Err(_) => {}
        }
    }
    codes
}
