//! What the status page of the admin port shows, and the same as JSON.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod looking;

use std::net::Ipv4Addr;
use std::num::NonZero;
use std::time::Duration;

use apibase::{
    Admin, ClientFactory, Code, Context, DomainError, Health, RateLimit, Server, Streamed,
};
use common::{
    EchoServiceClient, EchoServiceServer, Scripted, ask, count, frame, post, reply, soon,
};
use futures_util::{StreamExt, stream};
use http::StatusCode;
use looking::Watched;
use serde_json::{Value, json};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// One that never answers an `Echo`, and whose `Count` never ends.
fn hanging() -> Scripted {
    Scripted::new()
        .on_echo(|_, _| std::future::pending())
        .on_count(|_, _| async {
            let endless = stream::iter([Ok(reply(1, ""))]).chain(stream::pending());
            Ok(Streamed::new(endless))
        })
}

#[tokio::test]
async fn the_page_and_the_json_show_the_calls_that_run() {
    let server = Watched::with(hanging(), |server| server).await;
    let mut raw = server.raw().await;
    let post = post("Echo")
        .header("x-correlation-id", "order-17")
        .header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"))
        .header("authorization", "Bearer s3cret-token")
        .header("cookie", "session=s3cret-cookie")
        .header("grpc-timeout", "60S");
    let (_answer, mut sending) = raw.open(post, false).await;
    sending
        .send_data(frame(&ask("s3cret-payload")), false)
        .unwrap();
    let running = |calls: u64| move |status: &Value| status["calls"]["running"] == calls;
    let status = server.until(running(1)).await;
    let call = &status["calls"]["oldest"][0];
    assert_eq!(call["service"], "echo.EchoService");
    assert_eq!(call["method"], "Echo");
    assert_eq!(call["phase"], "WORKING");
    assert_eq!(call["trace_id"], TRACE);
    assert_eq!(call["correlation_id"], "order-17");
    assert!(call["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    let left = call["remaining_ms"].as_u64().unwrap();
    assert!((1_000..=60_000).contains(&left), "{left}");
    assert!(call["age_ms"].as_u64().unwrap() < 50_000);
    assert_eq!(
        status["limits"],
        json!([{"method": null, "used": 1, "max": 100}])
    );
    assert_eq!(status["connections"]["open"], 1);

    let client = server.client().await;
    let mut replies = client
        .count(&Context::background(), count(1))
        .await
        .unwrap();
    assert!(soon(replies.message()).await.unwrap().is_some());
    let status = server.until(running(2)).await;
    let second = &status["calls"]["oldest"][1];
    assert_eq!(
        (&second["phase"], &second["remaining_ms"]),
        (&json!("REPLYING"), &Value::Null)
    );

    let page = server.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in [
        "echo.EchoService/Echo",
        "order-17",
        TRACE,
        "replying",
        "127.0.0.1:",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    // Nothing of what callers send but the ids that are for this.
    for seen in [page.body, status.to_string()] {
        assert!(!seen.contains("s3cret"), "{seen}");
    }
}

#[tokio::test]
async fn of_very_many_calls_two_hundred_are_shown_and_the_others_counted() {
    let server = Watched::with(hanging(), |server| server.max_concurrent_rpcs(1000)).await;
    let client = server.client().await;
    let calls: Vec<_> = (0..250)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.echo(&Context::background(), ask("")).await })
        })
        .collect();
    let status = server
        .until(|status| status["calls"]["running"] == 250)
        .await;
    assert_eq!(status["calls"]["oldest"].as_array().unwrap().len(), 200);
    let page = server.get("/").await.body;
    assert_eq!(
        page.matches("<code>echo.EchoService/Echo</code>").count(),
        200
    );
    assert!(page.contains("and 50 more"), "{page}");
    calls.iter().for_each(tokio::task::JoinHandle::abort);
    server.until(|status| status["calls"]["running"] == 0).await;
}

#[tokio::test]
async fn health_is_told_with_the_last_answer_of_each_dependency() {
    let health = Health::new()
        .interval(Duration::from_millis(50))
        .dependency("database", || async { Ok::<_, DomainError>(()) })
        .dependency("cache", || async {
            Err("connection refused (os error 111)")
        });
    let server = Watched::with(Scripted::new(), |server| server.health(health.clone())).await;
    let of = |status: &Value, at: usize| status["health"]["dependencies"][at].clone();
    let answered = |status: &Value| (0..2).all(|at| !of(status, at)["took_ms"].is_null());
    let status = server.until(answered).await;
    assert_eq!(status["status"], "NOT_SERVING");
    assert_eq!(
        (&status["ready"], &status["health"]["overall"]),
        (&json!(false), &json!("NOT_SERVING"))
    );
    assert_eq!(
        (
            of(&status, 0)["name"].clone(),
            of(&status, 0)["state"].clone()
        ),
        (json!("database"), json!("HEALTHY"))
    );
    let cache = of(&status, 1);
    assert_eq!(
        (&cache["name"], &cache["state"]),
        (&json!("cache"), &json!("FAILING"))
    );
    assert_eq!(cache["error"], "connection refused (os error 111)");
    assert!(cache["answered_ms_ago"].as_u64().unwrap() < 20_000);

    let page = server.get("/").await.body;
    assert!(page.contains("NOT SERVING") && page.contains("connection refused (os error 111)"));
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        ready.body,
        "NOT_SERVING\ncache: connection refused (os error 111)\n"
    );
    let alive = server.get("/healthz").await;
    assert_eq!(
        (alive.status, alive.body.as_str()),
        (StatusCode::OK, "alive\n")
    );
}

#[tokio::test]
async fn clients_are_shown_with_their_endpoints_and_breakers() {
    let upstream = Watched::with(
        Scripted::new().on_echo(|_, _| async { Err(DomainError::external_service("away")) }),
        |server| server,
    )
    .await;
    let target = format!("http://{}", upstream.addr);
    let clients = ClientFactory::new()
        .max_retries(0)
        .circuit_breaker(NonZero::<u32>::MIN, Duration::from_secs(60));
    let direct = ClientFactory::new().connect(target.clone()).await.unwrap();
    let admin = Admin::new().port(0).clients(&clients).channel(&direct);
    let server = Watched::with(Scripted::new(), |server| server.admin(admin)).await;
    assert_eq!(
        server.json().await["clients"].as_array().unwrap().len(),
        1,
        "the channel alone"
    );

    let client = EchoServiceClient::new(clients.connect(target.clone()).await.unwrap());
    let failed = client
        .echo(&Context::background(), ask(""))
        .await
        .unwrap_err();
    assert_eq!(failed.code(), Code::Unavailable);
    let status = server.json().await;
    let shown = status["clients"].as_array().unwrap().clone();
    assert_eq!(shown.len(), 2);
    for client in &shown {
        assert_eq!(client["target"], target);
        let endpoint = json!({
            "address": upstream.addr.to_string(), "connections": 1, "ejected": false,
        });
        assert_eq!(client["endpoints"], json!([endpoint]));
    }
    let breakers = shown[0]["breakers"].as_array().unwrap();
    let echo = breakers
        .iter()
        .find(|breaker| breaker["method"] == "Echo")
        .unwrap();
    assert_eq!(
        (&echo["service"], &echo["state"]),
        (&json!("echo.EchoService"), &json!("OPEN"))
    );
    let settings = status["settings"]["clients"].as_array().unwrap();
    assert_eq!(settings.len(), 1);
    assert!(
        settings[0]
            .to_string()
            .contains("GRPC__CLIENT__MAX_RETRIES")
    );
    let page = server.get("/").await.body;
    assert!(
        page.contains("<span class=\"word bad\">open</span>"),
        "{page}"
    );

    // Who shows them keeps none of them.
    drop(client);
    server
        .until(|status| status["clients"].as_array().unwrap().len() == 1)
        .await;
}

#[tokio::test]
async fn limits_and_settings_are_shown_with_where_they_come_from() {
    let server = Server::from_variables([
        ("GRPC__SERVER__GRACE", "250ms"),
        ("GRPC__SERVER__ADMIN_PORT", "0"),
    ]);
    let server = server
        .unwrap()
        .add_servicer(EchoServiceServer::new(Scripted::new()))
        .max_concurrent_rpcs(7)
        .max_concurrent_rpcs_of("/echo.EchoService/Echo", 3)
        .rate_limit_of(
            "/echo.EchoService/Ping",
            RateLimit::new(5, Duration::from_secs(1)),
        );
    let server = Watched::of(server).await;
    let status = server.json().await;
    let expected = json!([
        {"method": null, "used": 0, "max": 7},
        {"method": "/echo.EchoService/Echo", "used": 0, "max": 3},
    ]);
    assert_eq!(status["limits"], expected);
    let rate = json!({"method": "/echo.EchoService/Ping", "limit": "5 calls in 1s", "callers": 0});
    assert_eq!(status["rate_limits"], json!([rate]));
    let settings = status["settings"]["server"]["settings"].as_array().unwrap();
    let setting = |key: &str| {
        let key = format!("GRPC__SERVER__{key}");
        settings
            .iter()
            .find(|setting| setting["key"] == key.as_str())
            .unwrap()
    };
    for (key, value, origin) in [
        ("GRACE", "250ms", "env"),
        ("ADMIN_PORT", "0", "env"),
        ("MAX_CONCURRENT_RPCS", "7", "code"),
        ("MAX_METADATA_SIZE", "16KiB", "default"),
    ] {
        assert_eq!(
            (&setting(key)["value"], &setting(key)["origin"]),
            (&json!(value), &json!(origin))
        );
    }
    let page = server.get("/").await.body;
    for shown in [
        "GRPC__SERVER__GRACE",
        "250ms",
        "5 calls in 1s",
        "echo.EchoService/Ping",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn the_page_comes_again_for_who_asks_for_it() {
    let server = Watched::with(Scripted::new(), |server| server).await;
    for (path, seconds) in [
        ("/", None),
        ("/?refresh=5", Some(5)),
        ("/?a=b&refresh=3600", Some(3600)),
        ("/?refresh=0", None),
        ("/?refresh=3601", None),
        ("/?refresh=%3Cscript%3E", None),
    ] {
        let page = server.get(path).await.body;
        let refresh =
            seconds.map(|seconds| format!("http-equiv=\"refresh\" content=\"{seconds}\""));
        match refresh {
            Some(refresh) => assert!(page.contains(&refresh), "{path}"),
            None => assert!(!page.contains("http-equiv"), "{path}"),
        }
    }
}

#[tokio::test]
async fn a_program_has_the_status_without_a_port() {
    let server = Server::new().add_servicer(EchoServiceServer::new(Scripted::new()));
    let bound = server
        .host(Ipv4Addr::LOCALHOST)
        .port(0)
        .bind()
        .await
        .unwrap();
    let status = bound.handle().status();
    assert!(!status.is_ready(), "it doesn't serve yet");
    let json: Value = serde_json::from_str(&status.to_json()).unwrap();
    assert_eq!(
        (&json["status"], &json["refusals"]),
        (&json!("STARTING"), &Value::Null)
    );
    assert_eq!(json["address"], bound.local_addr().to_string());
    assert_eq!(json["apibase"], env!("CARGO_PKG_VERSION"));
    let handle = bound.handle();
    let serving = tokio::spawn(bound.serve_until(std::future::pending()));
    let ready = async {
        while !handle.status().is_ready() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(ready).await;
    serving.abort();
}

#[tokio::test]
async fn the_program_is_shown_by_its_name_and_version() {
    let admin = Admin::new().port(0).program("items <1>", "1.4.2");
    let server = Watched::with(Scripted::new(), |server| server.admin(admin)).await;
    let status = server.json().await;
    assert_eq!(
        status["program"],
        json!({"name": "items <1>", "version": "1.4.2"})
    );
    let page = server.get("/").await.body;
    assert!(
        page.contains("<h1>items &lt;1&gt; <small>1.4.2</small></h1>"),
        "{page}"
    );
}
