//! The client that the runner asks: it makes the calls that it is told to, several at once, and tells what
//! came of each.

mod call;
mod cancel;
mod outcome;

use std::io;
use std::sync::Arc;

use apibase::BoxError;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::spawn_blocking;

use crate::connectrpc::conformance::v1::client_compat_response::Result as Outcome;
use crate::connectrpc::conformance::v1::{
    ClientCompatRequest, ClientCompatResponse, ClientErrorResult,
};
use crate::talk::{read, write};

/// Calls at once.
const AT_ONCE: usize = 8;

/// Makes the calls that the runner asks for, until it asks for no other.
pub(crate) async fn call_all() -> Result<(), BoxError> {
    let (asking, mut asked) = mpsc::channel(1);
    let reader = spawn_blocking(move || {
        let mut input = io::stdin().lock();
        while let Some(request) = read(&mut input)? {
            if asking.blocking_send(request).is_err() {
                break;
            }
        }
        Ok::<_, BoxError>(())
    });
    let (telling, mut told) = mpsc::channel::<ClientCompatResponse>(AT_ONCE);
    let writer = spawn_blocking(move || {
        let mut output = io::stdout().lock();
        while let Some(response) = told.blocking_recv() {
            write(&mut output, &response)?;
        }
        Ok::<_, BoxError>(())
    });
    let places = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(request) = asked.recv().await {
        let place = Arc::clone(&places).acquire_owned().await?;
        let telling = telling.clone();
        tokio::spawn(async move {
            // Nobody is there to hear it when the writer has failed, which is told below.
            let _ = telling.send(respond(request).await).await;
            drop(place);
        });
    }
    drop(telling);
    writer.await??;
    reader.await?
}

async fn respond(request: ClientCompatRequest) -> ClientCompatResponse {
    let test_name = request.test_name.clone();
    let result = match call::make(request).await {
        Ok(response) => Outcome::Response(response),
        Err(error) => Outcome::Error(ClientErrorResult {
            message: error.to_string(),
        }),
    };
    ClientCompatResponse {
        test_name,
        result: Some(result),
    }
}
