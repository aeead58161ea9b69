//! The shop and its calls: the same source for both sides, which differ in what `ShopError` is.

use std::hint::black_box;
use std::process::ExitCode;

use apibase::{Context, Interceptors, TowerService, Transport, TransportError};
use bench_harness::{Answer, Calls, Whole, frame, now, read, request};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use prost::Message;
use tower_service::Service;

use crate::bench::errors::api::ShopError;
use crate::bench::shop::api::{ShopServiceClient, ShopServiceServer, ShopServicer};
use crate::bench::shop::{Order, Receipt};
use crate::fails;

const BUY: &str = "/bench.shop.ShopService/Buy";

/// What this side can be asked for: `serve`, `call`, and the errors by their items.
///
/// All of it is compiled with the shop, as in the crate of a service, and not in the binary: split
/// over two crates, what is inlined where is a matter of luck.
#[must_use]
pub fn main() -> ExitCode {
    bench_harness::in_process(|operation, calls| match operation {
        "serve" => serve(calls, "hammer"),
        "call" => {
            let client = client();
            calls.of(|| order("hammer"), |order| call(&client, order))
        }
        item => fails::ITEMS.contains(&item) && serve(calls, item),
    })
}

/// What the shop answers to who buys `item`, and how many allocations that takes.
pub fn served(item: &str) -> (u64, Answer) {
    let mut shop = shop();
    let request = request(BUY, &encoded(item));
    bench_harness::allocations(|| read_call(&mut shop, request))
}

/// How many allocations a client's call takes.
pub fn called() -> u64 {
    let client = client();
    let order = order("hammer");
    bench_harness::allocations(|| call(&client, order)).0
}

fn serve(calls: Calls, item: &str) -> bool {
    let shop = shop();
    let order = encoded(item);
    calls.of(
        || request(BUY, &order),
        // tower asks for one that is its own; tonic's and hyper's clone it for each call.
        |request| read_call(&mut shop.clone(), request),
    )
}

type Served = TowerService<ShopServiceServer<Shop>>;

#[allow(
    clippy::expect_used,
    reason = "a bench without its figure is of no use"
)]
fn shop() -> Served {
    ShopServiceServer::new(Shop)
        .into_service(Interceptors::none())
        .expect("a shop that asks for nothing")
}

fn read_call(shop: &mut Served, request: Request<Whole>) -> Answer {
    let Ok(response) = now(shop.call(request));
    read(response)
}

/// Drops what a failed call was: the calls of the bench go well.
fn call(client: &ShopServiceClient<Canned>, order: Order) -> Option<Receipt> {
    now(client.buy(&Context::background(), order)).ok()
}

fn order(item: &str) -> Order {
    Order {
        item_id: item.to_owned(),
        quantity: 3,
    }
}

fn encoded(item: &str) -> Bytes {
    frame(&order(item).encode_to_vec())
}

fn receipt(item: String) -> Receipt {
    Receipt {
        item_id: item,
        number: 1_000_001,
        price: 14.5,
    }
}

/// Sells hammers, and fails with what else is asked for.
struct Shop;

impl ShopServicer for Shop {
    async fn buy(&self, _: &Context, order: Order) -> Result<Receipt, ShopError> {
        let is_there = order.item_id == "hammer";
        // A store is opaque: where the compiler sees what is sold, it writes the one reply that there
        // is as a constant, if it also sees that there is no error.
        if black_box(is_there) {
            return Ok(black_box(receipt(order.item_id)));
        }
        Err(fails::with(order.item_id))
    }
}

/// Without a deadline: there is no runtime here, and no timer.
fn client() -> ShopServiceClient<Canned> {
    ShopServiceClient::new(Canned::new()).with(apibase::CallOptions::new().no_deadline())
}

/// Answers every call with a receipt.
#[derive(Clone)]
struct Canned {
    receipt: Bytes,
}

impl Canned {
    fn new() -> Self {
        let receipt = receipt("hammer".to_owned());
        Self {
            receipt: frame(&receipt.encode_to_vec()),
        }
    }
}

impl Transport for Canned {
    type Body = Whole;

    async fn send(
        &self,
        request: Request<apibase::RequestStream>,
        _attempt: &mut apibase::Attempt,
    ) -> Result<Response<Whole>, TransportError> {
        drop(request);
        let mut response = Response::new(Whole::answer(self.receipt.clone()));
        let grpc = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(header::CONTENT_TYPE, grpc);
        Ok(response)
    }
}
