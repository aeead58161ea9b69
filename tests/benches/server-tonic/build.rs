//! tonic's own layer of the items service, as its users have it.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let protos = "../../../protos";
    println!("cargo:rerun-if-changed={protos}/examples/items.proto");
    let descriptors = protox::compile(["examples/items.proto"], [protos])?;
    tonic_prost_build::configure()
        .include_file("mod.rs")
        .compile_fds(descriptors)?;
    Ok(())
}
