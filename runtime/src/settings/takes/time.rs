//! How long.

use std::borrow::Cow;
use std::time::Duration;

use super::{Form, Takes, digits};

/// Largest first, in nanoseconds.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];
const SECOND: u64 = 1_000_000_000;

/// A year: beyond it, adding to a clock may overflow, and nobody means it.
const MAX: Duration = Duration::from_secs(8760 * 3600);

/// A time that may be 0. A bare number is in seconds, as the specification has it (`30.0`).
pub(crate) struct Time;

impl Takes for Time {
    type Value = Duration;
    const FORM: Form = Form::TextOrNumber;

    fn takes() -> Cow<'static, str> {
        "a time such as `5s`, `250ms`, `1m30s` or `2.5` (seconds), at most 8760h".into()
    }

    fn read(text: &str) -> Option<Duration> {
        let nanos = match text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            true => with_units(text)?,
            false => decimal(text, SECOND)?,
        };
        Some(Duration::from_nanos(nanos)).filter(|time| *time <= MAX)
    }

    fn show(value: &Duration) -> Option<String> {
        let nanos = value.as_nanos();
        if nanos == 0 {
            return Some("0s".to_owned());
        }
        let exact = |(_, unit): &&(&str, u64)| nanos.is_multiple_of(u128::from(*unit));
        let (name, unit) = UNITS.iter().find(exact).unwrap_or(&("ns", 1));
        Some(format!("{}{name}", nanos / u128::from(*unit)))
    }
}

/// A time above 0.
pub(crate) struct Timeout;

impl Takes for Timeout {
    type Value = Duration;
    const FORM: Form = Time::FORM;

    fn takes() -> Cow<'static, str> {
        "a time such as `20s`, `250ms`, `1m30s` or `2.5` (seconds), above 0 and at most 8760h"
            .into()
    }

    fn read(text: &str) -> Option<Duration> {
        Time::read(text).filter(|time| !time.is_zero())
    }

    fn show(value: &Duration) -> Option<String> {
        Time::show(value)
    }
}

/// `1m30s` and the like, in nanoseconds.
fn with_units(text: &str) -> Option<u64> {
    let (mut nanos, mut rest) = (0_u64, text);
    while !rest.is_empty() {
        let (number, after) = rest.split_at_checked(rest.find(is_letter)?)?;
        let end = after.find(|char| !is_letter(char)).unwrap_or(after.len());
        let (name, after) = after.split_at_checked(end)?;
        let (_, unit) = UNITS.iter().find(|(unit, _)| *unit == name)?;
        nanos = nanos.checked_add(decimal(number, *unit)?)?;
        rest = after;
    }
    Some(nanos)
}

fn is_letter(char: char) -> bool {
    char.is_ascii_alphabetic()
}

/// So many of `unit`; None where it isn't a whole number of what that is counted in. Exact, which floats
/// aren't.
pub(super) fn decimal(text: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction.trim_end_matches('0')),
        None => (text, ""),
    };
    if text.ends_with('.') {
        return None;
    }
    let nanos = digits::<u64>(whole)?.checked_mul(unit)?;
    if fraction.is_empty() {
        return Some(nanos);
    }
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let parts = u128::from(digits::<u64>(fraction)?) * u128::from(unit);
    if !parts.is_multiple_of(u128::from(scale)) {
        return None;
    }
    nanos.checked_add(u64::try_from(parts / u128::from(scale)).ok()?)
}
