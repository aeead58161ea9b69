//! Rules that are read and checked, and that nothing acts upon yet. A rule that is passed over in
//! silence is worse than one that can't be written, so each of them is said.
//!
//! Whoever makes a rule work removes its row here; when both lists are empty, this file goes.

use super::Site;
use crate::descriptors::rules::{MethodRule, ServiceRule};
use crate::error::Diagnostic;

/// What becomes of a rule that nothing acts upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Nothing is generated: the service would be open where the proto says that it isn't.
    Error(&'static str),
    /// It is said.
    Warning,
}

/// A rule that nothing acts upon.
struct Row<R> {
    /// The field of the rule.
    field: &'static str,
    then: Then,
    /// Whether the proto says something that would have to be acted upon.
    is_set: fn(&R) -> bool,
}

const OPEN: Then = Then::Error("anybody could call");

// What says `public` is so without anybody's doing.
#[rustfmt::skip]
static SERVICE: &[Row<ServiceRule>] = &[
    Row { field: "auth", then: OPEN, is_set: |rule| rule.auth.as_ref().is_some_and(|auth| !auth.public) },
    Row { field: "deadline", then: Then::Warning, is_set: |rule| rule.deadline.is_some() },
    Row { field: "breaker", then: Then::Warning, is_set: |rule| rule.breaker.is_some() },
    Row { field: "retry_throttle", then: Then::Warning, is_set: |rule| rule.retry_throttle.is_some() },
];

#[rustfmt::skip]
static METHOD: &[Row<MethodRule>] = &[
    Row { field: "auth", then: OPEN, is_set: |rule| rule.auth.as_ref().is_some_and(|auth| !auth.public) },
    Row { field: "deadline", then: Then::Warning, is_set: |rule| rule.deadline.is_some() },
    Row { field: "retry", then: Then::Warning, is_set: |rule| rule.retry.is_some() },
    Row { field: "hedging", then: Then::Warning, is_set: |rule| rule.hedging.is_some() },
];

/// What a run has of them.
#[derive(Default)]
pub(super) struct Findings<'a> {
    errors: Vec<Diagnostic>,
    /// By the option, each with all its places.
    warnings: Vec<(String, Vec<(Site<'a>, &'static str)>)>,
}

impl<'a> Findings<'a> {
    pub(super) fn service(&mut self, rule: &ServiceRule, site: &Site<'a>) {
        self.look_at(SERVICE, "service", rule, site);
    }

    pub(super) fn method(&mut self, rule: &MethodRule, site: &Site<'a>) {
        self.look_at(METHOD, "method", rule, site);
    }

    /// One for each place: none of them may be missed.
    pub(super) fn errors(&self) -> Vec<Diagnostic> {
        self.errors.clone()
    }

    /// One for each option: a schema may have it at a hundred methods.
    pub(super) fn warnings(&self) -> impl Iterator<Item = Diagnostic> {
        self.warnings.iter().filter_map(|(option, places)| {
            let (site, field) = places.first()?;
            let message = format!("has `{option}`, which this version does not act upon");
            let warning = site.wrong(field, message);
            Some(match places.len() - 1 {
                0 => warning,
                1 => warning.note("so has 1 more"),
                more => warning.note(format!("so have {more} more")),
            })
        })
    }

    fn look_at<R>(&mut self, rows: &[Row<R>], option: &str, rule: &R, site: &Site<'a>) {
        for row in rows.iter().filter(|row| (row.is_set)(rule)) {
            let option = format!("(apibase.v1.{option}).{}", row.field);
            match row.then {
                Then::Warning => self.warn(option, site, row.field),
                Then::Error(otherwise) => {
                    let message = format!(
                        "has `{option}`, which is not enforced by this version: {otherwise}"
                    );
                    self.errors.push(site.wrong(row.field, message).help(
                        "remove it and guard the service by other means, or update \
                         protoc-gen-apibase",
                    ));
                }
            }
        }
    }

    fn warn(&mut self, option: String, site: &Site<'a>, field: &'static str) {
        let place = (site.clone(), field);
        match self.warnings.iter_mut().find(|(known, _)| *known == option) {
            Some((_, places)) => places.push(place),
            None => self.warnings.push((option, vec![place])),
        }
    }
}
