//! Values to try the mappers with.

use std::fmt::Debug;
use std::time::{Duration as StdSpan, UNIX_EPOCH};

use proptest::prelude::prop_oneof;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy};
use prost_types::{Duration, Timestamp};

use super::*;
use crate::mapper::ProtobufMapper;
use crate::testing::{Lawful, Located};

/// Seconds and nanoseconds of timestamps: the ends of the years, both sides of 1970, and any.
fn instants(last_second: i64) -> BoxedStrategy<(i64, u32)> {
    let edges = vec![FIRST_SECOND, -1, 0, 1, last_second];
    let seconds = prop_oneof![select(edges), FIRST_SECOND..=last_second];
    (seconds, fractions()).boxed()
}

/// Seconds and nanoseconds of durations that are not negative: the longest, and any.
fn spans() -> BoxedStrategy<(i64, u32)> {
    let edges = vec![0, 1, MOST_SECONDS];
    let seconds = prop_oneof![select(edges), 0..=MOST_SECONDS, 0..100_000_i64];
    (seconds, fractions()).boxed()
}

fn fractions() -> BoxedStrategy<u32> {
    let edges = vec![0, 1, 500_000_000, 999_999_999];
    prop_oneof![select(edges), 0..1_000_000_000_u32].boxed()
}

fn timestamps(last_second: i64) -> BoxedStrategy<Timestamp> {
    let instants = instants(last_second);
    let timestamp = |(seconds, nanos): (i64, u32)| Timestamp {
        seconds,
        nanos: nanos.cast_signed(),
    };
    instants.prop_map(timestamp).boxed()
}

fn wrong_timestamps() -> Located<Timestamp> {
    let seconds = select(vec![i64::MIN, FIRST_SECOND - 1, LAST_SECOND + 1, i64::MAX]);
    let seconds = seconds.prop_map(|seconds| (Timestamp { seconds, nanos: 0 }, "seconds"));
    let nanos = prop_oneof![i32::MIN..=-1, NANOS_PER_SECOND..=i32::MAX];
    let nanos = nanos.prop_map(|nanos| (Timestamp { seconds: 0, nanos }, "nanos"));
    located(prop_oneof![seconds, nanos])
}

/// The durations of either sign.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
fn durations() -> BoxedStrategy<Duration> {
    let negative = not_negative().prop_map(|Duration { seconds, nanos }| Duration {
        seconds: -seconds,
        nanos: -nanos,
    });
    prop_oneof![not_negative(), negative].boxed()
}

fn not_negative() -> BoxedStrategy<Duration> {
    let duration = |(seconds, nanos): (i64, u32)| Duration {
        seconds,
        nanos: nanos.cast_signed(),
    };
    spans().prop_map(duration).boxed()
}

fn wrong_durations() -> Located<Duration> {
    let seconds = select(vec![
        i64::MIN,
        -MOST_SECONDS - 1,
        MOST_SECONDS + 1,
        i64::MAX,
    ]);
    let seconds = seconds.prop_map(|seconds| (Duration { seconds, nanos: 0 }, "seconds"));
    let nanos = prop_oneof![
        i32::MIN..=-NANOS_PER_SECOND,
        NANOS_PER_SECOND..=i32::MAX,
        Just(-1),
    ];
    let nanos = nanos.prop_map(|nanos| (Duration { seconds: 1, nanos }, "nanos"));
    located(prop_oneof![seconds, nanos])
}

fn located<T: Debug + 'static>(
    wrong: impl Strategy<Value = (T, &'static str)> + 'static,
) -> Located<T> {
    wrong
        .prop_map(|(wrong, path)| (wrong, String::from(path)))
        .boxed()
}

/// Values that are wrong in themselves.
fn itself<T: Clone + Debug + 'static>(wrong: Vec<T>) -> Located<T> {
    located(select(wrong).prop_map(|wrong| (wrong, "")))
}

/// What a mapper of timestamps or durations is tried with.
macro_rules! lawful {
    (
        $mapper:ty: $entities:expr, unmappable $unmappable:expr,
        $protos:expr, corrupted $corrupted:expr
    ) => {
        impl Lawful for $mapper {
            fn entities(_depth: u32) -> BoxedStrategy<Self::Entity> {
                $entities.boxed()
            }

            fn unmappable(_depth: u32) -> Option<Located<Self::Entity>> {
                Some(itself($unmappable))
            }

            fn protos(_depth: u32) -> BoxedStrategy<Self::Proto> {
                $protos.boxed()
            }

            fn corrupted(_depth: u32) -> Option<Located<Self::Proto>> {
                Some($corrupted.boxed())
            }

            fn same(a: &Self::Entity, b: &Self::Entity) -> bool {
                a == b
            }

            fn same_proto(a: &Self::Proto, b: &Self::Proto) -> bool {
                a == b
            }
        }
    };
}

lawful! {
    SystemTimestamp:
    instants(LAST_SECOND).prop_filter_map("the platform has it", |(seconds, nanos)| {
        let whole = StdSpan::from_secs(seconds.unsigned_abs());
        // On Windows in steps of 100 ns.
        let nanos = StdSpan::from_nanos(u64::from(if cfg!(windows) { nanos / 100 * 100 } else { nanos }));
        let second = if seconds < 0 {
            UNIX_EPOCH.checked_sub(whole)
        } else {
            UNIX_EPOCH.checked_add(whole)
        };
        second?.checked_add(nanos)
    }),
    unmappable [
        UNIX_EPOCH.checked_add(StdSpan::from_secs(LAST_SECOND.unsigned_abs() + 1)),
        UNIX_EPOCH.checked_sub(StdSpan::new(FIRST_SECOND.unsigned_abs(), 100)),
    ]
    .into_iter()
    .flatten()
    .collect(),
    timestamps(LAST_SECOND).prop_filter("the platform has it", |proto| {
        Self::from_proto(*proto).is_ok()
    }),
    corrupted wrong_timestamps()
}

lawful! {
    StdDuration:
    spans().prop_map(|(seconds, nanos)| StdSpan::new(seconds.unsigned_abs(), nanos)),
    unmappable vec![
        StdSpan::from_secs(MOST_SECONDS.unsigned_abs() + 1),
        StdSpan::MAX,
    ],
    not_negative(),
    corrupted prop_oneof![
        wrong_durations(),
        itself(vec![
            Duration { seconds: 0, nanos: -1 },
            Duration { seconds: -1, nanos: 0 },
        ]),
    ]
}

#[cfg(feature = "chrono")]
mod of_chrono {
    use ::chrono::{DateTime, NaiveTime, TimeDelta, Utc};

    use super::*;

    lawful! {
        ChronoTimestamp:
        instants(LAST_SECOND).prop_filter_map("chrono has it", |(seconds, nanos)| {
            DateTime::from_timestamp(seconds, nanos)
        }),
        unmappable {
            let leap = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000);
            let day = DateTime::<Utc>::UNIX_EPOCH.date_naive();
            leap.map(|leap| day.and_time(leap).and_utc())
                .into_iter()
                .chain([DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC])
                .chain(DateTime::from_timestamp(LAST_SECOND + 1, 0))
                .chain(DateTime::from_timestamp(FIRST_SECOND - 1, 999_999_999))
                .collect()
        },
        timestamps(LAST_SECOND),
        corrupted wrong_timestamps()
    }

    lawful! {
        ChronoDuration:
        durations().prop_map(|Duration { seconds, nanos }| {
            TimeDelta::seconds(seconds) + TimeDelta::nanoseconds(i64::from(nanos))
        }),
        unmappable vec![
            TimeDelta::MIN,
            TimeDelta::MAX,
            TimeDelta::seconds(MOST_SECONDS + 1),
            TimeDelta::seconds(-MOST_SECONDS - 1),
        ],
        durations(),
        corrupted wrong_durations()
    }
}

#[cfg(feature = "time")]
mod of_time {
    use ::time::{Date, Duration as TimeSpan, OffsetDateTime, UtcOffset};

    use super::*;

    lawful! {
        TimeTimestamp:
        (instants(LAST_SECOND), -12..=12_i8).prop_filter_map("time has it", |((seconds, nanos), hours)| {
            let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
            let time = time.replace_nanosecond(nanos).ok()?;
            // At the ends of the years not every offset has a date.
            let offset = UtcOffset::from_hms(hours, 0, 0).ok()?;
            Some(time.checked_to_offset(offset).unwrap_or(time))
        }),
        unmappable vec![
            Date::MIN.midnight().assume_utc(),
            OffsetDateTime::UNIX_EPOCH - TimeSpan::new(-FIRST_SECOND, 1),
        ],
        timestamps(LAST_SECOND),
        corrupted wrong_timestamps()
    }

    lawful! {
        TimeDuration:
        durations().prop_map(|Duration { seconds, nanos }| TimeSpan::new(seconds, nanos)),
        unmappable vec![
            TimeSpan::MIN,
            TimeSpan::MAX,
            TimeSpan::seconds(MOST_SECONDS + 1),
            TimeSpan::seconds(-MOST_SECONDS - 1),
        ],
        durations(),
        corrupted wrong_durations()
    }
}

#[cfg(feature = "jiff")]
mod of_jiff {
    use ::jiff::SignedDuration;

    use super::*;

    lawful! {
        JiffTimestamp:
        instants(::jiff::Timestamp::MAX.as_second()).prop_filter_map("jiff has it", |(seconds, nanos)| {
            ::jiff::Timestamp::new(seconds, nanos.cast_signed()).ok()
        }),
        unmappable {
            let before = ::jiff::Timestamp::new(FIRST_SECOND, -1);
            [::jiff::Timestamp::MIN].into_iter().chain(before).collect()
        },
        timestamps(::jiff::Timestamp::MAX.as_second()),
        corrupted prop_oneof![
            wrong_timestamps(),
            itself(vec![Timestamp { seconds: LAST_SECOND, nanos: 0 }]),
        ]
    }

    lawful! {
        JiffDuration:
        durations().prop_map(|Duration { seconds, nanos }| SignedDuration::new(seconds, nanos)),
        unmappable vec![
            SignedDuration::MIN,
            SignedDuration::MAX,
            SignedDuration::from_secs(MOST_SECONDS + 1),
            SignedDuration::from_secs(-MOST_SECONDS - 1),
        ],
        durations(),
        corrupted wrong_durations()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::laws;

    #[test]
    fn the_standard_types_are_lawful() {
        laws::all::<SystemTimestamp>();
        laws::all::<StdDuration>();
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn chronos_types_are_lawful() {
        laws::all::<ChronoTimestamp>();
        laws::all::<ChronoDuration>();
    }

    #[cfg(feature = "time")]
    #[test]
    fn times_types_are_lawful() {
        laws::all::<TimeTimestamp>();
        laws::all::<TimeDuration>();
    }

    #[cfg(feature = "jiff")]
    #[test]
    fn jiffs_types_are_lawful() {
        laws::all::<JiffTimestamp>();
        laws::all::<JiffDuration>();
    }
}
