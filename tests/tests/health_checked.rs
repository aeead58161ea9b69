//! Endpoints that are asked for their health (gRFC A17), over sockets.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apibase::{
    CallOptions, ClientFactory, Code, Context, EndpointChange, Event, Health, Observer,
    ServingStatus, Target,
};
use common::{EchoServiceClient, Running, Scripted, ask, reply, soon};

const SERVICE: &str = "shop.Items";

/// Which server answers is in the reply's number.
fn numbered(number: u64) -> Scripted {
    Scripted::new().on_echo(move |_, _| async move { Ok(reply(number, "")) })
}

async fn server(number: u64) -> (Running, Health) {
    let health = Health::new();
    health.set(SERVICE, ServingStatus::Serving);
    let own = health.clone();
    let running = Running::with(numbered(number), |server| server.health(own)).await;
    (running, health)
}

fn target(servers: &[&Running]) -> Target {
    let addresses: Vec<_> = servers
        .iter()
        .map(|server| server.addr.to_string())
        .collect();
    Target::new(addresses.join(",")).insecure()
}

/// Who answers ten calls; None where one fails.
async fn who(client: &EchoServiceClient) -> Option<BTreeSet<u64>> {
    let client = client.with(CallOptions::new().no_retry());
    let mut seen = BTreeSet::new();
    for _ in 0..10 {
        seen.insert(
            client
                .echo(&Context::background(), ask(""))
                .await
                .ok()?
                .number,
        );
    }
    Some(seen)
}

/// Waits until these answer.
async fn until(client: &EchoServiceClient, expected: Option<&[u64]>) {
    let expected = expected.map(|numbers| numbers.iter().copied().collect());
    soon(async {
        while who(client).await != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn observe(&self, event: &Event<'_>) {
        let Event::Endpoint { change, .. } = event else {
            return;
        };
        let word = match change {
            EndpointChange::Healthy => "healthy".to_owned(),
            EndpointChange::Unhealthy { cause } => (*cause).to_owned(),
            _ => return,
        };
        self.0.lock().unwrap().push(word);
    }
}

#[tokio::test]
async fn only_endpoints_that_say_serving_are_called() {
    let (one, health) = server(1).await;
    let (two, _well) = server(2).await;
    let heard = Arc::new(Heard::default());
    let clients = ClientFactory::new()
        .health_check(SERVICE)
        .observer(Arc::clone(&heard) as _);
    let client = EchoServiceClient::new(clients.channel(target(&[&one, &two])).unwrap());
    until(&client, Some(&[1, 2])).await;
    health.set(SERVICE, ServingStatus::NotServing);
    until(&client, Some(&[2])).await;
    health.set(SERVICE, ServingStatus::Serving);
    until(&client, Some(&[1, 2])).await;
    let heard = heard.0.lock().unwrap().clone();
    assert_eq!(
        heard,
        ["healthy", "healthy", "it says NOT_SERVING", "healthy"]
    );
}

#[tokio::test]
async fn where_none_says_serving_calls_fail_at_once_and_say_why() {
    let (one, health) = server(1).await;
    let clients = ClientFactory::new().health_check(SERVICE);
    let client = EchoServiceClient::new(clients.channel(target(&[&one])).unwrap());
    until(&client, Some(&[1])).await;
    health.set(SERVICE, ServingStatus::NotServing);
    until(&client, None).await;
    let once = client.with(CallOptions::new().no_retry());
    let error = soon(once.echo(&Context::background(), ask("")))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.is_not_processed(), "{error:?}");
    assert!(error.to_string().contains("it says NOT_SERVING"), "{error}");
}

#[tokio::test]
async fn a_server_without_a_health_service_is_taken_for_healthy() {
    let bare = Running::with(numbered(7), |server| server.health_check_enabled(false)).await;
    let clients = ClientFactory::new().health_check("");
    let client = EchoServiceClient::new(clients.channel(target(&[&bare])).unwrap());
    until(&client, Some(&[7])).await;
}
