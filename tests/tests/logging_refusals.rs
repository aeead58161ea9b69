//! Why a caller was not let in is in the log, for those who run the server; the caller hears no more than it
//! should.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod five;
mod logged;
mod spans;
mod tokens;

use apibase::{CallOptions, ClientFactory, Code, Context, Refusal};
use apibase_tests::guarded::guarded::Thing;
use apibase_tests::guarded::guarded::api::VaultServiceClient;
use common::soon;
use five::Five;

#[tokio::test]
async fn the_line_of_a_call_that_auth_refuses_says_why() {
    let five = Five::start(|auth| auth).await;
    let clients = ClientFactory::new().max_retries(0);
    let channel = soon(clients.connect(five.server.target())).await.unwrap();
    let client = VaultServiceClient::new(channel);
    let ctx = Context::background();
    for (token, code, refusal) in [
        (None, Code::Unauthenticated, Some(Refusal::TokenMissing)),
        (
            Some("none".to_owned()),
            Code::Unauthenticated,
            Some(Refusal::TokenMalformed),
        ),
        (
            Some(five.forged()),
            Code::Unauthenticated,
            Some(Refusal::TokenSignature),
        ),
        (
            Some(five.token("")),
            Code::PermissionDenied,
            Some(Refusal::ScopeMissing),
        ),
        (Some(five.token("vault.read vault.take")), Code::Ok, None),
    ] {
        let mut options = CallOptions::new();
        if let Some(token) = token {
            options = options.metadata("authorization", format!("Bearer {token}"));
        }
        let taken = soon(client.with(options).take(&ctx, Thing::default())).await;
        assert_eq!(taken.map_or_else(|error| error.code(), |_| Code::Ok), code);
        let line = five.lines.one().await;
        let said = line["refusal"].as_str();
        assert_eq!(said, refusal.map(Refusal::as_str), "{line}");
    }
}
