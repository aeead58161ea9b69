//! Generates the service's code from the proto.

fn main() -> Result<(), protoc_gen_apibase::Error> {
    protoc_gen_apibase::configure()
        .compile(&["../../protos/examples/items.proto"], &["../../protos"])
}
