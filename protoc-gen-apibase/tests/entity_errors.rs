//! Rules of fields that can't be meant: each is refused at its place, with the way out. A snapshot has
//! the line of the proto and below it what is said.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod entities;
mod schema;

use entities::{OPTIONS, fields, one, with_options};
use schema::refusal;

#[test]
fn formats_are_for_certain_types() {
    let said = fields(&[
        "string a = 1 [(apibase.v1.field).format = BUFFER];",
        "bytes a = 1 [(apibase.v1.field).format = DECIMAL];",
        "bool a = 1 [(apibase.v1.field).format = UUID];",
        "double a = 1 [(apibase.v1.field).format = DECIMAL];",
        "float a = 1 [(apibase.v1.field).format = INT32];",
        "int32 a = 1 [(apibase.v1.field).format = IP];",
        "sfixed64 a = 1 [(apibase.v1.field).format = URI];",
        "uint64 a = 1 [(apibase.v1.field).format = JSON];",
        "string a = 1 [(apibase.v1.field).format = SIZE];",
        "Color a = 1 [(apibase.v1.field).format = INT8];",
        "Money a = 1 [(apibase.v1.field).format = JSON];",
        "Plain a = 1 [(apibase.v1.field).format = JSON];",
        "google.protobuf.Timestamp a = 1 [(apibase.v1.field).format = UINT64];",
        "google.protobuf.Duration a = 1 [(apibase.v1.field).format = INT16];",
        "google.protobuf.Struct a = 1 [(apibase.v1.field).format = UUID];",
        "google.protobuf.StringValue a = 1 [(apibase.v1.field).format = UINT8];",
        "repeated bool a = 1 [(apibase.v1.field).format = UINT16];",
        "map<string, double> a = 1 [(apibase.v1.field).format = UINT32];",
        "oneof b { bool a = 1 [(apibase.v1.field).format = INT64]; }",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn some_rules_are_for_one_type_alone() {
    let said = fields(&[
        "string a = 1 [(apibase.v1.field).nonzero = true];",
        "Color a = 1 [(apibase.v1.field).nonzero = true];",
        "google.protobuf.Timestamp a = 1 [(apibase.v1.field).nonzero = true];",
        "string a = 1 [(apibase.v1.field).length = 16];",
        "Money a = 1 [(apibase.v1.field).length = 16];",
        "bytes a = 1 [(apibase.v1.field) = { format: UUID length: 16 }];",
        "int32 a = 1 [(apibase.v1.field).unknown = KEEP];",
        "string a = 1 [(apibase.v1.field).fallback = \"COLOR_RED\"];",
        "string a = 1 [(apibase.v1.field).set = true];",
        "map<string, string> a = 1 [(apibase.v1.field).set = true];",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn an_ignored_field_has_no_other_rules() {
    let said = fields(&[
        "string a = 1 [(apibase.v1.field) = { ignore: true required: true }];",
        "string a = 1 [(apibase.v1.field).ignore = true, (apibase.v1.field).sensitive = true];",
        "Plain a = 1 [(apibase.v1.field) = { ignore: true flatten: true }];",
        "string a = 1 [(apibase.v1.field).ignore = true, (apibase.v1.field).format = UUID];",
        "string a = 1 [(apibase.v1.field).ignore = true, (apibase.v1.field).rename = \"b\"];",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn some_rules_contradict_each_other() {
    let said = fields(&[
        "string a = 1 [(apibase.v1.field) = { empty_is_absent: true required: true }];",
        "string a = 1 [(apibase.v1.field) = { output_only: true immutable: true }];",
        "string a = 1 [(apibase.v1.field) = { output_only: true identifier: true }];",
        "google.protobuf.FieldMask m = 2; Patched a = 1 [(apibase.v1.field) = { mask: \"m\" required: true }];",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn required_needs_a_value_that_can_be_missing() {
    let said = fields(&[
        "int32 a = 1 [(apibase.v1.field).required = true];",
        "bool a = 1 [(apibase.v1.field).required = true];",
        "double a = 1 [(apibase.v1.field).required = true];",
        "Size a = 1 [(apibase.v1.field).required = true];",
        "others.Kind a = 1 [(apibase.v1.field).required = true];",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn what_can_be_missing_can_be_required() {
    for field in [
        "optional int32 a = 1 [(apibase.v1.field).required = true];",
        "int32 a = 1 [(apibase.v1.field) = { required: true nonzero: true }];",
        "Color a = 1 [(apibase.v1.field).required = true];",
        "map<string, string> a = 1 [(apibase.v1.field).required = true];",
    ] {
        assert!(entities::generates(field), "{field}");
    }
}

#[test]
fn empty_is_absent_needs_an_empty_value_and_no_presence() {
    let said = fields(&[
        "int64 a = 1 [(apibase.v1.field).empty_is_absent = true];",
        "bool a = 1 [(apibase.v1.field).empty_is_absent = true];",
        "float a = 1 [(apibase.v1.field).empty_is_absent = true];",
        "Color a = 1 [(apibase.v1.field).empty_is_absent = true];",
        "optional string a = 1 [(apibase.v1.field).empty_is_absent = true];",
        "Money a = 1 [(apibase.v1.field).empty_is_absent = true];",
        "google.protobuf.StringValue a = 1 [(apibase.v1.field).empty_is_absent = true];",
        "optional string a = 1 [(apibase.v1.field) = { empty_is_absent: true required: true }];",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn empty_is_absent_gives_way_to_what_others_require() {
    let behavior = "syntax = \"proto2\";\npackage google.api;\n\
        import \"google/protobuf/descriptor.proto\";\n\
        enum FieldBehavior { FIELD_BEHAVIOR_UNSPECIFIED = 0; REQUIRED = 2; }\n\
        extend google.protobuf.FieldOptions { repeated FieldBehavior field_behavior = 1052; }\n";
    let shop = r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
import "google/api/field_behavior.proto";
message Item {
  option (apibase.v1.entity) = {};
  string id = 1 [
    (google.api.field_behavior) = REQUIRED,
    (apibase.v1.field).empty_is_absent = true
  ];
  string ok = 2 [
    (google.api.field_behavior) = REQUIRED,
    (apibase.v1.field) = { required: false empty_is_absent: true }
  ];
}
"#;
    insta::assert_snapshot!(refusal(&with_options(&[
        ("shop.proto", shop),
        ("google/api/field_behavior.proto", behavior),
    ])));
}

#[test]
fn sets_hold_what_can_be_compared() {
    let said = fields(&[
        "repeated double a = 1 [(apibase.v1.field).set = true];",
        "repeated Money a = 1 [(apibase.v1.field).set = true];",
        "repeated string a = 1 [(apibase.v1.field) = { set: true format: JSON }];",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn what_is_lossy_is_said_to_be() {
    let said = fields(&[
        "google.protobuf.Struct a = 1 [(apibase.v1.field).format = JSON];",
        "google.protobuf.Value a = 1 [(apibase.v1.field).format = JSON];",
        "repeated google.protobuf.ListValue a = 1 [(apibase.v1.field).format = JSON];",
        "map<string, google.protobuf.Value> a = 1 [(apibase.v1.field).format = JSON];",
        "oneof b { google.protobuf.Value a = 1 [(apibase.v1.field).format = JSON]; }",
    ]);
    insta::assert_snapshot!(said);
    assert!(entities::generates(
        "google.protobuf.Value a = 1 [(apibase.v1.field) = { format: JSON lossy_ok: true }];"
    ));
}

#[test]
fn flatten_takes_the_fields_of_one_message() {
    let said = fields(&[
        "repeated Plain a = 1 [(apibase.v1.field).flatten = true];",
        "map<string, Plain> a = 1 [(apibase.v1.field).flatten = true];",
        "string a = 1 [(apibase.v1.field).flatten = true];",
        "Item a = 1 [(apibase.v1.field).flatten = true];",
        "Loop a = 1 [(apibase.v1.field).flatten = true];",
        "google.protobuf.StringValue a = 1 [(apibase.v1.field).flatten = true];",
        "Plain a = 1 [(apibase.v1.field).flatten = true, (apibase.v1.field).required = true];",
        "Plain a = 1 [(apibase.v1.field) = { flatten: true rename: \"b\" }];",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn a_member_of_a_oneof_has_fewer_rules() {
    let said = fields(&[
        "oneof b { string a = 1 [(apibase.v1.field).required = true]; }",
        "oneof b { string a = 1 [(apibase.v1.field).ignore = true]; }",
        "oneof b { string a = 1 [(apibase.v1.field).rename = \"c\"]; }",
        "oneof b { Plain a = 1 [(apibase.v1.field).flatten = true]; }",
        "oneof b { string a = 1 [(apibase.v1.field).empty_is_absent = true]; }",
        "oneof b { string a = 1 [(apibase.v1.field).set = true]; }",
        "oneof b { Money a = 1 [(apibase.v1.field).mask = \"mask\"]; }",
        "oneof b { string a = 1 [(apibase.v1.field).immutable = true]; }",
        "oneof b { string a = 1 [(apibase.v1.field).output_only = true]; }",
        "oneof b { string a = 1 [(apibase.v1.field).identifier = true]; }",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn unknown_numbers_need_a_policy_that_makes_sense() {
    let said = fields(&[
        "Color a = 1 [(apibase.v1.field).unknown = FALLBACK];",
        "Color a = 1 [(apibase.v1.field) = { unknown: FALLBACK fallback: \"COLOR_GREEN\" }];",
        "Color a = 1 [(apibase.v1.field) = { unknown: FALLBACK fallback: \"COLOR_UNSPECIFIED\" }];",
        "Color a = 1 [(apibase.v1.field).fallback = \"COLOR_RED\"];",
        "Color a = 1 [(apibase.v1.field) = { unknown: REJECT fallback: \"COLOR_RED\" }];",
        "Color a = 1 [(apibase.v1.field) = { unknown: KEEP fallback: \"COLOR_RED\" }];",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn masks_are_field_masks_beside_an_entity_with_a_patch() {
    let said = fields(&[
        "Plain a = 1 [(apibase.v1.field).mask = \"update_mask\"];",
        "Patched a = 1 [(apibase.v1.field).mask = \"a\"];",
        "Patched a = 1 [(apibase.v1.field).mask = \"b\"]; string b = 2;",
        "Money a = 1 [(apibase.v1.field).mask = \"b\"]; google.protobuf.FieldMask b = 2;",
        "repeated Patched a = 1 [(apibase.v1.field).mask = \"b\"]; google.protobuf.FieldMask b = 2;",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn an_entity_with_a_patch_flattens_nothing() {
    let shop = r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
message Inner { string name = 1; }
message Outer {
  option (apibase.v1.entity) = { patch: true };
  Inner inner = 1 [(apibase.v1.field).flatten = true];
}
"#;
    insta::assert_snapshot!(refusal(&with_options(&[("shop.proto", shop)])));
}

#[test]
fn a_required_field_of_proto2_is_never_absent() {
    let shop = r#"syntax = "proto2";
package shop;
import "apibase/v1/options.proto";
message Item {
  option (apibase.v1.entity) = {};
  required string name = 1 [(apibase.v1.field).empty_is_absent = true];
}
"#;
    insta::assert_snapshot!(refusal(&with_options(&[("shop.proto", shop)])));
}

#[test]
fn a_patch_is_not_in_a_flattened_message() {
    let shop = r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
import "google/protobuf/field_mask.proto";
message Patched { option (apibase.v1.entity) = { patch: true }; string name = 1; }
message Inner {
  Patched patched = 1 [(apibase.v1.field).mask = "update_mask"];
  google.protobuf.FieldMask update_mask = 2;
}
message Outer {
  option (apibase.v1.entity) = {};
  Inner inner = 1 [(apibase.v1.field).flatten = true];
}
"#;
    insta::assert_snapshot!(refusal(&with_options(&[("shop.proto", shop)])));
}

#[test]
fn a_kind_needs_a_type() {
    let mut request = one("string a = 1 [(apibase.v1.field).kind = \"item-id\"];");
    let nothing = refusal(&request);
    request.options.kinds = ["item", "price"]
        .map(|kind| (kind.to_owned(), "crate::domain::T".to_owned()))
        .into();
    let others = refusal(&request);
    insta::assert_snapshot!(format!("{nothing}\n\n{others}"));
}

#[test]
fn names_are_identifiers() {
    let said = fields(&[
        "string a = 1 [(apibase.v1.field).rename = \"created by\"];",
        "string a = 1 [(apibase.v1.field).rename = \"größe\"];",
        "oneof b { option (apibase.v1.oneof).name = \"2nd\"; string a = 1; }",
        "oneof b { option (apibase.v1.oneof).rename = \"paid-by\"; string a = 1; }",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn the_options_file_can_be_newer() {
    let newer = OPTIONS
        .replace("    SIZE = 15;", "    SIZE = 15;\n    COLOUR = 99;")
        .replace(
            "  bool immutable = 17;",
            "  bool immutable = 17;\n  bool shiny = 99;",
        );
    let shop = r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
message Item {
  option (apibase.v1.entity) = {};
  string colour = 1 [(apibase.v1.field).format = COLOUR];
  string shiny = 2 [(apibase.v1.field).shiny = true];
}
"#;
    let mut request = schema::request(&[
        ("shop.proto", shop),
        ("apibase/v1/options.proto", newer.as_str()),
    ]);
    request.files.truncate(1);
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn all_errors_are_reported_together_in_the_order_of_the_file() {
    let shop = r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
message Order {
  option (apibase.v1.entity) = {};
  bool late = 1 [(apibase.v1.field).format = UUID];
  oneof payment {
    string card = 2 [(apibase.v1.field).required = true];
  }
  repeated double sizes = 3 [(apibase.v1.field).set = true];
}
message Plain {
  string id = 1 [(apibase.v1.field).format = UUID];
}
message Item {
  option (apibase.v1.entity) = { name: "Order" };
  int32 count = 1 [(apibase.v1.field).required = true];
}
service Items {
  rpc Get(Item) returns (Item);
  rpc get(Item) returns (Order);
}
"#;
    insta::assert_snapshot!(refusal(&with_options(&[("shop.proto", shop)])));
}

#[test]
fn what_says_what_to_change_has_no_patch() {
    let source = r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
message Item {
  option (apibase.v1.entity) = { patch: true changes: true };
  optional string name = 1;
}
"#;
    insta::assert_snapshot!(refusal(&with_options(&[("shop.proto", source)])));
}
