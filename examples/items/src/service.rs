//! The servicer: from requests to use cases, and from what they return to responses.
//!
//! It speaks the domain's [`Item`]; what a message of it would be is the generated layer's affair.

mod batch;
mod refuse;
mod sync;

use std::sync::Arc;

use apibase::{Container, ContainerError, Context, Inbound, Streamed};

use crate::examples::api::{ItemError, ItemServicer, UpdateItemRequest};
use crate::examples::{
    BatchCreateResponse, CreateItemRequest, DeleteItemRequest, GetItemRequest, ItemSyncRequest,
    ItemSyncResponse, ListItemsRequest,
};
use crate::item::Item;
use crate::store::Store;
use crate::use_cases::{
    Clock, CreateItem, DeleteItem, GetItem, ListItems, Records, UpdateItem, UpsertItem,
};

/// How many requests of a batch are read at most.
pub const MAX_BATCH: usize = 10_000;

/// Serves `examples.ItemService`: each method by its use case.
#[derive(Clone, Debug)]
pub struct Items {
    get: Arc<GetItem>,
    create: Arc<CreateItem>,
    update: Arc<UpdateItem>,
    delete: Arc<DeleteItem>,
    list: Arc<ListItems>,
    upsert: Arc<UpsertItem>,
}

impl Items {
    /// Serves what these do.
    pub fn new(
        get: Arc<GetItem>,
        create: Arc<CreateItem>,
        update: Arc<UpdateItem>,
        delete: Arc<DeleteItem>,
        list: Arc<ListItems>,
        upsert: Arc<UpsertItem>,
    ) -> Self {
        Self {
            get,
            create,
            update,
            delete,
            list,
            upsert,
        }
    }

    /// Serves what is in `store`, put together by a container: here it is said once what there is, and
    /// each constructor says what it needs.
    ///
    /// # Errors
    ///
    /// Something is missing, registered twice or circular; `tests/service.rs` builds it, so that nobody
    /// meets that later.
    pub fn over(store: impl Store, clock: Clock) -> Result<Self, ContainerError> {
        let container = Container::builder()
            .bind(move || -> Arc<dyn Store> { Arc::new(store) })
            .value(clock)
            .singleton(Records::new)
            .singleton(GetItem)
            .singleton(CreateItem)
            .singleton(UpdateItem)
            .singleton(DeleteItem)
            .singleton(ListItems)
            .singleton(UpsertItem)
            .factory(Self::new)
            .build()?;
        container.get().map(Arc::unwrap_or_clone)
    }
}

impl ItemServicer for Items {
    async fn get_item(&self, _ctx: &Context, request: GetItemRequest) -> Result<Item, ItemError> {
        self.get.run(request).await
    }

    async fn create_item(
        &self,
        _ctx: &Context,
        request: CreateItemRequest,
    ) -> Result<Item, ItemError> {
        self.create.run(request).await
    }

    async fn update_item(
        &self,
        _ctx: &Context,
        request: UpdateItemRequest,
    ) -> Result<Item, ItemError> {
        self.update.run(request).await
    }

    async fn delete_item(
        &self,
        _ctx: &Context,
        request: DeleteItemRequest,
    ) -> Result<(), ItemError> {
        self.delete.run(&request.id).await
    }

    async fn list_items(
        &self,
        ctx: &Context,
        request: ListItemsRequest,
    ) -> Result<Streamed<Item, ItemError>, ItemError> {
        let page = self.list.run(request).await?;
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
