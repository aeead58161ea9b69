//! `google.type.Date`: full dates only.
//!
//! The message can also be a year, a month of it, or a day of every year: those are no dates of any
//! library, and an error.

#![cfg_attr(
    not(any(feature = "chrono", feature = "jiff", feature = "time")),
    allow(dead_code, reason = "asked for by each library's feature")
)]

use super::super::{MapError, ViolationKind};

/// The `google.type.Date` of the parts as a date.
///
/// # Errors
///
/// When the message is no full date of the years 1 to 9999.
#[cfg(feature = "chrono")]
#[inline]
pub fn chrono_date(year: i32, month: i32, day: i32) -> Result<::chrono::NaiveDate, MapError> {
    let (month, day) = full(year, month, day)?;
    ::chrono::NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day)).ok_or_else(not_a_date)
}

/// The year, month and day of a `google.type.Date`.
///
/// # Errors
///
/// When the year is not of 1 to 9999.
#[cfg(feature = "chrono")]
#[inline]
pub fn chrono_date_parts(date: &::chrono::NaiveDate) -> Result<(i32, i32, i32), MapError> {
    use ::chrono::Datelike as _;
    parts(date.year(), date.month(), date.day())
}

/// The `google.type.Date` of the parts as a date.
///
/// # Errors
///
/// When the message is no full date of the years 1 to 9999.
#[cfg(feature = "time")]
#[inline]
pub fn time_date(year: i32, month: i32, day: i32) -> Result<::time::Date, MapError> {
    let (month, day) = full(year, month, day)?;
    ::time::Month::try_from(month)
        .and_then(|month| ::time::Date::from_calendar_date(year, month, day))
        .map_err(|_| not_a_date())
}

/// The year, month and day of a `google.type.Date`.
///
/// # Errors
///
/// When the year is not of 1 to 9999.
#[cfg(feature = "time")]
#[inline]
pub fn time_date_parts(date: &::time::Date) -> Result<(i32, i32, i32), MapError> {
    parts(
        date.year(),
        u32::from(u8::from(date.month())),
        u32::from(date.day()),
    )
}

/// The `google.type.Date` of the parts as a date.
///
/// # Errors
///
/// When the message is no full date of the years 1 to 9999.
#[cfg(feature = "jiff")]
#[inline]
pub fn jiff_date(year: i32, month: i32, day: i32) -> Result<::jiff::civil::Date, MapError> {
    let (month, day) = full(year, month, day)?;
    match (i16::try_from(year), i8::try_from(month), i8::try_from(day)) {
        (Ok(year), Ok(month), Ok(day)) => {
            ::jiff::civil::Date::new(year, month, day).map_err(|_| not_a_date())
        }
        _ => Err(not_a_date()),
    }
}

/// The year, month and day of a `google.type.Date`.
///
/// # Errors
///
/// When the year is not of 1 to 9999.
#[cfg(feature = "jiff")]
#[inline]
pub fn jiff_date_parts(date: &::jiff::civil::Date) -> Result<(i32, i32, i32), MapError> {
    let year = i32::from(date.year());
    match (u32::try_from(date.month()), u32::try_from(date.day())) {
        (Ok(month), Ok(day)) => parts(year, month, day),
        _ => Err(not_a_date()),
    }
}

/// The month and day, if the date has all three parts and none is out of all measure.
fn full(year: i32, month: i32, day: i32) -> Result<(u8, u8), MapError> {
    if year == 0 || month == 0 || day == 0 {
        return Err(MapError::new(
            ViolationKind::Malformed,
            "must be a full date, with year, month and day",
        ));
    }
    in_years(year)?;
    match (u8::try_from(month), u8::try_from(day)) {
        (Ok(month), Ok(day)) => Ok((month, day)),
        _ => Err(not_a_date()),
    }
}

fn parts(year: i32, month: u32, day: u32) -> Result<(i32, i32, i32), MapError> {
    in_years(year)?;
    match (i32::try_from(month), i32::try_from(day)) {
        (Ok(month), Ok(day)) => Ok((year, month, day)),
        _ => Err(not_a_date()),
    }
}

fn in_years(year: i32) -> Result<(), MapError> {
    if (1..=9999).contains(&year) {
        Ok(())
    } else {
        Err(MapError::new(
            ViolationKind::OutOfRange,
            "must be of the years 1 to 9999",
        ))
    }
}

#[cold]
fn not_a_date() -> MapError {
    MapError::new(ViolationKind::Malformed, "is not a date of the calendar")
}

#[cfg(test)]
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
mod tests {
    use super::*;

    type Parts = Result<(i32, i32, i32), MapError>;

    fn full_dates_survive_and_others_are_refused<D: std::fmt::Debug>(
        date: fn(i32, i32, i32) -> Result<D, MapError>,
        parts: fn(&D) -> Parts,
    ) {
        for whole in [(1, 1, 1), (9999, 12, 31), (2024, 2, 29), (1970, 1, 1)] {
            let (year, month, day) = whole;
            assert_eq!(parts(&date(year, month, day).unwrap()).unwrap(), whole);
        }
        let refused = |year, month, day| date(year, month, day).unwrap_err().to_string();
        for (year, month, day) in [(0, 5, 1), (2024, 0, 1), (2024, 5, 0), (0, 0, 0)] {
            assert_eq!(
                refused(year, month, day),
                "must be a full date, with year, month and day"
            );
        }
        for (month, day) in [
            (2, 30),
            (13, 1),
            (1, 32),
            (-1, 1),
            (1, -1),
            (i32::MAX, i32::MIN),
        ] {
            assert_eq!(refused(2024, month, day), "is not a date of the calendar");
        }
        assert_eq!(refused(2023, 2, 29), "is not a date of the calendar");
        for year in [-1, 10_000, i32::MIN, i32::MAX] {
            assert_eq!(refused(year, 1, 1), "must be of the years 1 to 9999");
        }
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn chrono_dates_are_full_dates() {
        full_dates_survive_and_others_are_refused(chrono_date, chrono_date_parts);
        for date in [::chrono::NaiveDate::MIN, ::chrono::NaiveDate::MAX] {
            assert!(chrono_date_parts(&date).is_err());
        }
    }

    #[cfg(feature = "time")]
    #[test]
    fn time_dates_are_full_dates() {
        full_dates_survive_and_others_are_refused(time_date, time_date_parts);
        assert!(time_date_parts(&::time::Date::MIN).is_err());
    }

    #[cfg(feature = "jiff")]
    #[test]
    fn jiff_dates_are_full_dates() {
        full_dates_survive_and_others_are_refused(jiff_date, jiff_date_parts);
        assert!(jiff_date_parts(&::jiff::civil::Date::MIN).is_err());
    }
}
