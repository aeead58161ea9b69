//! [`jiff`](::jiff)'s types.

use ::jiff::SignedDuration;
use prost_types::{Duration, Timestamp};

use super::super::{Grade, MapError, ProtobufMapper};

/// A timestamp as a `jiff::Timestamp`.
///
/// A year before 1 can't be said by a message: it is an error. And a `jiff::Timestamp` ends at
/// 9999-12-30T22:00:00.999999999Z, so that it has a date in every time zone: a message of the 26
/// hours from then to the end of 9999 is an error too.
#[derive(Clone, Copy, Debug)]
pub struct JiffTimestamp;

/// A duration as a `SignedDuration`. More than 10,000 years can't be said by a message: it is an
/// error.
#[derive(Clone, Copy, Debug)]
pub struct JiffDuration;

impl ProtobufMapper for JiffTimestamp {
    type Entity = ::jiff::Timestamp;
    type Proto = Timestamp;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &::jiff::Timestamp) -> Result<Timestamp, MapError> {
        // Jiff rounds towards zero, a message down. Jiff's seconds are far from overflowing.
        match (entity.as_second(), entity.subsec_nanosecond()) {
            (seconds, nanos @ ..0) => {
                super::timestamp(seconds - 1, nanos + super::NANOS_PER_SECOND)
            }
            (seconds, nanos) => super::timestamp(seconds, nanos),
        }
    }

    #[inline]
    fn into_proto(entity: ::jiff::Timestamp) -> Result<Timestamp, MapError> {
        Self::to_proto(&entity)
    }

    #[inline]
    fn from_proto(proto: Timestamp) -> Result<::jiff::Timestamp, MapError> {
        let (seconds, _) = super::timestamp_parts(proto)?;
        ::jiff::Timestamp::new(seconds, proto.nanos).map_err(|_| super::beyond_type())
    }
}

impl ProtobufMapper for JiffDuration {
    type Entity = SignedDuration;
    type Proto = Duration;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    #[inline]
    fn to_proto(entity: &SignedDuration) -> Result<Duration, MapError> {
        super::duration(entity.as_secs(), entity.subsec_nanos())
    }

    #[inline]
    fn into_proto(entity: SignedDuration) -> Result<Duration, MapError> {
        Self::to_proto(&entity)
    }

    #[inline]
    fn from_proto(proto: Duration) -> Result<SignedDuration, MapError> {
        let (seconds, nanos) = super::duration_parts(proto)?;
        // Can't overflow: at most 10,000 years.
        Ok(SignedDuration::new(seconds, nanos))
    }
}
