//! What the service answers when it can't do what was asked, in one place.

use std::borrow::Cow;
use std::collections::HashMap;

use apibase::DomainError;

use crate::common::ErrorDetail;
use crate::filter::FilterError;
use crate::item::Violation;
use crate::store::StoreError;

/// Refuses a request whose fields break rules, with all of them.
pub(super) fn broken_rules(violations: &[Violation]) -> Result<(), DomainError> {
    if violations.is_empty() {
        return Ok(());
    }
    let rules: Vec<_> = violations
        .iter()
        .map(|v| format!("{} {}", v.field, v.rule))
        .collect();
    let error = DomainError::validation(rules.join("; "));
    Err(violations.iter().fold(error, |error, v| {
        error.with_violation(v.field, v.rule.as_str())
    }))
}

pub(super) fn no_such_item(id: &str) -> DomainError {
    DomainError::not_found(format!("no item has the id {}", start_of(id)))
}

pub(super) fn filter(error: &FilterError) -> DomainError {
    field("filter", format!("can't be read at {error}"))
}

pub(super) fn no_action() -> DomainError {
    field("action", "must be set: upsert or delete_id".to_owned())
}

/// The store failed. What exactly goes no further than this process.
pub(super) fn store_failed() -> DomainError {
    DomainError::database("the item store failed")
}

/// The error as it is reported inside a response.
pub(super) fn detail(error: &DomainError) -> ErrorDetail {
    let violation = error.fault().and_then(|fault| fault.violations().first());
    ErrorDetail {
        code: error.row().map_or("Status", |row| row.class).to_owned(),
        message: error.message().to_owned(),
        field: violation
            .map(|violation| violation.field.clone())
            .unwrap_or_default(),
        metadata: HashMap::new(),
    }
}

/// The same with one detail for each field to blame, at least one.
pub(super) fn details(error: &DomainError) -> Vec<ErrorDetail> {
    let violations = error.fault().map_or(&[][..], |fault| fault.violations());
    let whole = detail(error);
    if violations.is_empty() {
        return vec![whole];
    }
    let details = violations.iter().map(|violation| ErrorDetail {
        message: format!("{} {}", violation.field, violation.description),
        field: violation.field.clone(),
        ..whole.clone()
    });
    details.collect()
}

impl From<StoreError> for DomainError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(_) => Self::not_found(error.to_string()),
            StoreError::SkuTaken(_) => {
                Self::conflict(error.to_string()).with_violation("sku", "is another item's")
            }
            _ => store_failed().with_source(error),
        }
    }
}

/// Enough of what a caller sent to recognise it: an error travels in the trailers, which are small.
fn start_of(id: &str) -> Cow<'_, str> {
    const LONGEST: usize = 64;
    match id.char_indices().nth(LONGEST) {
        Some(_) => Cow::Owned(id.chars().take(LONGEST).chain(['…']).collect()),
        None => Cow::Borrowed(id),
    }
}

fn field(name: &'static str, rule: String) -> DomainError {
    DomainError::validation(format!("{name} {rule}")).with_violation(name, rule)
}
