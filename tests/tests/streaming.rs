//! The four kinds of calls, end to end: our server, our client, a socket between them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use apibase::{CallError, Context, DomainError, Inbound, Streamed};
use common::{
    CollectReply, EchoReply, EchoRequest, Running, Scripted, ask, count, failing, journal, reply,
    soon,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio_stream::wrappers::ReceiverStream;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn unary_answers() {
    let ctx = Context::background();
    let client = Running::start(Scripted::new()).await.client().await;
    let answer = client.echo(&ctx, ask("hello")).await;
    assert_eq!(answer.unwrap(), reply(0, "hello"));
}

#[tokio::test]
async fn a_unary_message_may_be_empty() {
    let ctx = Context::background();
    let client = Running::start(Scripted::new()).await.client().await;
    let answer = client.echo(&ctx, ask("")).await;
    assert_eq!(answer.unwrap(), EchoReply::default());
}

#[tokio::test]
async fn protobufs_empty_is_the_unit_type() {
    let ctx = Context::background();
    let client = Running::start(Scripted::new()).await.client().await;
    let answer: () = client.ping(&ctx, ()).await.unwrap();
    assert_eq!(answer, ());
}

#[tokio::test]
async fn a_server_stream_gives_every_reply_in_order() {
    let ctx = Context::background();
    let client = Running::start(Scripted::new()).await.client().await;
    let replies = client.count(&ctx, count(1000)).await;
    let numbers: Vec<_> = replies
        .unwrap()
        .map_ok(|reply| reply.number)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_server_stream_may_be_empty() {
    let ctx = Context::background();
    let client = Running::start(Scripted::new()).await.client().await;
    let replies = client.count(&ctx, count(0)).await;
    let mut replies = replies.unwrap();
    assert_eq!(replies.message().await.unwrap(), None);
    assert_eq!(replies.message().await.unwrap(), None, "the end stays");
}

#[tokio::test]
async fn a_client_stream_is_read_to_its_end() {
    let ctx = Context::background();
    let client = Running::start(Scripted::new()).await.client().await;
    let requests = stream::iter(["a", "", "bc"].map(ask));
    let answer = client.collect(&ctx, requests).await;
    let expected = CollectReply {
        count: 3,
        payloads: b"abc".to_vec(),
    };
    assert_eq!(answer.unwrap(), expected);
}

#[tokio::test]
async fn a_client_stream_may_be_empty() {
    let ctx = Context::background();
    let client = Running::start(Scripted::new()).await.client().await;
    let answer = client.collect(&ctx, stream::empty());
    assert_eq!(answer.await.unwrap(), CollectReply::default());
}

#[tokio::test]
async fn a_bidi_stream_answers_each_request_before_the_next() {
    let ctx = Context::background();
    let client = Running::start(Scripted::new()).await.client().await;
    let (requests, receiver) = tokio::sync::mpsc::channel(1);
    let replies = client.chat(&ctx, ReceiverStream::new(receiver));
    let mut replies = soon(replies).await.unwrap();
    for number in 0..10_u8 {
        requests.send(ask([number])).await.unwrap();
        let answer = soon(replies.message()).await.unwrap().unwrap();
        assert_eq!(answer, reply(number.into(), [number]));
    }
    drop(requests);
    assert_eq!(soon(replies.message()).await.unwrap(), None);
}

#[tokio::test]
async fn a_bidi_stream_may_be_empty_in_both_directions() {
    let ctx = Context::background();
    let client = Running::start(Scripted::new()).await.client().await;
    let replies = client.chat(&ctx, stream::empty());
    assert_eq!(replies.await.unwrap().message().await.unwrap(), None);
}

#[tokio::test]
async fn a_bidi_stream_may_be_empty_in_one_direction() {
    let ctx = Context::background();
    let client = Running::start(Scripted::new().on_chat(drain)).await;
    let client = client.client().await;
    let replies = client.chat(&ctx, stream::iter(["a", "b"].map(ask)));
    assert_eq!(replies.await.unwrap().message().await.unwrap(), None);

    let scripted = Scripted::new().on_chat(|_, _| async { Ok(three()) });
    let client = Running::start(scripted).await.client().await;
    let replies = client.chat(&ctx, stream::empty());
    assert_eq!(replies.await.unwrap().count().await, 3);
}

#[tokio::test]
async fn replies_may_come_before_the_first_request() {
    let ctx = Context::background();
    let scripted = Scripted::new().on_chat(|_, requests| async move {
        Ok(Streamed::new(three().chain(stream::once(async move {
            let rest = requests.try_collect::<Vec<_>>().await?;
            Ok(reply(rest.len().try_into().unwrap(), ""))
        }))))
    });
    let client = Running::start(scripted).await.client().await;
    let (requests, receiver) = tokio::sync::mpsc::channel(1);
    let replies = client.chat(&ctx, ReceiverStream::new(receiver));
    let mut replies = soon(replies).await.unwrap();
    for _ in 0..3 {
        soon(replies.message()).await.unwrap().unwrap();
    }
    requests.send(ask("late")).await.unwrap();
    drop(requests);
    assert_eq!(soon(replies.message()).await.unwrap(), Some(reply(1, "")));
    assert_eq!(soon(replies.message()).await.unwrap(), None);
}

#[tokio::test]
async fn a_mebibyte_goes_each_way_in_each_kind() {
    let client =
        Running::start(Scripted::new().on_count(|_, _| async {
            Ok(Streamed::from_iter((0..3).map(|n| Ok(reply(n, large())))))
        }))
        .await
        .client()
        .await;
    let ctx = Context::background();

    let answer = client.echo(&ctx, ask(large())).await.unwrap();
    assert!(answer.payload == large());

    let replies = client.count(&ctx, count(3)).await.unwrap();
    let replies: Vec<_> = replies.try_collect().await.unwrap();
    assert!(replies.len() == 3 && replies.iter().all(|reply| reply.payload == large()));

    let requests = stream::iter((0..3).map(|_| ask(large())));
    let answer = client.collect(&ctx, requests).await.unwrap();
    assert!(answer.payloads == large().repeat(3));

    let requests = stream::iter((0..3).map(|_| ask(large())));
    let replies = client.chat(&ctx, requests).await.unwrap();
    let replies: Vec<_> = replies.try_collect().await.unwrap();
    assert!(replies.len() == 3 && replies.iter().all(|reply| reply.payload == large()));
}

#[tokio::test]
async fn an_error_before_the_first_message_is_the_calls_error() {
    let client = Running::start(
        Scripted::new()
            .on_echo(|_, _| async { Err(DomainError::conflict("echo")) })
            .on_count(|_, _| async { Err(DomainError::conflict("count")) })
            .on_collect(|_, _| async { Err(DomainError::conflict("collect")) })
            .on_chat(|_, _| async { Err(DomainError::conflict("chat")) }),
    )
    .await
    .client()
    .await;
    let ctx = Context::background();
    is_conflict(client.echo(&ctx, ask("")).await, "echo");
    is_conflict(client.count(&ctx, count(1)).await, "count");
    let endless = || stream::repeat_with(|| ask("more"));
    is_conflict(soon(client.collect(&ctx, endless())).await, "collect");
    is_conflict(soon(client.chat(&ctx, endless())).await, "chat");
}

#[tokio::test]
async fn an_error_in_mid_stream_comes_after_the_messages_before_it() {
    let scripted = Scripted::new()
        .on_count(|_, _| async { Ok(failing(3, DomainError::rate_limit("slower"))) })
        .on_chat(|_, _| async { Ok(failing(3, DomainError::rate_limit("slower"))) });
    let client = Running::start(scripted).await.client().await;
    let ctx = Context::background();
    let open = stream::pending::<EchoRequest>();
    for replies in [
        client.count(&ctx, count(9)).await,
        client.chat(&ctx, open).await,
    ] {
        let mut replies = replies.unwrap();
        for number in 0..3 {
            let next = soon(replies.message()).await.unwrap();
            assert_eq!(next, Some(reply(number, "")));
        }
        match soon(replies.message()).await {
            Err(CallError::Service(DomainError::RateLimit(fault))) => {
                assert_eq!(fault.message(), "slower");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(
            replies.message().await.unwrap(),
            None,
            "an error is the end"
        );
    }
}

#[tokio::test]
async fn what_comes_after_an_error_is_not_sent() {
    let ctx = Context::background();
    let (journal, mut entries) = journal();
    let scripted = Scripted::new().on_count(move |_, _| {
        let dropped = journal.on_drop("dropped");
        async move {
            let replies = failing(1, DomainError::database("broken"));
            Ok(Streamed::new(replies.chain(stream::poll_fn(move |_| {
                let _held = &dropped;
                panic!("asked after the error")
            }))))
        }
    });
    let client = Running::start(scripted).await.client().await;
    let replies = client.count(&ctx, count(1)).await;
    let replies: Vec<_> = replies.unwrap().collect().await;
    assert!(
        matches!(&replies[..], [Ok(_), Err(CallError::Service(_))]),
        "{replies:?}"
    );
    assert_eq!(entries.next().await, "dropped");
}

#[tokio::test]
async fn an_early_reply_ends_an_upload_that_goes_on() {
    let ctx = Context::background();
    let scripted = Scripted::new().on_collect(|_, mut requests| async move {
        let first = requests.message().await?.unwrap_or_default();
        Ok(CollectReply {
            count: 1,
            payloads: first.payload,
        })
    });
    let client = Running::start(scripted).await.client().await;
    let endless = stream::repeat_with(|| ask(vec![7; 1000]));
    let answer = soon(client.collect(&ctx, endless)).await;
    assert_eq!(answer.unwrap().count, 1);
    let answer = client.echo(&ctx, ask("next")).await;
    assert_eq!(answer.unwrap().payload, b"next");
}

/// Reads all requests, and answers none.
async fn drain(
    _ctx: Context,
    mut requests: Inbound<EchoRequest>,
) -> Result<Streamed<EchoReply, DomainError>, DomainError> {
    while requests.message().await?.is_some() {}
    Ok(Streamed::new(stream::empty()))
}

fn three() -> Streamed<EchoReply, DomainError> {
    Streamed::from_iter((0..3).map(|number| Ok(reply(number, ""))))
}

fn large() -> Vec<u8> {
    (0..MIB).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn is_conflict<T: std::fmt::Debug>(outcome: common::Outcome<T>, message: &str) {
    match outcome {
        Err(CallError::Service(DomainError::Conflict(fault))) => {
            assert_eq!(fault.message(), message);
        }
        other => panic!("{other:?}"),
    }
}
