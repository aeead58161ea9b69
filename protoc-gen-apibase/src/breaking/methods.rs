//! What a method promises of its calls.

use prost_types::method_options::IdempotencyLevel;
use prost_types::{Duration, MethodDescriptorProto, ServiceDescriptorProto};

use super::auth::{self, Needs};
use super::contract::{Contract, Part, Site};
use crate::descriptors::rules::{Auth, MethodRule, RateLimit};
use crate::descriptors::tag;
use crate::error::{Diagnostic, Diagnostics};

pub(super) fn compare(old: &Contract<'_>, new: &Contract<'_>, breaks: &mut Diagnostics) {
    for (full_name, was) in &old.services {
        if let Some(is) = new.services.get(full_name) {
            let (was, is) = (
                Service::of(old, full_name, was),
                Service::of(new, full_name, is),
            );
            compare_service(&was, &is, breaks);
        }
    }
}

/// A service of one of the two schemas.
pub(super) struct Service<'a> {
    pub(super) part: &'a Part<'a, ServiceDescriptorProto>,
    pub(super) auth: Option<&'a Auth>,
    methods: Vec<Method<'a>>,
}

/// A method of a [`Service`].
pub(super) struct Method<'a> {
    proto: &'a MethodDescriptorProto,
    pub(super) site: Site<'a>,
    pub(super) rule: MethodRule,
}

impl<'a> Service<'a> {
    fn of(
        contract: &'a Contract<'a>,
        full_name: &str,
        part: &'a Part<'a, ServiceDescriptorProto>,
    ) -> Self {
        let rule = contract.rules.service(full_name);
        let methods = part.site.parts(tag::SERVICE_METHOD, &part.proto.method);
        Self {
            part,
            auth: rule.and_then(|rule| rule.auth.as_ref()),
            methods: methods
                .map(|(proto, site)| {
                    let rule = contract.rules.method(full_name, proto.name());
                    let rule = rule.cloned().unwrap_or_default();
                    Method { proto, site, rule }
                })
                .collect(),
        }
    }

    fn needs(&self, method: &Method<'_>) -> Needs {
        Needs::of(method.rule.auth.as_ref().or(self.auth))
    }
}

fn compare_service(was: &Service<'_>, is: &Service<'_>, breaks: &mut Diagnostics) {
    let mut inheriting = Vec::new();
    for old in &was.methods {
        let mut methods = is.methods.iter();
        let Some(new) = methods.find(|new| new.proto.name() == old.proto.name()) else {
            continue;
        };
        breaks.extend(idempotency(old, new));
        breaks.extend(deadline_cap(old, new));
        breaks.extend(rate_limit(old, new));
        breaks.extend(detached(old, new));
        if old.rule.auth.is_none() && new.rule.auth.is_none() {
            inheriting.push(new.proto.name());
        } else {
            breaks.extend(auth::of_method(&was.needs(old), &is.needs(new), new));
        }
    }
    breaks.extend(auth::of_service(was, is, &inheriting));
}

fn idempotency(was: &Method<'_>, is: &Method<'_>) -> Option<Diagnostic> {
    // Those that promise more come first.
    let [level_was, level_is] = [was, is].map(|method| {
        let options = method.proto.options.as_ref();
        options.map_or(IdempotencyLevel::IdempotencyUnknown, |options| {
            options.idempotency_level()
        })
    });
    let strength = |level| match level {
        IdempotencyLevel::IdempotencyUnknown => 0,
        IdempotencyLevel::Idempotent => 1,
        IdempotencyLevel::NoSideEffects => 2,
    };
    if strength(level_is) >= strength(level_was) {
        return None;
    }
    let before = level_was.as_str_name();
    let (now, seen) = match level_is {
        IdempotencyLevel::IdempotencyUnknown => (
            "is no longer idempotent",
            "clients of before send it again after a failure, so that it may be done twice",
        ),
        _ => (
            "has side effects",
            "clients of before take it for a mere look, and call it whenever they like",
        ),
    };
    let message = format!("{} {now}: it was {before}", is.what());
    Some(
        is.site
            .diagnostic(message)
            .note(seen)
            .help(format!("keep {before}, or make another method for it")),
    )
}

fn deadline_cap(was: &Method<'_>, is: &Method<'_>) -> Option<Diagnostic> {
    let cap = is.rule.deadline_cap.as_ref()?;
    let before = was.rule.deadline_cap.as_ref();
    if before.is_some_and(|before| nanos(before) <= nanos(cap)) {
        return None;
    }
    let had = before.map_or("none".to_owned(), shown);
    let message = format!(
        "{} has a `deadline_cap` of {}, and had {had}",
        is.what(),
        shown(cap)
    );
    Some(
        is.site
            .diagnostic_at_rule(message, "deadline_cap")
            .note("calls that take longer, which were well, end with DEADLINE_EXCEEDED")
            .help(match before {
                Some(_) => format!("keep {had}"),
                None => "remove it, or make another method with it".to_owned(),
            }),
    )
}

fn rate_limit(was: &Method<'_>, is: &Method<'_>) -> Option<Diagnostic> {
    let limit = is.rule.rate_limit.as_ref()?;
    let before = was.rule.rate_limit.as_ref();
    if before.is_some_and(|before| !is_stricter(limit, before)) {
        return None;
    }
    let had = before.map_or("none".to_owned(), shown_limit);
    let message = format!(
        "{} has a `rate_limit` of {}, and had {had}",
        is.what(),
        shown_limit(limit)
    );
    Some(
        is.site
            .diagnostic_at_rule(message, "rate_limit")
            .note("callers that kept within what there was are refused with RESOURCE_EXHAUSTED")
            .help(match before {
                Some(_) => "keep at least as many requests in each period, and as many at once",
                None => "remove it, or set it so high that no caller of before reaches it",
            }),
    )
}

/// Whether fewer calls go through in the long run, or at once.
fn is_stricter(limit: &RateLimit, before: &RateLimit) -> bool {
    let per = |limit: &RateLimit| limit.per.as_ref().map_or(1, nanos).max(1);
    let rate = |limit: &RateLimit, other: &RateLimit| i128::from(limit.requests) * per(other);
    let at_once = |limit: &RateLimit| u64::from(limit.requests) + u64::from(limit.burst);
    rate(limit, before) < rate(before, limit) || at_once(limit) < at_once(before)
}

fn detached(was: &Method<'_>, is: &Method<'_>) -> Option<Diagnostic> {
    let lost = was.rule.detached && !is.rule.detached;
    lost.then(|| {
        is.site
            .diagnostic(format!("{} is no longer `detached`", is.what()))
            .note("callers that hang up could rely on the work to go on, and now it stops half-way")
            .help("keep `detached: true`, or make another method for those who wait")
    })
}

impl Method<'_> {
    pub(super) fn what(&self) -> String {
        format!("rpc `{}`", self.proto.name())
    }
}

fn nanos(duration: &Duration) -> i128 {
    i128::from(duration.seconds) * 1_000_000_000 + i128::from(duration.nanos)
}

/// `2s`, `0.25s`
fn shown(duration: &Duration) -> String {
    let all = nanos(duration);
    let (seconds, rest) = (all / 1_000_000_000, all % 1_000_000_000);
    if rest == 0 {
        return format!("{seconds}s");
    }
    let fraction = format!("{:09}", rest.abs());
    format!("{seconds}.{}s", fraction.trim_end_matches('0'))
}

/// `10 in 1s`, `10 in 1s and 5 more at once`
fn shown_limit(limit: &RateLimit) -> String {
    let per = limit.per.as_ref().map_or("no time".to_owned(), shown);
    match limit.burst {
        0 => format!("{} in {per}", limit.requests),
        burst => format!("{} in {per} and {burst} more at once", limit.requests),
    }
}
