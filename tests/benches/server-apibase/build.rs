//! Our layer of the items service, with its messages as they are: the other side has no entities.

fn main() -> Result<(), protoc_gen_apibase::Error> {
    protoc_gen_apibase::configure()
        .entity("examples.Item", "crate::examples::Item")
        .with("examples.Item", "crate::ItemAsItIs")
        .entity(
            "examples.UpdateItemRequest",
            "crate::examples::UpdateItemRequest",
        )
        .with("examples.UpdateItemRequest", "crate::UpdateAsItIs")
        .compile(
            &["../../../protos/examples/items.proto"],
            &["../../../protos"],
        )
}
