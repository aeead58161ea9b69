//! Python's grpcio calls as the proto says, by the service config that the generator wrote: the script is
//! `tests/interop/service_config.py`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod peers;

use std::path::Path;

use peers::python;

#[tokio::test]
async fn python_retries_and_gives_up_as_the_proto_says() {
    let Some(mut python) = python("service_config.py") else {
        return;
    };
    let config = Path::new(env!("OUT_DIR")).join("policies/policies.service_config.json");
    let output = python.arg(config).output().await.unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains("grpcio calls as the proto says"), "{out}{err}");
}
