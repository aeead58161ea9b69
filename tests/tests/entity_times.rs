//! Timestamps and durations in entities, in the types of each library.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mapping;

use std::time::{SystemTime, UNIX_EPOCH};

use apibase::ProtobufMapper;
use apibase::ViolationKind::{Missing, OutOfRange};
use apibase::prost_types::{Duration, Timestamp};
use mapping::{message, refused, survives, unsayable};

/// The start of 0001-01-01.
const FIRST: i64 = -62_135_596_800;
/// The last second of 9999-12-31.
const LAST: i64 = 253_402_300_799;
/// The last second of jiff's: 9999-12-30T22:00:00, so that it has a date in every time zone.
const LAST_OF_JIFF: i64 = 253_402_207_200;
/// 10,000 years of 365.25 days.
const LONGEST: i64 = 315_576_000_000;
const LAST_NANO: i32 = 999_999_999;

fn at(seconds: i64, nanos: i32) -> Timestamp {
    Timestamp { seconds, nanos }
}

fn long(seconds: i64, nanos: i32) -> Duration {
    Duration { seconds, nanos }
}

/// What holds for every library: of the fixture's meeting, the library's last second, and functions
/// that make its types of seconds and nanoseconds.
macro_rules! facts {
    ($library:ident: $fixture:ident, $last:expr, $time:path, $span:path) => {
        mod $library {
            use apibase_tests::$fixture::$fixture as fixture;
            use fixture::Meeting;
            use fixture::api::{Meeting as Entity, MeetingMapper};

            use super::*;

            fn meeting(starts: Timestamp, length: Duration) -> Meeting {
                Meeting {
                    starts: Some(starts),
                    ended: None,
                    length: Some(length),
                    parts: Vec::new(),
                }
            }

            #[test]
            fn times_of_the_years_1_to_9999_survive() {
                let seconds = [FIRST, FIRST + 1, -2, -1, 0, 1, 1_700_000_000, $last];
                for (seconds, nanos) in seconds.into_iter().flat_map(|seconds| {
                    [0, 1, 123_456_789, LAST_NANO].map(|nanos| (seconds, nanos))
                }) {
                    let entity = Entity {
                        starts: $time(seconds, nanos),
                        ended: Some($time(seconds, nanos)),
                        length: $span(0, 0),
                        parts: Vec::new(),
                    };
                    let proto = survives::<MeetingMapper>(&entity);
                    assert_eq!(proto.starts, Some(at(seconds, nanos)));
                    assert_eq!(proto.ended, Some(at(seconds, nanos)));
                }
            }

            #[test]
            fn lengths_up_to_10_000_years_survive() {
                for (seconds, nanos) in [(0, 0), (0, 1), (1, LAST_NANO), (LONGEST, 0), (LONGEST, 1)]
                {
                    let entity = Entity {
                        starts: $time(0, 0),
                        ended: None,
                        length: $span(seconds, nanos),
                        parts: vec![$span(1, 0), $span(seconds, nanos)],
                    };
                    let proto = survives::<MeetingMapper>(&entity);
                    assert_eq!(proto.length, Some(long(seconds, nanos)));
                    assert_eq!(proto.parts, [long(1, 0), long(seconds, nanos)]);
                }
            }

            #[test]
            fn longer_lengths_are_no_messages() {
                let mut entity = MeetingMapper::from_proto(meeting(at(0, 0), long(0, 0))).unwrap();
                entity.parts = vec![$span(0, 0), $span(LONGEST + 1, 0)];
                unsayable::<MeetingMapper>(&entity, "parts[1]", OutOfRange);
                entity.length = $span(LONGEST + 1, 0);
                unsayable::<MeetingMapper>(&entity, "length", OutOfRange);
            }

            #[test]
            fn what_is_not_set_is_none_and_what_is_empty_is_the_start_of_1970() {
                let unset = meeting(at(1, 0), long(1, 0));
                let entity = MeetingMapper::from_proto(unset.clone()).unwrap();
                assert_eq!(entity.ended, None);
                let empty = Meeting {
                    ended: Some(at(0, 0)),
                    ..unset
                };
                let entity = MeetingMapper::from_proto(empty.clone()).unwrap();
                assert_eq!(entity.ended, Some($time(0, 0)));
                assert_eq!(message::<MeetingMapper>(&entity), empty);
            }

            #[test]
            fn all_that_is_missing_is_said() {
                let error = refused::<MeetingMapper>(
                    Meeting::default(),
                    &[("starts", Missing), ("length", Missing)],
                );
                assert_eq!(error.to_string(), "starts is required; length is required");
            }

            #[test]
            fn seconds_of_other_years_are_refused() {
                for seconds in [FIRST - 1, LAST + 1, i64::MIN, i64::MAX] {
                    let error = refused::<MeetingMapper>(
                        meeting(at(seconds, 0), long(0, 0)),
                        &[("starts.seconds", OutOfRange)],
                    );
                    assert_eq!(
                        error.to_string(),
                        "starts.seconds must be of the years 1 to 9999"
                    );
                }
            }

            #[test]
            fn nanos_beyond_a_second_are_refused() {
                for nanos in [-1, 1_000_000_000, i32::MIN, i32::MAX] {
                    let proto = Meeting {
                        ended: Some(at(0, nanos)),
                        ..meeting(at(0, 0), long(0, 0))
                    };
                    refused::<MeetingMapper>(proto, &[("ended.nanos", OutOfRange)]);
                }
                for nanos in [1_000_000_000, -1_000_000_000, i32::MIN, i32::MAX] {
                    let proto = meeting(at(0, 0), long(0, nanos));
                    refused::<MeetingMapper>(proto, &[("length.nanos", OutOfRange)]);
                }
            }

            #[test]
            fn signs_that_contradict_each_other_are_refused() {
                for (seconds, nanos) in [(1, -1), (-1, 1), (LONGEST, -1), (-LONGEST, 1)] {
                    let proto = Meeting {
                        parts: vec![long(0, 0), long(0, 0), long(seconds, nanos)],
                        ..meeting(at(0, 0), long(0, 0))
                    };
                    refused::<MeetingMapper>(proto, &[("parts[2].nanos", OutOfRange)]);
                }
            }

            #[test]
            fn everything_that_is_wrong_is_said_in_the_order_of_the_fields() {
                let proto = Meeting {
                    starts: Some(at(i64::MIN, -1)),
                    ended: Some(at(LAST + 1, 0)),
                    length: None,
                    parts: vec![long(0, 1), long(i64::MAX, i32::MIN), long(1, -1)],
                };
                refused::<MeetingMapper>(
                    proto,
                    &[
                        ("starts.seconds", OutOfRange),
                        ("starts.nanos", OutOfRange),
                        ("ended.seconds", OutOfRange),
                        ("length", Missing),
                        ("parts[1].seconds", OutOfRange),
                        ("parts[1].nanos", OutOfRange),
                        ("parts[2].nanos", OutOfRange),
                    ],
                );
            }
        }
    };
}

facts!(chrono_types: entity_time, LAST, chrono_time, chrono_span);
facts!(time_types: entity_time_crate, LAST, time_time, time_span);
facts!(jiff_types: entity_jiff, LAST_OF_JIFF, jiff_time, jiff_span);
facts!(system_types: entity_system_time, LAST, system_time, std_span);
facts!(std_spans: entity_std_duration, LAST, chrono_time, std_span);

fn chrono_time(seconds: i64, nanos: i32) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(seconds, nanos.try_into().unwrap()).unwrap()
}

fn chrono_span(seconds: i64, nanos: i32) -> chrono::TimeDelta {
    chrono::TimeDelta::seconds(seconds) + chrono::TimeDelta::nanoseconds(nanos.into())
}

fn time_time(seconds: i64, nanos: i32) -> time::OffsetDateTime {
    let nanos = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    time::OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap()
}

fn time_span(seconds: i64, nanos: i32) -> time::Duration {
    time::Duration::new(seconds, nanos)
}

fn jiff_time(seconds: i64, nanos: i32) -> jiff::Timestamp {
    let nanos = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    jiff::Timestamp::from_nanosecond(nanos).unwrap()
}

fn jiff_span(seconds: i64, nanos: i32) -> jiff::SignedDuration {
    jiff::SignedDuration::new(seconds, nanos)
}

fn system_time(seconds: i64, nanos: i32) -> SystemTime {
    let whole = std::time::Duration::from_secs(seconds.unsigned_abs());
    let second = if seconds < 0 {
        UNIX_EPOCH - whole
    } else {
        UNIX_EPOCH + whole
    };
    second + std::time::Duration::from_nanos(nanos.try_into().unwrap())
}

fn std_span(seconds: i64, nanos: i32) -> std::time::Duration {
    std::time::Duration::new(seconds.try_into().unwrap(), nanos.try_into().unwrap())
}
