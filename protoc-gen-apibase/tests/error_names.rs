//! Error catalogues whose names clash with others: each is refused with the places of all culprits
//! and the way out.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod entities;
mod schema;

use entities::with_options;
use protoc_gen_apibase::Request;
use schema::{files, refusal};

/// A request for a file with our options, from its fourth line on.
fn shop(source: &str) -> Request {
    let head = "syntax = \"proto3\";\npackage shop;\nimport \"apibase/v1/options.proto\";\n";
    with_options(&[("shop.proto", &format!("{head}{source}"))])
}

#[test]
fn a_catalogue_and_an_entity() {
    let request = shop(
        r#"enum ItemError { option (apibase.v1.errors).domain = "a.example.com"; ZERO = 0; }
message Item { option (apibase.v1.entity) = { name: "ItemError" }; }
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn a_catalogue_and_an_enum_of_the_domain() {
    let request = shop(
        r#"message Item {
  option (apibase.v1.entity) = {};
  enum Error { option (apibase.v1.errors).domain = "a.example.com"; ZERO = 0; }
}
enum ItemError { ITEM_ERROR_UNSPECIFIED = 0; ITEM_ERROR_NEW = 1; }
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn a_catalogue_and_a_client() {
    let request = shop(
        r#"service Items {}
enum ItemsClient { option (apibase.v1.errors).domain = "a.example.com"; ZERO = 0; }
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn a_catalogue_and_a_nested_one() {
    let request = shop(
        r#"enum ItemError { option (apibase.v1.errors).domain = "a.example.com"; ZERO = 0; }
message Item {
  enum Error { option (apibase.v1.errors).domain = "b.example.com"; ZERO = 0; }
}
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn a_translator_and_an_entity() {
    let request = shop(
        r#"enum ItemError { option (apibase.v1.errors).domain = "a.example.com"; ZERO = 0; }
message FromItemError { option (apibase.v1.entity) = {}; }
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn two_catalogues_of_one_name() {
    let request = shop(
        r#"enum ItemError { option (apibase.v1.errors).domain = "a.example.com"; ZERO = 0; }
enum Item_error { option (apibase.v1.errors).domain = "b.example.com"; NONE = 0; }
"#,
    );
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn an_enum_of_a_message_that_is_no_entity_has_a_name_of_its_own() {
    let request = shop(
        r#"enum ItemError { option (apibase.v1.errors).domain = "a.example.com"; ZERO = 0; }
message Order { ItemError last = 1; }
"#,
    );
    assert!(files(&request).contains_key("shop.api.rs"));
}
