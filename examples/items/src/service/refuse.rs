//! What the service answers when it can't do what was asked, in one place.

use std::error::Error;

use apibase::{Context, DomainError, ErrorResponse};

use crate::common::ErrorDetail;
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

pub(super) fn no_action() -> DomainError {
    field("action", "must be set: upsert or delete_id".to_owned())
}

/// The store failed. Why is for the log: callers are told an id.
pub(super) fn store_failed(why: impl Error + Send + Sync + 'static) -> ItemError {
    DomainError::database("the item store failed")
        .with_source(why)
        .into()
}

/// The error as it is reported inside a response.
pub(super) fn detail(error: &ItemError, ctx: &Context) -> ErrorDetail {
    let mut details = details(error, ctx);
    details.truncate(1);
    details.pop().unwrap_or_default()
}

/// The same with one detail for each field to blame, at least one.
pub(super) fn details(error: &ItemError, ctx: &Context) -> Vec<ErrorDetail> {
    let details = ErrorResponse::new(error, ctx).details.into_iter();
    details
        .map(|detail| ErrorDetail {
            code: detail.code,
            message: detail.message,
            field: match error {
                ItemError::SkuTaken { .. } => "sku".to_owned(),
                _ => detail.field,
            },
            metadata: detail.metadata.into_iter().collect(),
        })
        .collect()
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

fn field(name: &'static str, rule: String) -> DomainError {
    DomainError::validation(format!("{name} {rule}")).with_violation(name, rule)
}
