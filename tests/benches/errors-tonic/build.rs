//! tonic's own layer of the shop, as its users have it, and the messages of the details.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let protos = "../errors-catalogue/protos";
    let common = "../../../protos";
    println!("cargo:rerun-if-changed={protos}");
    println!("cargo:rerun-if-changed={common}/common/errors.proto");
    let descriptors = protox::compile(
        ["bench/shop.proto", "common/errors.proto"],
        [protos, common],
    )?;
    tonic_prost_build::configure()
        .build_client(false)
        .build_transport(false)
        .include_file("mod.rs")
        .compile_fds(descriptors)?;
    Ok(())
}
