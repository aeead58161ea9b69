//! When a client sends a request again: after an attempt that failed, or before there is an answer.

use super::Site;
use super::limits::duration;
use crate::descriptors::rules;
use crate::error::Diagnostics;
use crate::model::policy::{Code, Hedging, MOST_ATTEMPTS, Retry, proto_name};
use crate::model::{Idempotency, Kind, Method};

/// After these another attempt ends as the one before.
const FINAL_CODES: [(Code, &str); 3] = [
    (Code::Cancelled, "who calls gave it up"),
    (
        Code::InvalidArgument,
        "the same request is as wrong the next time",
    ),
    (
        Code::Unimplemented,
        "there is no such operation the next time either",
    ),
];

/// Whether its request may be sent more than once at all.
pub(super) fn check(
    site: &Site<'_>,
    rule: &rules::MethodRule,
    method: &Method,
    problems: &mut Diagnostics,
) {
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
}

/// When a request is sent again.
pub(super) fn retry(site: &Site<'_>, rule: &rules::Retry, problems: &mut Diagnostics) -> Retry {
    check_attempts(site, "retry", rule.max_attempts, problems);
    let [initial_backoff, max_backoff, attempt_timeout] = [
        ("retry.initial_backoff", &rule.initial_backoff),
        ("retry.max_backoff", &rule.max_backoff),
        ("retry.attempt_timeout", &rule.attempt_timeout),
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
    if multiplier.is_some_and(|multiplier| !(1.0..=100.0).contains(&multiplier)) {
        problems.push(
            site.wrong(
                "retry.backoff_multiplier",
                "has a `retry.backoff_multiplier` that is not from 1 to 100",
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
        attempt_timeout,
        codes,
    }
}

/// When a request is sent again before there is an answer.
pub(super) fn hedging(
    site: &Site<'_>,
    rule: &rules::Hedging,
    problems: &mut Diagnostics,
) -> Hedging {
    check_attempts(site, "hedging", rule.max_attempts, problems);
    let named = &rule.non_fatal_codes;
    Hedging {
        max_attempts: rule.max_attempts,
        delay: duration(site, "hedging.delay", rule.delay.as_ref(), problems),
        non_fatal_codes: codes(site, "hedging.non_fatal_codes", named, problems),
    }
}

fn check_repeats(site: &Site<'_>, field: &str, method: &Method, problems: &mut Diagnostics) {
    if method.idempotency == Idempotency::Unknown {
        let message = format!("has `{field}`, and nothing says that a second call does no harm");
        problems.push(site.wrong(field, message).help(format!(
            "add `option idempotency_level = IDEMPOTENT;` (or NO_SIDE_EFFECTS) if that is so, or \
             remove `{field}`"
        )));
    }
    // A retry sends again what was kept of the stream; two attempts at once would read it together.
    if field == "hedging" && matches!(method.kind, Kind::ClientStream | Kind::Bidi) {
        problems.push(
            site.wrong(field, "has `hedging`, and its requests are a stream")
                .help("use `retry`: a stream can be sent again, and not to two servers at once"),
        );
    }
}

fn check_attempts(site: &Site<'_>, rule: &str, max_attempts: u32, problems: &mut Diagnostics) {
    let field = format!("{rule}.max_attempts");
    if max_attempts < 2 {
        let message = format!("has `{rule}` with less than 2 attempts, the first one included");
        problems.push(site.wrong(&field, message).help(format!(
            "set `max_attempts` to 2 at least, or remove `{rule}`"
        )));
    }
    if max_attempts > MOST_ATTEMPTS {
        let message = format!("has `{rule}` with {max_attempts} attempts");
        problems.push(site.wrong(&field, message).help(format!(
            "set `max_attempts` to {MOST_ATTEMPTS} at most, which is where all clients of gRPC stop \
             (gRFC A6)"
        )));
    }
}

fn codes(site: &Site<'_>, field: &str, numbers: &[i32], problems: &mut Diagnostics) -> Vec<Code> {
    let mut codes = Vec::new();
    for (index, number) in numbers.iter().enumerate() {
        let field = format!("{field}.{index}");
        match Code::try_from(*number) {
            Ok(Code::Unspecified) => problems.push(no_code(site, &field)),
            Ok(code) => {
                let ends = FINAL_CODES.iter().find(|(ends, _)| *ends == code);
                if let Some((_, why)) = ends {
                    let name = proto_name(code);
                    let message = format!("has {name} in `{}`", without_index(&field));
                    let diagnostic = site.wrong(&field, message);
                    problems.push(diagnostic.help(format!("remove it: {why}")));
                }
                // One twice says the same.
                if !codes.contains(&code) {
                    codes.push(code);
                }
            }
            // It was reported when it was read.
            Err(_) => {}
        }
    }
    codes
}

fn no_code(site: &Site<'_>, field: &str) -> crate::Diagnostic {
    let list = without_index(field);
    let message = format!("has CODE_UNSPECIFIED in `{list}`, which is no code");
    site.wrong(field, message)
        .help("remove it, or name the code: UNAVAILABLE")
}

fn without_index(field: &str) -> &str {
    field.rsplit_once('.').map_or(field, |(list, _)| list)
}
