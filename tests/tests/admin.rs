//! The admin port: whom it answers, and how long it is there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod looking;

use std::net::Ipv4Addr;
use std::time::Duration;

use apibase::{Admin, Health, Server};
use common::{Scripted, log, soon};
use http::StatusCode;
use looking::{Watched, get, send};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn a_server_that_is_well_is_ready_until_health_is_set_to_say_no() {
    let health = Health::new();
    let server = Watched::with(Scripted::new(), |server| server.health(health.clone())).await;
    server.until(|status| status["ready"] == true).await;
    let ready = server.get("/readyz").await;
    assert_eq!(
        (ready.status, ready.body.as_str()),
        (StatusCode::OK, "SERVING\n")
    );
    health.set("", apibase::ServingStatus::NotServing);
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.body, "NOT_SERVING\nhealth was set to NOT_SERVING\n");
}

#[tokio::test]
async fn every_answer_is_kept_by_nobody_and_takes_nothing_from_elsewhere() {
    let server = Watched::with(Scripted::new(), |server| server).await;
    for path in [
        "/",
        "/status.json",
        "/style.css",
        "/metrics",
        "/healthz",
        "/readyz",
        "/nowhere",
    ] {
        let seen = server.get(path).await;
        assert_eq!(seen.header("cache-control"), "no-store", "{path}");
        let policy = seen.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self';"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"));
        assert_eq!(seen.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(seen.header("access-control-allow-origin"), "", "{path}");
        assert_eq!(seen.header("connection"), "close", "{path}");
    }
    let css = server.get("/style.css").await;
    assert_eq!(css.header("content-type"), "text/css; charset=utf-8");
    assert!(!css.body.contains("url(") && !css.body.contains("@import"));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told_what_there_is() {
    let server = Watched::with(Scripted::new(), |server| server).await;
    let nothing = server.get("/debug/pprof?x=1").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    for path in ["/status.json", "/metrics", "/healthz", "/readyz"] {
        assert!(nothing.body.contains(path), "{}", nothing.body);
    }
    for verb in ["POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
        let host = server.admin;
        let request =
            format!("{verb} /status.json HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n\r\n");
        let refused = send(server.admin, &request).await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{verb}");
        assert_eq!(refused.header("allow"), "GET, HEAD");
        assert!(refused.body.contains("GET and HEAD"));
    }
    let metrics = server.get("/metrics").await;
    assert_eq!(metrics.status, StatusCode::NOT_FOUND);
    assert!(metrics.body.contains("with_metrics"), "{}", metrics.body);
}

#[tokio::test]
async fn who_asks_for_the_head_gets_no_body() {
    let server = Watched::with(Scripted::new(), |server| server).await;
    for path in ["/", "/status.json", "/readyz"] {
        let request = format!("HEAD {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        let head = send(server.admin, &request).await;
        assert_eq!(
            (head.status, head.body.as_str()),
            (StatusCode::OK, ""),
            "{path}"
        );
        let length: usize = head.header("content-length").parse().unwrap();
        assert!(length >= "SERVING\n".len());
    }
}

#[tokio::test]
async fn a_request_for_somebody_elses_name_is_not_answered() {
    let admin = Admin::new().port(0).name("items-admin.internal");
    let server = Watched::with(Scripted::new(), |server| server.admin(admin)).await;
    let asked = async |host: &str| {
        let request = format!("GET /status.json HTTP/1.1\r\nhost: {host}\r\n\r\n");
        send(server.admin, &request).await
    };
    for host in [
        "localhost:9090",
        "127.0.0.1",
        "[::1]:9090",
        "ITEMS-admin.internal:9090",
    ] {
        assert_eq!(asked(host).await.status, StatusCode::OK, "{host}");
    }
    for host in ["evil.example", "127.0.0.1.evil.example:9090", "<script>"] {
        let refused = asked(host).await;
        assert_eq!(refused.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert!(
            refused.body.contains("GRPC__SERVER__ADMIN_NAMES"),
            "{}",
            refused.body
        );
        assert!(refused.header("content-type").starts_with("text/plain"));
    }
    // Older than hosts, as some probes are.
    let old = send(server.admin, "GET /healthz HTTP/1.0\r\n\r\n").await;
    assert_eq!(old.status, StatusCode::OK);
}

#[tokio::test]
async fn a_server_has_an_admin_port_where_somebody_sets_one() {
    let bound = |server: Server| server.host(Ipv4Addr::LOCALHOST).port(0).bind();
    let none = bound(Server::new()).await.unwrap();
    assert_eq!(none.admin_addr(), None);
    let unset = bound(Server::new().admin(Admin::new())).await.unwrap();
    assert_eq!(unset.admin_addr(), None);
    let set = Server::from_variables([("GRPC__SERVER__ADMIN_PORT", "0")]).unwrap();
    let set = bound(set).await.unwrap().admin_addr().unwrap();
    assert!(set.ip().is_loopback() && set.port() != 0);
    let host = Server::from_variables([("GRPC__SERVER__ADMIN_HOST", "[::1]")]).unwrap();
    let host = host.admin(Admin::new().port(0).host([127, 0, 0, 2]));
    let host = bound(host).await.unwrap().admin_addr().unwrap();
    assert_eq!(
        host.ip(),
        Ipv4Addr::new(127, 0, 0, 2),
        "code goes before the environment"
    );
    for (key, value, problem) in [
        (
            "GRPC__SERVER__ADMIN_PORT",
            "http",
            "is not a number from 0 to 65535",
        ),
        (
            "GRPC__SERVER__ADMIN_NAMES",
            "a,,b",
            "is not names of hosts without ports",
        ),
        (
            "GRPC__SERVER__ADMIN_NAMES",
            "a:9090",
            "is not names of hosts without ports",
        ),
    ] {
        let wrong = Server::from_variables([(key, value)])
            .unwrap_err()
            .to_string();
        assert!(wrong.contains(problem), "{wrong}");
    }
}

#[tokio::test]
async fn a_taken_admin_port_is_told_before_the_server_serves() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = taken.local_addr().unwrap();
    let server = Server::new().host(Ipv4Addr::LOCALHOST).port(0);
    let error = server
        .admin(Admin::new().port(addr.port()))
        .bind()
        .await
        .unwrap_err();
    assert!(error.is_bind());
    let said = error.to_string();
    assert!(
        said.starts_with(&format!("cannot listen on {addr} for the admin port")),
        "{said}"
    );
    assert!(said.contains("GRPC__SERVER__ADMIN_PORT"), "{said}");
}

#[tokio::test]
async fn a_port_that_others_reach_is_warned_of() {
    let log = log();
    let open = Admin::new().port(0).host(Ipv4Addr::UNSPECIFIED);
    let server = Server::new().host(Ipv4Addr::LOCALHOST).port(0);
    let bound = server.admin(open).bind().await.unwrap();
    let warned = |line: &String| line.contains("WARN") && line.contains("asks nobody who they are");
    assert!(log.lines().iter().any(warned), "{:?}", log.lines());
    drop(bound);
    let log = common::log();
    let server = Watched::with(Scripted::new(), |server| server).await;
    server.get("/healthz").await;
    assert!(!log.lines().iter().any(warned), "{:?}", log.lines());
}

#[tokio::test]
async fn the_port_is_free_when_the_server_has_stopped_or_was_dropped() {
    let server = Watched::with(Scripted::new(), |server| server).await;
    let admin = server.admin;
    assert_eq!(get(admin, "/healthz").await.status, StatusCode::OK);
    soon(server.stop()).await.unwrap();
    TcpStream::connect(admin).await.unwrap_err();
    let again = Watched::with(Scripted::new(), |server| {
        server.admin(Admin::new().port(admin.port()))
    })
    .await;
    assert_eq!(again.get("/healthz").await.status, StatusCode::OK);
    again.serving.abort();
    let closed = async {
        while TcpStream::connect(admin).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(closed).await;
}
