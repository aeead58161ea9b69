//! Why a use case can't do what was asked, in one place.

use std::error::Error;

use apibase::DomainError;

use crate::examples::api::ItemError;
use crate::filter::FilterError;
use crate::item::Violation;
use crate::store::StoreError;

/// Refuses a request whose fields break rules, with all of them.
pub(super) fn broken_rules(violations: &[Violation]) -> Result<(), ItemError> {
    if violations.is_empty() {
        return Ok(());
    }
    let rules: Vec<_> = violations
        .iter()
        .map(|v| format!("{} {}", v.field, v.rule))
        .collect();
    let error = DomainError::validation(rules.join("; "));
    let error = violations.iter().fold(error, |error, v| {
        error.with_violation(v.field, v.rule.as_str())
    });
    Err(error.into())
}

pub(super) fn no_such_item(id: &str) -> ItemError {
    ItemError::ItemNotFound {
        item_id: start_of(id),
    }
}

pub(super) fn filter(error: &FilterError) -> DomainError {
    field("filter", format!("can't be read at {error}"))
}

/// The store failed. Why is for the log: callers are told an id.
pub(super) fn store_failed(why: impl Error + Send + Sync + 'static) -> ItemError {
    DomainError::database("the item store failed")
        .with_source(why)
        .into()
}

impl From<StoreError> for ItemError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(id) => Self::ItemNotFound {
                item_id: id.to_string(),
            },
            StoreError::SkuTaken(sku) => Self::SkuTaken { sku },
            _ => store_failed(error),
        }
    }
}

/// Enough of what a caller sent to recognise it: an error travels in the trailers, which are small.
fn start_of(id: &str) -> String {
    const LONGEST: usize = 64;
    match id.char_indices().nth(LONGEST) {
        Some(_) => id.chars().take(LONGEST).chain(['…']).collect(),
        None => id.to_owned(),
    }
}

/// A field of the request breaks a rule.
pub(crate) fn field(name: &'static str, rule: String) -> DomainError {
    DomainError::validation(format!("{name} {rule}")).with_violation(name, rule)
}
