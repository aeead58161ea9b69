//! The servicer: from requests to the store, and from its answers to responses.
//!
//! It speaks the domain's [`Item`]; what a message of it would be is the generated layer's affair.

mod batch;
mod list;
mod refuse;
mod sync;

use std::sync::Arc;

use apibase::{Context, Inbound, Streamed};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::refuse::{broken_rules, no_such_item};
use crate::examples::api::{ItemError, ItemServicer, UpdateItemRequest};
use crate::examples::{
    BatchCreateResponse, CreateItemRequest, DeleteItemRequest, GetItemRequest, ItemSyncRequest,
    ItemSyncResponse, ListItemsRequest,
};
use crate::item::Item;
use crate::store::{Store, StoreError};

/// How many requests of a batch are read at most.
pub const MAX_BATCH: usize = 10_000;

/// Serves `examples.ItemService` over a store.
#[derive(Debug)]
pub struct Items<S> {
    store: Arc<S>,
    clock: fn() -> DateTime<Utc>,
}

impl<S: Store> Items<S> {
    /// Serves what is in `store`.
    pub fn new(store: S) -> Self {
        Self::with_clock(store, Utc::now)
    }

    /// The same with another clock, for tests.
    pub fn with_clock(store: S, clock: fn() -> DateTime<Utc>) -> Self {
        Self {
            store: Arc::new(store),
            clock,
        }
    }
}

impl<S: Store> ItemServicer for Items<S> {
    async fn get_item(&self, _ctx: &Context, request: GetItemRequest) -> Result<Item, ItemError> {
        let id = existing_id(&request.id)?;
        self.blocking(move |store| store.find(id)).await
    }

    async fn create_item(
        &self,
        _ctx: &Context,
        request: CreateItemRequest,
    ) -> Result<Item, ItemError> {
        self.create(request).await
    }

    async fn update_item(
        &self,
        _ctx: &Context,
        request: UpdateItemRequest,
    ) -> Result<Item, ItemError> {
        let id = existing_id(&request.id)?;
        broken_rules(&request.violations())?;
        let now = (self.clock)();
        self.blocking(move |store| store.update(id, request, now))
            .await
    }

    async fn delete_item(
        &self,
        _ctx: &Context,
        request: DeleteItemRequest,
    ) -> Result<(), ItemError> {
        self.delete(&request.id).await
    }

    async fn list_items(
        &self,
        ctx: &Context,
        request: ListItemsRequest,
    ) -> Result<Streamed<Item, ItemError>, ItemError> {
        let page = list::page(self, request).await?;
        ctx.response().set_next_page_token(&page.next_page_token)?;
        Ok(Streamed::from_iter(page.items.into_iter().map(Ok)))
    }

    async fn batch_create_items(
        &self,
        ctx: &Context,
        requests: Inbound<CreateItemRequest>,
    ) -> Result<BatchCreateResponse, ItemError> {
        batch::create(self, ctx, requests).await
    }

    async fn sync_items(
        &self,
        ctx: &Context,
        requests: Inbound<ItemSyncRequest>,
    ) -> Result<Streamed<ItemSyncResponse, ItemError>, ItemError> {
        Ok(sync::answers(self.clone(), ctx.clone(), requests))
    }
}

/// What several RPCs do.
impl<S: Store> Items<S> {
    async fn create(&self, request: CreateItemRequest) -> Result<Item, ItemError> {
        let CreateItemRequest {
            name,
            description,
            sku,
            quantity,
            price,
        } = request;
        let item = Item {
            id: Uuid::new_v4(),
            name,
            description,
            sku,
            quantity,
            price,
            is_active: true,
            created_at: (self.clock)(),
            updated_at: None,
        };
        broken_rules(&item.violations())?;
        self.blocking(move |store| store.insert(&item).map(|()| item))
            .await
    }

    async fn delete(&self, id: &str) -> Result<(), ItemError> {
        let id = existing_id(id)?;
        self.blocking(move |store| store.delete(id)).await
    }

    /// Runs `work` off the async threads, because the store blocks.
    async fn blocking<T, F>(&self, work: F) -> Result<T, ItemError>
    where
        T: Send + 'static,
        F: FnOnce(&S) -> Result<T, StoreError> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        let result = done.map_err(refuse::store_failed)?;
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
fn existing_id(id: &str) -> Result<Uuid, ItemError> {
    Uuid::parse_str(id).map_err(|_| no_such_item(id))
}
