//! Our layer of the items service.

fn main() -> Result<(), protoc_gen_apibase::Error> {
    protoc_gen_apibase::configure().compile(
        &["../../../protos/examples/items.proto"],
        &["../../../protos"],
    )
}
