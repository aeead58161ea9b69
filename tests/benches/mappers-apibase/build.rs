//! Mappers between the messages of `bench.proto` and the types of `bench-mappers-domain`.

fn main() -> Result<(), protoc_gen_apibase::Error> {
    let own = [
        ("bench.Item", "Item"),
        ("bench.Condition", "Condition"),
        ("bench.ItemList", "ItemList"),
        ("bench.Order", "Order"),
        ("bench.Order.payment", "Payment"),
        ("bench.Customer", "Customer"),
        ("bench.Address", "Address"),
        ("bench.Line", "Line"),
        ("bench.Discount", "Discount"),
        ("bench.Card", "Card"),
        ("bench.Words", "Words"),
    ];
    let domain = "::bench_mappers_domain";
    own.into_iter()
        .fold(protoc_gen_apibase::configure(), |builder, (proto, name)| {
            builder.entity(proto, format!("{domain}::{name}"))
        })
        .compile(
            &["../mappers-domain/protos/bench.proto"],
            &["../mappers-domain/protos", "../../../protos"],
        )
}
