//! What holds for the types of every library, and what for one alone.

use super::*;
use crate::mapper::{MapError, ProtobufMapper};

fn at(seconds: i64, nanos: i32) -> Timestamp {
    Timestamp { seconds, nanos }
}

fn lasting(seconds: i64, nanos: i32) -> Duration {
    Duration { seconds, nanos }
}

/// The message comes back as it was, by reference and by value.
#[track_caller]
fn survives<M>(proto: M::Proto)
where
    M: ProtobufMapper<Proto: Copy + PartialEq + std::fmt::Debug, Entity: Clone>,
{
    let entity = M::from_proto(proto).unwrap();
    let lent = M::to_proto(&entity).map_err(Into::<MapError>::into);
    let given = M::into_proto(entity).map_err(Into::<MapError>::into);
    assert_eq!(lent.unwrap(), proto);
    assert_eq!(given.unwrap(), proto);
}

/// The message is refused, and so is said.
#[track_caller]
fn refused<M: ProtobufMapper<Entity: std::fmt::Debug>>(proto: M::Proto, as_what: &str) {
    let error = M::from_proto(proto).unwrap_err();
    assert_eq!(error.to_string(), as_what);
    assert!(
        error
            .violations()
            .iter()
            .all(|violation| violation.kind() == ViolationKind::OutOfRange)
    );
}

/// The entity is refused, by reference and by value, and so is said.
#[track_caller]
fn unsayable<M>(entity: M::Entity, as_what: &str)
where
    M: ProtobufMapper<Proto: std::fmt::Debug, EncodeError = MapError>,
{
    assert_eq!(M::to_proto(&entity).unwrap_err().to_string(), as_what);
    assert_eq!(M::into_proto(entity).unwrap_err().to_string(), as_what);
}

fn timestamps_follow_the_message_rules<M>()
where
    M: ProtobufMapper<Proto = Timestamp, Entity: Clone + std::fmt::Debug>,
{
    for seconds in [0, 1, -1, FIRST_SECOND, 1_700_000_000, 253_402_207_200] {
        for nanos in [0, 1, 500_000_000, 999_999_999] {
            survives::<M>(at(seconds, nanos));
        }
    }
    let year = "seconds must be of the years 1 to 9999";
    for seconds in [FIRST_SECOND - 1, LAST_SECOND + 1, i64::MIN, i64::MAX] {
        refused::<M>(at(seconds, 0), year);
    }
    let fraction = "nanos must be from 0 to 999999999";
    for nanos in [-1, 1_000_000_000, i32::MIN, i32::MAX] {
        refused::<M>(at(0, nanos), fraction);
        refused::<M>(at(i64::MIN, nanos), &format!("{year}; {fraction}"));
    }
}

fn durations_follow_the_message_rules<M>()
where
    M: ProtobufMapper<Proto = Duration, Entity: Clone + std::fmt::Debug>,
{
    for seconds in [0, 1, MOST_SECONDS] {
        for nanos in [0, 1, 999_999_999] {
            survives::<M>(lasting(seconds, nanos));
        }
    }
    let long = "seconds must not be longer than 315576000000 seconds";
    for seconds in [MOST_SECONDS + 1, i64::MAX, -MOST_SECONDS - 1, i64::MIN] {
        refused::<M>(lasting(seconds, 0), long);
    }
    let fraction = "nanos must be from -999999999 to 999999999";
    for nanos in [1_000_000_000, -1_000_000_000, i32::MIN, i32::MAX] {
        refused::<M>(lasting(0, nanos), fraction);
        refused::<M>(lasting(i64::MAX, nanos), &format!("{long}; {fraction}"));
    }
    let sign = "nanos must have the sign of the seconds";
    refused::<M>(lasting(1, -1), sign);
    refused::<M>(lasting(-1, 1), sign);
}

#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
fn negative_durations_survive<M>()
where
    M: ProtobufMapper<Proto = Duration, Entity: Clone + std::fmt::Debug>,
{
    for seconds in [0, -1, -MOST_SECONDS] {
        for nanos in [0, -1, -999_999_999] {
            survives::<M>(lasting(seconds, nanos));
        }
    }
}

const YEAR: &str = "must be of the years 1 to 9999";
const LONG: &str = "must not be longer than 315576000000 seconds";

#[test]
fn the_limits_are_those_of_the_messages() {
    // The table of google/protobuf/timestamp.proto, against the one library that is always here.
    let first = SystemTimestamp::from_proto(at(FIRST_SECOND, 0)).unwrap();
    let last = SystemTimestamp::from_proto(at(LAST_SECOND, 999_999_999)).unwrap();
    let days = last.duration_since(first).unwrap().as_secs() / 86_400 + 1;
    // 9,999 years: 24 times 400 of 146,097 days, and 399 of which 96 are leap years.
    assert_eq!(days, 24 * 146_097 + 399 * 365 + 96);
}

mod system {
    use std::time::{Duration as StdSpan, UNIX_EPOCH};

    use super::*;

    #[test]
    fn timestamps_survive_or_are_refused() {
        timestamps_follow_the_message_rules::<SystemTimestamp>();
        survives::<SystemTimestamp>(at(LAST_SECOND, 999_999_999));
    }

    #[test]
    fn durations_survive_or_are_refused() {
        durations_follow_the_message_rules::<StdDuration>();
    }

    #[test]
    fn a_negative_duration_is_refused() {
        refused::<StdDuration>(lasting(-1, 0), "must not be negative");
        refused::<StdDuration>(lasting(0, -1), "must not be negative");
    }

    #[test]
    fn what_a_message_cannot_say_is_refused() {
        let span = StdSpan::from_secs(253_402_300_800);
        unsayable::<SystemTimestamp>(UNIX_EPOCH + span, YEAR);
        let nano_before_year_1 = StdSpan::new(62_135_596_800, 1);
        unsayable::<SystemTimestamp>(UNIX_EPOCH - nano_before_year_1, YEAR);
        unsayable::<StdDuration>(StdSpan::from_secs(315_576_000_001), LONG);
        unsayable::<StdDuration>(StdSpan::MAX, LONG);
    }

    #[test]
    fn a_fraction_before_1970_counts_from_the_second_below() {
        let time = UNIX_EPOCH - StdSpan::from_nanos(1);
        assert_eq!(
            SystemTimestamp::to_proto(&time).unwrap(),
            at(-1, 999_999_999)
        );
    }
}

#[cfg(feature = "chrono")]
mod chrono {
    use ::chrono::{DateTime, NaiveDate, TimeDelta, Utc};

    use super::*;

    #[test]
    fn timestamps_survive_or_are_refused() {
        timestamps_follow_the_message_rules::<ChronoTimestamp>();
        survives::<ChronoTimestamp>(at(LAST_SECOND, 999_999_999));
    }

    #[test]
    fn durations_survive_or_are_refused() {
        durations_follow_the_message_rules::<ChronoDuration>();
        negative_durations_survive::<ChronoDuration>();
    }

    #[test]
    fn the_first_and_the_last_year_are_the_messages_own() {
        let first: DateTime<Utc> = "0001-01-01T00:00:00Z".parse().unwrap();
        let last: DateTime<Utc> = "9999-12-31T23:59:59.999999999Z".parse().unwrap();
        assert_eq!(
            ChronoTimestamp::to_proto(&first).unwrap(),
            at(FIRST_SECOND, 0)
        );
        assert_eq!(
            ChronoTimestamp::to_proto(&last).unwrap(),
            at(LAST_SECOND, 999_999_999)
        );
    }

    #[test]
    fn a_leap_second_is_refused() {
        let leap = NaiveDate::from_ymd_opt(2016, 12, 31)
            .and_then(|day| day.and_hms_nano_opt(23, 59, 59, 1_000_000_000))
            .unwrap();
        unsayable::<ChronoTimestamp>(leap.and_utc(), "must not be in a leap second");
    }

    #[test]
    fn what_a_message_cannot_say_is_refused() {
        for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            unsayable::<ChronoTimestamp>(time, YEAR);
        }
        for span in [TimeDelta::MIN, TimeDelta::MAX] {
            unsayable::<ChronoDuration>(span, LONG);
        }
    }
}

#[cfg(feature = "time")]
mod time {
    use ::time::{Date, Duration as TimeSpan, Month, OffsetDateTime, UtcOffset};

    use super::*;

    #[test]
    fn timestamps_survive_or_are_refused() {
        timestamps_follow_the_message_rules::<TimeTimestamp>();
        survives::<TimeTimestamp>(at(LAST_SECOND, 999_999_999));
    }

    #[test]
    fn durations_survive_or_are_refused() {
        durations_follow_the_message_rules::<TimeDuration>();
        negative_durations_survive::<TimeDuration>();
    }

    #[test]
    fn an_offset_is_dropped_and_the_instant_stays() {
        let offset = UtcOffset::from_hms(5, 30, 0).unwrap();
        let time = OffsetDateTime::from_unix_timestamp_nanos(-1)
            .unwrap()
            .to_offset(offset);
        let proto = TimeTimestamp::to_proto(&time).unwrap();
        assert_eq!(proto, at(-1, 999_999_999));
        let back = TimeTimestamp::from_proto(proto).unwrap();
        assert_eq!(back, time);
        assert_eq!(back.offset(), UtcOffset::UTC);
    }

    #[test]
    fn what_a_message_cannot_say_is_refused() {
        let year_0 = Date::from_calendar_date(0, Month::December, 31).unwrap();
        unsayable::<TimeTimestamp>(year_0.midnight().assume_utc(), YEAR);
        for span in [TimeSpan::MIN, TimeSpan::MAX] {
            unsayable::<TimeDuration>(span, LONG);
        }
    }
}

#[cfg(feature = "jiff")]
mod jiff {
    use ::jiff::SignedDuration;

    use super::*;

    #[test]
    fn timestamps_survive_or_are_refused() {
        timestamps_follow_the_message_rules::<JiffTimestamp>();
    }

    #[test]
    fn the_last_26_hours_are_refused_as_jiff_has_no_such_time() {
        let last = ::jiff::Timestamp::MAX;
        let (seconds, nanos) = (last.as_second(), last.subsec_nanosecond());
        survives::<JiffTimestamp>(at(seconds, nanos));
        let beyond = "is outside of what this service can hold";
        refused::<JiffTimestamp>(at(seconds + 1, 0), beyond);
        refused::<JiffTimestamp>(at(LAST_SECOND, 999_999_999), beyond);
    }

    #[test]
    fn durations_survive_or_are_refused() {
        durations_follow_the_message_rules::<JiffDuration>();
        negative_durations_survive::<JiffDuration>();
    }

    #[test]
    fn what_a_message_cannot_say_is_refused() {
        unsayable::<JiffTimestamp>(::jiff::Timestamp::MIN, YEAR);
        let before_year_1 = ::jiff::Timestamp::new(FIRST_SECOND, -1).unwrap();
        unsayable::<JiffTimestamp>(before_year_1, YEAR);
        for span in [SignedDuration::MIN, SignedDuration::MAX] {
            unsayable::<JiffDuration>(span, LONG);
        }
    }
}
