//! When clients stop calling for a while.

use super::Site;
use super::limits::duration;
use crate::descriptors::rules;
use crate::error::Diagnostics;
use crate::model::policy::{Breaker, FailureRate, Opens};

/// What the part of the calls can be that opens a breaker. The runtime keeps three decimals.
const FAILURE_RATES: std::ops::RangeInclusive<f64> = 0.001..=1.0;

/// How many calls a breaker may let through at once to see: they go to a target that was just failing.
const MOST_PROBES: u32 = 100;

/// When clients stop calling for a while.
pub(super) fn breaker(
    site: &Site<'_>,
    rule: &rules::Breaker,
    problems: &mut Diagnostics,
) -> Breaker {
    if rule.half_open_probes > MOST_PROBES {
        problems.push(
            site.wrong(
                "breaker.half_open_probes",
                format!(
                    "has a `breaker` that lets {} calls through at once to see",
                    rule.half_open_probes
                ),
            )
            .help(format!(
                "{MOST_PROBES} are the most; without `half_open_probes` it is one, which is mostly enough"
            )),
        );
    }
    Breaker {
        opens: opens(site, rule, problems),
        timeout: duration(site, "breaker.timeout", rule.timeout.as_ref(), problems),
        half_open_probes: (rule.half_open_probes > 0).then_some(rule.half_open_probes),
    }
}

fn opens(site: &Site<'_>, rule: &rules::Breaker, problems: &mut Diagnostics) -> Opens {
    let (field, message, help) = match (rule.failure_threshold, &rule.rate) {
        (failures @ 1.., None) => return Opens::After(failures),
        (0, Some(rate)) => return Opens::At(failure_rate(site, rate, problems)),
        (0, None) => (
            "breaker.failure_threshold",
            "has a `breaker` that opens after no failures, so that nobody could call",
            "set `failure_threshold` to 1 at least, or `rate`, { threshold: 0.5 } for example",
        ),
        (_, Some(_)) => (
            "breaker.rate",
            "has a `breaker` that opens in two ways, by `failure_threshold` and by `rate`",
            "remove one of the two: `rate` counts failures that have successes between them, too",
        ),
    };
    problems.push(site.wrong(field, message).help(help));
    Opens::After(rule.failure_threshold)
}

fn failure_rate(
    site: &Site<'_>,
    rule: &rules::FailureRate,
    problems: &mut Diagnostics,
) -> FailureRate {
    if !FAILURE_RATES.contains(&rule.threshold) {
        let field = "breaker.rate.threshold";
        problems.push(
            site.wrong(field, format!("has a `{field}` that is out of range"))
                .help("it is a part of the calls, from 0.001 to 1: 0.5 is half of them"),
        );
    }
    let window = rule.window.as_ref();
    FailureRate {
        threshold: rule.threshold,
        minimum_calls: (rule.minimum_calls > 0).then_some(rule.minimum_calls),
        window: duration(site, "breaker.rate.window", window, problems),
    }
}
