//! As much HTTP as it takes to ask Prometheus.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What `path` is there, as JSON; `Null` while that can't be had.
pub(crate) async fn get(addr: SocketAddr, path: &str) -> Value {
    let asked = async {
        let mut stream = TcpStream::connect(addr).await?;
        // 1.0, so that the answer comes in one piece.
        let request = format!("GET {path} HTTP/1.0\r\nhost: {addr}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = asked.await.unwrap_or_default();
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
    body.and_then(|body| serde_json::from_str(body).ok())
        .unwrap_or_default()
}
