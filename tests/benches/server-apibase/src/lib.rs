//! The items service by our server, with nothing around the calls unless somebody puts it there.

mod as_it_is;

apibase::include_protos!();

use std::net::TcpListener;

use apibase::{Context, Inbound, Interceptors, Server, Streamed};
pub(crate) use as_it_is::{ItemAsItIs, UpdateAsItIs};
use bench_harness::shop;
use examples::api::{ItemError, ItemServiceServer, ItemServicer};
use examples::item_sync_request::Action;
use examples::{
    BatchCreateResponse, CreateItemRequest, DeleteItemRequest, GetItemRequest, Item,
    ItemSyncRequest, ItemSyncResponse, ListItemsRequest, UpdateItemRequest,
};
use futures_util::StreamExt;

/// How many calls a server takes at once that is limited.
const LIMIT: usize = 16;
/// What `CreateItem` computes, in steps between which others have their turn: about a tenth of a
/// millisecond each.
const STEPS: usize = 10;
const ROUNDS: u64 = 100_000;

/// Serves the items until the process ends.
///
/// # Panics
///
/// When it can't: a bench without its figure is of no use.
pub async fn listen(listener: TcpListener) {
    serve(listener, Server::new()).await;
}

/// The same with [`max_concurrent_rpcs`](Server::max_concurrent_rpcs) of 16, which is few enough to be
/// reached by calls of `CreateItem`, each of which takes about a millisecond of CPU.
///
/// # Panics
///
/// When it can't: a bench without its figure is of no use.
pub async fn listen_limited(listener: TcpListener) {
    serve(listener, Server::new().max_concurrent_rpcs(LIMIT)).await;
}

/// The same with these around every call.
///
/// # Panics
///
/// When it can't: a bench without its figure is of no use.
pub async fn listen_intercepted(listener: TcpListener, chain: Interceptors) {
    serve(listener, Server::new().interceptors(chain)).await;
}

#[allow(
    clippy::expect_used,
    reason = "a bench without its figure is of no use"
)]
async fn serve(listener: TcpListener, server: Server) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    server
        .listener(listener)
        .add_servicer(ItemServiceServer::new(Items))
        .serve_until(std::future::pending())
        .await
        .expect("served");
}

struct Items;

impl ItemServicer for Items {
    async fn get_item(&self, _: &Context, request: GetItemRequest) -> Result<Item, ItemError> {
        Ok(item(request.id))
    }

    async fn create_item(&self, _: &Context, _: CreateItemRequest) -> Result<Item, ItemError> {
        for _ in 0..STEPS {
            std::hint::black_box(
                (0..ROUNDS).fold(0, |sum, round| std::hint::black_box(sum ^ round)),
            );
            tokio::task::yield_now().await;
        }
        Ok(item(shop::ID.to_owned()))
    }

    async fn update_item(&self, _: &Context, _: UpdateItemRequest) -> Result<Item, ItemError> {
        Ok(Item::default())
    }

    async fn delete_item(&self, _: &Context, _: DeleteItemRequest) -> Result<(), ItemError> {
        Ok(())
    }

    async fn list_items(
        &self,
        _: &Context,
        request: ListItemsRequest,
    ) -> Result<Streamed<Item, ItemError>, ItemError> {
        let items = (0..request.page_size).map(|_| Ok(item(shop::ID.to_owned())));
        Ok(Streamed::from_iter(items))
    }

    async fn batch_create_items(
        &self,
        _: &Context,
        _: Inbound<CreateItemRequest>,
    ) -> Result<BatchCreateResponse, ItemError> {
        Ok(BatchCreateResponse::default())
    }

    async fn sync_items(
        &self,
        _: &Context,
        requests: Inbound<ItemSyncRequest>,
    ) -> Result<Streamed<ItemSyncResponse, ItemError>, ItemError> {
        Ok(Streamed::new(requests.map(|request| Ok(synced(request?)))))
    }
}

fn item(id: String) -> Item {
    let time = |(seconds, nanos)| Some(apibase::codegen::prost_types::Timestamp { seconds, nanos });
    Item {
        id,
        name: shop::NAME.to_owned(),
        description: shop::DESCRIPTION.to_owned(),
        sku: shop::SKU.to_owned(),
        quantity: shop::QUANTITY,
        price: shop::PRICE,
        is_active: true,
        created_at: time(shop::CREATED_AT),
        updated_at: time(shop::UPDATED_AT),
    }
}

fn synced(request: ItemSyncRequest) -> ItemSyncResponse {
    let id = match request.action {
        Some(Action::DeleteId(id)) => id,
        Some(Action::Upsert(item)) => item.id,
        None => String::new(),
    };
    ItemSyncResponse {
        id,
        success: true,
        error: None,
    }
}
