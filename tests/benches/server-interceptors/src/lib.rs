//! The items service by our server with all five interceptors around the calls, in the order of the
//! specification.

use std::error::Error;
use std::net::TcpListener;

use apibase::{Auth, ErrorPolicy, Interceptors, Logging, Metrics, Tracing, TracingGuard};
use bench_harness::{log_file, token};

/// Serves the items until the process ends. Spans are as `OTEL_…` has them.
///
/// # Panics
///
/// When it can't: a bench without its figure is of no use.
#[allow(
    clippy::expect_used,
    reason = "a bench without its figure is of no use"
)]
pub async fn listen(listener: TcpListener) {
    let (chain, _guard) = chain().expect("a chain");
    bench_server_apibase::listen_intercepted(listener, chain).await;
}

fn chain() -> Result<(Interceptors, TracingGuard), Box<dyn Error>> {
    let (tracing, guard) = Tracing::from_env()?;
    let auth = Auth::jwt()
        .rs256_pem(token::PUBLIC_KEY)
        .issuer(token::ISSUER)
        .audience(token::AUDIENCE)
        .build()?;
    let chain = Interceptors::none()
        .with_errors(ErrorPolicy::default())
        .with_metrics(&Metrics::new())
        .with_tracing(tracing)
        .with_logging(Logging::to(log_file()?))
        .with_auth(auth);
    Ok((chain, guard))
}
