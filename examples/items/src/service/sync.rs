//! `SyncItems`: applies actions and answers each before it reads the next.

use apibase::{Context, Inbound, Streamed};
use futures_util::stream;

use super::{Items, refuse};
use crate::examples::api::ItemError;
use crate::examples::item_sync_request::Action;
use crate::examples::{ItemSyncRequest, ItemSyncResponse};

/// The answers to `requests`, in their order. Nothing is read ahead: the next action is applied
/// when the caller has room for its answer.
pub(super) fn answers(
    items: Items,
    ctx: Context,
    requests: Inbound<ItemSyncRequest>,
) -> Streamed<ItemSyncResponse, ItemError> {
    Streamed::new(stream::try_unfold(
        (items, ctx, requests),
        async |(items, ctx, mut requests)| {
            let Some(request) = requests.message().await? else {
                return Ok(None);
            };
            let answer = answer(&items, &ctx, request).await;
            Ok(Some((answer, (items, ctx, requests))))
        },
    ))
}

async fn answer(items: &Items, ctx: &Context, request: ItemSyncRequest) -> ItemSyncResponse {
    let (id, result) = match request.action {
        Some(Action::Upsert(message)) => items.upsert.run(message).await,
        Some(Action::DeleteId(id)) => {
            let result = items.delete.run(&id).await;
            (id, result)
        }
        None => (String::new(), Err(refuse::no_action().into())),
    };
    let error = result.err().map(|error| refuse::detail(&error, ctx));
    ItemSyncResponse {
        id,
        success: error.is_none(),
        error,
    }
}
