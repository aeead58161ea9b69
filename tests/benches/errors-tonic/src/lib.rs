//! A call that fails with details, by tonic's own server and by a bare `Status`.
//!
//! Both make the same details as the other side, for each call anew as they hold its values:
//! `ErrorInfo` with two keys of metadata and `RequestInfo` with the correlation id in
//! `grpc-status-details-bin`, and `common.ErrorDetail` in `error-detail-bin`. They are made as a careful
//! user of tonic makes them, and as tonic-types does inside: messages of prost, packed by
//! `encode_to_vec`. What two messages both have, the metadata and the message, is made once and moved on.

bench_harness::tonic_protos!();

mod details;
mod google;

use std::process::ExitCode;

use bench_harness::{Answer, CORRELATION_ID, Whole, frame, now, read, request};
use bytes::Bytes;
use http::Request;
use prost::Message;
use protos::bench::shop::shop_service_server::{ShopService, ShopServiceServer};
use protos::bench::shop::{Order, Receipt};
use tonic::codegen::Service;
use tonic::{Response, Status};

const BUY: &str = "/bench.shop.ShopService/Buy";
const ITEM: &str = "fail";
const LEFT: u32 = 2;

/// The `main` of this side: `fail` is a call of tonic's server, `status` no more than the status and its
/// way into an HTTP response.
#[must_use]
pub fn main() -> ExitCode {
    bench_harness::in_process(|operation, calls| match operation {
        "fail" => {
            let (shop, order) = (shop(), encoded());
            calls.of(
                || request(BUY, &order),
                |request| read_call(&mut shop.clone(), request),
            )
        }
        "status" => calls.of(|| ITEM.to_owned(), bare),
        _ => false,
    })
}

/// What the shop answers, and how many allocations that takes.
pub fn served() -> (u64, Answer) {
    let mut shop = shop();
    let request = request(BUY, &encoded());
    bench_harness::allocations(|| read_call(&mut shop, request))
}

/// What a bare status comes to, and how many allocations that takes.
pub fn written() -> (u64, Answer) {
    let item = ITEM.to_owned();
    bench_harness::allocations(|| bare(item))
}

fn bare(item: String) -> Answer {
    let status = details::out_of_stock(item, LEFT, CORRELATION_ID);
    read(status.into_http::<tonic::body::Body>())
}

fn shop() -> ShopServiceServer<Shop> {
    ShopServiceServer::new(Shop)
}

fn read_call(shop: &mut ShopServiceServer<Shop>, request: Request<Whole>) -> Answer {
    let Ok(response) = now(shop.call(request));
    read(response)
}

fn encoded() -> Bytes {
    let order = Order {
        item_id: ITEM.to_owned(),
        quantity: 3,
    };
    frame(&order.encode_to_vec())
}

/// Is always out of stock.
struct Shop;

#[tonic::async_trait]
impl ShopService for Shop {
    async fn buy(&self, request: tonic::Request<Order>) -> Result<Response<Receipt>, Status> {
        let (metadata, _, order) = request.into_parts();
        let correlation_id = metadata.get("x-correlation-id");
        let correlation_id = correlation_id.and_then(|id| id.to_str().ok());
        let correlation_id = correlation_id.unwrap_or_default();
        Err(details::out_of_stock(order.item_id, LEFT, correlation_id))
    }
}
