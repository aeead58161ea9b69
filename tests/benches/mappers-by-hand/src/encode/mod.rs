//! From entities to messages: of what stays, and of what goes.

mod into;
mod to;

use bench_mappers_domain as domain;
use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use uuid::Uuid;

pub(crate) use self::into::{item_into, item_list_into, order_into, words_into};
pub(crate) use self::to::{item_list_to, item_to, order_to, words_to};
use crate::messages as pb;
use crate::wrong::Wrong;

#[inline]
fn within<T>(field: &str, result: Result<T, Wrong>) -> Result<T, Wrong> {
    result.map_err(|wrong| wrong.all_within(field))
}

/// Faster than `to_string`, which goes through a formatter.
#[inline]
fn uuid(id: &Uuid) -> String {
    let mut text = Uuid::encode_buffer();
    String::from(id.hyphenated().encode_lower(&mut text))
}

#[inline]
fn quantity_of(quantity: u32) -> Result<i32, Wrong> {
    i32::try_from(quantity).map_err(|_| Wrong::one("quantity", "must be from 0 to 2147483647"))
}

#[inline]
fn condition_of(condition: domain::Condition) -> i32 {
    match condition {
        domain::Condition::New => pb::Condition::New as i32,
        domain::Condition::Used => pb::Condition::Used as i32,
        domain::Condition::Mended => pb::Condition::Mended as i32,
    }
}

#[inline]
fn optional_time(field: &str, time_: &Option<DateTime<Utc>>) -> Result<Option<Timestamp>, Wrong> {
    match time_ {
        Some(each) => Ok(Some(time(field, each)?)),
        None => Ok(None),
    }
}

#[inline]
fn time(field: &str, time: &DateTime<Utc>) -> Result<Timestamp, Wrong> {
    let (seconds, nanos) = (time.timestamp(), time.timestamp_subsec_nanos());
    if nanos >= 1_000_000_000 {
        return Err(Wrong::one(field, "must not be in a leap second"));
    }
    // The years 1 to 9999; chrono's go on.
    if !(-62_135_596_800..=253_402_300_799).contains(&seconds) {
        return Err(Wrong::one(field, "must be of the years 1 to 9999"));
    }
    Ok(Timestamp {
        seconds,
        nanos: nanos.cast_signed(),
    })
}
