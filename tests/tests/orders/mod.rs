//! The orders of property 2: every field of an entity with something of everything, its edges among
//! the values, and what it means that two of them are the same.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test fails by panicking, and this is a part of one"
)]

use std::num::NonZero;

use apibase::Open;
use apibase_tests::entity_order::entity_order::api::{
    Card, Line, Order, OrderPayment, OrderState, Speed,
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::{hash_map, hash_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The start of 0001-01-01.
const FIRST: i64 = -62_135_596_800;
/// The last second of 9999-12-31.
const LAST: i64 = 253_402_300_799;
/// 10,000 years of 365.25 days.
const LONGEST: i64 = 315_576_000_000;
const LAST_NANO: u32 = 999_999_999;

/// Orders that came out of up to so many others.
pub fn order(origins: u32) -> BoxedStrategy<Order> {
    let origin = match origins.checked_sub(1) {
        None => Just(None).boxed(),
        Some(origins) => option::of(order(origins).prop_map(Box::new)).boxed(),
    };
    (fields(), origin)
        .prop_map(|(order, origin)| Order { origin, ..order })
        .boxed()
}

/// Whether two orders are the same in the normal form: −0.0 is 0.0, and NaN is compared by its bits.
pub fn same(a: &Order, b: &Order) -> bool {
    let origins = match (&a.origin, &b.origin) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        _ => false,
    };
    let zero_or_bits = |gift: f32| if gift == 0.0 { 0 } else { gift.to_bits() };
    let gift = |order: &Order| order.gift.map(zero_or_bits);
    let rest = |order: &Order| Order {
        weight: 0.0,
        gift: None,
        origin: None,
        ..order.clone()
    };
    origins && bits(a.weight) == bits(b.weight) && gift(a) == gift(b) && rest(a) == rest(b)
}

fn bits(number: f64) -> u64 {
    if number == 0.0 { 0 } else { number.to_bits() }
}

prop_compose! {
    fn fields()(
        id in uuid(),
        placed_at in time(),
        sent_at in option::of(time()),
        patience in option::of(length()),
        (state, speed) in (select(vec![OrderState::Placed, OrderState::Sent]), option::of(speed())),
        lines in vec(line(), 0..4),
        parcels in hash_map(any::<String>(), line(), 0..4),
        payment in payment(),
        (weight, gift) in (number(), option::of(share())),
        note in option::of(text()),
        hash in any::<[u8; 4]>(),
        topics in hash_set(any::<String>(), 0..4),
    ) -> Order {
        Order {
            id, placed_at, sent_at, patience, state, speed, lines, parcels, payment, weight, gift,
            note, origin: None, hash, topics,
        }
    }
}

prop_compose! {
    fn line()(sku in text(), quantity in any::<NonZero<u16>>(), price in decimal()) -> Line {
        Line { sku, quantity, price }
    }
}

fn payment() -> impl Strategy<Value = OrderPayment> {
    prop_oneof![
        text().prop_map(|number| OrderPayment::Card(Card { number })),
        any::<u8>().prop_map(OrderPayment::Invoice),
        uuid().prop_map(OrderPayment::Voucher),
    ]
}

/// A value that is known, or the number of one that isn't.
fn speed() -> impl Strategy<Value = Open<Speed>> {
    let known = select(vec![Speed::Slow, Speed::Fast]).prop_map(Open::Known);
    let unknown = prop_oneof![i32::MIN..0, 3..=i32::MAX].prop_map(Open::Unknown);
    prop_oneof![known, unknown]
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

/// Text that is not empty.
fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| {
        if text.is_empty() {
            "\0".to_owned()
        } else {
            text
        }
    })
}

fn nanos() -> impl Strategy<Value = u32> {
    prop_oneof![select(vec![0, 1, LAST_NANO]), 0..=LAST_NANO]
}

fn time() -> impl Strategy<Value = DateTime<Utc>> {
    let seconds = prop_oneof![select(vec![FIRST, -1, 0, LAST]), FIRST..=LAST];
    (seconds, nanos())
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap())
}

fn length() -> impl Strategy<Value = TimeDelta> {
    let seconds = prop_oneof![select(vec![0, 1, LONGEST]), 0..=LONGEST];
    (seconds, nanos(), any::<bool>()).prop_map(|(seconds, nanos, negative)| {
        let length = TimeDelta::new(seconds, nanos).unwrap();
        if negative { -length } else { length }
    })
}

/// Any digits with any point.
fn decimal() -> impl Strategy<Value = Decimal> {
    (any::<[u32; 3]>(), any::<bool>(), 0..=28_u32).prop_map(
        |([low, mid, high], negative, scale)| Decimal::from_parts(low, mid, high, negative, scale),
    )
}

/// Any bits: −0.0, NaN of every kind, the infinities.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        select(vec![-0.0, 0.0, f64::NAN, f64::MIN, f64::INFINITY]),
        any::<u64>().prop_map(f64::from_bits),
    ]
}

fn share() -> impl Strategy<Value = f32> {
    prop_oneof![
        select(vec![-0.0, 0.0, f32::NAN, f32::MAX, f32::NEG_INFINITY]),
        any::<u32>().prop_map(f32::from_bits),
    ]
}
