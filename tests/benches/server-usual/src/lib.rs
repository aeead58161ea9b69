//! The items service by tonic, with around the calls what is usually there: a token that is verified each
//! time, a line of JSON by `tracing`, and the macros of `metrics`.

mod around;
mod auth;

use std::error::Error;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use bench_harness::log_file;
use bench_server_tonic::{ItemServiceServer, Items, incoming};
use metrics_exporter_prometheus::PrometheusBuilder;
use tonic::transport::Server;

use around::Around;
use auth::Verifier;

/// As often as the exporter's own server does it.
const UPKEEP: Duration = Duration::from_secs(5);

/// Serves the items until the process ends.
///
/// # Panics
///
/// When it can't: a bench without its figure is of no use.
#[allow(
    clippy::expect_used,
    reason = "a bench without its figure is of no use"
)]
pub async fn listen(listener: TcpListener) {
    set_up().expect("a log and metrics");
    let verifier = Verifier::new().expect("a key");
    let items = ItemServiceServer::with_interceptor(Items, verifier);
    Server::builder()
        .layer(tower::layer::layer_fn(Around::new))
        .add_service(items)
        .serve_with_incoming(incoming(listener))
        .await
        .expect("served");
}

fn set_up() -> Result<(), Box<dyn Error + Send + Sync>> {
    tracing_subscriber::fmt()
        .json()
        .with_writer(log_file()?)
        .try_init()?;
    let metrics = PrometheusBuilder::new().install_recorder()?;
    thread::spawn(move || {
        loop {
            thread::sleep(UPKEEP);
            metrics.run_upkeep();
        }
    });
    Ok(())
}
