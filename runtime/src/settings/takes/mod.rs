//! What settings take: how a value is written, and what it is then.

mod amount;
mod balance;
#[cfg(feature = "server")]
mod encodings;
mod place;
mod ratio;
mod time;
mod tls;

use std::borrow::Cow;
use std::marker::PhantomData;

pub(crate) use self::amount::{Count, Port, Size, Threshold, Whole, Workers};
pub(crate) use self::balance::BalanceName;
#[cfg(feature = "server")]
pub(crate) use self::encodings::EncodingList;
pub(crate) use self::place::{FilePath, Host, HostNames, SocketPath};
pub(crate) use self::ratio::{Multiplier, Ratio, Tokens};
pub(crate) use self::time::{Time, Timeout};
pub(crate) use self::tls::ClientAuth;
#[cfg(all(feature = "server", feature = "tls"))]
pub use self::tls::ClientCertificates;

/// A kind of value. What [`show`](Self::show) gives, [`read`](Self::read) takes.
pub(crate) trait Takes {
    /// What it is in the program.
    type Value: Clone;
    /// What it may be in a file.
    const FORM: Form;

    /// What it takes, so that it completes "is not".
    fn takes() -> Cow<'static, str>;
    /// The value that `text` says; None where it doesn't fit.
    fn read(text: &str) -> Option<Self::Value>;
    /// The value as a text; None where it is unset.
    fn show(value: &Self::Value) -> Option<String>;
}

/// The types of TOML that a setting may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Switch,
    Number,
    Text,
    TextOrNumber,
}

impl Form {
    const fn or_text(self) -> Self {
        match self {
            Self::Number | Self::TextOrNumber => Self::TextOrNumber,
            Self::Switch | Self::Text => Self::Text,
        }
    }
}

/// On or off.
pub(crate) struct Switch;

impl Takes for Switch {
    type Value = bool;
    const FORM: Form = Form::Switch;

    fn takes() -> Cow<'static, str> {
        "true or false".into()
    }

    fn read(text: &str) -> Option<bool> {
        // Python and YAML write `True` too.
        match text.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    fn show(value: &bool) -> Option<String> {
        Some(value.to_string())
    }
}

/// What has no default: None is that nobody set it.
pub(crate) struct Maybe<T>(PhantomData<T>);

impl<T: Takes> Takes for Maybe<T> {
    type Value = Option<T::Value>;
    const FORM: Form = T::FORM;

    fn takes() -> Cow<'static, str> {
        T::takes()
    }

    fn read(text: &str) -> Option<Self::Value> {
        T::read(text).map(Some)
    }

    fn show(value: &Self::Value) -> Option<String> {
        value.as_ref().and_then(T::show)
    }
}

/// A limit that can be switched off: None is `off`.
pub(crate) struct OrOff<T>(PhantomData<T>);

impl<T: Takes> Takes for OrOff<T> {
    type Value = Option<T::Value>;
    const FORM: Form = T::FORM.or_text();

    fn takes() -> Cow<'static, str> {
        format!("{}, or `off`", T::takes()).into()
    }

    fn read(text: &str) -> Option<Self::Value> {
        if text.eq_ignore_ascii_case("off") {
            return Some(None);
        }
        T::read(text).map(Some)
    }

    fn show(value: &Self::Value) -> Option<String> {
        match value {
            Some(value) => T::show(value),
            None => Some("off".to_owned()),
        }
    }
}

/// The number that `text` is if it has nothing but digits: Rust's own would take a sign too.
fn digits<N: std::str::FromStr>(text: &str) -> Option<N> {
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().ok(),
        false => None,
    }
}
