//! prost's messages of `bench.proto`, and nothing of ours.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let protos = "../mappers-domain/protos";
    println!("cargo:rerun-if-changed={protos}");
    let descriptors = protox::compile(["bench.proto"], [protos, "../../../protos"])?;
    prost_build::Config::new().compile_fds(descriptors)?;
    Ok(())
}
