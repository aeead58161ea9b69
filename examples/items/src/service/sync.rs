//! `SyncItems`: applies actions and answers each before it reads the next.

use std::time::SystemTime;

use apibase::{Context, Inbound, Streamed};
use chrono::{DateTime, Utc};
use futures_util::stream;
use uuid::Uuid;

use super::Items;
use super::refuse::{self, broken_rules};
use crate::examples::api::ItemError;
use crate::examples::item_sync_request::Action;
use crate::examples::{self, ItemSyncRequest, ItemSyncResponse};
use crate::item::Item;
use crate::store::Store;

/// The answers to `requests`, in their order. Nothing is read ahead: the next action is applied
/// when the caller has room for its answer.
pub(super) fn answers<S: Store>(
    items: Items<S>,
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

async fn answer<S: Store>(
    items: &Items<S>,
    ctx: &Context,
    request: ItemSyncRequest,
) -> ItemSyncResponse {
    let (id, result) = match request.action {
        Some(Action::Upsert(message)) => upsert(items, message).await,
        Some(Action::DeleteId(id)) => {
            let result = items.delete(&id).await;
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

/// Writes the item, and returns its id, new or not.
async fn upsert<S: Store>(
    items: &Items<S>,
    message: examples::Item,
) -> (String, Result<(), ItemError>) {
    let id = match message.id.as_str() {
        "" => Uuid::new_v4().to_string(),
        id => id.to_owned(),
    };
    match read(message, &id, (items.clock)()) {
        Ok(item) => {
            let id = item.id.to_string();
            let result = items.blocking(move |store| store.upsert(&item)).await;
            (id, result)
        }
        Err(error) => (id, Err(error)),
    }
}

/// The item that a message is with the server's own fields in it, whatever it says there.
fn read(message: examples::Item, id: &str, now: DateTime<Utc>) -> Result<Item, ItemError> {
    let message = examples::Item {
        id: id.to_owned(),
        created_at: Some(SystemTime::from(now).into()),
        updated_at: None,
        ..message
    };
    let item = Item::try_from(message)?;
    broken_rules(&item.violations())?;
    Ok(item)
}
