//! What one library's times can say and another's, or a message, can't.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mapping;

use std::time::{Duration as StdSpan, UNIX_EPOCH};

use apibase::ViolationKind::OutOfRange;
use apibase::prost_types::{Duration, Timestamp};
use apibase::{Grade, ProtobufMapper};
use apibase_tests::entity_jiff::entity_jiff as with_jiff;
use apibase_tests::entity_std_duration::entity_std_duration as with_std;
use apibase_tests::entity_system_time::entity_system_time as with_system;
use apibase_tests::entity_time::entity_time as with_chrono;
use apibase_tests::entity_time_crate::entity_time_crate as with_time;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use jiff::SignedDuration;
use mapping::{message, refused, survives, unsayable};
use time::OffsetDateTime;
use with_chrono::api::{Meeting, MeetingMapper, Series, SeriesMapper, SeriesNext};

const LONGEST: i64 = 315_576_000_000;

fn at(seconds: i64, nanos: i32) -> Timestamp {
    Timestamp { seconds, nanos }
}

fn long(seconds: i64, nanos: i32) -> Duration {
    Duration { seconds, nanos }
}

fn meeting(starts: DateTime<Utc>, length: TimeDelta) -> Meeting {
    Meeting {
        starts,
        ended: None,
        length,
        parts: Vec::new(),
    }
}

#[test]
fn the_grades_are_constants() {
    assert_eq!(MeetingMapper::GRADE, Grade::Injective);
    assert_eq!(with_time::api::MeetingMapper::GRADE, Grade::Injective);
    assert_eq!(with_jiff::api::MeetingMapper::GRADE, Grade::Injective);
    assert_eq!(with_system::api::MeetingMapper::GRADE, Grade::Injective);
}

#[test]
fn the_first_and_the_last_moment_of_a_message_are_dates_of_chrono() {
    let first = NaiveDate::from_ymd_opt(1, 1, 1)
        .unwrap()
        .and_hms_opt(0, 0, 0)
        .unwrap()
        .and_utc();
    let last = NaiveDate::from_ymd_opt(9999, 12, 31)
        .unwrap()
        .and_hms_nano_opt(23, 59, 59, 999_999_999)
        .unwrap()
        .and_utc();
    for moment in [first, last] {
        survives::<MeetingMapper>(&meeting(moment, TimeDelta::zero()));
    }
    let nano = TimeDelta::nanoseconds(1);
    for beyond in [
        first - nano,
        last + nano,
        DateTime::<Utc>::MIN_UTC,
        DateTime::<Utc>::MAX_UTC,
    ] {
        let error =
            unsayable::<MeetingMapper>(&meeting(beyond, TimeDelta::zero()), "starts", OutOfRange);
        assert_eq!(error.to_string(), "starts must be of the years 1 to 9999");
    }
}

#[test]
fn a_leap_second_is_no_message() {
    let leap = NaiveDate::from_ymd_opt(2016, 12, 31)
        .unwrap()
        .and_hms_nano_opt(23, 59, 59, 1_000_000_000)
        .unwrap()
        .and_utc();
    let error = unsayable::<MeetingMapper>(&meeting(leap, TimeDelta::zero()), "starts", OutOfRange);
    assert_eq!(error.to_string(), "starts must not be in a leap second");
    let next = SeriesNext::Once(leap);
    let series = Series {
        reminders: Vec::new(),
        speakers: [].into(),
        next: Some(next),
    };
    unsayable::<SeriesMapper>(&series, "once", OutOfRange);
}

#[test]
fn times_in_lists_maps_and_oneofs_have_their_paths() {
    let moment = DateTime::<Utc>::UNIX_EPOCH;
    let mut series = Series {
        reminders: vec![moment, moment],
        speakers: [("Ann \"A\"".to_owned(), TimeDelta::minutes(5))].into(),
        next: Some(SeriesNext::Every(TimeDelta::days(-7))),
    };
    let proto = survives::<SeriesMapper>(&series);
    assert_eq!(proto.reminders, [at(0, 0), at(0, 0)]);

    series.reminders.push(DateTime::<Utc>::MAX_UTC);
    unsayable::<SeriesMapper>(&series, "reminders[2]", OutOfRange);
    series.reminders.clear();
    series.next = Some(SeriesNext::Every(TimeDelta::MAX));
    unsayable::<SeriesMapper>(&series, "every", OutOfRange);
    series.speakers = [("Ann \"A\"".to_owned(), TimeDelta::MIN)].into();
    unsayable::<SeriesMapper>(&series, r#"speakers["Ann \"A\""]"#, OutOfRange);

    let proto = with_chrono::Series {
        reminders: vec![at(0, 0), at(0, -1)],
        speakers: [("Bob".to_owned(), long(1, -1))].into(),
        next: Some(with_chrono::series::Next::Every(long(i64::MIN, 0))),
    };
    refused::<SeriesMapper>(
        proto,
        &[
            ("reminders[1].nanos", OutOfRange),
            (r#"speakers["Bob"].nanos"#, OutOfRange),
            ("every.seconds", OutOfRange),
        ],
    );
}

#[test]
fn negative_lengths_survive_where_the_type_has_them() {
    for (seconds, nanos) in [(0, -1), (-1, 0), (-1, -999_999_999), (-LONGEST, -1)] {
        let length = TimeDelta::seconds(seconds) + TimeDelta::nanoseconds(nanos.into());
        let proto = survives::<MeetingMapper>(&meeting(DateTime::<Utc>::UNIX_EPOCH, length));
        assert_eq!(proto.length, Some(long(seconds, nanos)));

        let proto = survives::<with_time::api::MeetingMapper>(&with_time::api::Meeting {
            starts: OffsetDateTime::UNIX_EPOCH,
            ended: None,
            length: time::Duration::new(seconds, nanos),
            parts: Vec::new(),
        });
        assert_eq!(proto.length, Some(long(seconds, nanos)));

        let proto = survives::<with_jiff::api::MeetingMapper>(&with_jiff::api::Meeting {
            starts: jiff::Timestamp::UNIX_EPOCH,
            ended: None,
            length: SignedDuration::new(seconds, nanos),
            parts: Vec::new(),
        });
        assert_eq!(proto.length, Some(long(seconds, nanos)));
    }
}

#[test]
fn a_negative_length_is_none_of_the_standard_library() {
    for length in [long(-1, 0), long(0, -1), long(-LONGEST, -1)] {
        let proto = with_std::Meeting {
            starts: Some(at(0, 0)),
            ended: None,
            length: Some(length),
            parts: vec![long(0, 0), length],
        };
        let error = refused::<with_std::api::MeetingMapper>(
            proto,
            &[("length", OutOfRange), ("parts[1]", OutOfRange)],
        );
        assert_eq!(
            error.to_string(),
            "length must not be negative; parts[1] must not be negative"
        );
    }
}

#[test]
fn the_longest_lengths_of_each_library_are_no_messages() {
    for length in [TimeDelta::MAX, TimeDelta::MIN] {
        let entity = meeting(DateTime::<Utc>::UNIX_EPOCH, length);
        unsayable::<MeetingMapper>(&entity, "length", OutOfRange);
    }
    for length in [time::Duration::MAX, time::Duration::MIN] {
        let entity = with_time::api::Meeting {
            starts: OffsetDateTime::UNIX_EPOCH,
            ended: None,
            length,
            parts: Vec::new(),
        };
        unsayable::<with_time::api::MeetingMapper>(&entity, "length", OutOfRange);
    }
    for length in [SignedDuration::MAX, SignedDuration::MIN] {
        let entity = with_jiff::api::Meeting {
            starts: jiff::Timestamp::UNIX_EPOCH,
            ended: None,
            length,
            parts: Vec::new(),
        };
        unsayable::<with_jiff::api::MeetingMapper>(&entity, "length", OutOfRange);
    }
    let entity = with_system::api::Meeting {
        starts: UNIX_EPOCH,
        ended: None,
        length: StdSpan::MAX,
        parts: Vec::new(),
    };
    unsayable::<with_system::api::MeetingMapper>(&entity, "length", OutOfRange);
}

#[test]
fn another_offset_is_the_same_moment() {
    let utc = OffsetDateTime::UNIX_EPOCH;
    let offset = time::UtcOffset::from_hms(-3, -30, 0).unwrap();
    let entity = with_time::api::Meeting {
        starts: utc.to_offset(offset),
        ended: None,
        length: time::Duration::ZERO,
        parts: Vec::new(),
    };
    let proto = message::<with_time::api::MeetingMapper>(&entity);
    assert_eq!(proto.starts, Some(at(0, 0)));
    let back = with_time::api::MeetingMapper::from_proto(proto).unwrap();
    assert_eq!(back, entity);
    assert_eq!(back.starts.offset(), time::UtcOffset::UTC);
}

#[test]
fn the_year_before_1_is_no_message() {
    let year_0 = time::Date::from_calendar_date(0, time::Month::December, 31).unwrap();
    let entity = with_time::api::Meeting {
        starts: year_0.midnight().assume_utc(),
        ended: None,
        length: time::Duration::ZERO,
        parts: Vec::new(),
    };
    unsayable::<with_time::api::MeetingMapper>(&entity, "starts", OutOfRange);

    let entity = with_jiff::api::Meeting {
        starts: jiff::Timestamp::MIN,
        ended: None,
        length: SignedDuration::ZERO,
        parts: Vec::new(),
    };
    unsayable::<with_jiff::api::MeetingMapper>(&entity, "starts", OutOfRange);

    let first = StdSpan::from_secs(62_135_596_800);
    let mut entity = with_system::api::Meeting {
        starts: UNIX_EPOCH - first - StdSpan::from_nanos(1),
        ended: None,
        length: StdSpan::ZERO,
        parts: Vec::new(),
    };
    unsayable::<with_system::api::MeetingMapper>(&entity, "starts", OutOfRange);
    entity.starts = UNIX_EPOCH + StdSpan::from_secs(253_402_300_800);
    unsayable::<with_system::api::MeetingMapper>(&entity, "starts", OutOfRange);
}

#[test]
fn the_last_day_of_9999_is_no_timestamp_of_jiff() {
    let proto = with_jiff::Meeting {
        starts: Some(at(253_402_300_799, 0)),
        ended: None,
        length: Some(long(0, 0)),
        parts: Vec::new(),
    };
    let error = refused::<with_jiff::api::MeetingMapper>(proto, &[("starts", OutOfRange)]);
    assert_eq!(
        error.to_string(),
        "starts is outside of what this service can hold"
    );
    survives::<with_jiff::api::MeetingMapper>(&with_jiff::api::Meeting {
        starts: jiff::Timestamp::MAX,
        ended: None,
        length: SignedDuration::ZERO,
        parts: Vec::new(),
    });
}
