//! `BatchCreateItems`: creates items as their requests come.

use apibase::{Context, DomainError, Inbound};

use super::{Items, MAX_BATCH, refuse};
use crate::common::ErrorDetail;
use crate::examples::api::ItemError;
use crate::examples::{BatchCreateResponse, CreateItemRequest};

/// Creates an item for each request; a bad one is reported, and the others go on.
pub(super) async fn create(
    items: &Items,
    ctx: &Context,
    mut requests: Inbound<CreateItemRequest>,
) -> Result<BatchCreateResponse, ItemError> {
    let mut response = BatchCreateResponse::default();
    let mut index = 0;
    while let Some(request) = requests.message().await? {
        if index == MAX_BATCH {
            response.errors.extend(too_many(ctx));
            break;
        }
        match items.create.run(request).await {
            Ok(item) => {
                response.created_count += 1;
                response.created_ids.push(item.id.to_string());
            }
            Err(error) => response.errors.extend(refused(&error, ctx, index)),
        }
        index += 1;
    }
    Ok(response)
}

/// What was wrong with the request at `index`, one detail for each field to blame.
fn refused(error: &ItemError, ctx: &Context, index: usize) -> Vec<ErrorDetail> {
    let mut details = refuse::details(error, ctx);
    for detail in &mut details {
        detail.field = match detail.field.as_str() {
            "" => format!("requests[{index}]"),
            field => format!("requests[{index}].{field}"),
        };
        detail
            .metadata
            .insert("index".to_owned(), index.to_string());
    }
    details
}

/// Said once, so that what was created before isn't lost with a failed call.
fn too_many(ctx: &Context) -> Vec<ErrorDetail> {
    let error = DomainError::validation(format!(
        "a batch has at most {MAX_BATCH} requests; this one and what follows were not read"
    ));
    refused(&error.into(), ctx, MAX_BATCH)
}
