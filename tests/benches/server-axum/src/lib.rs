//! The items service by axum: one item as JSON, over HTTP/1.1 with keep-alive.

use std::net::TcpListener;

use axum::extract::Path;
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use bench_harness::shop;
use serde::Serialize;

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
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("TCP_NODELAY"));
    let router = Router::new().route("/items/{id}", get(item));
    axum::serve(listener, router).await.expect("served");
}

async fn item(Path(id): Path<String>) -> Json<Item> {
    Json(Item {
        id,
        name: shop::NAME.to_owned(),
        description: shop::DESCRIPTION.to_owned(),
        sku: shop::SKU.to_owned(),
        quantity: shop::QUANTITY,
        price: shop::PRICE,
        is_active: true,
        created_at: shop::CREATED_AT_TEXT,
        updated_at: shop::UPDATED_AT_TEXT,
    })
}

/// The times are texts from the start: what it takes to write one is not axum's.
#[derive(Serialize)]
struct Item {
    id: String,
    name: String,
    description: String,
    sku: String,
    quantity: i32,
    price: f64,
    is_active: bool,
    created_at: &'static str,
    updated_at: &'static str,
}
