//! Entities whose names clash, rules that nothing reads, and promises that aren't kept: each is
//! refused with the places of all culprits and the way out.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod entities;
mod schema;

use entities::with_options;
use protoc_gen_apibase::{Request, generate};
use schema::refusal;

/// A request for a file with our options, from its fourth line on.
fn shop(source: &str) -> Request {
    let head = "syntax = \"proto3\";\npackage shop;\nimport \"apibase/v1/options.proto\";\n";
    with_options(&[("shop.proto", &format!("{head}{source}"))])
}

#[test]
fn two_entities_of_one_name() {
    let request = shop(
        r#"message Item { option (apibase.v1.entity) = {}; }
message Thing { option (apibase.v1.entity) = { name: "item" }; }
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn a_nested_entity_and_one_that_is_named_like_it() {
    let request = shop(
        r#"option (apibase.v1.file).entities = true;
message Order { message Line {} }
message OrderLine {}
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn an_entity_and_an_enum() {
    let request = shop(
        r#"message Item { option (apibase.v1.entity) = { name: "Color" }; }
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; }
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn an_entity_and_a_client() {
    let request = shop(
        r#"service Items {}
message ItemsClient { option (apibase.v1.entity) = {}; }
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn an_entity_and_a_mapper() {
    let request = shop(
        r#"message Item { option (apibase.v1.entity) = {}; }
message ItemMapper { option (apibase.v1.entity) = {}; }
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn an_entity_and_a_patch() {
    let request = shop(
        r#"message Item { option (apibase.v1.entity) = { patch: true }; }
message ItemPatch { option (apibase.v1.entity) = {}; }
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn an_entity_and_the_type_of_a_oneof() {
    let request = shop(
        r#"message Order {
  option (apibase.v1.entity) = {};
  oneof payment { string card = 1; }
}
message OrderPayment { option (apibase.v1.entity) = {}; }
message Invoice {
  option (apibase.v1.entity) = {};
  oneof by {
    option (apibase.v1.oneof).name = "order";
    string card = 1;
  }
}
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn an_entity_and_the_mapper_of_a_google_type() {
    let request = with_options(&[
        (
            "shop.proto",
            r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
import "google/type/date.proto";
message GoogleDate {
  option (apibase.v1.entity) = {};
  google.type.Date day = 1;
}
"#,
        ),
        (
            "google/type/date.proto",
            "syntax = \"proto3\";\npackage google.type;\n\
             message Date { int32 year = 1; int32 month = 2; int32 day = 3; }\n",
        ),
    ]);
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn two_fields_of_one_name() {
    let request = shop(
        r#"message Item {
  option (apibase.v1.entity) = {};
  string id = 1;
  string key = 2 [(apibase.v1.field).rename = "id"];
  oneof kind {
    option (apibase.v1.oneof).rename = "id";
    string a = 3;
  }
  Details details = 4 [(apibase.v1.field).flatten = true];
}
message Details {
  string id = 1;
  oneof key { string b = 2; }
}
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn an_extra_field_and_a_field() {
    let mut request = shop(
        r#"message Item {
  option (apibase.v1.entity) = {};
  string id = 1;
}
"#,
    );
    let item = || "shop.Item".to_owned();
    request.options.entities = vec![(item(), "crate::domain::Item".to_owned())];
    request.options.extras = vec![(item(), "id".to_owned(), "0".to_owned())];
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn an_entity_with_a_name_that_is_none() {
    let request = shop(
        r#"message Item {
  option (apibase.v1.entity) = { name: "an item" };
}
message Thing {
  option (apibase.v1.entity).name = "Thing<T>";
}
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn rules_in_a_message_that_is_no_entity() {
    let request = shop(
        r#"option (apibase.v1.file).entities = true;
message Item {
  option (apibase.v1.entity).skip = true;
  string id = 1 [(apibase.v1.field).format = UUID];
  oneof kind {
    option (apibase.v1.oneof).required = true;
    string a = 2;
  }
}
"#,
    );
    let plain = shop("message Item {\n  string id = 1 [(apibase.v1.field).format = UUID];\n}\n");
    let said = format!("{}\n\n{}", refusal(&request), refusal(&plain));
    insta::assert_snapshot!(said);
}

#[test]
fn a_flattened_message_of_another_file_has_rules() {
    let request = with_options(&[
        (
            "shop.proto",
            r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
import "details.proto";
message Item {
  option (apibase.v1.entity) = {};
  Details details = 1 [(apibase.v1.field).flatten = true];
}
"#,
        ),
        (
            "details.proto",
            r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
message Details { string id = 1 [(apibase.v1.field).format = UUID]; }
"#,
        ),
    ]);
    assert!(generate(&request).is_ok());
}

#[test]
fn a_lossless_entity_with_a_lossy_field() {
    let request = with_options(&[(
        "shop.proto",
        r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
import "google/protobuf/struct.proto";
message Item {
  option (apibase.v1.entity).lossless = true;
  google.protobuf.Value a = 1 [(apibase.v1.field).format = JSON];
  google.protobuf.Value b = 2 [(apibase.v1.field) = { format: JSON lossy_ok: true }];
  string c = 3 [(apibase.v1.field).lossy_ok = true];
  oneof d {
    google.protobuf.Value e = 4 [
      (apibase.v1.field).format = JSON,
      (apibase.v1.field).lossy_ok = true
    ];
  }
}
"#,
    )]);
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn a_lossless_entity_with_a_lossy_one_inside() {
    let request = with_options(&[
        (
            "shop.proto",
            r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
import "items.proto";
message Order {
  option (apibase.v1.entity) = { lossless: true };
  repeated Line lines = 1;
}
message Line {
  option (apibase.v1.entity) = {};
  items.Item item = 1;
}
"#,
        ),
        (
            "items.proto",
            r#"syntax = "proto3";
package items;
import "apibase/v1/options.proto";
import "google/protobuf/struct.proto";
message Item {
  option (apibase.v1.entity) = {};
  google.protobuf.Value a = 1 [(apibase.v1.field) = { format: JSON lossy_ok: true }];
}
"#,
        ),
    ]);
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn a_lossless_entity_with_extra_fields() {
    let mut request = shop("message Item { option (apibase.v1.entity).lossless = true; }\n");
    let item = || "shop.Item".to_owned();
    request.options.entities = vec![(item(), "crate::domain::Item".to_owned())];
    request.options.extras = vec![(item(), "cache".to_owned(), "None".to_owned())];
    insta::assert_snapshot!(refusal(&request));
}
