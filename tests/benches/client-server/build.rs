//! tonic's own layer of the echo service.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=protos/bench/echo.proto");
    let descriptors = protox::compile(["bench/echo.proto"], ["protos", "../../../protos"])?;
    tonic_prost_build::configure()
        .build_client(false)
        .include_file("mod.rs")
        .compile_fds(descriptors)?;
    Ok(())
}
