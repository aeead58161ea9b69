//! `GetItem` over our server and client, one connection.

#![allow(
    clippy::expect_used,
    reason = "a bench without its figure is of no use"
)]

apibase::include_protos!();

use std::convert::Infallible;
use std::net::Ipv4Addr;

use apibase::{Context, Grade, Inbound, MapError, ProtobufMapper, Server, Streamed};
use examples::api::{ItemError, ItemServiceClient, ItemServiceServer, ItemServicer};
use examples::{
    BatchCreateResponse, CreateItemRequest, DeleteItemRequest, GetItemRequest, Item,
    ItemSyncRequest, ItemSyncResponse, ListItemsRequest, UpdateItemRequest,
};

#[global_allocator]
static ALLOCATOR: bench_harness::Counting = bench_harness::Counting;

fn main() {
    bench_harness::run(|| async {
        let server = Server::new()
            .host(Ipv4Addr::LOCALHOST)
            .port(0)
            .add_servicer(ItemServiceServer::new(Items))
            .bind()
            .await
            .expect("a free port");
        let target = format!("http://{}", server.local_addr());
        tokio::spawn(server.serve_until(std::future::pending()));
        let items = ItemServiceClient::connect(target)
            .await
            .expect("a connection");
        move || {
            let items = items.clone();
            async move {
                let request = GetItemRequest {
                    id: "0f7e0b1c-8a2e-4a60-9d3b-3f1f7ad0a3de".to_owned(),
                };
                items
                    .get_item(&Context::background(), request)
                    .await
                    .expect("an item");
            }
        }
    });
}

struct Items;

impl ItemServicer for Items {
    async fn get_item(&self, _: &Context, request: GetItemRequest) -> Result<Item, ItemError> {
        Ok(Item {
            id: request.id,
            name: "Hammer".to_owned(),
            description: "A hammer of 300 g, with a handle of ash".to_owned(),
            sku: "HAM-300".to_owned(),
            quantity: 12,
            price: 14.5,
            is_active: true,
            ..Item::default()
        })
    }

    async fn create_item(&self, _: &Context, _: CreateItemRequest) -> Result<Item, ItemError> {
        Ok(Item::default())
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
        _: ListItemsRequest,
    ) -> Result<Streamed<Item, ItemError>, ItemError> {
        Ok(Streamed::from_iter([]))
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
        _: Inbound<ItemSyncRequest>,
    ) -> Result<Streamed<ItemSyncResponse, ItemError>, ItemError> {
        Ok(Streamed::from_iter([]))
    }
}

/// A message that is its own entity.
macro_rules! as_it_is {
    ($($mapper:ident: $message:ty),*) => {
        $(
            struct $mapper;

            impl ProtobufMapper for $mapper {
                type Entity = $message;
                type Proto = $message;
                type EncodeError = Infallible;
                const GRADE: Grade = Grade::Iso;

                fn to_proto(entity: &$message) -> Result<$message, Infallible> {
                    Ok(entity.clone())
                }

                fn into_proto(entity: $message) -> Result<$message, Infallible> {
                    Ok(entity)
                }

                fn from_proto(proto: $message) -> Result<$message, MapError> {
                    Ok(proto)
                }
            }
        )*
    };
}

as_it_is!(ItemAsItIs: Item, UpdateAsItIs: UpdateItemRequest);
