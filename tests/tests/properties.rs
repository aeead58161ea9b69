//! Properties 1, 2, 10 and 11 of the specification, and that frames survive any chunking.
//!
//! A failure prints the case, shrunk, and the seed that repeats it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod common;
mod orders;

use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

use apibase::prost::Message;
use apibase::prost_types::Timestamp;
use apibase::{Context, DomainError, Inbound, ProtobufMapper, Streamed};
use apibase_tests::entity_order::entity_order as messages;
use apibase_tests::entity_order::entity_order::api::OrderMapper;
use apibase_tests::protos::common::ErrorDetail;
use apibase_tests::protos::examples::item_sync_request::Action;
use apibase_tests::protos::examples::{Item, ItemSyncRequest, UpdateItemRequest};
use bytes::Bytes;
use common::{
    CollectReply, EchoReply, EchoRequest, EchoServiceClient, RawClient, Running, Scripted, ask,
    frame, post, reply, soon,
};
use futures_util::{TryStreamExt, stream};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

const CASES: u32 = 256;

/// A payload: empty, small, or larger than one DATA frame.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => Just(Vec::new()),
        6 => vec(any::<u8>(), 1..64),
        1 => (any::<u8>(), 10_000..40_000_usize).prop_map(|(byte, size)| vec![byte; size]),
    ]
}

/// The payloads of a stream, of which there may be none.
fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop_oneof![1 => Just(Vec::new()), 9 => vec(payload(), 1..40)]
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (any::<i64>(), any::<i32>()).prop_map(|(seconds, nanos)| Timestamp { seconds, nanos })
}

prop_compose! {
    fn item()(
        (id, name, description, sku) in any::<(String, String, String, String)>(),
        (quantity, price, is_active) in (any::<i32>(), number(), any::<bool>()),
        created_at in option::of(timestamp()),
        updated_at in option::of(timestamp()),
    ) -> Item {
        Item { id, name, description, sku, quantity, price, is_active, created_at, updated_at }
    }
}

prop_compose! {
    fn error_detail()(
        (code, message, field) in any::<(String, String, String)>(),
        metadata in any::<std::collections::HashMap<String, String>>(),
    ) -> ErrorDetail {
        ErrorDetail { code, message, field, metadata }
    }
}

prop_compose! {
    fn update()(
        (id, name, description) in any::<(String, Option<String>, Option<String>)>(),
        quantity in any::<Option<i32>>(),
        price in option::of(number()),
    ) -> UpdateItemRequest {
        UpdateItemRequest { id, name, description, quantity, price }
    }
}

fn sync() -> impl Strategy<Value = ItemSyncRequest> {
    let action = prop_oneof![
        item().prop_map(Action::Upsert),
        any::<String>().prop_map(Action::DeleteId),
    ];
    option::of(action).prop_map(|action| ItemSyncRequest { action })
}

/// Any number that is equal to itself.
fn number() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("NaN is not equal to itself", |number| !number.is_nan())
}

fn round_trips<M: Message + Default + PartialEq + Debug>(message: &M) {
    let bytes = message.encode_to_vec();
    assert_eq!(bytes.len(), message.encoded_len());
    assert_eq!(&M::decode(&*bytes).unwrap(), message);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn property_01_message_round_trip(
        item in item(),
        detail in error_detail(),
        sync in sync(),
        update in update(),
    ) {
        round_trips(&item);
        round_trips(&detail);
        round_trips(&sync);
        round_trips(&update);
    }

    #[test]
    fn property_02_entity_protobuf_mapper_consistency(order in orders::order(2)) {
        let proto = OrderMapper::to_proto(&order).unwrap();
        let bytes = proto.encode_to_vec();
        let from_bytes = messages::Order::decode(&*bytes).unwrap();
        let by_value = OrderMapper::into_proto(order.clone()).unwrap();
        for proto in [proto, from_bytes, by_value] {
            let back = OrderMapper::from_proto(proto).unwrap();
            prop_assert!(orders::same(&order, &back), "it came back as {back:?}");
        }
    }

    #[test]
    fn property_10_server_stream_is_ordered_and_complete(payloads in payloads()) {
        WORLD.run(async |world| {
            // What the server shall send goes there as an upload would, and comes back as replies.
            let expected = numbered(&payloads);
            *world.replies.lock().await = expected.clone();
            let ctx = Context::background();
            let replies = world.client.count(&ctx, common::count(0)).await.unwrap();
            let replies: Vec<_> = replies.try_collect().await.unwrap();
            assert!(replies == expected, "{} of {}", replies.len(), expected.len());
        });
    }

    #[test]
    fn property_11_client_stream_is_received_in_order_before_the_reply(payloads in payloads()) {
        WORLD.run(async |world| {
            world.received.lock().await.clear();
            let ctx = Context::background();
            let requests = stream::iter(payloads.clone().into_iter().map(ask));
            let reply = world.client.collect(&ctx, requests).await.unwrap();
            assert_eq!(reply.count, payloads.len() as u64);
            // All of it was there when the reply came.
            assert!(*world.received.lock().await == payloads);
        });
    }

    #[test]
    fn a_bidi_stream_is_ordered_and_complete_in_both_directions(payloads in payloads()) {
        WORLD.run(async |world| {
            let ctx = Context::background();
            let requests = stream::iter(payloads.clone().into_iter().map(ask));
            let replies = world.client.chat(&ctx, requests).await.unwrap();
            let replies: Vec<_> = replies.try_collect().await.unwrap();
            assert!(replies == numbered(&payloads));
        });
    }

    #[test]
    fn frames_survive_any_chunking(
        payloads in vec(vec(any::<u8>(), 0..40), 0..8),
        cuts in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        WORLD.run(async |world| {
            let all: Vec<u8> = payloads.iter().cloned().flat_map(|payload| frame(&ask(payload))).collect();
            let all = Bytes::from(all);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(all.len() + 1)).collect();
            cuts.extend([0, all.len()]);
            cuts.sort_unstable();
            // Of empty DATA frames a connection takes a hundred in its life.
            cuts.dedup();
            let pieces = cuts.windows(2).map(|cut| match cut {
                [from, to] => all.slice(*from..*to),
                _ => Bytes::new(),
            });
            let answer = world.raw.lock().await.call(post("Collect"), pieces).await;
            let expected = CollectReply {
                count: payloads.len() as u64,
                payloads: Vec::new(),
            };
            assert_eq!(answer.messages::<CollectReply>(), [expected]);
            assert_eq!(*world.received.lock().await, payloads);
        });
    }
}

fn config() -> ProptestConfig {
    ProptestConfig {
        // No files: a failure prints the seed.
        failure_persistence: None,
        ..ProptestConfig::with_cases(CASES)
    }
}

fn numbered(payloads: &[Vec<u8>]) -> Vec<EchoReply> {
    (0..)
        .zip(payloads)
        .map(|(number, payload)| reply(number, payload.clone()))
        .collect()
}

/// One server on the loopback, shared by the cases of all properties, which take turns.
struct World {
    runtime: Runtime,
    turn: std::sync::Mutex<()>,
    client: EchoServiceClient,
    raw: Mutex<RawClient>,
    /// What the server stream sends.
    replies: Arc<Mutex<Vec<EchoReply>>>,
    /// What the client stream got.
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

impl World {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let replies = Arc::<Mutex<Vec<EchoReply>>>::default();
        let received = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let (to_send, got) = (Arc::clone(&replies), Arc::clone(&received));
        let scripted = Scripted::new()
            .on_count(move |_, _| {
                let to_send = Arc::clone(&to_send);
                async move {
                    let replies = std::mem::take(&mut *to_send.lock().await);
                    Ok(Streamed::from_iter(replies.into_iter().map(Ok)))
                }
            })
            .on_collect(move |_, requests| receive(Arc::clone(&got), requests));
        let (client, raw) = runtime.block_on(async {
            let server = Running::start(scripted).await;
            (server.client().await, server.raw().await)
        });
        Self {
            runtime,
            turn: std::sync::Mutex::default(),
            client,
            raw: Mutex::new(raw),
            replies,
            received,
        }
    }

    fn run(&self, case: impl AsyncFnOnce(&Self)) {
        // A case that failed holds up no other.
        let _turn = self
            .turn
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        self.runtime.block_on(soon(case(self)));
    }
}

async fn receive(
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    mut requests: Inbound<EchoRequest>,
) -> Result<CollectReply, DomainError> {
    received.lock().await.clear();
    let mut count = 0;
    while let Some(request) = requests.message().await? {
        received.lock().await.push(request.payload);
        count += 1;
    }
    Ok(CollectReply {
        count,
        payloads: Vec::new(),
    })
}
