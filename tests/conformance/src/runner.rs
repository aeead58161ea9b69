//! The server that the runner asks.

use std::io;
use std::net::Ipv4Addr;

use apibase::{BoxError, Compression, ErrorPolicy, Interceptors, Server, Tls, shutdown_signal};

use crate::connectrpc::conformance::v1::api::ConformanceServiceServer;
use crate::connectrpc::conformance::v1::{ServerCompatRequest, ServerCompatResponse};
use crate::service::Conformance;
use crate::talk::{read, write};

/// Serves what the runner asks for, until it stops this process.
pub(crate) async fn serve() -> Result<(), BoxError> {
    let request = read(&mut io::stdin().lock())?.ok_or("the runner asks for nothing")?;
    let server = configure(&request)?.bind().await?;
    let response = ServerCompatResponse {
        host: server.local_addr().ip().to_string(),
        port: server.local_addr().port().into(),
        pem_cert: certificate(&request),
    };
    write(&mut io::stdout().lock(), &response)?;
    server.serve_until(shutdown_signal()).await;
    Ok(())
}

fn configure(request: &ServerCompatRequest) -> Result<Server, BoxError> {
    // The runner wants to see every status as it was made, INTERNAL and UNKNOWN too.
    let as_made = Interceptors::none().with_errors(ErrorPolicy::new().with_raw_statuses());
    let mut server = Server::new()
        .host(Ipv4Addr::LOCALHOST)
        .port(0)
        .interceptors(as_made)
        .compression([Compression::Gzip, Compression::Zstd])
        .add_servicer(ConformanceServiceServer::new(Conformance));
    if let Some(credentials) = request.server_creds.as_ref().filter(|_| request.use_tls) {
        let mut tls = Tls::from_pem(&*credentials.cert, &*credentials.key);
        if !request.client_tls_cert.is_empty() {
            tls = tls.client_ca_pem(&*request.client_tls_cert);
        }
        server = server.tls(tls);
    }
    if request.message_receive_limit > 0 {
        server = server.max_message_size(usize::try_from(request.message_receive_limit)?);
    }
    Ok(server)
}

/// The certificate that clients are to trust.
fn certificate(request: &ServerCompatRequest) -> Vec<u8> {
    let credentials = request.server_creds.as_ref().filter(|_| request.use_tls);
    credentials.map_or_else(Vec::new, |credentials| credentials.cert.clone())
}
