//! How an item looks in the database.
//!
//! A record of its own, apart from the wire's `examples.Item`: what callers see and what is stored
//! change at different times. It is encoded as protobuf, so a field can be added without
//! rewriting what is there.

use std::time::Duration;

use chrono::{DateTime, Utc};
use prost::Message;
use uuid::Uuid;

use super::StoreError;
use crate::item::Item;

#[derive(Clone, PartialEq, Message)]
struct Record {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    description: String,
    #[prost(string, tag = "3")]
    sku: String,
    #[prost(int32, tag = "4")]
    quantity: i32,
    #[prost(double, tag = "5")]
    price: f64,
    #[prost(bool, tag = "6")]
    is_active: bool,
    /// Nanoseconds since the Unix epoch, as are all times here.
    #[prost(uint64, tag = "7")]
    created_at: u64,
    #[prost(uint64, optional, tag = "8")]
    updated_at: Option<u64>,
}

/// The bytes to store for `item`; its id is the key.
pub(super) fn encode(item: &Item) -> Vec<u8> {
    let Item {
        id: _,
        name,
        description,
        sku,
        quantity,
        price,
        is_active,
        created_at,
        updated_at,
    } = item.clone();
    Record {
        name,
        description,
        sku,
        quantity,
        price,
        is_active,
        created_at: nanos(created_at),
        updated_at: updated_at.map(nanos),
    }
    .encode_to_vec()
}

/// The item that was stored as `bytes` under `id`.
pub(super) fn decode(id: Uuid, bytes: &[u8]) -> Result<Item, StoreError> {
    let record = Record::decode(bytes).map_err(|error| StoreError::Corrupt {
        id,
        problem: error.to_string(),
    })?;
    Ok(Item {
        id,
        name: record.name,
        description: record.description,
        sku: record.sku,
        quantity: record.quantity,
        price: record.price,
        is_active: record.is_active,
        created_at: time(record.created_at),
        updated_at: record.updated_at.map(time),
    })
}

/// Nanoseconds since the Unix epoch, which last until the year 2554. A time before is the epoch.
pub(super) fn nanos(time: DateTime<Utc>) -> u64 {
    let since = (time - DateTime::UNIX_EPOCH).to_std().unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn time(nanos: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::from_nanos(nanos)
}
