//! Error catalogues that make no sense are refused with their place and the way out, the same from every
//! compiler; errors that are too large are said.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

mod compiled;
mod corpus;
mod schema;

use compiled::{HEAD, both, one_of, refusal, shop, warnings};

#[test]
fn a_catalogue_that_is_not_there() {
    insta::assert_snapshot!(refusal(
        r#"enum ItemError {
  option (apibase.v1.errors).domain = "shop.example.com";
  ITEM_ERROR_UNSPECIFIED = 0;
}
enum Plain { PLAIN_UNSPECIFIED = 0; }
service A { option (apibase.v1.service).errors = "shop.ItemEror"; }
service B { option (apibase.v1.service).errors = "ItemError"; }
service C { option (apibase.v1.service).errors = "shop.Plain"; }
service D {
  option (apibase.v1.service).errors = "something.Else";
  rpc A(Item) returns (Item) { option (apibase.v1.method).errors = "NOT_REPORTED"; }
}
service E {
  rpc A(Item) returns (Item) { option (apibase.v1.method).errors = "GONE"; }
}
"#
    ));
}

#[test]
fn errors_that_the_catalogue_lacks() {
    insta::assert_snapshot!(refusal(
        r#"enum ItemError {
  option (apibase.v1.errors).domain = "shop.example.com";
  ITEM_ERROR_UNSPECIFIED = 0;
  ITEM_ERROR_NOT_FOUND = 1 [(apibase.v1.error).code = NOT_FOUND];
  ITEM_ERROR_SKU_TAKEN = 2 [(apibase.v1.error).code = ALREADY_EXISTS];
}
service Items {
  option (apibase.v1.service).errors = "shop.ItemError";
  rpc A(Item) returns (Item) {
    option (apibase.v1.method).errors = "NOT_FOUND";
    option (apibase.v1.method).errors = "SKU_TAKE";
    option (apibase.v1.method).errors = "ITEM_ERROR_SKU_TAKEN";
    option (apibase.v1.method).errors = "NOT_FOUND";
    option (apibase.v1.method).errors = "SOMETHING_ELSE";
    option (apibase.v1.method).errors = "UNSPECIFIED";
  }
}
"#
    ));
}

#[test]
fn a_catalogue_with_holes() {
    insta::assert_snapshot!(refusal(
        r#"enum ItemError {
  option (apibase.v1.errors) = {};
  ITEM_ERROR_UNSPECIFIED = 0 [(apibase.v1.error).code = INTERNAL];
  ITEM_ERROR_GONE = 1;
  ITEM_ERROR_LOST = 2 [(apibase.v1.error).message = "lost"];
  ITEM_ERROR_lower = 3 [(apibase.v1.error).code = INTERNAL];
  ITEM_ERROR_X = 4 [(apibase.v1.error).code = INTERNAL];
  ITEM_ERROR_THIS_NAME_IS_SO_LONG_THAT_NOBODY_WILL_EVER_READ_IT_TO_ITS_END = 5 [(apibase.v1.error).code = INTERNAL];
}
enum Malformed { option (apibase.v1.errors).domain = "Shop..example"; MALFORMED_ZERO = 0; }
enum Taken { option (apibase.v1.errors).domain = "apibase"; TAKEN_ZERO = 0; }
message Outer {
  enum Stray { STRAY_ZERO = 0; STRAY_GONE = 1 [(apibase.v1.error).code = NOT_FOUND]; }
}
"#
    ));
}

#[test]
fn an_error_that_contradicts_itself() {
    insta::assert_snapshot!(refusal(
        r#"enum ItemError {
  option (apibase.v1.errors).domain = "shop.example.com";
  ITEM_ERROR_UNSPECIFIED = 0;
  ITEM_ERROR_KEY = 1 [(apibase.v1.error) = { code: INTERNAL message: "{item_idd}" metadata: "item_id" }];
  ITEM_ERROR_OTHER_KEY = 2 [(apibase.v1.error) = { code: NOT_FOUND public_message: "{id}" }];
  ITEM_ERROR_BRACE = 3 [(apibase.v1.error) = { code: INTERNAL message: "{{item} {" }];
  ITEM_ERROR_CAMEL = 4 [(apibase.v1.error) = { code: INTERNAL metadata: ["itemId", "sku", "sku"] }];
  ITEM_ERROR_DELAY = 5 [(apibase.v1.error) = { code: UNAVAILABLE retry_delay: { seconds: 1 } }];
  ITEM_ERROR_NEVER = 6 [(apibase.v1.error) = { code: UNAVAILABLE retryable: true retry_delay: {} }];
  ITEM_ERROR_REDACTED = 7 [(apibase.v1.error) = { code: NOT_FOUND redacted: true public_message: "no" }];
  ITEM_ERROR_HTTP = 8 [(apibase.v1.error) = { code: INTERNAL http: 200 }];
  ITEM_ERROR_HTTP_TOO = 9 [(apibase.v1.error) = { code: INTERNAL http: 70000 }];
}
"#
    ));
}

#[test]
fn a_public_message_that_nobody_would_see() {
    insta::assert_snapshot!(refusal(
        r#"enum ItemError {
  option (apibase.v1.errors).domain = "shop.example.com";
  ITEM_ERROR_UNSPECIFIED = 0;
  ITEM_ERROR_BROKEN = 1 [(apibase.v1.error) = { code: INTERNAL public_message: "broken" }];
  ITEM_ERROR_ODD = 2 [
    (apibase.v1.error).code = UNKNOWN,
    (apibase.v1.error).public_message = "odd"
  ];
  ITEM_ERROR_LOST = 3 [(apibase.v1.error) = { code: DATA_LOSS public_message: "lost" }];
}
"#
    ));
}

#[test]
fn two_errors_that_are_one() {
    // With numbers of their own the compilers refuse them too, and prost's variants clash.
    insta::assert_snapshot!(refusal(
        r#"enum ItemError {
  option allow_alias = true;
  option (apibase.v1.errors).domain = "shop.example.com";
  ITEM_ERROR_UNSPECIFIED = 0;
  ITEM_ERROR_GONE = 1 [(apibase.v1.error).code = NOT_FOUND];
  GONE = 1 [(apibase.v1.error).code = NOT_FOUND];
  ITEM_ERROR_LINE_1 = 2 [(apibase.v1.error).code = NOT_FOUND];
  ITEM_ERROR_LINE1 = 2 [(apibase.v1.error).code = NOT_FOUND];
  ITEM_ERROR_LEFT = 2 [(apibase.v1.error).code = NOT_FOUND];
}
"#
    ));
}

#[test]
fn metadata_that_is_one_field() {
    insta::assert_snapshot!(refusal(
        r#"enum ItemError {
  option (apibase.v1.errors).domain = "shop.example.com";
  ITEM_ERROR_GONE = 0;
  ITEM_ERROR_LOST = 1 [
    (apibase.v1.error).code = NOT_FOUND,
    (apibase.v1.error).metadata = "self",
    (apibase.v1.error).metadata = "item_id",
    (apibase.v1.error).metadata = "self_",
    (apibase.v1.error).metadata = "item__id"
  ];
}
"#
    ));
}

#[test]
fn an_error_that_is_too_large_is_said() {
    let text = "long ".repeat(420);
    let source = shop(&format!(
        r#"enum ItemError {{
  option (apibase.v1.errors).domain = "shop.example.com";
  ITEM_ERROR_UNSPECIFIED = 0;
  ITEM_ERROR_FIVE = 1 [(apibase.v1.error) = {{
    code: NOT_FOUND metadata: ["a", "b", "c", "d", "e"]
  }}];
  ITEM_ERROR_SIX = 2 [(apibase.v1.error) = {{
    code: NOT_FOUND metadata: ["a", "b", "c", "d", "e", "f"]
  }}];
  ITEM_ERROR_LONG = 3 [(apibase.v1.error) = {{ code: NOT_FOUND message: "{text}" }}];
  ITEM_ERROR_SHORT = 4 [(apibase.v1.error) = {{
    code: NOT_FOUND message: "{text}" public_message: "short"
  }}];
  ITEM_ERROR_SECRET = 5 [(apibase.v1.error) = {{
    code: NOT_FOUND message: "{text}" redacted: true
  }}];
}}
"#
    ));
    let errors = source.replace("package shop;", "package errors;");
    let output = both(&[("shop.proto", &source)]).unwrap();
    insta::assert_snapshot!(warnings(&output));
    // What another run generates is said there.
    let user = shop("import \"errors.proto\";\n");
    assert_eq!(
        warnings(&one_of(&[("shop.proto", &user), ("errors.proto", &errors)])),
        ""
    );
}

#[test]
fn a_catalogue_in_an_imported_file_is_found() {
    let errors = "enum ItemError {\n  option (apibase.v1.errors).domain = \"shop.example.com\";\n  \
                  ITEM_ERROR_UNSPECIFIED = 0;\n  ITEM_ERROR_GONE = 1 [(apibase.v1.error).code = \
                  NOT_FOUND];\n}\n";
    let errors = HEAD.replace("package shop;", "package errors;") + errors;
    let shop = shop(
        r#"import "errors.proto";
service Items {
  option (apibase.v1.service).errors = "errors.ItemError";
  rpc A(Item) returns (Item) { option (apibase.v1.method).errors = "GONE"; }
}
"#,
    );
    assert!(both(&[("errors.proto", &errors), ("shop.proto", &shop)]).is_ok());
}
