//! Who may call a method.

use std::collections::BTreeSet;

use super::listed;
use super::methods::{Method, Service};
use crate::descriptors::rules::Auth;
use crate::error::Diagnostic;

/// Who may call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Anybody.
    Nothing,
    /// Whoever has a valid token with all of these scopes.
    Token(BTreeSet<String>),
}

impl Needs {
    /// Where nothing is said, anybody may call.
    pub(super) fn of(auth: Option<&Auth>) -> Self {
        match auth {
            Some(auth) if auth.required || !auth.scopes.is_empty() => {
                Self::Token(auth.scopes.iter().cloned().collect())
            }
            _ => Self::Nothing,
        }
    }

    /// What callers of `before` lack, and how their calls end.
    fn beyond(&self, before: &Self) -> Option<(String, &'static str)> {
        match (before, self) {
            (_, Self::Nothing) => None,
            (Self::Nothing, Self::Token(scopes)) if scopes.is_empty() => Some((
                "asks for a token, and anybody could call before".to_owned(),
                "calls without one, which were well, end with UNAUTHENTICATED",
            )),
            (Self::Nothing, Self::Token(scopes)) => Some((
                format!(
                    "asks for a token with {}, and anybody could call before",
                    listed_scopes(scopes)
                ),
                "calls without one, which were well, end with UNAUTHENTICATED",
            )),
            (Self::Token(had), Self::Token(scopes)) => {
                let more: BTreeSet<String> = scopes.difference(had).cloned().collect();
                let had = match had.len() {
                    0 => "any token did before".to_owned(),
                    _ => format!("{} did before", listed_scopes(had)),
                };
                (!more.is_empty()).then(|| {
                    (
                        format!("asks for {}, and {had}", listed_scopes(&more)),
                        "calls of those who lack it, which were well, end with PERMISSION_DENIED",
                    )
                })
            }
        }
    }
}

/// ``the scope `a` ``, ``the scopes `a` and `b` ``
fn listed_scopes(scopes: &BTreeSet<String>) -> String {
    let word = if scopes.len() == 1 { "scope" } else { "scopes" };
    format!("the {word} {}", listed(scopes.iter().map(String::as_str)))
}

const KEEP_AUTH: &str = "keep what was asked for until every caller has what is new, or ask for it in \
                         another method";

/// A method with `auth` of its own, now or before.
pub(super) fn of_method(was: &Needs, needs: &Needs, is: &Method<'_>) -> Option<Diagnostic> {
    let (asks, ends) = needs.beyond(was)?;
    let diagnostic = match is.rule.auth {
        Some(_) => is
            .site
            .diagnostic_at_rule(format!("{} {asks}", is.what()), "auth"),
        None => is
            .site
            .diagnostic(format!("{} {asks}", is.what()))
            .note("it has lost its own `auth`, so that its service's counts"),
    };
    Some(diagnostic.note(ends).help(KEEP_AUTH))
}

/// What a service asks for, for all of the methods that don't say themselves.
pub(super) fn of_service(
    was: &Service<'_>,
    is: &Service<'_>,
    methods: &[&str],
) -> Option<Diagnostic> {
    if methods.is_empty() {
        return None;
    }
    let (asks, ends) = Needs::of(is.auth).beyond(&Needs::of(was.auth))?;
    let message = format!("service `{}` {asks}", is.part.proto.name());
    let methods = listed(methods.iter().copied());
    Some(
        is.part
            .site
            .diagnostic_at_rule(message, "auth")
            .note(format!("it holds for {methods}"))
            .note(ends)
            .help(KEEP_AUTH),
    )
}
