//! Whether a catalogue and its errors make sense.

use super::Site;
use crate::descriptors::rules::{Code, ErrorRule};
use crate::error::Diagnostics;
use crate::model::errors::{CatalogueError, Piece, Public};
use crate::names;

/// `google.rpc.ErrorInfo`'s limit for a reason.
const LONGEST_REASON: usize = 63;

/// Its limit for a key of the metadata.
const LONGEST_KEY: usize = 64;

/// The domain of the runtime's own errors.
const OWN_DOMAIN: &str = "apibase";

/// The most bytes of texts that an error can have by itself. They go out in three forms, two of them
/// in base64, and all trailers of a call have 8 KiB.
const LONGEST_TEXTS: usize = 2048;

/// What one `String` of an error takes in memory, in bytes.
const STRING: usize = 24;

/// The domain of a catalogue.
pub(super) fn domain(site: &Site<'_>, domain: &str, problems: &mut Diagnostics) {
    let message = if domain.is_empty() {
        "has `(apibase.v1.errors)` without a domain".to_owned()
    } else if domain == OWN_DOMAIN {
        format!("has the domain `{OWN_DOMAIN}`, which the runtime's own errors have")
    } else if is_domain(domain) {
        return;
    } else {
        format!("has the domain {domain:?}, which can't be one")
    };
    problems.push(
        site.wrong("domain", message).help(
            "take a name that the service owns, in lower case: `domain: \"items.example.com\"`",
        ),
    );
}

/// An error, but for its messages and its delay.
pub(super) fn error(site: &Site<'_>, reason: &str, rule: &ErrorRule, problems: &mut Diagnostics) {
    let mut refuse = |field: &str, message: &str, help: &str| {
        problems.push(site.wrong(field, message).help(help));
    };
    if !is_reason(reason) {
        refuse(
            "",
            &format!("gives the reason `{reason}`, which can't be one"),
            "a reason is [A-Z][A-Z0-9_]+[A-Z0-9], of 63 characters at most (AIP-193): rename the \
             value",
        );
    }
    if rule.code() == Code::Unspecified {
        refuse(
            "code",
            "has `(apibase.v1.error)` without a code",
            "add one, `code: NOT_FOUND` for example",
        );
    }
    if rule.retry_delay.is_some() && !rule.retryable {
        refuse(
            "retry_delay",
            "has a `retry_delay`, and is not `retryable`",
            "add `retryable: true`, or remove the delay",
        );
    }
    if rule.http != 0 && !(400..=599).contains(&rule.http) {
        refuse(
            "http",
            "has an `http` that is no status of an error",
            "it is from 400 to 599; without it, the code has its own",
        );
    }
    public_message(site, rule, problems);
    metadata(site, &rule.metadata, problems);
}

fn public_message(site: &Site<'_>, rule: &ErrorRule, problems: &mut Diagnostics) {
    if rule.public_message.is_empty() {
        return;
    }
    if rule.redacted {
        problems.push(
            site.wrong("redacted", "is `redacted`, and has a `public_message`")
                .help("remove one of the two: callers of a redacted error are told nothing"),
        );
    }
    let code = match rule.code() {
        Code::Internal => "INTERNAL",
        Code::Unknown => "UNKNOWN",
        _ => return,
    };
    let message = format!("has a `public_message`, and callers are told nothing of what is {code}");
    problems.push(site.wrong("public_message", message).help(
        "remove it, or take a code that says more, FAILED_PRECONDITION or UNAVAILABLE for example",
    ));
}

fn metadata(site: &Site<'_>, keys: &[String], problems: &mut Diagnostics) {
    for (index, key) in keys.iter().enumerate() {
        let field = format!("metadata.{index}");
        let name = names::snake(key);
        let mut earlier = keys.iter().take(index);
        let twin = earlier.find(|earlier| names::snake(earlier) == name);
        let (message, help) = match twin {
            _ if !is_key(key) => (
                format!("has {key:?} as a key of its metadata"),
                "write it in snake case, `item_id`, of 64 characters at most (AIP-193)",
            ),
            Some(twin) if twin == key => (
                format!("has `{key}` twice in its metadata"),
                "remove one of the two",
            ),
            Some(twin) => (
                format!(
                    "has `{twin}` and `{key}` in its metadata, which have the same Rust name, the \
                     field `{name}`"
                ),
                "rename one of the two",
            ),
            None => continue,
        };
        problems.push(site.wrong(&field, message).help(help));
    }
}

/// What can be too much, and works all the same.
pub(super) fn size(
    site: &Site<'_>,
    domain: &str,
    error: &CatalogueError,
    warnings: &mut Diagnostics,
) {
    let keys = error.metadata.len();
    if keys > CatalogueError::MOST_KEYS {
        let message = format!(
            "has {keys} keys of metadata: an error of {} bytes is moved through every call, \
             whatever it ends with",
            keys * STRING
        );
        let field = format!("metadata.{}", CatalogueError::MOST_KEYS);
        warnings.push(site.wrong(&field, message).help(
            "keep to 5, which is as much as clippy's `result_large_err` lets pass: one key that \
             says which thing is meant is mostly enough",
        ));
    }
    let (field, message) = match &error.public {
        Public::Redacted => return,
        Public::Own => ("message", &error.message),
        Public::Other(message) => ("public_message", message),
    };
    let keys = error.metadata.iter().map(|metadata| metadata.key.len());
    let texts = message.iter().map(|piece| match piece {
        Piece::Text(text) => text.len(),
        Piece::Value(_) => 0,
    });
    let bytes = domain.len() + error.reason.len() + keys.chain(texts).sum::<usize>();
    if bytes > LONGEST_TEXTS {
        let message = format!(
            "has {bytes} bytes of texts before any value of its metadata, more than fits into the \
             trailers of a call: some of it would be cut off each time"
        );
        let help = format!("shorten the `{field}`: {LONGEST_TEXTS} bytes are the most");
        warnings.push(site.wrong(field, message).help(help));
    }
}

/// Names of letters, digits and hyphens, with dots between them.
fn is_domain(domain: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    domain.split('.').all(|label| {
        !label.is_empty()
            && label.bytes().all(is_plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

/// `[A-Z][A-Z0-9_]+[A-Z0-9]` (AIP-193).
fn is_reason(reason: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (3..=LONGEST_REASON).contains(&reason.len())
        && reason.starts_with(|first: char| first.is_ascii_uppercase())
        && !reason.ends_with('_')
        && reason.bytes().all(is_plain)
}

/// `[a-z][a-z0-9_]*`, which AIP-193 allows and Rust has as a field.
fn is_key(key: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    key.len() <= LONGEST_KEY
        && key.starts_with(|first: char| first.is_ascii_lowercase())
        && key.bytes().all(is_plain)
}
