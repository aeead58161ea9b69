//! What breaks clients is refused, each time with its place, what it was, and the way out.
#![cfg(feature = "cli")]

mod breaking;

use breaking::Change;
use breaking::Edit::{Remove, Rename, Replace, Stock};

#[test]
fn errors_that_clients_know_stay_as_they_are() {
    insta::assert_snapshot!(refused(ERRORS));
}

#[test]
fn entities_take_what_they_took() {
    insta::assert_snapshot!(refused(ENTITIES));
}

#[test]
fn methods_promise_what_they_promised() {
    insta::assert_snapshot!(refused(METHODS));
}

#[test]
fn what_is_tightened_may_be_loosened() {
    /// What is neither more nor less than it was, but something else.
    const OTHERS: [&str; 4] = [
        "a field that was read past is required",
        "a format is another one",
        "a length is another one",
        "a method asks for another scope",
    ];
    for change in ENTITIES.iter().chain(METHODS) {
        let run = change.run_in_reverse();
        let broken = OTHERS.contains(&change.name);
        assert_eq!(
            run.code,
            Some(i32::from(broken)),
            "{}: {}",
            change.name,
            run.stdout
        );
    }
}

/// What is said of each change, which breaks one thing.
fn refused(changes: &[Change]) -> String {
    let mut all = String::new();
    for change in changes {
        let run = change.run();
        let name = change.name;
        assert_eq!(run.code, Some(1), "{name}: {}{}", run.stdout, run.stderr);
        assert_eq!(
            run.stderr, "error: 1 breaking change\n",
            "{name}: {}",
            run.stdout
        );
        all += &format!("{}\n{}\n", change.shown(), run.stdout);
    }
    all
}

const TAKEN: &str =
    "  ITEM_ERROR_TAKEN = 2 [(apibase.v1.error) = { code: ALREADY_EXISTS metadata: \"sku\" }];\n";

#[rustfmt::skip]
const ERRORS: &[Change] = &[
    Change { name: "a reason is gone", edits: &[Replace(TAKEN, "")] },
    Change { name: "a reason is renamed", edits: &[Replace("ITEM_ERROR_TAKEN", "ITEM_ERROR_EXISTS")] },
    Change { name: "a value is no error any more", edits: &[
        Replace(" [(apibase.v1.error) = { code: ALREADY_EXISTS metadata: \"sku\" }]", ""),
    ] },
    Change { name: "a code is another one", edits: &[Replace("code: ALREADY_EXISTS", "code: ABORTED")] },
    Change { name: "a code hides what there is", edits: &[Replace("code: ALREADY_EXISTS", "code: INTERNAL")] },
    Change { name: "a metadata key is gone", edits: &[
        Replace("    message: \"item {item_id} of {shop_id} is not there\"\n", ""),
        Replace("[\"item_id\", \"shop_id\"]", "[\"item_id\"]"),
    ] },
    Change { name: "all metadata keys are gone", edits: &[
        Replace("    message: \"item {item_id} of {shop_id} is not there\"\n", ""),
        Replace("    metadata: [\"item_id\", \"shop_id\"]\n", ""),
    ] },
    Change { name: "a metadata key is renamed", edits: &[Replace("metadata: \"sku\"", "metadata: \"number\"")] },
    Change { name: "an error with metadata is redacted", edits: &[
        Replace("metadata: \"sku\"", "metadata: \"sku\" redacted: true"),
    ] },
    Change { name: "a domain is another one", edits: &[Replace("items.example.com", "shop.example.com")] },
    Change { name: "an enum is no catalogue any more", edits: &[
        Stock("  option (apibase.v1.errors) = { domain: \"stock.example.com\" };\n", ""),
    ] },
    Change { name: "a catalogue is gone", edits: &[
        Stock("enum StockError {\n  option (apibase.v1.errors) = { domain: \"stock.example.com\" };\n  STOCK_ERROR_UNSPECIFIED = 0;\n  STOCK_ERROR_EMPTY = 1 [(apibase.v1.error) = { code: FAILED_PRECONDITION }];\n}\n", ""),
    ] },
    Change { name: "the file of a catalogue is gone", edits: &[
        Replace("import \"shop/stock.proto\";\n", ""), Remove("shop/stock.proto"),
    ] },
    Change { name: "the file of a catalogue is renamed, and its reason too", edits: &[
        Replace("shop/stock.proto", "shop/goods.proto"),
        Stock("STOCK_ERROR_EMPTY", "STOCK_ERROR_NONE"),
        Rename("shop/stock.proto", "shop/goods.proto"),
    ] },
    Change { name: "a service names another catalogue", edits: &[
        Replace("\"shop.StockError\"", "\"shop.ItemError\""),
    ] },
    Change { name: "a service names no catalogue any more", edits: &[
        Replace("errors: \"shop.StockError\" ", ""),
    ] },
];

#[rustfmt::skip]
const ENTITIES: &[Change] = &[
    Change { name: "a text turns required", edits: &[
        Replace("string name = 2;", "string name = 2 [(apibase.v1.field).required = true];"),
    ] },
    Change { name: "a field with presence turns required", edits: &[
        Replace("string nick = 3;", "string nick = 3 [(apibase.v1.field).required = true];"),
    ] },
    Change { name: "a message turns required", edits: &[
        Replace("Place place = 10;", "Place place = 10 [(apibase.v1.field).required = true];"),
    ] },
    Change { name: "a list turns required", edits: &[
        Replace("string tags = 11;", "string tags = 11 [(apibase.v1.field).required = true];"),
    ] },
    Change { name: "a map turns required", edits: &[
        Replace("words = 12;", "words = 12 [(apibase.v1.field).required = true];"),
    ] },
    Change { name: "an enum turns required", edits: &[
        Replace("State state = 9 [(apibase.v1.field) = { unknown: KEEP }]", "State state = 9 [(apibase.v1.field) = { unknown: KEEP required: true }]"),
    ] },
    Change { name: "Google's option says that a field is required", edits: &[
        Replace("string name = 2;", "string name = 2 [(google.api.field_behavior) = REQUIRED];"),
    ] },
    Change { name: "a field that was read past is required", edits: &[
        Replace("{ ignore: true }", "{ required: true }"),
    ] },
    Change { name: "a new field is required", edits: &[
        Replace("string town = 1", "string street = 2 [(apibase.v1.field).required = true];\n  string town = 1"),
    ] },
    Change { name: "a new field can't be empty, by its format", edits: &[
        Replace("string town = 1", "string street = 2 [(apibase.v1.field).format = UUID];\n  string town = 1"),
    ] },
    Change { name: "a new field can't be 0", edits: &[
        Replace("string town = 1", "int32 number = 2 [(apibase.v1.field).nonzero = true];\n  string town = 1"),
    ] },
    Change { name: "a oneof turns required", edits: &[
        Replace("  oneof pay {", "  oneof pay {\n    option (apibase.v1.oneof).required = true;"),
    ] },
    Change { name: "a field leaves a oneof that is required", edits: &[
        Replace("    string post = 17;\n  }\n", "  }\n  string post = 17;\n"),
    ] },
    Change { name: "a message with a required field becomes an entity", edits: &[
        Replace("message Plain {\n  string text = 1;", "message Plain {\n  option (apibase.v1.entity) = {};\n  string text = 1 [(apibase.v1.field).required = true];"),
    ] },
    Change { name: "a message that needs a field is flattened", edits: &[
        Replace("Place place = 4;", "Place place = 4 [(apibase.v1.field).flatten = true];"),
    ] },
    Change { name: "an empty text stands for none no longer", edits: &[
        Replace("{ format: URI empty_is_absent: true }", "{ format: URI }"),
    ] },
    Change { name: "a field with a format loses its presence", edits: &[
        Replace("optional string ref = 19", "string ref = 19"),
    ] },
    Change { name: "a text gets a format", edits: &[
        Replace("string nick = 3;", "string nick = 3 [(apibase.v1.field).format = DECIMAL];"),
    ] },
    Change { name: "the elements of a list get a format", edits: &[
        Replace("string tags = 11;", "string tags = 11 [(apibase.v1.field).format = UUID];"),
    ] },
    Change { name: "the values of a map get a format", edits: &[
        Replace("words = 12;", "words = 12 [(apibase.v1.field).format = IP];"),
    ] },
    Change { name: "a wrapper gets a format", edits: &[
        Replace("motto = 13;", "motto = 13 [(apibase.v1.field).format = JSON];"),
    ] },
    Change { name: "a member of a oneof gets a format", edits: &[
        Replace("string card = 14;", "string card = 14 [(apibase.v1.field).format = UUID];"),
    ] },
    Change { name: "a format is another one", edits: &[Replace("format: URI", "format: IP")] },
    Change { name: "an integer becomes narrower", edits: &[
        Replace("int64 count = 5;", "int64 count = 5 [(apibase.v1.field).format = UINT64];"),
    ] },
    Change { name: "an integer becomes narrower than it was", edits: &[Replace("format: INT16", "format: INT8")] },
    Change { name: "an integer can't be 0", edits: &[
        Replace("int64 count = 5;", "int64 count = 5 [(apibase.v1.field).nonzero = true];"),
    ] },
    Change { name: "bytes get a length", edits: &[
        Replace("bytes key = 7;", "bytes key = 7 [(apibase.v1.field).length = 32];"),
    ] },
    Change { name: "a length is another one", edits: &[Replace("length: 16", "length: 20")] },
    Change { name: "unknown numbers are rejected", edits: &[Replace("unknown: KEEP", "unknown: REJECT")] },
    Change { name: "unknown numbers are rejected for nothing else is said", edits: &[
        Replace(" [(apibase.v1.field) = { unknown: KEEP }]", ""),
    ] },
    Change { name: "a field that masks could name is immutable", edits: &[
        Replace("string name = 2;", "string name = 2 [(apibase.v1.field).immutable = true];"),
    ] },
    Change { name: "a field that masks could name is immutable by Google's option", edits: &[
        Replace("string name = 2;", "string name = 2 [(google.api.field_behavior) = IMMUTABLE];"),
    ] },
    Change { name: "a field that masks could name is the identifier", edits: &[
        Replace("string name = 2;", "string name = 2 [(apibase.v1.field).identifier = true];"),
    ] },
    Change { name: "a field that masks could name is read past", edits: &[
        Replace("string name = 2;", "string name = 2 [(apibase.v1.field).ignore = true];"),
    ] },
];

#[rustfmt::skip]
const METHODS: &[Change] = &[
    Change { name: "a method without side effects is only idempotent", edits: &[
        Replace("NO_SIDE_EFFECTS", "IDEMPOTENT"),
    ] },
    Change { name: "a method without side effects has some", edits: &[
        Replace("    option idempotency_level = NO_SIDE_EFFECTS;\n", ""),
    ] },
    Change { name: "a method is not idempotent any more", edits: &[
        Replace("    option idempotency_level = IDEMPOTENT;\n", ""),
    ] },
    Change { name: "a public method asks for a token", edits: &[Replace("public: true", "required: true")] },
    Change { name: "a public method asks for scopes", edits: &[Replace("public: true", "scopes: \"items.add\"")] },
    Change { name: "a method asks for a scope where any token would do", edits: &[
        Replace("auth: { required: true }", "auth: { scopes: \"items.update\" }"),
    ] },
    Change { name: "a method asks for one scope more", edits: &[
        Replace("[\"items.read\", \"items.write\"]", "[\"items.read\", \"items.write\", \"items.all\"]"),
    ] },
    Change { name: "a method asks for another scope", edits: &[
        Replace("[\"items.read\", \"items.write\"]", "[\"items.read\", \"items.put\"]"),
    ] },
    Change { name: "a service asks for a token", edits: &[
        Replace("service Counts {", "service Counts {\n  option (apibase.v1.service).auth = { required: true };"),
    ] },
    Change { name: "a service asks for a scope more", edits: &[
        Replace("auth: { scopes: \"stock\" }", "auth: { scopes: [\"stock\", \"stock.fill\"] }"),
    ] },
    Change { name: "a method that was open says itself that it isn't", edits: &[
        Replace("  rpc Reset(Plain) returns (Plain);", "  rpc Reset(Plain) returns (Plain) {\n    option (apibase.v1.method).auth.required = true;\n  }"),
    ] },
    Change { name: "a method falls back to what its service asks for", edits: &[
        Replace("    option (apibase.v1.method) = { auth: { public: true } };\n", ""),
        Replace("service Items {\n  option (apibase.v1.service) = { errors: \"shop.ItemError\" };",
            "service Items {\n  option (apibase.v1.service) = { errors: \"shop.ItemError\" auth: { required: true } };"),
        Replace("    option (apibase.v1.method) = { errors: [\"NOT_THERE\", \"TAKEN\"] };",
            "    option (apibase.v1.method) = { errors: [\"NOT_THERE\", \"TAKEN\"] auth: { public: true } };"),
    ] },
    Change { name: "a cap is lower", edits: &[
        Replace("deadline_cap: { seconds: 5 }", "deadline_cap: { seconds: 4 nanos: 500000000 }"),
    ] },
    Change { name: "there is a cap", edits: &[
        Replace("errors: [\"NOT_THERE\", \"TAKEN\"]", "errors: [\"NOT_THERE\", \"TAKEN\"] deadline_cap: { seconds: 1 }"),
    ] },
    Change { name: "fewer calls go through", edits: &[Replace("requests: 60 ", "requests: 59 ")] },
    Change { name: "the same calls go through in a longer time", edits: &[
        Replace("per: { seconds: 60 }", "per: { seconds: 61 }"),
    ] },
    Change { name: "as many calls go through, and fewer at once", edits: &[
        Replace("requests: 60 per: { seconds: 60 }", "requests: 1 per: { seconds: 1 }"),
    ] },
    Change { name: "a burst is smaller", edits: &[Replace("burst: 20", "burst: 10")] },
    Change { name: "there is a limit", edits: &[
        Replace("errors: [\"NOT_THERE\", \"TAKEN\"]", "errors: [\"NOT_THERE\", \"TAKEN\"] rate_limit: { requests: 1 per: { seconds: 1 } }"),
    ] },
    Change { name: "the work stops when the caller has gone", edits: &[Replace("      detached: true\n", "")] },
];
