//! `google.type.Decimal`: a number as text.

use rust_decimal::Decimal;

use super::super::text::decimal;
use super::super::{MapError, Unmappable, ViolationKind};

/// The most powers of ten that a [`Decimal`] has room for.
const MOST_POWERS: i32 = 28;

/// The value of a `google.type.Decimal` as a number: digits with a point, and possibly an exponent,
/// `2.5e8`. It is written without one, as the number's own text.
///
/// # Errors
///
/// When the text is no number, or one that a [`Decimal`] can't hold exactly; at `value`.
pub fn decimal_text(value: &str) -> Result<Decimal, MapError> {
    match value.split_once(['e', 'E']) {
        None => decimal(value),
        Some((number, exponent)) => decimal(number).and_then(|number| {
            let exponent = exponent.parse().map_err(|_| not_a_number())?;
            scaled(number, exponent).ok_or_else(too_big)
        }),
    }
    .map_err(|error| error.at("value"))
}

/// `number` times ten to the power of `exponent`; `None` where it isn't exact.
fn scaled(number: Decimal, exponent: i32) -> Option<Decimal> {
    let number = number.normalize();
    if number.is_zero() {
        return Some(number);
    }
    let scale = i32::try_from(number.scale()).ok()?.checked_sub(exponent)?;
    if scale < -MOST_POWERS {
        return None;
    }
    let power = scale.min(0).unsigned_abs();
    let mantissa = number.mantissa().checked_mul(10_i128.checked_pow(power)?)?;
    let scale = u32::try_from(scale.max(0)).ok()?;
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

#[cold]
fn not_a_number() -> MapError {
    MapError::new(ViolationKind::Malformed, "is not a decimal number")
}

#[cold]
fn too_big() -> MapError {
    MapError::new(
        ViolationKind::OutOfRange,
        "has more digits than this service can hold",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_with_and_without_an_exponent() {
        for (text, number) in [
            ("12.50", "12.50"),
            ("-0.001", "-0.001"),
            ("+7", "7"),
            ("2.5e8", "250000000"),
            ("2.5E+8", "250000000"),
            ("25e-1", "2.5"),
            ("0e999999999", "0"),
            ("1e28", "10000000000000000000000000000"),
            ("1e-28", "0.0000000000000000000000000001"),
        ] {
            assert_eq!(decimal_text(text).unwrap().to_string(), number, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused_with_its_path() {
        for text in ["", "e5", "1e", "1e5e5", "1e5.5", "x", "1_0", "NaN", " 1"] {
            let error = decimal_text(text).unwrap_err();
            assert_eq!(error.to_string(), "value is not a decimal number", "{text}");
        }
    }

    #[test]
    fn what_would_be_rounded_is_refused() {
        for text in [
            "1e29",
            "1e-29",
            "1e2147483647",
            "1e-2147483648",
            "79228162514264337593543950336",
        ] {
            assert!(decimal_text(text).is_err(), "{text}");
        }
    }
}
