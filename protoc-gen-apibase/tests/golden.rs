//! Whole files, as a reviewer of generated code sees them.

mod schema;

use schema::{files, one};

const ITEMS: &str = r#"
// The license of the file.

syntax = "proto3";

// The shop.
package shop;

// Manages the items of the shop.
service ItemService {
  // Returns one item.
  rpc GetItem(GetItemRequest) returns (Item) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  // Sends all items.
  rpc ListItems(GetItemRequest) returns (stream Item); // Oldest first.

  // Detached: no doc of anything.

  rpc BatchCreateItems(stream Item) returns (Item) { option idempotency_level = IDEMPOTENT; }
  // Old.
  rpc SyncItems(stream Item) returns (stream Item) { option deprecated = true; }
}

// Asks for one item.
message GetItemRequest {
  string id = 1; // Its id.
}

// An item, see [Item.id] and https://example.com/items.
message Item {
  string id = 1;
  // Old.
  string sku = 2 [deprecated = true];
  // What it is made of.
  oneof material {
    // Of wood, this much: `kg`.
    int32 wood = 3;
    Item other = 4;
  }
  map<string, Kind> kinds = 5;
  // The kinds.
  enum Kind {
    // No kind.
    KIND_UNSPECIFIED = 0;
    KIND_NEW = 1;
  }
}
"#;

fn all() -> std::collections::BTreeMap<String, String> {
    let mut request = one(ITEMS);
    request.options.tonic = true;
    request.options.include_file = Some("mod.rs".to_owned());
    files(&request)
}

#[test]
fn messages() {
    insta::assert_snapshot!(all()["shop.rs"]);
}

#[test]
fn service_layer() {
    insta::assert_snapshot!(all()["shop.api.rs"]);
}

#[test]
fn descriptors() {
    insta::assert_snapshot!(all()["shop.descriptors.rs"]);
}

#[test]
fn tree() {
    insta::assert_snapshot!(all()["mod.rs"]);
}

#[test]
fn a_unary_method_takes_at_most_40_lines() {
    let api = |methods: usize| {
        let methods: String = (0..methods)
            .map(|n| format!("// Does the thing.\nrpc DoThingNumber{n}(Item) returns (Item);\n"))
            .collect();
        let source = format!(
            "syntax = \"proto3\"; package shop; message Item {{}} service ItemService {{\n{methods}}}"
        );
        files(&one(&source))["shop.api.rs"].lines().count()
    };
    let lines = (api(20) - api(10)).div_ceil(10);
    assert!(lines <= 40, "{lines} lines");
}

#[test]
fn the_same_request_gives_the_same_bytes() {
    assert_eq!(all(), all());
}
