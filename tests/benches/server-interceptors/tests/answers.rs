//! What is measured does what it is measured for.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use bench_load::{Call, Request, once};
use tokio::runtime::Runtime;

#[test]
fn a_call_is_answered_by_its_token_alone() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(bench_server_interceptors::listen(listener));
    });
    let get = |has_token| {
        let call = Call::Get;
        once(address, Request { call, has_token })
    };
    assert!(!get(true).unwrap().is_empty());
    let refused = get(false).unwrap_err().to_string();
    assert!(refused.contains("a call failed"), "{refused}");
}
