//! [`time`](::time)'s types.

use ::time::{Duration as TimeSpan, OffsetDateTime};
use prost_types::{Duration, Timestamp};

use super::super::{Grade, MapError, ProtobufMapper};

/// A timestamp as an `OffsetDateTime`.
///
/// A message holds the instant and no offset: what comes back is equal, and in UTC. A year outside
/// of 1 to 9999 can't be said by a message: it is an error.
#[derive(Clone, Copy, Debug)]
pub struct TimeTimestamp;

/// A duration as a `time::Duration`. More than 10,000 years can't be said by a message: it is an
/// error.
#[derive(Clone, Copy, Debug)]
pub struct TimeDuration;

impl ProtobufMapper for TimeTimestamp {
    type Entity = OffsetDateTime;
    type Proto = Timestamp;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &OffsetDateTime) -> Result<Timestamp, MapError> {
        // Offsets are whole seconds, so the fraction is the same in all of them.
        let nanos = i32::try_from(entity.nanosecond()).map_err(|_| super::beyond_type())?;
        super::timestamp(entity.unix_timestamp(), nanos)
    }

    #[inline]
    fn into_proto(entity: OffsetDateTime) -> Result<Timestamp, MapError> {
        Self::to_proto(&entity)
    }

    #[inline]
    fn from_proto(proto: Timestamp) -> Result<OffsetDateTime, MapError> {
        let (seconds, nanos) = super::timestamp_parts(proto)?;
        OffsetDateTime::from_unix_timestamp(seconds)
            .and_then(|time| time.replace_nanosecond(nanos))
            .map_err(|_| super::beyond_type())
    }
}

impl ProtobufMapper for TimeDuration {
    type Entity = TimeSpan;
    type Proto = Duration;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &TimeSpan) -> Result<Duration, MapError> {
        super::duration(entity.whole_seconds(), entity.subsec_nanoseconds())
    }

    #[inline]
    fn into_proto(entity: TimeSpan) -> Result<Duration, MapError> {
        Self::to_proto(&entity)
    }

    #[inline]
    fn from_proto(proto: Duration) -> Result<TimeSpan, MapError> {
        let (seconds, nanos) = super::duration_parts(proto)?;
        // Can't overflow: at most 10,000 years.
        Ok(TimeSpan::new(seconds, nanos))
    }
}
