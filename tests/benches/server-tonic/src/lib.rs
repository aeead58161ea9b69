//! The items service by tonic's server as it comes, on tokio's usual runtime.

bench_harness::tonic_protos!();

use std::net::TcpListener;
use std::pin::Pin;

use bench_harness::shop;
use futures_util::{Stream, StreamExt, stream};
use protos::examples::item_service_server::ItemService;
pub use protos::examples::item_service_server::ItemServiceServer;
use protos::examples::item_sync_request::Action;
use protos::examples::{
    BatchCreateResponse, CreateItemRequest, DeleteItemRequest, GetItemRequest, Item,
    ItemSyncRequest, ItemSyncResponse, ListItemsRequest, UpdateItemRequest,
};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

/// Serves the items until the process ends.
///
/// # Panics
///
/// When it can't: a bench without its figure is of no use.
#[allow(
    clippy::expect_used,
    reason = "a bench without its figure is of no use"
)]
pub async fn listen(listener: TcpListener) {
    tonic::transport::Server::builder()
        .add_service(ItemServiceServer::new(Items))
        .serve_with_incoming(incoming(listener))
        .await
        .expect("served");
}

/// The connections that a server of tonic's takes.
///
/// # Panics
///
/// When there can be none.
#[allow(
    clippy::expect_used,
    reason = "a bench without its figure is of no use"
)]
pub fn incoming(listener: TcpListener) -> TcpIncoming {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    // tonic leaves TCP_NODELAY to whoever hands in the listener; a fair baseline has it.
    TcpIncoming::from(listener).with_nodelay(Some(true))
}

/// The service.
#[derive(Clone, Copy, Debug)]
pub struct Items;

type Replies<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ItemService for Items {
    async fn get_item(&self, request: Request<GetItemRequest>) -> Result<Response<Item>, Status> {
        Ok(Response::new(item(request.into_inner().id)))
    }

    async fn create_item(&self, _: Request<CreateItemRequest>) -> Result<Response<Item>, Status> {
        Ok(Response::new(Item::default()))
    }

    async fn update_item(&self, _: Request<UpdateItemRequest>) -> Result<Response<Item>, Status> {
        Ok(Response::new(Item::default()))
    }

    async fn delete_item(&self, _: Request<DeleteItemRequest>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    type ListItemsStream = Replies<Item>;

    async fn list_items(
        &self,
        request: Request<ListItemsRequest>,
    ) -> Result<Response<Self::ListItemsStream>, Status> {
        let items = 0..request.into_inner().page_size;
        let items = stream::iter(items.map(|_| Ok(item(shop::ID.to_owned()))));
        Ok(Response::new(Box::pin(items)))
    }

    async fn batch_create_items(
        &self,
        _: Request<Streaming<CreateItemRequest>>,
    ) -> Result<Response<BatchCreateResponse>, Status> {
        Ok(Response::new(BatchCreateResponse::default()))
    }

    type SyncItemsStream = Replies<ItemSyncResponse>;

    async fn sync_items(
        &self,
        requests: Request<Streaming<ItemSyncRequest>>,
    ) -> Result<Response<Self::SyncItemsStream>, Status> {
        let replies = requests.into_inner().map(|request| Ok(synced(request?)));
        Ok(Response::new(Box::pin(replies)))
    }
}

fn item(id: String) -> Item {
    let time = |(seconds, nanos)| Some(prost_types::Timestamp { seconds, nanos });
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
