//! What the Connect project's conformance runner asks, written with what every user of the runtime has: a
//! server, or with the argument `client` a client. `scripts/conformance` runs both.

#![allow(
    clippy::doc_markdown,
    reason = "the comments of protos are not written for rustdoc"
)]

#[cfg(conformance)]
mod answer;
#[cfg(conformance)]
mod client;
#[cfg(conformance)]
mod metadata;
#[cfg(conformance)]
mod replay;
#[cfg(conformance)]
mod runner;
#[cfg(conformance)]
mod service;
#[cfg(conformance)]
mod talk;

#[cfg(conformance)]
apibase::include_protos!();

#[cfg(conformance)]
#[tokio::main]
async fn main() -> Result<(), apibase::BoxError> {
    match std::env::args().nth(1).as_deref() {
        None => runner::serve().await,
        Some("client") => client::call_all().await,
        Some(other) => Err(format!("there is no {other}: it is `client` or nothing").into()),
    }
}

#[cfg(not(conformance))]
fn main() -> std::process::ExitCode {
    eprintln!(
        "this was built without the protos of the conformance service; `scripts/conformance` gets \
         them, builds this with them and runs it"
    );
    std::process::ExitCode::from(2)
}
