//! The errors that the shop can be asked for.

use crate::bench::errors::api::ShopError;

/// What to buy for an error: `fail` for one with two keys of metadata, `redacted` for one of the
/// shop's own affairs.
pub(crate) const ITEMS: [&str; 2] = ["fail", "redacted"];

pub(crate) fn with(item: String) -> ShopError {
    match item.as_str() {
        "redacted" => ShopError::TillJammed {
            till: item,
            drawer: "lower".to_owned(),
        },
        _ => ShopError::OutOfStock {
            item_id: item,
            left: 2.to_string(),
        },
    }
}
