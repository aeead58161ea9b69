//! What a method says about its calls, but for its errors.

use super::breakers::breaker;
use super::limits::{auth, duration, rate_limit};
use super::{Site, repeats, times};
use crate::descriptors::rules;
use crate::error::Diagnostics;
use crate::model::Method;
use crate::model::policy::{MethodPolicy, ServicePolicy};

/// What a method says, and its service for it, but for its errors.
pub(super) fn method(
    site: &Site<'_>,
    rule: &rules::MethodRule,
    method: &Method,
    service: &ServicePolicy,
    problems: &mut Diagnostics,
) -> MethodPolicy {
    repeats::check(site, rule, method, problems);
    let deadline = duration(site, "deadline", rule.deadline.as_ref(), problems);
    if rule.no_deadline && rule.deadline.is_some() {
        problems.push(
            site.wrong("no_deadline", "has both `deadline` and `no_deadline`")
                .help("remove one of the two: `no_deadline` is for what lasts as long as its caller likes"),
        );
    }
    let of_service = service.deadline.filter(|_| !rule.no_deadline);
    let own_breaker = rule.breaker.as_ref();
    let policy = MethodPolicy {
        deadline: deadline.or(of_service),
        no_deadline: rule.no_deadline,
        deadline_cap: duration(site, "deadline_cap", rule.deadline_cap.as_ref(), problems),
        retry: rule
            .retry
            .as_ref()
            .map(|rule| repeats::retry(site, rule, problems)),
        hedging: rule
            .hedging
            .as_ref()
            .map(|rule| repeats::hedging(site, rule, problems)),
        repeated_by_config: false,
        breaker: own_breaker
            .map(|rule| breaker(site, rule, problems))
            .or(service.breaker),
        retry_throttle: service.retry_throttle,
        errors: Vec::new(),
        auth: rule
            .auth
            .as_ref()
            .and_then(|rule| auth(site, rule, problems))
            .or_else(|| service.auth.clone()),
        rate_limit: rule
            .rate_limit
            .as_ref()
            .and_then(|rule| rate_limit(site, rule, problems)),
        detached: rule.detached,
    };
    let whose = match deadline {
        Some(_) => "its `deadline`",
        None => "the `deadline` of its service",
    };
    for conflict in times::conflicts(&policy, whose) {
        // At the field that the method itself has.
        let field = match (conflict.is_cap, deadline) {
            (true, Some(_)) => "deadline",
            _ => conflict.field,
        };
        problems.push(site.wrong(field, conflict.message).help(conflict.help));
    }
    policy
}
