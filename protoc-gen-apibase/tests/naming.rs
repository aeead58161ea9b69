//! One snapshot for every rule of NAMING.md, named as the rule is numbered there.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod schema;

use protoc_gen_apibase::{Options, Request};
use schema::{files, one, outline, request};

const SERVICE: &str = r#"
    syntax = "proto3";
    package shop.v1;
    message Item {}
    service ItemService { rpc GetItem(Item) returns (Item); }
    service Stock { rpc GetHTTPStatus(Item) returns (Item); }
"#;

fn with_tree(mut request: Request) -> Request {
    request.options.include_file = Some("mod.rs".to_owned());
    request
}

/// A service with these methods, each from `Item` to `Item`.
fn with_methods(names: &[&str]) -> Request {
    let methods: String = names
        .iter()
        .map(|name| format!("rpc {name}(Item) returns (Item);\n"))
        .collect();
    one(&format!(
        "syntax = \"proto3\";\npackage shop;\nmessage Item {{}}\nservice Items {{\n{methods}}}"
    ))
}

#[test]
fn rule_1_files_are_named_after_the_package() {
    let mut request = request(&[
        ("a.proto", "syntax = \"proto3\"; service Root {}"),
        (
            "b.proto",
            "syntax = \"proto3\"; package shop.v1; service Items {}",
        ),
        (
            "c.proto",
            "syntax = \"proto3\"; package shop; service Shop {}",
        ),
        (
            "d.proto",
            "syntax = \"proto3\"; package shop.api; service Api {}",
        ),
        (
            "e.proto",
            "syntax = \"proto3\"; package stock.api_; message M {}",
        ),
        (
            "f.proto",
            "syntax = \"proto3\"; package google.type; message M {}",
        ),
        (
            "g.proto",
            "syntax = \"proto3\"; package shop.laws; service Laws {}",
        ),
        (
            "h.proto",
            "syntax = \"proto3\"; package fakes; service Fakes {}",
        ),
    ]);
    request.options.tonic = true;
    request.options.emit.fakes = true;
    let names: Vec<String> = files(&request).into_keys().collect();
    insta::assert_snapshot!(names.join("\n"));
}

#[test]
fn rule_2_modules_follow_the_packages() {
    let request = with_tree(request(&[
        (
            "a.proto",
            "syntax = \"proto3\"; package google.type; message Money {}",
        ),
        (
            "b.proto",
            "syntax = \"proto3\"; package Shop.V1; service Items {}",
        ),
        (
            "c.proto",
            "syntax = \"proto3\"; package shop.v1.shop; service Items {}",
        ),
        ("d.proto", "syntax = \"proto3\"; message Root {}"),
    ]));
    // `Shop.V1` and `shop.v1.shop` share a module's name, not a module.
    insta::assert_snapshot!(outline(&files(&request)["mod.rs"]));
}

#[test]
fn rule_3_messages_are_named_by_prost() {
    let request = one(r#"
        syntax = "proto3";
        package shop;
        message HTTPRequest {
          string type = 1;
          string self = 2;
          oneof kind { string in_stock = 3; HTTPRequest parent = 4; }
          enum Kind { KIND_UNSPECIFIED = 0; KIND_1 = 1; KIND_SELF = 2; }
          message gen {}
        }
        message Self {}
    "#);
    insta::assert_snapshot!(files(&request)["shop.rs"]);
}

#[test]
fn rule_4_services_have_a_servicer_a_server_a_client_and_a_module() {
    insta::assert_snapshot!(outline(&files(&one(SERVICE))["shop.v1.api.rs"]));
}

#[test]
fn rule_5_services_named_rt_and_map_leave_the_runtime_its_names() {
    let request = one(r#"
        syntax = "proto3";
        package shop;
        message Item {}
        service Rt { rpc Get(Item) returns (Item); }
        service Map { rpc Get(Item) returns (Item); }
        service type { rpc Get(Item) returns (Item); }
    "#);
    insta::assert_snapshot!(outline(&files(&request)["shop.api.rs"]));
}

#[test]
fn rule_6_methods_are_functions_and_constants() {
    let request = with_methods(&["GetItem", "getHTTPItem", "list_items", "Get2Items"]);
    insta::assert_snapshot!(outline(&files(&request)["shop.api.rs"]));
}

#[test]
fn rule_7_keyword_methods_are_escaped() {
    let request = with_methods(&["Type", "Self", "Gen", "Await", "Super"]);
    insta::assert_snapshot!(outline(&files(&request)["shop.api.rs"]));
}

#[test]
fn rule_8_reserved_methods_get_an_underscore_and_keep_their_wire_names() {
    let request = with_methods(&[
        "New",
        "With",
        "Connect",
        "ConnectLazy",
        "Clone",
        "InProcess",
        "AsMut",
        "AsRef",
        "Drop",
        "Into",
        "ToOwned",
        "TryInto",
    ]);
    insta::assert_snapshot!(outline(&files(&request)["shop.api.rs"]));
}

#[test]
fn rule_8_a_reserved_method_says_so_in_its_docs() {
    let api = &files(&with_methods(&["New"]))["shop.api.rs"];
    let start = api.find("pub trait").unwrap();
    let end = start + api[start..].find("\n}\n").unwrap();
    insta::assert_snapshot!(&api[start..end]);
}

#[test]
fn rule_9_a_method_named_methods_leaves_the_list_its_name() {
    let request = with_methods(&["Methods"]);
    insta::assert_snapshot!(outline(&files(&request)["shop.api.rs"]));
}

#[test]
fn rule_10_the_service_layer_makes_way_for_a_module_api_of_the_schema() {
    let request = with_tree(request(&[
        (
            "a.proto",
            "syntax = \"proto3\"; package shop; message Api { message Key {} } service Shop {}",
        ),
        (
            "b.proto",
            "syntax = \"proto3\"; package stock; service Stock {}",
        ),
        (
            "c.proto",
            "syntax = \"proto3\"; package stock.api.v1; service StockApi {}",
        ),
        (
            "d.proto",
            "syntax = \"proto3\"; package stock.api_; message M {}",
        ),
        (
            "e.proto",
            "syntax = \"proto3\"; package plain; message Api {} service Plain {}",
        ),
    ]));
    insta::assert_snapshot!(outline(&files(&request)["mod.rs"]));
}

#[test]
fn rule_11_types_are_named_relative_to_the_service_layer() {
    let request = request(&[
        (
            "shop.proto",
            r#"
            syntax = "proto3";
            package shop.v1;
            import "types.proto";
            import "google/protobuf/timestamp.proto";
            message Item { message Part { message Key {} } }
            service Items {
              rpc Own(Item) returns (Item.Part);
              rpc Nested(Item.Part.Key) returns (Item);
              rpc Sibling(shop.types.Money) returns (shop.types.Money.Unit);
              rpc WellKnown(google.protobuf.Timestamp) returns (Item);
            }
            "#,
        ),
        (
            "types.proto",
            "syntax = \"proto3\"; package shop.types; message Money { message Unit {} }",
        ),
    ]);
    insta::assert_snapshot!(types_of(&files(&request)["shop.v1.api.rs"]));
}

#[test]
fn rule_12_empty_and_wrappers_are_rust_values_in_all_four_kinds() {
    let request = one(r#"
        syntax = "proto3";
        package shop;
        import "google/protobuf/empty.proto";
        import "google/protobuf/wrappers.proto";
        service Items {
          rpc Unary(google.protobuf.Empty) returns (google.protobuf.StringValue);
          rpc Down(google.protobuf.BytesValue) returns (stream google.protobuf.Empty);
          rpc Up(stream google.protobuf.Empty) returns (google.protobuf.BoolValue);
          rpc Both(stream google.protobuf.Int64Value) returns (stream google.protobuf.DoubleValue);
        }
    "#);
    insta::assert_snapshot!(types_of(&files(&request)["shop.api.rs"]));
}

#[test]
fn rule_13_the_longest_extern_path_wins() {
    let mut request = request(&[
        (
            "shop.proto",
            r#"
            syntax = "proto3";
            package shop;
            import "money.proto";
            import "google/protobuf/duration.proto";
            service Items {
              rpc A(google.type.Money) returns (google.type.Money.Unit);
              rpc B(google.type.Color) returns (google.protobuf.Duration);
            }
            "#,
        ),
        (
            "money.proto",
            r#"
            syntax = "proto3";
            package google.type;
            message Money { message Unit {} }
            message Color {}
            "#,
        ),
    ]);
    request.files.truncate(1);
    request.options = Options::parse(
        "extern_path=.google.type=::google_types,\
         extern_path=.google.type.Color=crate::Color,\
         extern_path=.google.protobuf.Duration=::times::Span",
    )
    .unwrap();
    let files = files(&request);
    assert!(!files.contains_key("google.type.rs"));
    insta::assert_snapshot!(types_of(&files["shop.api.rs"]));
}

#[test]
fn rule_14_tonic_modules_are_named_by_tonic() {
    let mut request = with_methods(&["Get", "New", "WithOrigin", "Type"]);
    request.options.tonic = true;
    let tonic = &files(&request)["shop.tonic.rs"];
    let functions = tonic
        .lines()
        .filter(|line| line.contains("pub mod ") || line.contains("async fn "))
        .collect::<Vec<_>>()
        .join("\n");
    insta::assert_snapshot!(functions);
}

/// The types in the signatures of a servicer.
fn types_of(api: &str) -> String {
    let start = api.find("pub trait").unwrap();
    let end = start + api[start..].find("\n}\n").unwrap();
    let joined = api[start..end]
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    joined
        .split("fn ")
        .skip(1)
        .map(|function| function.split("///").next().unwrap_or_default().trim())
        .collect::<Vec<_>>()
        .join("\n")
}
