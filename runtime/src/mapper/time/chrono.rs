//! [`chrono`](::chrono)'s types.

use ::chrono::{DateTime, TimeDelta, Utc};
use prost_types::{Duration, Timestamp};

use super::super::{Grade, MapError, ProtobufMapper, ViolationKind};
use super::NANOS_PER_SECOND;

/// A timestamp as a `DateTime<Utc>`.
///
/// A leap second and a year outside of 1 to 9999 can't be said by a message: they are errors.
#[derive(Clone, Copy, Debug)]
pub struct ChronoTimestamp;

/// A duration as a `TimeDelta`. More than 10,000 years can't be said by a message: it is an error.
#[derive(Clone, Copy, Debug)]
pub struct ChronoDuration;

impl ProtobufMapper for ChronoTimestamp {
    type Entity = DateTime<Utc>;
    type Proto = Timestamp;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &DateTime<Utc>) -> Result<Timestamp, MapError> {
        match i32::try_from(entity.timestamp_subsec_nanos()) {
            Ok(nanos) if nanos < NANOS_PER_SECOND => super::timestamp(entity.timestamp(), nanos),
            _ => Err(leap_second()),
        }
    }

    #[inline]
    fn into_proto(entity: DateTime<Utc>) -> Result<Timestamp, MapError> {
        Self::to_proto(&entity)
    }

    #[inline]
    fn from_proto(proto: Timestamp) -> Result<DateTime<Utc>, MapError> {
        let (seconds, nanos) = super::timestamp_parts(proto)?;
        DateTime::from_timestamp(seconds, nanos).ok_or_else(super::beyond_type)
    }
}

impl ProtobufMapper for ChronoDuration {
    type Entity = TimeDelta;
    type Proto = Duration;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &TimeDelta) -> Result<Duration, MapError> {
        super::duration(entity.num_seconds(), entity.subsec_nanos())
    }

    #[inline]
    fn into_proto(entity: TimeDelta) -> Result<Duration, MapError> {
        Self::to_proto(&entity)
    }

    #[inline]
    fn from_proto(proto: Duration) -> Result<TimeDelta, MapError> {
        let (seconds, nanos) = super::duration_parts(proto)?;
        // Both are far from overflowing: at most 10,000 years.
        let fraction = TimeDelta::nanoseconds(i64::from(nanos));
        TimeDelta::try_seconds(seconds)
            .and_then(|seconds| seconds.checked_add(&fraction))
            .ok_or_else(super::beyond_type)
    }
}

#[cold]
fn leap_second() -> MapError {
    MapError::new(ViolationKind::OutOfRange, "must not be in a leap second")
}
