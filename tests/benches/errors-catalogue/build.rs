//! The shop as the generator writes it.

fn main() -> Result<(), protoc_gen_apibase::Error> {
    protoc_gen_apibase::configure()
        .compile(&["protos/bench/shop.proto"], &["protos", "../../../protos"])
}
