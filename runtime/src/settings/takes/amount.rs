//! Numbers and sizes.

use std::borrow::Cow;
use std::num::NonZero;

use super::{Form, Takes, digits};

/// A port; 0 takes a free one.
pub(crate) struct Port;

impl Takes for Port {
    type Value = u16;
    const FORM: Form = Form::Number;

    fn takes() -> Cow<'static, str> {
        "a number from 0 to 65535".into()
    }

    fn read(text: &str) -> Option<u16> {
        digits(text)
    }

    fn show(value: &u16) -> Option<String> {
        Some(value.to_string())
    }
}

/// How many of something. HTTP/2 counts in 32 bits.
pub(crate) struct Count;

impl Takes for Count {
    type Value = usize;
    const FORM: Form = Form::Number;

    fn takes() -> Cow<'static, str> {
        "a whole number from 1 to 4294967295".into()
    }

    fn read(text: &str) -> Option<usize> {
        let count: u32 = digits(text)?;
        usize::try_from(count).ok().filter(|count| *count > 0)
    }

    fn show(value: &usize) -> Option<String> {
        Some(value.to_string())
    }
}

/// How many of something that there may be none of.
pub(crate) struct Whole;

impl Takes for Whole {
    type Value = u32;
    const FORM: Form = Form::Number;

    fn takes() -> Cow<'static, str> {
        "a whole number from 0 to 4294967295".into()
    }

    fn read(text: &str) -> Option<u32> {
        digits(text)
    }

    fn show(value: &u32) -> Option<String> {
        Some(value.to_string())
    }
}

/// After how many of something; 0 is never, as is `off`.
pub(crate) struct Threshold;

impl Takes for Threshold {
    type Value = Option<NonZero<u32>>;
    const FORM: Form = Form::TextOrNumber;

    fn takes() -> Cow<'static, str> {
        "a whole number from 1 to 4294967295, or `off` or 0".into()
    }

    fn read(text: &str) -> Option<Self::Value> {
        match text.eq_ignore_ascii_case("off") {
            true => Some(None),
            false => digits(text).map(NonZero::new),
        }
    }

    fn show(value: &Self::Value) -> Option<String> {
        Some(value.map_or_else(|| "off".to_owned(), |value| value.to_string()))
    }
}

/// How many threads.
pub(crate) struct Workers;

impl Takes for Workers {
    type Value = usize;
    const FORM: Form = Form::Number;

    fn takes() -> Cow<'static, str> {
        "a whole number from 1 to 1024".into()
    }

    fn read(text: &str) -> Option<usize> {
        digits(text).filter(|count| (1..=1024).contains(count))
    }

    fn show(value: &usize) -> Option<String> {
        Some(value.to_string())
    }
}

/// A size in bytes. The length of a gRPC message has 32 bits.
pub(crate) struct Size;

/// Largest first. Kubernetes writes them without the `B`.
const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl Takes for Size {
    type Value = usize;
    const FORM: Form = Form::TextOrNumber;

    fn takes() -> Cow<'static, str> {
        "a size such as `4MiB`, `64KiB` or `65536` (bytes), above 0 and below 4GiB".into()
    }

    fn read(text: &str) -> Option<usize> {
        let (number, unit) = UNITS
            .iter()
            .find_map(|(name, unit)| {
                let short = name.trim_end_matches('B');
                let number = text.strip_suffix(name).or(text.strip_suffix(short))?;
                Some((number, *unit))
            })
            .unwrap_or((text, 1));
        let bytes = digits::<usize>(number)?.checked_mul(unit)?;
        (bytes > 0 && u32::try_from(bytes).is_ok()).then_some(bytes)
    }

    fn show(value: &usize) -> Option<String> {
        let exact = UNITS
            .iter()
            .find(|(_, unit)| *value > 0 && value.is_multiple_of(*unit));
        Some(match exact {
            Some((name, unit)) => format!("{}{name}", value / unit),
            None => value.to_string(),
        })
    }
}
