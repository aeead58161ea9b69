//! The same shop: `src/lib.rs` takes all of it but its errors.

fn main() -> Result<(), protoc_gen_apibase::Error> {
    let protos = "../errors-catalogue/protos";
    protoc_gen_apibase::configure().compile(
        &[format!("{protos}/bench/shop.proto")],
        &[protos, "../../../protos"],
    )
}
