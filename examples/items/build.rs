//! Generates the service's code from the proto.

fn main() -> Result<(), protoc_gen_apibase::Error> {
    protoc_gen_apibase::configure()
        // `Item` is the domain's own type; `UpdateItemRequest` is generated.
        .entity("examples.Item", "crate::item::Item")
        // Property tests of both, in this crate's tests.
        .laws(true)
        .compile(&["../../protos/examples/items.proto"], &["../../protos"])
}
