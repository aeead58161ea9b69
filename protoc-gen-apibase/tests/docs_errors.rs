//! What the pages say about errors.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod entities;
mod schema;

use protoc_gen_apibase::{Emit, Imports};

const SHOP: &str = r#"
syntax = "proto3";
package shop.v1;

import "apibase/v1/options.proto";

// Sells things.
service ShopService {
  option (apibase.v1.service).errors = "shop.v1.ShopError";

  // Sells one thing.
  //
  // # Errors
  //
  // Nothing is sold twice.
  rpc Sell(Nothing) returns (Nothing) {
    option (apibase.v1.method) = { errors: "SOLD_OUT" errors: "CLOSED" errors: "TILL_BROKEN" };
  }
  // Takes one back.
  rpc TakeBack(Nothing) returns (Nothing);
}

message Nothing {}

// What goes wrong in a shop.
//
// # Errors
//
// There are more each year.
enum ShopError {
  option (apibase.v1.errors) = { domain: "shop.example.com" };
  SHOP_ERROR_UNSPECIFIED = 0;
  // Somebody else was faster.
  //
  // - look for `a|b`
  // - or wait
  SHOP_ERROR_SOLD_OUT = 1 [(apibase.v1.error) = {
    code: FAILED_PRECONDITION message: "{sku} of {shop} sold out" metadata: "sku" metadata: "shop" http: 409
  }];
  SHOP_ERROR_CLOSED = 2 [(apibase.v1.error) = {
    code: UNAVAILABLE message: "closed | `{until}`" metadata: "until" retryable: true retry_delay: { seconds: 2 }
  }];
  // The till is broken.
  SHOP_ERROR_TILL_BROKEN = 3 [(apibase.v1.error) = { code: INTERNAL message: "till {till}: {why}" metadata: "till" metadata: "why" }];
  SHOP_ERROR_THIEF = 4 [(apibase.v1.error) = { code: PERMISSION_DENIED message: "thief {name}" metadata: "name" redacted: true }];
  SHOP_ERROR_UNWANTED = 5 [(apibase.v1.error) = {
    code: PERMISSION_DENIED message: "{name} is unwanted" public_message: "come back later" metadata: "name" retryable: true
  }];
  SHOP_ERROR_NO_CREDIT = 6 [(apibase.v1.error).code = RESOURCE_EXHAUSTED];
  // Long gone.
  SHOP_ERROR_NO_COINS = 7 [deprecated = true, (apibase.v1.error) = {
    code: ABORTED retryable: true retry_delay: { nanos: 250000000 }
  }];
}
"#;

/// The one page of files of which the first is asked for.
fn page(files: &[(&str, &str)]) -> String {
    page_with(files, Imports::Generate)
}

fn page_with(files: &[(&str, &str)], imports: Imports) -> String {
    let mut request = entities::with_options(files);
    request.files.truncate(1);
    request.imports = imports;
    request.options.emit = Emit {
        rust: false,
        docs: true,
        ..Emit::default()
    };
    let pages = schema::files(&request);
    assert_eq!(pages.len(), 1);
    pages.into_values().next().unwrap()
}

/// A page from its section about errors on.
fn errors(page: &str) -> &str {
    let (_, errors) = page.split_once("\n## Errors\n").unwrap();
    errors.split("\n## ").next().unwrap()
}

#[test]
fn a_page_says_what_can_fail() {
    insta::assert_snapshot!(page(&[("shop.proto", SHOP)]));
}

#[test]
fn links_pass_by_the_headings_of_comments() {
    let page = page(&[("shop.proto", SHOP)]);
    // The comment of a method has this heading first, that of the catalogue has it again.
    assert!(page.contains("](#errors-1)"), "{page}");
    assert!(page.contains("](#errors-of-all-services)"), "{page}");
    assert!(!page.contains("](#errors)"), "{page}");
}

#[test]
fn a_method_without_a_list_is_linked_to_the_whole_catalogue() {
    let page = page(&[("shop.proto", SHOP)]);
    let (_, method) = page.split_once("\n### TakeBack\n").unwrap();
    let (method, _) = method.split_once("\n## ").unwrap();
    assert!(method.contains("[all of `ShopError`]"), "{method}");
    assert!(!method.contains("| Reason |"), "{method}");
}

#[test]
fn what_callers_of_a_redacted_error_are_not_told_is_not_shown() {
    let page = page(&[("shop.proto", SHOP)]);
    for secret in ["thief {name}", "till {till}", "`why`", "is unwanted"] {
        assert!(!page.contains(secret), "{secret}: {page}");
    }
}

#[test]
fn a_catalogue_is_found_in_another_package_and_in_a_message() {
    let service = r#"
        syntax = "proto3";
        package shop.v1;
        import "apibase/v1/options.proto";
        import "common.proto";
        service ShopService {
          option (apibase.v1.service).errors = "common.v1.Errors.Shared";
          rpc Sell(Nothing) returns (common.v1.Errors) {
            option (apibase.v1.method).errors = "LOST";
          }
        }
        message Nothing {}
    "#;
    let common = r#"
        syntax = "proto3";
        package common.v1;
        import "apibase/v1/options.proto";
        message Errors {
          // Shared by all.
          enum Shared {
            option (apibase.v1.errors) = { domain: "common.example.com" };
            SHARED_UNSPECIFIED = 0;
            // It is lost.
            SHARED_LOST = 1 [(apibase.v1.error).code = DATA_LOSS];
          }
        }
    "#;
    let files = [("shop.proto", service), ("common.proto", common)];
    insta::assert_snapshot!(page(&files));
    // As with buf, where another run generates the other package.
    assert_eq!(page_with(&files, Imports::Skip), page(&files));
}

#[test]
fn a_catalogue_without_errors_says_so() {
    let source = r#"
        syntax = "proto3";
        package shop.v1;
        import "apibase/v1/options.proto";
        service ShopService {
          option (apibase.v1.service).errors = "shop.v1.ShopError";
          rpc Sell(Nothing) returns (Nothing);
        }
        message Nothing {}
        enum ShopError {
          option (apibase.v1.errors) = { domain: "shop.example.com" };
          option deprecated = true;
          SHOP_ERROR_UNSPECIFIED = 0;
        }
    "#;
    let page = page(&[("shop.proto", source)]);
    assert!(page.contains("- **Errors:** [those of all services](#errors-of-all-services)\n"));
    insta::assert_snapshot!(errors(&page));
}
