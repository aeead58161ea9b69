//! Compressed messages as our own client sees them, in a mounted service, and by settings.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod common;
mod packing;

use apibase::Compression::{Gzip, Zstd};
use apibase::{
    CallInfo, CallOptions, Code, Context, FailureKind, Interceptors, Server, SettingOrigin,
    Streamed,
};
use bytes::Bytes;
use common::{
    EchoReply, EchoServiceClient, EchoServiceServer, RawServer, Running, Scripted, ask, count,
    failure, frame, grpc_head, reply, soon, trailers,
};
use futures_util::TryStreamExt;
use packing::{marked, packed_frame};

fn large() -> Vec<u8> {
    vec![7; 100_000]
}

fn streaming() -> Scripted {
    Scripted::new()
        .on_count(|_, _| async { Ok(Streamed::from_iter((0..3).map(|n| Ok(reply(n, large()))))) })
}

#[tokio::test]
async fn a_client_reads_what_a_server_compresses() {
    for encoding in [Gzip, Zstd] {
        let server = Running::with(streaming(), |server| server.compression([encoding])).await;
        let client = server.client().await;
        let ctx = Context::background();
        let info = CallInfo::new();
        let asking = client.with(CallOptions::new().info(&info));
        let answer = soon(asking.echo(&ctx, ask(large()))).await.unwrap();
        assert!(answer.payload == large());
        let said = info.headers().get("grpc-encoding").cloned();
        assert_eq!(said.unwrap(), encoding.as_str());

        let replies = soon(client.count(&ctx, count(3))).await.unwrap();
        let replies: Vec<_> = soon(replies.try_collect()).await.unwrap();
        assert!(replies.len() == 3 && replies.iter().all(|reply| reply.payload == large()));
    }
}

#[tokio::test]
async fn requests_are_compressed_where_that_is_asked_for_and_worth_it() {
    for encoding in [Gzip, Zstd] {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let server = RawServer::start(move |request, mut response| {
            let tell = tell.clone();
            async move {
                let (head, mut body) = request.into_parts();
                let first = body.data().await.unwrap().unwrap();
                let said = head.headers.get("grpc-encoding").cloned();
                tell.send((said, first)).unwrap();
                let mut stream = response.send_response(grpc_head(), false).unwrap();
                stream.send_data(frame(&reply(0, "")), false).unwrap();
                stream
                    .send_trailers(trailers(&[("grpc-status", "0")]))
                    .unwrap();
            }
        });
        let client = server.await.client().await;
        let ctx = Context::background();
        let packing = client.with(CallOptions::new().compress(encoding));

        soon(packing.echo(&ctx, ask(large()))).await.unwrap();
        let (said, first) = told.recv().await.unwrap();
        assert_eq!(said.unwrap(), encoding.as_str());
        assert_eq!(first[0], 1);
        assert!(first.len() < 10_000, "{} bytes", first.len());

        soon(packing.echo(&ctx, ask("short"))).await.unwrap();
        let (said, first) = told.recv().await.unwrap();
        assert_eq!(
            (said.unwrap().as_bytes(), first[0]),
            (encoding.as_str().as_bytes(), 0)
        );

        soon(client.echo(&ctx, ask(large()))).await.unwrap();
        let (said, first) = told.recv().await.unwrap();
        assert_eq!((said, first[0]), (None, 0));
    }
}

#[tokio::test]
async fn a_server_of_ours_reads_compressed_requests_of_every_kind() {
    for encoding in [Gzip, Zstd] {
        let compression = |server: Server| server.compression([encoding]);
        let server = Running::with(Scripted::new(), compression).await;
        let ctx = Context::background();
        let packing = CallOptions::new().compress(encoding);
        let client = server.client().await.with(packing);
        let answer = soon(client.echo(&ctx, ask(large()))).await.unwrap();
        assert!(answer.payload == large());
        let requests = || futures_util::stream::iter([ask(large()), ask("short")]);
        let collected = soon(client.collect(&ctx, requests())).await.unwrap();
        assert_eq!((collected.count, collected.payloads.len()), (2, 100_005));
        let replies = soon(client.chat(&ctx, requests())).await.unwrap();
        let replies: Vec<_> = soon(replies.try_collect()).await.unwrap();
        assert!(replies.len() == 2 && replies[0].payload == large());
    }
}

#[tokio::test]
async fn a_service_that_is_mounted_compresses_by_its_chain() {
    let service = |chain| {
        EchoServiceServer::new(streaming())
            .into_service(chain)
            .unwrap()
    };
    let chain = Interceptors::none().with_compression([Zstd, Gzip]);
    for (chain, encoding) in [(chain, Some("zstd")), (Interceptors::none(), None)] {
        let client = EchoServiceClient::new(service(chain));
        let info = CallInfo::new();
        let asking = client.with(CallOptions::new().info(&info));
        let answer = asking.echo(&Context::background(), ask(large())).await;
        assert!(answer.unwrap().payload == large());
        let said = info.headers().get("grpc-encoding").cloned();
        assert_eq!(
            said.map(|name| name.to_str().unwrap().to_owned())
                .as_deref(),
            encoding
        );
    }
}

/// A client of a server that answers every call with this head and this frame.
async fn answering(encoding: &'static str, frame: Bytes) -> EchoServiceClient {
    let server = RawServer::start(move |_, mut response| {
        let frame = frame.clone();
        async move {
            let mut head = grpc_head();
            head.headers_mut()
                .insert("grpc-encoding", encoding.parse().unwrap());
            let mut body = response.send_response(head, false).unwrap();
            body.send_data(frame, false).unwrap();
            body.send_trailers(trailers(&[("grpc-status", "0")]))
                .unwrap();
        }
    });
    server.await.client().await
}

#[tokio::test]
async fn a_client_refuses_what_it_should() {
    let ctx = Context::background();
    let bomb = reply(0, vec![0; 64 << 20]);
    let small = packed_frame(Gzip, &reply(0, "small"));
    for (encoding, frame, code) in [
        ("gzip", packed_frame(Gzip, &bomb), Code::ResourceExhausted),
        ("zstd", packed_frame(Zstd, &bomb), Code::ResourceExhausted),
        ("gzip", marked(b"noise"), Code::Internal),
        ("zstd", small.clone(), Code::Internal),
        ("identity", small.clone(), Code::Internal),
    ] {
        let client = answering(encoding, frame).await;
        let failure = failure(soon(client.echo(&ctx, ask(""))).await);
        assert_eq!(
            (failure.kind(), failure.status().code()),
            (FailureKind::Decode, code)
        );
    }
    let client = answering("snappy", frame(&reply(0, "a"))).await;
    let failure = failure(soon(client.echo(&ctx, ask(""))).await);
    assert_eq!(failure.status().code(), Code::Internal);
    let expected = "the answer is compressed as `snappy`, and this client did not ask for that";
    assert_eq!(failure.status().message(), expected);

    let client = answering("gzip", small).await;
    let answer: EchoReply = soon(client.echo(&ctx, ask(""))).await.unwrap();
    assert_eq!(answer.payload, b"small");
}

fn of(value: &str) -> Result<Server, String> {
    let variables = [("GRPC__SERVER__COMPRESSION", value)];
    Server::from_variables(variables).map_err(|error| error.to_string())
}

fn described(server: &Server) -> (String, SettingOrigin) {
    let described = server.describe();
    let setting = described.get("compression").unwrap();
    (setting.value().unwrap().to_owned(), setting.origin())
}

#[test]
fn the_setting_is_a_list_or_off() {
    for (value, read) in [
        ("gzip", "gzip"),
        (" zstd , gzip", "zstd,gzip"),
        ("off", "off"),
    ] {
        let server = of(value).unwrap();
        assert_eq!(described(&server), (read.to_owned(), SettingOrigin::Env));
    }
    for wrong in [
        "snappy",
        "gzip,",
        "gzip,gzip",
        "identity",
        "gzip zstd",
        "true",
    ] {
        let expected = format!(
            "GRPC__SERVER__COMPRESSION: `{wrong}` is not `gzip`, `zstd` or both with a comma between \
             them, each built in by the feature of its name, or `off`"
        );
        assert_eq!(of(wrong).unwrap_err(), expected);
    }
}

#[test]
fn code_goes_before_the_environment_and_the_server_before_its_chain() {
    let chain = || Interceptors::none().with_compression([Gzip]);
    let by_code = |value: &str| (value.to_owned(), SettingOrigin::Code);
    assert_eq!(
        described(&of("zstd").unwrap().interceptors(chain())),
        by_code("gzip")
    );
    let both = Server::new().interceptors(chain()).compression([Zstd]);
    assert_eq!(described(&both), by_code("zstd"));
    let off = Server::new().interceptors(chain()).compression([]);
    assert_eq!(described(&off), by_code("off"));
    let default = ("off".to_owned(), SettingOrigin::Default);
    assert_eq!(described(&Server::new()), default);
}

#[tokio::test]
async fn a_server_that_says_off_does_not_compress_whatever_its_chain_says() {
    let chain = Interceptors::none().with_compression([Gzip]);
    let server = Running::with(streaming(), |server| {
        server.interceptors(chain).compression([])
    });
    let client = server.await.client().await;
    let info = CallInfo::new();
    let asking = client.with(CallOptions::new().info(&info));
    let answer = soon(asking.echo(&Context::background(), ask(large()))).await;
    assert!(answer.unwrap().payload == large());
    assert!(info.headers().get("grpc-encoding").is_none());
}
