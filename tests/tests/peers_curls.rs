//! What people call a server with by hand, `grpcurl` and `buf curl`, against one with all five interceptors
//! on: with a token, without one, by reflection behind auth and outside of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod five;
mod logged;
mod peers;
mod spans;
mod tokens;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;

use apibase::AuthBuilder;
use common::{Running, Scripted, soon};
use five::{Five, SPAN, TRACE};
use peers::{said, tool};
use tempfile::TempDir;

/// Reflection is for whoever has no token, too.
fn open_reflection(auth: AuthBuilder) -> AuthBuilder {
    auth.exclude("/grpc.reflection.v1.ServerReflection/*")
        .exclude("/grpc.reflection.v1alpha.ServerReflection/*")
}

/// What came of `grpcurl` with these before the address and those behind it; `None` where there is none.
async fn grpcurl(addr: SocketAddr, before: &[&str], behind: &[&str]) -> Option<Output> {
    let mut grpcurl = tool("grpcurl", "GRPCURL")?;
    let grpcurl = grpcurl
        .args(["-plaintext", "-max-time", "30"])
        .args(before)
        .arg(addr.to_string())
        .args(behind);
    Some(soon(grpcurl.output()).await.unwrap())
}

/// What came of `buf curl` for this path; `None` where there is no buf.
async fn buf_curl(five: &Five, options: &[&str], path: &str) -> Option<Output> {
    let mut buf = tool("buf", "BUF")?;
    let buf = buf
        .args(["curl", "--protocol", "grpc", "--http2-prior-knowledge"])
        .args(options)
        .arg(format!("{}/{path}", five.server.target()));
    Some(soon(buf.output()).await.unwrap())
}

#[tokio::test]
async fn grpcurl_with_a_token_gets_in_and_sees_its_correlation_id() {
    let five = Five::start(|auth| auth).await;
    let token = format!("authorization: Bearer {}", five.token(""));
    let trace = format!("traceparent: 00-{TRACE}-{SPAN}-01");
    let headers = [
        "-H",
        &token,
        "-H",
        "x-correlation-id: by-hand-1",
        "-H",
        &trace,
    ];
    let options = [&["-v", "-d", "{}"], &headers[..]].concat();
    let Some(output) = grpcurl(five.server.addr, &options, &["guarded.VaultService/Look"]).await
    else {
        return;
    };
    let out = said(&output);
    assert!(output.status.success(), "{out}");
    let known = format!(r#""name": "alice {TRACE} by-hand-1""#);
    assert!(out.contains(&known), "{out}");
    let headers = out.split("Response headers received:").nth(1).unwrap();
    let headers = headers.split("Response contents:").next().unwrap();
    assert!(headers.contains("x-correlation-id: by-hand-1"), "{out}");

    // Scopes that the token doesn't have.
    let options = ["-H", &token];
    let take = grpcurl(five.server.addr, &options, &["guarded.VaultService/Take"])
        .await
        .unwrap();
    let out = said(&take);
    assert!(out.contains("Code: PermissionDenied"), "{out}");
    assert!(out.contains("vault.take"), "{out}");
    // It knows the details by itself.
    assert!(out.contains(r#""reason": "SCOPE_MISSING""#), "{out}");
}

#[tokio::test]
async fn grpcurl_without_a_token_sees_nothing_where_reflection_asks_for_one() {
    let five = Five::start(|auth| auth).await;
    let Some(output) = grpcurl(five.server.addr, &[], &["list"]).await else {
        return;
    };
    let out = said(&output);
    assert!(!output.status.success(), "{out}");
    assert!(out.contains("a token is required"), "{out}");
    assert!(!out.contains("guarded"), "{out}");

    // Reflection by a token; the call itself has none.
    let token = format!("authorization: Bearer {}", five.token(""));
    let options = ["-reflect-header", &token];
    let health = grpcurl(five.server.addr, &options, &["grpc.health.v1.Health/Check"])
        .await
        .unwrap();
    assert!(
        said(&health).contains(r#""status": "SERVING""#),
        "{}",
        said(&health)
    );
    let look = grpcurl(five.server.addr, &options, &["guarded.VaultService/Look"])
        .await
        .unwrap();
    assert!(
        said(&look).contains("Code: Unauthenticated"),
        "{}",
        said(&look)
    );
    let knock = grpcurl(five.server.addr, &options, &["guarded.VaultService/Knock"])
        .await
        .unwrap();
    assert!(knock.status.success(), "{}", said(&knock));
}

#[tokio::test]
async fn grpcurl_without_a_token_sees_all_where_reflection_is_excluded() {
    let five = Five::start(open_reflection).await;
    let Some(output) = grpcurl(five.server.addr, &[], &["list"]).await else {
        return;
    };
    assert_eq!(
        said(&output).lines().collect::<Vec<_>>(),
        [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
            "guarded.VaultService",
        ]
    );
    let forged = format!("authorization: Bearer {}", five.forged());
    for (options, message) in [
        (&[][..], "a token is required"),
        (&["-H", &forged], "Message: invalid token"),
    ] {
        let look = grpcurl(five.server.addr, options, &["guarded.VaultService/Look"])
            .await
            .unwrap();
        let out = said(&look);
        assert!(out.contains("Code: Unauthenticated"), "{out}");
        assert!(out.contains(message), "{out}");
    }
}

#[tokio::test]
async fn grpcurl_needs_no_more_than_the_address_where_nobody_guards() {
    let server = Running::start(Scripted::new()).await;
    let listed = grpcurl(server.addr, &[], &["list"]).await;
    let Some(output) = listed else {
        return;
    };
    let out = said(&output);
    assert!(out.lines().any(|line| line == "echo.EchoService"), "{out}");
    for (options, behind, expected) in [
        (
            &[][..],
            &["describe", "echo.EchoService"][..],
            "rpc Chat ( stream .echo.EchoRequest )",
        ),
        (
            &[],
            &["grpc.health.v1.Health/Check"],
            r#""status": "SERVING""#,
        ),
        (
            &["-d", r#"{"payload": "YWJj"}"#],
            &["echo.EchoService/Echo"],
            r#""payload": "YWJj""#,
        ),
        (
            &["-d", r#"{"count": 3}"#],
            &["echo.EchoService/Count"],
            r#""number": "2""#,
        ),
    ] {
        let output = grpcurl(server.addr, options, behind).await.unwrap();
        let out = said(&output);
        assert!(output.status.success() && out.contains(expected), "{out}");
    }
}

/// A module of buf's with the vault in it.
fn schema() -> TempDir {
    let (folder, tests) = (
        TempDir::new().unwrap(),
        Path::new(env!("CARGO_MANIFEST_DIR")),
    );
    let copy = |from: &str, to: &str| {
        let to = folder.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(tests.join(from), to).unwrap();
    };
    copy("fixtures/guarded/guarded.proto", "guarded.proto");
    let options = "apibase/v1/options.proto";
    copy(&format!("../protos/{options}"), options);
    fs::write(folder.path().join("buf.yaml"), "version: v2\n").unwrap();
    folder
}

#[tokio::test]
async fn buf_curl_gets_in_with_a_token_by_schema_and_by_reflection() {
    let five = Five::start(|auth| auth).await;
    let schema = schema();
    let schema = schema.path().to_str().unwrap();
    let token = format!("authorization: Bearer {}", five.token(""));
    let trace = format!("traceparent: 00-{TRACE}-{SPAN}-01");
    for about in [["--schema", schema], ["--reflect-header", &token]] {
        let headers = [
            "-H",
            &token,
            "-H",
            "x-correlation-id: by-buf-1",
            "-H",
            &trace,
        ];
        let options = [&about[..], &["-v", "-d", "{}"], &headers].concat();
        let look = buf_curl(&five, &options, "guarded.VaultService/Look").await;
        let Some(output) = look else {
            return;
        };
        let out = said(&output);
        assert!(output.status.success(), "{out}");
        assert!(out.contains(&format!("alice {TRACE} by-buf-1")), "{out}");
        let answer = out.lines().filter(|line| line.contains(": < "));
        let mut told = answer.filter(|line| line.ends_with("X-Correlation-Id: by-buf-1"));
        assert!(told.next().is_some(), "{out}");

        let options = [&about[..], &["-H", &token]].concat();
        let take = buf_curl(&five, &options, "guarded.VaultService/Take");
        let out = said(&take.await.unwrap());
        assert!(out.contains(r#""code": "permission_denied""#), "{out}");
        assert!(out.contains("vault.take"), "{out}");
        let look = buf_curl(&five, &about, "guarded.VaultService/Look");
        let out = said(&look.await.unwrap());
        assert!(out.contains(r#""code": "unauthenticated""#), "{out}");
        let knock = buf_curl(&five, &about, "guarded.VaultService/Knock");
        let knock = knock.await.unwrap();
        assert!(knock.status.success(), "{}", said(&knock));
    }
}

#[tokio::test]
async fn buf_curl_needs_a_token_for_reflection_unless_that_is_excluded() {
    let guarded = Five::start(|auth| auth).await;
    let Some(output) = buf_curl(&guarded, &["--list-services"], "").await else {
        return;
    };
    let out = said(&output);
    assert!(!output.status.success(), "{out}");
    assert!(!out.contains("guarded.VaultService"), "{out}");

    let open = Five::start(open_reflection).await;
    let output = buf_curl(&open, &["--list-services"], "").await.unwrap();
    let out = said(&output);
    assert!(
        output.status.success() && out.contains("guarded.VaultService"),
        "{out}"
    );
    let health = buf_curl(&open, &[], "grpc.health.v1.Health/Check")
        .await
        .unwrap();
    assert!(said(&health).contains("SERVING"), "{}", said(&health));
}
