//! Dates, money, decimals and places of `google.type` in entities.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mapping;

use apibase::ViolationKind::{Malformed, Missing, OutOfRange};
use apibase::{LatLng, Money, ProtobufMapper};
use apibase_tests::entity_google::entity_google as messages;
use apibase_tests::entity_google::google::r#type as google;
use chrono::NaiveDate;
use google::Date;
use mapping::{refused, survives, unsayable};
use messages::api::{Trip, TripMapper, TripMeasure};
use rust_decimal::Decimal;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn date(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

fn money(currency_code: &str, units: i64, nanos: i32) -> google::Money {
    google::Money {
        currency_code: currency_code.to_owned(),
        units,
        nanos,
    }
}

fn decimal(value: &str) -> google::Decimal {
    google::Decimal {
        value: value.to_owned(),
    }
}

fn place(latitude: f64, longitude: f64) -> google::LatLng {
    google::LatLng {
        latitude,
        longitude,
    }
}

fn trip() -> Trip {
    Trip {
        starts: day(2024, 2, 29),
        ends: None,
        price: Money::new("EUR", 0, 0).unwrap(),
        distance: None,
        stops: Vec::new(),
        extras: [].into(),
        measure: None,
    }
}

/// A message with nothing wrong.
fn message() -> messages::Trip {
    TripMapper::to_proto(&trip()).unwrap()
}

#[test]
fn messages_of_google_are_types_of_the_domain() {
    let entity = Trip {
        ends: Some(day(9999, 12, 31)),
        price: Money::new("EUR", -12, -500_000_000).unwrap(),
        distance: Some(Decimal::new(12_50, 2)),
        stops: vec![
            LatLng::new(52.52, 13.405).unwrap(),
            LatLng::new(-90.0, 180.0).unwrap(),
        ],
        extras: [(
            "tea".to_owned(),
            Money::new("JPY", i64::MAX, 999_999_999).unwrap(),
        )]
        .into(),
        measure: Some(TripMeasure::Place(LatLng::new(0.0, 0.0).unwrap())),
        ..trip()
    };
    let proto = survives::<TripMapper>(&entity);
    assert_eq!(proto.starts, Some(date(2024, 2, 29)));
    assert_eq!(proto.ends, Some(date(9999, 12, 31)));
    assert_eq!(proto.price, Some(money("EUR", -12, -500_000_000)));
    assert_eq!(proto.distance, Some(decimal("12.50")));
    assert_eq!(proto.stops[1], place(-90.0, 180.0));
    assert_eq!(proto.extras["tea"], money("JPY", i64::MAX, 999_999_999));
    let measured = messages::trip::Measure::Place(place(0.0, 0.0));
    assert_eq!(proto.measure, Some(measured));
}

#[test]
fn the_first_and_the_last_day_survive_and_those_around_them_are_no_messages() {
    for starts in [day(1, 1, 1), day(9999, 12, 31)] {
        survives::<TripMapper>(&Trip { starts, ..trip() });
    }
    for starts in [
        day(0, 12, 31),
        day(10_000, 1, 1),
        NaiveDate::MIN,
        NaiveDate::MAX,
    ] {
        let error = unsayable::<TripMapper>(&Trip { starts, ..trip() }, "starts", OutOfRange);
        assert_eq!(error.to_string(), "starts must be of the years 1 to 9999");
    }
}

#[test]
fn all_that_is_missing_is_said() {
    refused::<TripMapper>(
        messages::Trip::default(),
        &[("starts", Missing), ("price", Missing)],
    );
}

#[test]
fn a_part_of_a_date_is_no_date() {
    for (year, month, day) in [(0, 12, 24), (2024, 0, 0), (2024, 12, 0), (0, 0, 0)] {
        let proto = messages::Trip {
            ends: Some(date(year, month, day)),
            ..message()
        };
        let error = refused::<TripMapper>(proto, &[("ends", Malformed)]);
        assert_eq!(
            error.to_string(),
            "ends must be a full date, with year, month and day"
        );
    }
}

#[test]
fn a_day_that_the_calendar_does_not_have_is_no_date() {
    for (year, month, day) in [
        (2023, 2, 29),
        (2024, 2, 30),
        (2024, 13, 1),
        (2024, 1, 32),
        (2024, -1, 1),
        (2024, i32::MAX, i32::MIN),
    ] {
        let proto = messages::Trip {
            starts: Some(date(year, month, day)),
            ..message()
        };
        refused::<TripMapper>(proto, &[("starts", Malformed)]);
    }
    for year in [-1, 10_000, i32::MIN, i32::MAX] {
        let proto = messages::Trip {
            starts: Some(date(year, 1, 1)),
            ..message()
        };
        refused::<TripMapper>(proto, &[("starts", OutOfRange)]);
    }
}

#[test]
fn wrong_money_is_refused_with_the_field_that_is_wrong() {
    for currency in ["", "eur", "EURO", "E1R", "ÄÖÜ"] {
        let proto = messages::Trip {
            price: Some(money(currency, 1, 1)),
            ..message()
        };
        refused::<TripMapper>(proto, &[("price.currency_code", Malformed)]);
    }
    for (units, nanos) in [(0, 1_000_000_000), (0, i32::MIN), (1, -1), (i64::MIN, 1)] {
        let proto = messages::Trip {
            extras: [("tea".to_owned(), money("", units, nanos))].into(),
            ..message()
        };
        refused::<TripMapper>(
            proto,
            &[
                (r#"extras["tea"].currency_code"#, Malformed),
                (r#"extras["tea"].nanos"#, OutOfRange),
            ],
        );
    }
}

#[test]
fn a_decimal_is_read_with_an_exponent_and_written_without() {
    for (sent, back) in [
        ("2.5e8", "250000000"),
        ("25E-1", "2.5"),
        ("+1.0", "1.0"),
        ("1e28", "10000000000000000000000000000"),
    ] {
        let proto = messages::Trip {
            distance: Some(decimal(sent)),
            measure: Some(messages::trip::Measure::Number(decimal(sent))),
            ..message()
        };
        let entity = TripMapper::from_proto(proto).unwrap();
        let proto = survives::<TripMapper>(&entity);
        assert_eq!(proto.distance, Some(decimal(back)));
    }
}

#[test]
fn a_wrong_decimal_is_refused() {
    for value in ["", "x", "1e", "1_0"] {
        let proto = messages::Trip {
            distance: Some(decimal(value)),
            measure: Some(messages::trip::Measure::Number(decimal(value))),
            ..message()
        };
        refused::<TripMapper>(
            proto,
            &[("distance.value", Malformed), ("number.value", Malformed)],
        );
    }
    for value in ["1e29", "1e-29", "1e2147483647"] {
        let proto = messages::Trip {
            distance: Some(decimal(value)),
            ..message()
        };
        refused::<TripMapper>(proto, &[("distance.value", OutOfRange)]);
    }
}

#[test]
fn a_place_beyond_the_earth_is_refused() {
    let proto = messages::Trip {
        stops: vec![
            place(90.0, -180.0),
            place(f64::NAN, f64::INFINITY),
            place(-90.1, 0.0),
        ],
        measure: Some(messages::trip::Measure::Place(place(0.0, 180.1))),
        ..message()
    };
    refused::<TripMapper>(
        proto,
        &[
            ("stops[1].latitude", OutOfRange),
            ("stops[1].longitude", OutOfRange),
            ("stops[2].latitude", OutOfRange),
            ("place.longitude", OutOfRange),
        ],
    );
}

#[test]
fn minus_zero_is_zero() {
    let proto = messages::Trip {
        stops: vec![place(-0.0, -0.0)],
        ..message()
    };
    let entity = TripMapper::from_proto(proto).unwrap();
    assert!(entity.stops[0].latitude().is_sign_positive());
    survives::<TripMapper>(&entity);
}
