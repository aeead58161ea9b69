//! Mappers of `google.protobuf.Timestamp` and `google.protobuf.Duration`.
//!
//! The two messages can say less than most types of time, and more than some: what one of them
//! can't say is an error, never another time. The rules stand here; a file for each library asks
//! them.
//!
//! Of a message, the field that is wrong is in the path: `created_at.nanos`.

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "jiff")]
mod jiff;
#[cfg(feature = "testing")]
mod lawful;
mod system;
#[cfg(feature = "time")]
#[allow(
    clippy::module_inception,
    reason = "named after its library, like its neighbours"
)]
mod time;

use prost_types::{Duration, Timestamp};

#[cfg(feature = "chrono")]
pub use self::chrono::{ChronoDuration, ChronoTimestamp};
#[cfg(feature = "jiff")]
pub use self::jiff::{JiffDuration, JiffTimestamp};
pub use self::system::{StdDuration, SystemTimestamp};
#[cfg(feature = "time")]
pub use self::time::{TimeDuration, TimeTimestamp};
use super::gather::all_of;
use super::{MapError, Unmappable, ViolationKind};

/// The start of 0001-01-01, in seconds since 1970.
const FIRST_SECOND: i64 = -62_135_596_800;

/// The last second of 9999-12-31.
const LAST_SECOND: i64 = 253_402_300_799;

/// 10,000 years of 365.25 days, as `google/protobuf/duration.proto` says.
const MOST_SECONDS: i64 = 315_576_000_000;

const NANOS_PER_SECOND: i32 = 1_000_000_000;

/// The message of a time: `seconds` since 1970, rounded down, and the `nanos` since then.
///
/// Fails when the year is not of 1 to 9999. `nanos` is less than a second: what a library has
/// beyond, it refuses itself.
#[inline]
fn timestamp(seconds: i64, nanos: i32) -> Result<Timestamp, MapError> {
    if (FIRST_SECOND..=LAST_SECOND).contains(&seconds) {
        Ok(Timestamp { seconds, nanos })
    } else {
        Err(wrong_year())
    }
}

/// The time of a message: seconds since 1970, rounded down, and the nanoseconds since then, 0 to
/// 999,999,999.
#[inline]
fn timestamp_parts(proto: Timestamp) -> Result<(i64, u32), MapError> {
    let Timestamp { seconds, nanos } = proto;
    if (FIRST_SECOND..=LAST_SECOND).contains(&seconds) && (0..NANOS_PER_SECOND).contains(&nanos) {
        Ok((seconds, nanos.unsigned_abs()))
    } else {
        Err(wrong_timestamp(proto))
    }
}

#[cold]
#[inline(never)]
fn wrong_timestamp(proto: Timestamp) -> MapError {
    let late = !(FIRST_SECOND..=LAST_SECOND).contains(&proto.seconds);
    let fraction = !(0..NANOS_PER_SECOND).contains(&proto.nanos);
    all_of([
        late.then(|| wrong_year().at("seconds")),
        fraction.then(|| wrong_nanos("must be from 0 to 999999999")),
    ])
}

/// The message of a duration: its `seconds`, rounded towards zero, and the `nanos` beyond, of the
/// same sign.
///
/// Fails beyond 10,000 years; as in the libraries of other languages, a fraction of a second more is
/// within them.
#[inline]
fn duration(seconds: i64, nanos: i32) -> Result<Duration, MapError> {
    if (-MOST_SECONDS..=MOST_SECONDS).contains(&seconds) {
        Ok(Duration { seconds, nanos })
    } else {
        Err(too_long())
    }
}

/// The duration of a message: seconds, rounded towards zero, and the nanoseconds beyond, of the
/// same sign.
#[inline]
fn duration_parts(proto: Duration) -> Result<(i64, i32), MapError> {
    let Duration { seconds, nanos } = proto;
    let long = !(-MOST_SECONDS..=MOST_SECONDS).contains(&seconds);
    let fraction = if nanos.unsigned_abs() >= NANOS_PER_SECOND.unsigned_abs() {
        Some("must be from -999999999 to 999999999")
    } else if (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0) {
        Some("must have the sign of the seconds")
    } else {
        None
    };
    if long || fraction.is_some() {
        return Err(all_of([
            long.then(|| too_long().at("seconds")),
            fraction.map(wrong_nanos),
        ]));
    }
    Ok((seconds, nanos))
}

#[cold]
fn wrong_nanos(description: &'static str) -> MapError {
    MapError::new(ViolationKind::OutOfRange, description).at("nanos")
}

#[cold]
fn wrong_year() -> MapError {
    MapError::new(ViolationKind::OutOfRange, "must be of the years 1 to 9999")
}

#[cold]
fn too_long() -> MapError {
    MapError::new(
        ViolationKind::OutOfRange,
        "must not be longer than 315576000000 seconds",
    )
}

/// A time or a duration that a message can say, and the library's type can't.
#[cold]
#[inline(never)]
fn beyond_type() -> MapError {
    MapError::new(
        ViolationKind::OutOfRange,
        "is outside of what this service can hold",
    )
}

#[cfg(test)]
mod tests;
