//! `SyncItems`: applies actions and answers each before it reads the next.

use apibase::{DomainError, Inbound, Streamed};
use futures_util::stream;
use uuid::Uuid;

use super::Items;
use super::refuse::{self, broken_rules};
use crate::examples::item_sync_request::Action;
use crate::examples::{Item, ItemSyncRequest, ItemSyncResponse};
use crate::item::{Details, Item as Stored};
use crate::store::Store;

/// The answers to `requests`, in their order. Nothing is read ahead: the next action is applied
/// when the caller has room for its answer.
pub(super) fn answers<S: Store>(
    items: Items<S>,
    requests: Inbound<ItemSyncRequest>,
) -> Streamed<ItemSyncResponse, DomainError> {
    Streamed::new(stream::try_unfold(
        (items, requests),
        async |(items, mut requests)| {
            let Some(request) = requests.message().await? else {
                return Ok(None);
            };
            let answer = answer(&items, request).await;
            Ok(Some((answer, (items, requests))))
        },
    ))
}

async fn answer<S: Store>(items: &Items<S>, request: ItemSyncRequest) -> ItemSyncResponse {
    let (id, result) = match request.action {
        Some(Action::Upsert(item)) => upsert(items, item).await,
        Some(Action::DeleteId(id)) => {
            let result = items.delete(&id).await;
            (id, result)
        }
        None => (String::new(), Err(refuse::no_action())),
    };
    let error = result.err().map(|error| refuse::detail(&error));
    ItemSyncResponse {
        id,
        success: error.is_none(),
        error,
    }
}

/// Writes the item, and returns its id, new or not.
async fn upsert<S: Store>(items: &Items<S>, item: Item) -> (String, Result<(), DomainError>) {
    let id = match item.id.as_str() {
        "" => Uuid::new_v4(),
        id => match Uuid::parse_str(id) {
            Ok(id) => id,
            Err(_) => {
                let error = refuse::item_id(id);
                return (item.id, Err(error));
            }
        },
    };
    let details = Details::from(item);
    if let Err(error) = broken_rules(&details.violations()) {
        return (id.to_string(), Err(error));
    }
    let item = Stored {
        id,
        details,
        created_at: (items.clock)(),
        updated_at: None,
    };
    let result = items.blocking(move |store| store.upsert(&item)).await;
    (id.to_string(), result)
}
