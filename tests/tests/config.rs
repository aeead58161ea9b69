//! A server's settings, as a program and its operator see them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use apibase::{Context, ErrorPolicy, Interceptors, Server, SettingOrigin};
use common::{EchoServiceClient, EchoServiceServer, Scripted, ask, soon};

fn refusal(variables: &[(&str, &str)]) -> String {
    let error = Server::from_variables(variables.iter().copied()).unwrap_err();
    error.to_string()
}

#[test]
fn a_server_describes_its_defaults() {
    let expected = r#"[server]
# enabled is not set        # default
host = "0.0.0.0"            # default
port = 50051                # default
max_concurrent_rpcs = 100   # default
max_message_size = "4MiB"   # default
grace = "5s"                # default
detailed_errors = false     # default"#;
    // Settings that are added stand between these, in the order of the table.
    let shown = Server::new().describe().to_string();
    let mut shown = shown.lines().map(words);
    for line in expected.lines().map(words) {
        assert!(shown.any(|shown| shown == line), "{line}");
    }
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_server_describes_who_set_what() {
    let variables = [
        ("GRPC__SERVER__HOST", "localhost"),
        ("GRPC__SERVER__PORT", "7"),
        ("GRPC__SERVER__GRACE", "1m30s"),
    ];
    let server = Server::from_variables(variables).unwrap();
    let described = server.port(8).max_message_size(1 << 20).describe();
    let set = |name: &str| {
        let setting = described.get(name).unwrap();
        (setting.value().unwrap().to_owned(), setting.origin())
    };
    assert_eq!(set("host"), ("127.0.0.1".to_owned(), SettingOrigin::Env));
    assert_eq!(set("port"), ("8".to_owned(), SettingOrigin::Code));
    assert_eq!(set("grace"), ("90s".to_owned(), SettingOrigin::Env));
    assert_eq!(
        set("max_message_size"),
        ("1MiB".to_owned(), SettingOrigin::Code)
    );
    assert_eq!(
        set("max_concurrent_rpcs"),
        ("100".to_owned(), SettingOrigin::Default)
    );
}

#[test]
fn details_that_the_chain_shows_are_described() {
    let chain = Interceptors::none().with_errors(ErrorPolicy::new().with_details());
    let described = Server::new().interceptors(chain).describe();
    let setting = described.get("detailed_errors").unwrap();
    assert_eq!(
        (setting.value(), setting.origin()),
        (Some("true"), SettingOrigin::Code)
    );
}

#[test]
fn a_debug_of_a_server_has_its_settings() {
    let shown = format!("{:?}", Server::new().grace(Duration::from_millis(1)));
    assert!(shown.contains("1ms"), "{shown}");
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let expected = "3 settings are wrong:
  GRPC__CLEINT__MAX_RETRIES: there is no such setting; did you mean `GRPC__CLIENT__MAX_RETRIES`?
  GRPC__SERVER__MAX_CONCURENT_RPCS: there is no such setting; did you mean `GRPC__SERVER__MAX_CONCURRENT_RPCS`?
  GRPC__SERVER__PORT: `fifty` is not a number from 0 to 65535";
    let variables = [
        ("GRPC__SERVER__PORT", "fifty"),
        ("GRPC__SERVER__MAX_CONCURENT_RPCS", "7"),
        ("GRPC__CLEINT__MAX_RETRIES", "7"),
        ("GRPC__SERVER__GRACE", ""),
    ];
    assert_eq!(refusal(&variables), expected);
}

#[tokio::test]
async fn a_server_on_all_of_ipv6_is_there_for_ipv4_too() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: this machine has no IPv6");
        return;
    }
    let variables = [("GRPC__SERVER__HOST", "[::]"), ("GRPC__SERVER__PORT", "0")];
    let server = Server::from_variables(variables).unwrap();
    let server = server.add_servicer(EchoServiceServer::new(Scripted::new()));
    let bound = server.bind().await.unwrap();
    let port = bound.local_addr().port();
    let _serving = tokio::spawn(bound.serve_until(std::future::pending()));
    for host in [[127, 0, 0, 1].into(), std::net::Ipv6Addr::LOCALHOST.into()] {
        let target = format!("http://{}", SocketAddr::new(host, port));
        let client = soon(EchoServiceClient::connect(target)).await.unwrap();
        let answer = soon(client.echo(&Context::background(), ask("x"))).await;
        assert!(answer.is_ok(), "{host}: {answer:?}");
    }
}
