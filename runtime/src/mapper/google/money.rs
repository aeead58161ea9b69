//! `google.type.Money`: an amount in a currency.

use std::fmt;

use super::super::gather::all_of;
use super::super::{MapError, Unmappable, ViolationKind};

const NANOS_PER_UNIT: u32 = 1_000_000_000;

/// An amount of money in a currency, as `google.type.Money` has it: whole units and nanos, which are
/// a thousand millionth of a unit.
///
/// The currency is three capital letters (ISO 4217), the nanos are less than a unit and have the
/// sign of the units.
///
/// ```
/// use apibase::Money;
///
/// let price = Money::new("EUR", 12, 500_000_000).unwrap();
/// assert_eq!(price.to_string(), "EUR 12.5");
/// assert!(Money::new("euro", 12, 0).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    currency_code: String,
    units: i64,
    nanos: i32,
}

impl Money {
    /// An amount.
    ///
    /// # Errors
    ///
    /// When the currency is not three capital letters, when the nanos are a unit or more, or have
    /// not the sign of the units; at `currency_code` and `nanos`.
    pub fn new(currency_code: impl Into<String>, units: i64, nanos: i32) -> Result<Self, MapError> {
        money(currency_code.into(), units, nanos)
    }

    /// The currency: three capital letters (ISO 4217).
    #[must_use]
    pub fn currency_code(&self) -> &str {
        &self.currency_code
    }

    /// The whole units, rounded towards zero.
    #[must_use]
    pub const fn units(&self) -> i64 {
        self.units
    }

    /// What there is beyond the units, in a thousand millionth of one: −999,999,999 to 999,999,999,
    /// with the sign of the units.
    #[must_use]
    pub const fn nanos(&self) -> i32 {
        self.nanos
    }

    /// The currency, units and nanos.
    #[must_use]
    pub fn into_parts(self) -> (String, i64, i32) {
        (self.currency_code, self.units, self.nanos)
    }
}

/// The amount of a `google.type.Money`.
///
/// # Errors
///
/// As [`Money::new`].
pub fn money(currency_code: String, units: i64, nanos: i32) -> Result<Money, MapError> {
    let letters = currency_code.as_bytes();
    let currency = letters.len() == 3 && letters.iter().all(u8::is_ascii_uppercase);
    let fraction = if nanos.unsigned_abs() >= NANOS_PER_UNIT {
        Some("must be from -999999999 to 999999999")
    } else if (units > 0 && nanos < 0) || (units < 0 && nanos > 0) {
        Some("must have the sign of the units")
    } else {
        None
    };
    if !currency || fraction.is_some() {
        return Err(all_of([
            (!currency).then(wrong_currency),
            fraction.map(wrong_nanos),
        ]));
    }
    Ok(Money {
        currency_code,
        units,
        nanos,
    })
}

/// The currency, units and nanos of a `google.type.Money`.
#[inline]
#[must_use]
pub fn money_parts(money: &Money) -> (String, i64, i32) {
    money.clone().into_parts()
}

/// The currency and the amount, with as many digits as it has: `EUR -0.05`, `JPY 500`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 || self.nanos < 0 {
            "-"
        } else {
            ""
        };
        write!(
            f,
            "{} {sign}{}",
            self.currency_code,
            self.units.unsigned_abs()
        )?;
        match self.nanos.unsigned_abs() {
            0 => Ok(()),
            nanos => write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0')),
        }
    }
}

#[cold]
fn wrong_currency() -> MapError {
    let description = "must be three capital letters (ISO 4217)";
    MapError::new(ViolationKind::Malformed, description).at("currency_code")
}

#[cold]
fn wrong_nanos(description: &'static str) -> MapError {
    MapError::new(ViolationKind::OutOfRange, description).at("nanos")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_what_its_message_says() {
        for (units, nanos) in [
            (0, 0),
            (i64::MAX, 999_999_999),
            (i64::MIN, -999_999_999),
            (0, -1),
            (0, 1),
        ] {
            let money = money(String::from("EUR"), units, nanos).unwrap();
            assert_eq!(money.into_parts(), (String::from("EUR"), units, nanos));
        }
    }

    #[test]
    fn a_wrong_currency_is_refused() {
        for code in ["", "EU", "EURO", "eur", "EÜR", "E1R"] {
            let error = Money::new(code, 1, 0).unwrap_err();
            assert_eq!(
                error.to_string(),
                "currency_code must be three capital letters (ISO 4217)"
            );
        }
    }

    #[test]
    fn nanos_of_a_unit_or_of_the_other_sign_are_refused() {
        for nanos in [1_000_000_000, -1_000_000_000, i32::MIN, i32::MAX] {
            let error = Money::new("EUR", 0, nanos).unwrap_err();
            assert_eq!(
                error.to_string(),
                "nanos must be from -999999999 to 999999999"
            );
        }
        for (units, nanos) in [(1, -1), (-1, 1), (i64::MAX, -1), (i64::MIN, 1)] {
            let error = Money::new("EUR", units, nanos).unwrap_err();
            assert_eq!(error.to_string(), "nanos must have the sign of the units");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said() {
        let error = Money::new("", 1, -1).unwrap_err();
        assert_eq!(error.violations().len(), 2);
    }

    #[test]
    fn an_amount_is_shown_with_the_digits_it_has() {
        let shown = |units, nanos| Money::new("EUR", units, nanos).unwrap().to_string();
        assert_eq!(shown(12, 500_000_000), "EUR 12.5");
        assert_eq!(shown(0, -50_000_000), "EUR -0.05");
        assert_eq!(shown(500, 0), "EUR 500");
        assert_eq!(shown(i64::MIN, -1), "EUR -9223372036854775808.000000001");
    }
}
