//! A server that brings its own threads.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use apibase::{Context, Server};
use common::{EchoServiceClient, EchoServiceServer, Scripted, ask, reply};
use tokio::runtime::{Builder, Handle};

fn set(variables: &[(&str, &str)], scripted: Scripted) -> Server {
    let server = Server::from_variables(variables.iter().copied()).unwrap();
    server
        .host(Ipv4Addr::LOCALHOST)
        .add_servicer(EchoServiceServer::new(scripted))
}

#[test]
fn it_has_as_many_threads_as_max_workers_says() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = port.local_addr().unwrap();
    drop(port);
    let scripted = Scripted::new().on_echo(|_, _| async {
        let workers = Handle::current().metrics().num_workers();
        Ok(reply(workers as u64, ""))
    });
    let server = set(&[("GRPC__SERVER__MAX_WORKERS", "3")], scripted).port(addr.port());
    // It runs until the process ends: only a signal stops it.
    thread::spawn(move || server.run().unwrap());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = EchoServiceClient::connect_lazy(format!("http://{addr}")).unwrap();
        let ctx = Context::background();
        let answer = loop {
            match client.echo(&ctx, ask("")).await {
                Ok(answer) => break answer,
                Err(error) if error.is_transport() => tokio::task::yield_now().await,
                Err(error) => panic!("{error:?}"),
            }
        };
        assert_eq!(answer, reply(3, ""));
    });
}

#[test]
fn what_keeps_it_from_serving_is_its_error() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = set(&[], Scripted::new()).port(port).run().unwrap_err();
    assert!(error.is_bind(), "{error}");
    let disabled = [("GRPC__SERVER__ENABLED", "false")];
    set(&disabled, Scripted::new()).port(port).run().unwrap();
}
