//! The standard library's types.

use std::time::{Duration as StdSpan, SystemTime, UNIX_EPOCH};

use prost_types::{Duration, Timestamp};

use super::super::{Grade, MapError, ProtobufMapper, ViolationKind};

/// A timestamp as a [`SystemTime`].
///
/// A year outside of 1 to 9999 can't be said by a message: it is an error. What a `SystemTime` can
/// hold is the platform's affair: on Windows it counts 100 nanoseconds, to which a message is
/// rounded down, and starts in 1601; a message before is an error.
#[derive(Clone, Copy, Debug)]
pub struct SystemTimestamp;

/// A duration as a [`std::time::Duration`].
///
/// Here more than 10,000 years can't be said by a message, and there a negative one can't be held:
/// both are errors.
#[derive(Clone, Copy, Debug)]
pub struct StdDuration;

impl ProtobufMapper for SystemTimestamp {
    type Entity = SystemTime;
    type Proto = Timestamp;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    fn to_proto(entity: &SystemTime) -> Result<Timestamp, MapError> {
        match entity.duration_since(UNIX_EPOCH) {
            Ok(since) => {
                let (seconds, nanos) = parts(since).ok_or_else(super::wrong_year)?;
                super::timestamp(seconds, nanos)
            }
            Err(earlier) => {
                let (seconds, nanos) = parts(earlier.duration()).ok_or_else(super::wrong_year)?;
                match nanos {
                    0 => super::timestamp(-seconds, 0),
                    // A message rounds down. The seconds are positive: no overflow.
                    nanos => super::timestamp(-seconds - 1, super::NANOS_PER_SECOND - nanos),
                }
            }
        }
    }

    #[inline]
    fn into_proto(entity: SystemTime) -> Result<Timestamp, MapError> {
        Self::to_proto(&entity)
    }

    fn from_proto(proto: Timestamp) -> Result<SystemTime, MapError> {
        let (seconds, nanos) = super::timestamp_parts(proto)?;
        let whole = StdSpan::from_secs(seconds.unsigned_abs());
        let second = if seconds < 0 {
            UNIX_EPOCH.checked_sub(whole)
        } else {
            UNIX_EPOCH.checked_add(whole)
        };
        second
            .and_then(|second| second.checked_add(StdSpan::from_nanos(u64::from(nanos))))
            .ok_or_else(super::beyond_type)
    }
}

impl ProtobufMapper for StdDuration {
    type Entity = StdSpan;
    type Proto = Duration;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &StdSpan) -> Result<Duration, MapError> {
        let (seconds, nanos) = parts(*entity).ok_or_else(super::too_long)?;
        super::duration(seconds, nanos)
    }

    #[inline]
    fn into_proto(entity: StdSpan) -> Result<Duration, MapError> {
        Self::to_proto(&entity)
    }

    #[inline]
    fn from_proto(proto: Duration) -> Result<StdSpan, MapError> {
        let (seconds, nanos) = super::duration_parts(proto)?;
        match (u64::try_from(seconds), u32::try_from(nanos)) {
            (Ok(seconds), Ok(nanos)) => Ok(StdSpan::new(seconds, nanos)),
            _ => Err(negative()),
        }
    }
}

/// The seconds and the nanoseconds beyond; `None` when there are too many for any message.
fn parts(duration: StdSpan) -> Option<(i64, i32)> {
    let seconds = i64::try_from(duration.as_secs()).ok()?;
    let nanos = i32::try_from(duration.subsec_nanos()).ok()?;
    Some((seconds, nanos))
}

#[cold]
fn negative() -> MapError {
    MapError::new(ViolationKind::OutOfRange, "must not be negative")
}
