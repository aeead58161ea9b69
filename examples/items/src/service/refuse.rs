//! What the service answers, inside a response, when it can't do what was asked.

use apibase::{Context, DomainError, ErrorResponse};

use crate::common::ErrorDetail;
use crate::examples::api::ItemError;
use crate::use_cases::field;

pub(super) fn no_action() -> DomainError {
    field("action", "must be set: upsert or delete_id".to_owned())
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
