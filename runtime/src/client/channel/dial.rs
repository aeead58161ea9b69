//! Making a connection: an address, a stream of bytes, TLS, HTTP/2.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::cluster::Cluster;
use super::connection::Connection;
use super::endpoint::{Address, Endpoint};
use super::line::Line;
use super::options::IoStream;
use crate::client::resolve::EndpointAddress;

/// Connects to an endpoint, in the time that is set for that.
pub(super) async fn dial(cluster: Arc<Cluster>, endpoint: Arc<Endpoint>) -> io::Result<Connection> {
    let patience = cluster.options.connect_timeout;
    timeout(patience, connect(&cluster, &endpoint))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn connect(cluster: &Cluster, endpoint: &Endpoint) -> io::Result<Connection> {
    let options = &cluster.options;
    let mut stream = match &options.connector {
        Some(connector) => connector.connect(endpoint.identity.name()).await?,
        None => socket(&endpoint.address.it).await?,
    };
    if let Some(tls) = options.tls.as_ref().filter(|_| cluster.target.secure) {
        stream = tls
            .handshake(endpoint.address.server_name(), stream)
            .await?;
    }
    let line = Line::new(Arc::clone(&endpoint.news), Arc::clone(&cluster.queue));
    let identity = Arc::clone(&endpoint.identity);
    let keepalive = endpoint.keepalive(options);
    Connection::open(stream, identity, Arc::new(line), keepalive).await
}

async fn socket(address: &Address) -> io::Result<Box<dyn IoStream>> {
    let tcp = match address {
        Address::Known(EndpointAddress::Ip(address)) => TcpStream::connect(address).await?,
        Address::Name(name) => TcpStream::connect(name).await?,
        #[cfg(unix)]
        Address::Known(EndpointAddress::Unix(path)) => {
            return Ok(Box::new(tokio::net::UnixStream::connect(path).await?));
        }
        #[cfg(not(unix))]
        Address::Known(EndpointAddress::Unix(_)) => return Err(io::ErrorKind::Unsupported.into()),
    };
    // Without it the kernel holds back small writes, and a call waits 40 ms for its end.
    tcp.set_nodelay(true)?;
    Ok(Box::new(tcp))
}
