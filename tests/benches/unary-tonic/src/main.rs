//! `GetItem` over tonic's server and client, one connection.

#![allow(
    clippy::expect_used,
    reason = "a bench without its figure is of no use"
)]

bench_harness::tonic_protos!();

use std::net::Ipv4Addr;

use protos::examples::item_service_client::ItemServiceClient;
use protos::examples::item_service_server::{ItemService, ItemServiceServer};
use protos::examples::{
    BatchCreateResponse, CreateItemRequest, DeleteItemRequest, GetItemRequest, Item,
    ItemSyncRequest, ItemSyncResponse, ListItemsRequest, UpdateItemRequest,
};
use tokio::net::TcpListener;
use tokio_stream::Empty;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

#[global_allocator]
static ALLOCATOR: bench_harness::Counting = bench_harness::Counting;

fn main() {
    bench_harness::run(|| async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let target = format!("http://{}", listener.local_addr().expect("an address"));
        // tonic leaves TCP_NODELAY to whoever hands in the listener; a fair baseline has it.
        let incoming = tokio_stream::StreamExt::map(TcpListenerStream::new(listener), |stream| {
            stream.inspect(|stream| stream.set_nodelay(true).expect("TCP_NODELAY"))
        });
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(ItemServiceServer::new(Items))
                .serve_with_incoming(incoming),
        );
        let items = ItemServiceClient::connect(target)
            .await
            .expect("a connection");
        move || {
            let mut items = items.clone();
            async move {
                let request = GetItemRequest {
                    id: "0f7e0b1c-8a2e-4a60-9d3b-3f1f7ad0a3de".to_owned(),
                };
                items.get_item(request).await.expect("an item");
            }
        }
    });
}

struct Items;

#[tonic::async_trait]
impl ItemService for Items {
    async fn get_item(&self, request: Request<GetItemRequest>) -> Result<Response<Item>, Status> {
        Ok(Response::new(Item {
            id: request.into_inner().id,
            name: "Hammer".to_owned(),
            description: "A hammer of 300 g, with a handle of ash".to_owned(),
            sku: "HAM-300".to_owned(),
            quantity: 12,
            price: 14.5,
            is_active: true,
            ..Item::default()
        }))
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

    type ListItemsStream = Empty<Result<Item, Status>>;

    async fn list_items(
        &self,
        _: Request<ListItemsRequest>,
    ) -> Result<Response<Self::ListItemsStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }

    async fn batch_create_items(
        &self,
        _: Request<Streaming<CreateItemRequest>>,
    ) -> Result<Response<BatchCreateResponse>, Status> {
        Ok(Response::new(BatchCreateResponse::default()))
    }

    type SyncItemsStream = Empty<Result<ItemSyncResponse, Status>>;

    async fn sync_items(
        &self,
        _: Request<Streaming<ItemSyncRequest>>,
    ) -> Result<Response<Self::SyncItemsStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }
}
