//! What the runner and the server tell each other: one message each, on stdin and stdout, after its
//! length in four bytes.

use std::io::{self, Read, Write};
use std::net::Ipv4Addr;

use apibase::prost::Message;
use apibase::{BoxError, Compression, ErrorPolicy, Interceptors, Server, Tls, shutdown_signal};

use crate::connectrpc::conformance::v1::api::ConformanceServiceServer;
use crate::connectrpc::conformance::v1::{ServerCompatRequest, ServerCompatResponse};
use crate::service::Conformance;

/// What the runner asks for has a certificate or two.
const MAX_REQUEST: usize = 1 << 20;

/// Serves what the runner asks for, until it stops this process.
pub(crate) async fn serve() -> Result<(), BoxError> {
    let request = read()?;
    let server = configure(&request)?.bind().await?;
    write(&ServerCompatResponse {
        host: server.local_addr().ip().to_string(),
        port: server.local_addr().port().into(),
        pem_cert: certificate(&request),
    })?;
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

fn read() -> Result<ServerCompatRequest, BoxError> {
    let mut stdin = io::stdin().lock();
    let mut length = [0; 4];
    stdin.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length))?;
    if length > MAX_REQUEST {
        return Err(format!("the runner's request has {length} bytes").into());
    }
    let mut request = vec![0; length];
    stdin.read_exact(&mut request)?;
    Ok(ServerCompatRequest::decode(&*request)?)
}

fn write(response: &ServerCompatResponse) -> Result<(), BoxError> {
    let response = response.encode_to_vec();
    let mut stdout = io::stdout().lock();
    stdout.write_all(&u32::try_from(response.len())?.to_be_bytes())?;
    stdout.write_all(&response)?;
    Ok(stdout.flush()?)
}
