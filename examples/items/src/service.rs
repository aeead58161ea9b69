//! The servicer: from requests to the store, and from its answers to responses.

mod batch;
mod convert;
mod refuse;
mod sync;

use std::sync::Arc;
use std::time::SystemTime;

use apibase::{Context, DomainError, Inbound, Streamed};
use uuid::Uuid;

use self::refuse::{broken_rules, no_such_item};
use crate::examples::api::ItemServicer;
use crate::examples::{
    BatchCreateResponse, CreateItemRequest, DeleteItemRequest, GetItemRequest, Item,
    ItemSyncRequest, ItemSyncResponse, ListItemsRequest, UpdateItemRequest,
};
use crate::filter::Filter;
use crate::item::{Details, Item as Stored, Patch};
use crate::store::{Store, StoreError};
use crate::token;

/// The trailer of `ListItems` that has the token of the next page.
pub const NEXT_PAGE_TOKEN: &str = "x-next-page-token";
/// How many items a page has when the request doesn't say.
pub const DEFAULT_PAGE_SIZE: usize = 10;
/// How many items a page has at most.
pub const MAX_PAGE_SIZE: usize = 1_000;
/// How many requests of a batch are read at most.
pub const MAX_BATCH: usize = 10_000;

/// Serves `examples.ItemService` over a store.
#[derive(Debug)]
pub struct Items<S> {
    store: Arc<S>,
    clock: fn() -> SystemTime,
}

impl<S: Store> Items<S> {
    /// Serves what is in `store`.
    pub fn new(store: S) -> Self {
        Self::with_clock(store, SystemTime::now)
    }

    /// The same with another clock, for tests.
    pub fn with_clock(store: S, clock: fn() -> SystemTime) -> Self {
        Self {
            store: Arc::new(store),
            clock,
        }
    }
}

impl<S: Store> ItemServicer for Items<S> {
    async fn get_item(&self, _ctx: &Context, request: GetItemRequest) -> Result<Item, DomainError> {
        let id = existing_id(&request.id)?;
        let item = self.blocking(move |store| store.find(id)).await?;
        Ok(item.into())
    }

    async fn create_item(
        &self,
        _ctx: &Context,
        request: CreateItemRequest,
    ) -> Result<Item, DomainError> {
        let item = self.create(request).await?;
        Ok(item.into())
    }

    async fn update_item(
        &self,
        _ctx: &Context,
        request: UpdateItemRequest,
    ) -> Result<Item, DomainError> {
        let id = existing_id(&request.id)?;
        let patch = Patch::from(request);
        broken_rules(&patch.violations())?;
        let now = (self.clock)();
        let item = self
            .blocking(move |store| store.update(id, patch, now))
            .await?;
        Ok(item.into())
    }

    async fn delete_item(
        &self,
        _ctx: &Context,
        request: DeleteItemRequest,
    ) -> Result<(), DomainError> {
        self.delete(&request.id).await
    }

    async fn list_items(
        &self,
        ctx: &Context,
        request: ListItemsRequest,
    ) -> Result<Streamed<Item, DomainError>, DomainError> {
        let ListItemsRequest {
            page_size,
            page_token,
            filter,
        } = request;
        let limit = page_limit(page_size)?;
        let parsed = Filter::parse(&filter).map_err(|error| refuse::filter(&error))?;
        let after = match page_token.as_str() {
            "" => None,
            token => Some(token::decode(token, &filter).ok_or_else(refuse::page_token)?),
        };

        let page = self
            .blocking(move |store| store.page(&parsed, after, limit))
            .await?;
        if let Some(next) = page.next {
            ctx.response()
                .set_trailer(NEXT_PAGE_TOKEN, token::encode(next, &filter))?;
        }
        Ok(Streamed::from_iter(
            page.items.into_iter().map(|item| Ok(item.into())),
        ))
    }

    async fn batch_create_items(
        &self,
        _ctx: &Context,
        requests: Inbound<CreateItemRequest>,
    ) -> Result<BatchCreateResponse, DomainError> {
        batch::create(self, requests).await
    }

    async fn sync_items(
        &self,
        _ctx: &Context,
        requests: Inbound<ItemSyncRequest>,
    ) -> Result<Streamed<ItemSyncResponse, DomainError>, DomainError> {
        Ok(sync::answers(self.clone(), requests))
    }
}

/// What several RPCs do.
impl<S: Store> Items<S> {
    async fn create(&self, request: CreateItemRequest) -> Result<Stored, DomainError> {
        let details = Details::from(request);
        broken_rules(&details.violations())?;
        let item = Stored {
            id: Uuid::new_v4(),
            details,
            created_at: (self.clock)(),
            updated_at: None,
        };
        self.blocking(move |store| store.insert(&item).map(|()| item))
            .await
    }

    async fn delete(&self, id: &str) -> Result<(), DomainError> {
        let id = existing_id(id)?;
        self.blocking(move |store| store.delete(id)).await
    }

    /// Runs `work` off the async threads, because the store blocks.
    async fn blocking<T, F>(&self, work: F) -> Result<T, DomainError>
    where
        T: Send + 'static,
        F: FnOnce(&S) -> Result<T, StoreError> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        let result = done.map_err(|panic| refuse::store_failed().with_source(panic))?;
        Ok(result?)
    }
}

impl<S> Clone for Items<S> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            clock: self.clock,
        }
    }
}

/// An id that isn't a UUID is the id of no item.
fn existing_id(id: &str) -> Result<Uuid, DomainError> {
    Uuid::parse_str(id).map_err(|_| no_such_item(id))
}

fn page_limit(page_size: i32) -> Result<usize, DomainError> {
    match usize::try_from(page_size) {
        Ok(0) => Ok(DEFAULT_PAGE_SIZE),
        Ok(size) => Ok(size.min(MAX_PAGE_SIZE)),
        Err(_) => Err(refuse::page_size(page_size)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_size_is_within_its_bounds() {
        assert_eq!(page_limit(0).unwrap(), DEFAULT_PAGE_SIZE);
        assert_eq!(page_limit(1).unwrap(), 1);
        assert_eq!(page_limit(1_000).unwrap(), MAX_PAGE_SIZE);
        assert_eq!(page_limit(i32::MAX).unwrap(), MAX_PAGE_SIZE);
        assert!(matches!(page_limit(-1), Err(DomainError::Validation(_))));
    }
}
