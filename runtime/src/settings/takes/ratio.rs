//! Numbers with three decimals, as gRFC A6 has them: exact, so that what is shown is what was read.

use std::borrow::Cow;

use super::time::decimal;
use super::{Form, Takes};
use crate::policy::Thousandths;

/// A part of something.
pub(crate) struct Ratio;

/// By how much something grows.
pub(crate) struct Multiplier;

/// How many tokens a throttle has.
pub(crate) struct Tokens;

impl Takes for Ratio {
    type Value = Thousandths;
    const FORM: Form = Form::Number;

    fn takes() -> Cow<'static, str> {
        "a number above 0 and at most 1, with at most three decimals".into()
    }

    fn read(text: &str) -> Option<Thousandths> {
        within(text, 1, 1_000)
    }

    fn show(value: &Thousandths) -> Option<String> {
        Some(value.get().to_string())
    }
}

impl Takes for Multiplier {
    type Value = Thousandths;
    const FORM: Form = Form::Number;

    fn takes() -> Cow<'static, str> {
        "a number from 1 to 100, with at most three decimals".into()
    }

    fn read(text: &str) -> Option<Thousandths> {
        within(text, 1_000, 100_000)
    }

    fn show(value: &Thousandths) -> Option<String> {
        Some(value.get().to_string())
    }
}

impl Takes for Tokens {
    type Value = Thousandths;
    const FORM: Form = Form::Number;

    fn takes() -> Cow<'static, str> {
        "a number above 0 and at most 1000, with at most three decimals".into()
    }

    fn read(text: &str) -> Option<Thousandths> {
        within(text, 1, 1_000_000)
    }

    fn show(value: &Thousandths) -> Option<String> {
        Some(value.get().to_string())
    }
}

/// `text` in thousandths, if it is so many at least and at most.
fn within(text: &str, least: u32, most: u32) -> Option<Thousandths> {
    let thousandths = u32::try_from(decimal(text, 1_000)?).ok()?;
    let fits = (least..=most).contains(&thousandths);
    fits.then(|| Thousandths::of(thousandths))
}
