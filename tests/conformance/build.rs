//! Generates the layer of the conformance service, where its protos are.
//!
//! They are the runner's own and not in this repository: `scripts/conformance` gets both at one version
//! and says where they are. Without them there is nothing to generate, and the binary says so.

const PROTOS: &str = "CONFORMANCE_PROTOS";

fn main() -> Result<(), protoc_gen_apibase::Error> {
    println!("cargo::rustc-check-cfg=cfg(conformance)");
    println!("cargo::rerun-if-env-changed={PROTOS}");
    let Ok(protos) = std::env::var(PROTOS) else {
        return Ok(());
    };
    println!("cargo::rustc-cfg=conformance");
    let file = |name| format!("{protos}/connectrpc/conformance/v1/{name}.proto");
    protoc_gen_apibase::configure().compile(
        &[
            file("service"),
            file("server_compat"),
            file("client_compat"),
        ],
        &[protos],
    )
}
