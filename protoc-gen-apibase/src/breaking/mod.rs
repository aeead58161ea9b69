//! What is not as it was, and breaks clients of our layer. What breaks the wire itself (a removed
//! field, method or service, another type or number) is not looked for: `buf breaking` does.
//!
//! Errors, which clients know by domain and reason:
//!
//! - a reason that is gone or renamed, a catalogue that is gone or is none any more, another domain: a
//!   client of before no longer knows the error;
//! - another code: what a client retries, and the HTTP status, hang on it;
//! - a metadata key that is gone, and an error that turned `redacted` while it had keys: a client has
//!   an empty text in its place;
//! - a service that names another catalogue, or none any more.
//!
//! Fields of entities, since a message that was taken is refused where it is read:
//!
//! - a field that can't be left out any more: `required` (also as `google.api.field_behavior` and
//!   `buf.validate` say it), a new field with it, a oneof that is `required`, `empty_is_absent` that is
//!   gone where the empty value is none of the format, a flattened message that has such a field, and
//!   all of this in a message that became an entity;
//! - fewer values: a `format` that is new or another one, and has not all values of before (INT64 after
//!   INT32 has, BUFFER refuses nothing), a `length`, `nonzero`, `unknown: REJECT` after KEEP or
//!   FALLBACK;
//! - in an entity with `patch`: `immutable`, `identifier` or `ignore`, since a mask may not name such a
//!   field.
//!
//! Methods:
//!
//! - less idempotency: clients of before still send a call again, or more freely than they may;
//! - auth where there was none, and a scope that was not asked for, by the method or by its service;
//! - a `deadline_cap` that is new or lower, a `rate_limit` that is new or stricter (fewer in the long
//!   run, or fewer at once), `detached` that is gone.
//!
//! Not refused, on purpose: a new reason, also in a method's `errors`, since every client has to
//! handle those that it doesn't know; other words of an error, `retryable`, `http`; what clients do by
//! themselves (deadlines, retries, breakers); names in Rust; a rule that is loosened, since nothing
//! that is sent today is refused by it. What only a language's configuration says (`entity`, `kind`,
//! `with` of `apibase.toml`) is not seen.

pub(crate) mod against;
mod auth;
mod contract;
mod entities;
mod errors;
mod fields;
mod git;
mod methods;
mod past;
mod takes;

use self::contract::Contract;
use crate::descriptors::Descriptors;
use crate::error::Diagnostics;

/// All that breaks clients of `old`, each with its place in `new`.
pub(crate) fn compare(old: &Descriptors, new: &Descriptors) -> Diagnostics {
    let (old, new) = (Contract::of(old), Contract::of(new));
    let mut breaks = Diagnostics::new();
    errors::compare(&old, &new, &mut breaks);
    entities::compare(&old, &new, &mut breaks);
    methods::compare(&old, &new, &mut breaks);
    breaks
}

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b` and `c` ``
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
    }
}
