//! Values of `google.type`'s messages, for the laws of the generated mappers: their messages are not
//! known here, so messages are given by their parts, in the order of the fields.

use std::fmt::Debug;

use proptest::prelude::{any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::{LatLng, Money};
use crate::testing::Located;

/// The nanos of a unit, or more.
const NANOS_PER_UNIT: i32 = 1_000_000_000;

/// The year, month and day of full dates.
#[must_use = "strategies do nothing unless used"]
pub fn dates() -> BoxedStrategy<(i32, i32, i32)> {
    let edges = vec![(1, 1, 1), (9999, 12, 31), (2000, 2, 29), (1970, 1, 1)];
    prop_oneof![select(edges), (1..=9999, 1..=12, 1..=28)].boxed()
}

/// The parts of messages that are no full date; wrong as a whole.
#[must_use = "strategies do nothing unless used"]
pub fn wrong_dates() -> Located<(i32, i32, i32)> {
    located(vec![
        ((0, 0, 0), ""),
        ((0, 5, 1), ""),
        ((2024, 0, 1), ""),
        ((2024, 5, 0), ""),
        ((2023, 2, 29), ""),
        ((2024, 13, 1), ""),
        ((2024, 1, 32), ""),
        ((2024, -1, -1), ""),
        ((10_000, 1, 1), ""),
        ((-1, 1, 1), ""),
        ((i32::MIN, i32::MAX, i32::MIN), ""),
    ])
}

/// Dates.
#[cfg(feature = "chrono")]
#[must_use = "strategies do nothing unless used"]
pub fn chrono_dates() -> BoxedStrategy<::chrono::NaiveDate> {
    made(dates(), |(year, month, day)| {
        super::chrono_date(year, month, day).ok()
    })
}

/// Dates that no message can say.
#[cfg(feature = "chrono")]
#[must_use = "strategies do nothing unless used"]
pub fn wrong_chrono_dates() -> Located<::chrono::NaiveDate> {
    use ::chrono::NaiveDate;
    located(vec![(NaiveDate::MIN, ""), (NaiveDate::MAX, "")])
}

/// Dates.
#[cfg(feature = "time")]
#[must_use = "strategies do nothing unless used"]
pub fn time_dates() -> BoxedStrategy<::time::Date> {
    made(dates(), |(year, month, day)| {
        super::time_date(year, month, day).ok()
    })
}

/// Dates that no message can say.
#[cfg(feature = "time")]
#[must_use = "strategies do nothing unless used"]
pub fn wrong_time_dates() -> Located<::time::Date> {
    located(vec![(::time::Date::MIN, "")])
}

/// Dates.
#[cfg(feature = "jiff")]
#[must_use = "strategies do nothing unless used"]
pub fn jiff_dates() -> BoxedStrategy<::jiff::civil::Date> {
    made(dates(), |(year, month, day)| {
        super::jiff_date(year, month, day).ok()
    })
}

/// Dates that no message can say.
#[cfg(feature = "jiff")]
#[must_use = "strategies do nothing unless used"]
pub fn wrong_jiff_dates() -> Located<::jiff::civil::Date> {
    located(vec![(::jiff::civil::Date::MIN, "")])
}

/// Amounts of money.
#[must_use = "strategies do nothing unless used"]
pub fn moneys() -> BoxedStrategy<Money> {
    let edges = vec![0, 1, -1, i64::MIN, i64::MAX];
    let units = prop_oneof![select(edges), any::<i64>()];
    let nanos = prop_oneof![select(vec![0, 1, NANOS_PER_UNIT - 1]), 0..NANOS_PER_UNIT];
    let parts = ("[A-Z]{3}", units, nanos, any::<bool>());
    made(parts, |(currency, units, nanos, negative)| {
        let negative = units < 0 || (units == 0 && negative);
        let nanos = if negative { -nanos } else { nanos };
        Money::new(currency, units, nanos).ok()
    })
}

/// The parts of messages that are no amount of money.
#[must_use = "strategies do nothing unless used"]
pub fn wrong_moneys() -> Located<(String, i64, i32)> {
    let currency = |code: &str| (String::from(code), 1, 0);
    let amount = |units, nanos| (String::from("EUR"), units, nanos);
    located(vec![
        (currency(""), "currency_code"),
        (currency("eur"), "currency_code"),
        (currency("EURO"), "currency_code"),
        (amount(0, NANOS_PER_UNIT), "nanos"),
        (amount(0, i32::MIN), "nanos"),
        (amount(1, -1), "nanos"),
        (amount(i64::MIN, 1), "nanos"),
    ])
}

/// Places.
#[must_use = "strategies do nothing unless used"]
pub fn lat_lngs() -> BoxedStrategy<LatLng> {
    let latitude = prop_oneof![select(vec![-90.0, -0.0, 0.0, 90.0]), -90.0..=90.0];
    let longitude = prop_oneof![select(vec![-180.0, -0.0, 0.0, 180.0]), -180.0..=180.0];
    made((latitude, longitude), |(latitude, longitude)| {
        LatLng::new(latitude, longitude).ok()
    })
}

/// The parts of messages that are no place.
#[must_use = "strategies do nothing unless used"]
pub fn wrong_lat_lngs() -> Located<(f64, f64)> {
    located(vec![
        ((90.000_001, 0.0), "latitude"),
        ((f64::NAN, 0.0), "latitude"),
        ((f64::NEG_INFINITY, 0.0), "latitude"),
        ((0.0, -180.000_001), "longitude"),
        ((0.0, f64::NAN), "longitude"),
        ((0.0, f64::INFINITY), "longitude"),
    ])
}

fn made<T: Debug + 'static, P: Debug>(
    parts: impl Strategy<Value = P> + 'static,
    make: impl Fn(P) -> Option<T> + 'static,
) -> BoxedStrategy<T> {
    parts.prop_filter_map("it is one", make).boxed()
}

fn located<T: Clone + Debug + 'static>(wrong: Vec<(T, &'static str)>) -> Located<T> {
    select(wrong)
        .prop_map(|(wrong, path)| (wrong, String::from(path)))
        .boxed()
}

/// The value of messages that are no decimal number; an exponent is one here.
#[cfg(feature = "decimal")]
#[must_use]
pub fn wrong_decimals() -> Option<Located<String>> {
    use crate::testing::Lawful;
    let wrong = crate::mapper::DecimalText::corrupted(0)?
        .prop_filter("has no exponent", |(value, _)| {
            super::decimal_text(value).is_err()
        })
        .prop_map(|(value, _)| (value, "value".to_owned()));
    Some(wrong.boxed())
}

#[cfg(test)]
mod tests {
    use super::super::{lat_lng, lat_lng_parts, money, money_parts};
    use super::*;
    use crate::MapError;

    #[allow(
        clippy::needless_pass_by_value,
        reason = "strategies are made for the call"
    )]
    fn are_refused<P: Debug, T: Debug>(wrong: Located<P>, read: impl Fn(P) -> Result<T, MapError>) {
        proptest::proptest!(|((parts, path) in wrong)| {
            let error = read(parts).unwrap_err();
            proptest::prop_assert_eq!(error.violations().len(), 1);
            proptest::prop_assert_eq!(error.violations()[0].path(), path);
        });
    }

    #[test]
    fn wrong_parts_are_refused_at_their_paths() {
        are_refused(wrong_moneys(), |(code, units, nanos)| {
            money(code, units, nanos)
        });
        are_refused(wrong_lat_lngs(), |(latitude, longitude)| {
            lat_lng(latitude, longitude)
        });
    }

    #[test]
    fn amounts_and_places_come_back() {
        proptest::proptest!(|(amount in moneys(), place in lat_lngs())| {
            let (code, units, nanos) = money_parts(&amount);
            proptest::prop_assert_eq!(money(code, units, nanos).unwrap(), amount);
            let (latitude, longitude) = lat_lng_parts(&place);
            proptest::prop_assert_eq!(lat_lng(latitude, longitude).unwrap(), place);
        });
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn chrono_dates_come_back_or_are_refused() {
        use super::super::{chrono_date, chrono_date_parts};
        are_refused(wrong_dates(), |(year, month, day)| {
            chrono_date(year, month, day)
        });
        proptest::proptest!(|(date in chrono_dates())| {
            let (year, month, day) = chrono_date_parts(&date).unwrap();
            proptest::prop_assert_eq!(chrono_date(year, month, day).unwrap(), date);
        });
    }

    #[cfg(feature = "time")]
    #[test]
    fn time_dates_come_back_or_are_refused() {
        use super::super::{time_date, time_date_parts};
        are_refused(wrong_dates(), |(year, month, day)| {
            time_date(year, month, day)
        });
        proptest::proptest!(|(date in time_dates())| {
            let (year, month, day) = time_date_parts(&date).unwrap();
            proptest::prop_assert_eq!(time_date(year, month, day).unwrap(), date);
        });
    }

    #[cfg(feature = "jiff")]
    #[test]
    fn jiff_dates_come_back_or_are_refused() {
        use super::super::{jiff_date, jiff_date_parts};
        are_refused(wrong_dates(), |(year, month, day)| {
            jiff_date(year, month, day)
        });
        proptest::proptest!(|(date in jiff_dates())| {
            let (year, month, day) = jiff_date_parts(&date).unwrap();
            proptest::prop_assert_eq!(jiff_date(year, month, day).unwrap(), date);
        });
    }
}
