//! The server that the Connect project's conformance runner asks, written with what every user of the
//! runtime has. `scripts/conformance` runs it.

#![allow(
    clippy::doc_markdown,
    reason = "the comments of protos are not written for rustdoc"
)]

#[cfg(conformance)]
mod answer;
#[cfg(conformance)]
mod metadata;
#[cfg(conformance)]
mod replay;
#[cfg(conformance)]
mod runner;
#[cfg(conformance)]
mod service;

#[cfg(conformance)]
apibase::include_protos!();

#[cfg(conformance)]
#[tokio::main]
async fn main() -> Result<(), apibase::BoxError> {
    runner::serve().await
}

#[cfg(not(conformance))]
fn main() -> std::process::ExitCode {
    eprintln!(
        "this was built without the protos of the conformance service; `scripts/conformance` gets \
         them, builds this with them and runs it"
    );
    std::process::ExitCode::from(2)
}
