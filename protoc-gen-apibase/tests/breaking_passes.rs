//! What doesn't break clients passes, and what breaks the wire is left to `buf breaking`.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

mod breaking;
mod corpus;

use breaking::Edit::{Add, Rename, Replace, Stock};
use breaking::{Change, breaking};
use corpus::Corpus;

#[test]
fn errors_may_be_added_and_may_say_more() {
    pass(ERRORS);
}

#[test]
fn entities_may_take_more() {
    pass(ENTITIES);
}

#[test]
fn methods_may_promise_more() {
    pass(METHODS);
}

#[test]
fn what_breaks_the_wire_is_not_our_concern() {
    pass(WIRE);
}

#[test]
fn nothing_differs_from_itself() {
    for corpus in Corpus::all() {
        let includes = corpus.includes();
        let mut arguments = vec!["--against", corpus.folder.to_str().unwrap()];
        for include in &includes {
            arguments.extend(["-I", include.to_str().unwrap()]);
        }
        arguments.extend(corpus.files.iter().map(String::as_str));
        let run = breaking(&corpus.folder, &arguments);
        let said = format!("{}{}", run.stdout, run.stderr);
        let nothing = format!("no breaking changes against {}\n", corpus.folder.display());
        assert_eq!((run.code, said), (Some(0), nothing), "{}", corpus.name);
    }
}

fn pass(changes: &[Change]) {
    for change in changes {
        let run = change.run();
        let said = (run.code, run.stdout.as_str(), run.stderr.as_str());
        assert_eq!(
            said,
            (Some(0), "", "no breaking changes against old\n"),
            "{}",
            change.name
        );
    }
}

#[rustfmt::skip]
const ERRORS: &[Change] = &[
    Change { name: "a new reason", edits: &[
        Replace("  ITEM_ERROR_TAKEN = 2", "  ITEM_ERROR_NEW = 9 [(apibase.v1.error).code = ABORTED];\n  ITEM_ERROR_TAKEN = 2"),
    ] },
    Change { name: "a new metadata key", edits: &[Replace("metadata: \"sku\"", "metadata: [\"sku\", \"shop\"]")] },
    Change { name: "metadata in another order", edits: &[Replace("[\"item_id\", \"shop_id\"]", "[\"shop_id\", \"item_id\"]")] },
    Change { name: "another message", edits: &[Replace("item {item_id} of {shop_id} is not there", "no {item_id}")] },
    Change { name: "a public message", edits: &[Replace("metadata: \"sku\"", "metadata: \"sku\" public_message: \"taken\"")] },
    Change { name: "an error that turns retryable", edits: &[
        Replace("metadata: \"sku\"", "metadata: \"sku\" retryable: true retry_delay: { seconds: 1 }"),
    ] },
    Change { name: "an error that is retryable no more", edits: &[Replace("retryable: true ", "")] },
    Change { name: "an HTTP status", edits: &[Replace("metadata: \"sku\"", "metadata: \"sku\" http: 409")] },
    Change { name: "another HTTP status", edits: &[Replace("http: 503", "http: 500")] },
    Change { name: "an error without metadata that is redacted", edits: &[Replace("http: 503", "redacted: true")] },
    Change { name: "an error that is redacted no more", edits: &[Replace(" redacted: true", "")] },
    Change { name: "other comments", edits: &[Replace("// It isn't there.", "// It was there once.")] },
    Change { name: "a deprecated reason", edits: &[Replace("{ code: ALREADY_EXISTS metadata: \"sku\" }", "{ code: ALREADY_EXISTS metadata: \"sku\" }, deprecated = true")] },
    Change { name: "values in another order", edits: &[
        Replace("  ITEM_ERROR_TAKEN = 2 [(apibase.v1.error) = { code: ALREADY_EXISTS metadata: \"sku\" }];\n", ""),
        Replace("  // It isn't there.\n", "  ITEM_ERROR_TAKEN = 2 [(apibase.v1.error) = { code: ALREADY_EXISTS metadata: \"sku\" }];\n"),
    ] },
    Change { name: "another number", edits: &[Replace("ITEM_ERROR_TAKEN = 2", "ITEM_ERROR_TAKEN = 12")] },
    Change { name: "a catalogue for a service without one", edits: &[
        Replace("service Counts {", "service Counts {\n  option (apibase.v1.service).errors = \"shop.ItemError\";"),
    ] },
    Change { name: "a catalogue that is new", edits: &[
        Stock("// The errors of stocks.", "enum NewError { option (apibase.v1.errors).domain = \"new.example.com\"; NEW_ERROR_UNSPECIFIED = 0; }\n"),
    ] },
    Change { name: "a method that declares more errors", edits: &[Replace("[\"NOT_THERE\", \"TAKEN\"]", "[\"NOT_THERE\", \"TAKEN\", \"CLOSED\"]")] },
    Change { name: "a method that declares fewer errors", edits: &[Replace("[\"NOT_THERE\", \"TAKEN\"]", "[\"TAKEN\"]")] },
    Change { name: "a file that is renamed", edits: &[
        Replace("shop/stock.proto", "shop/goods.proto"), Rename("shop/stock.proto", "shop/goods.proto"),
    ] },
    Change { name: "a catalogue that moves to another file", edits: &[
        Stock("enum StockError {\n  option (apibase.v1.errors) = { domain: \"stock.example.com\" };\n  STOCK_ERROR_UNSPECIFIED = 0;\n  STOCK_ERROR_EMPTY = 1 [(apibase.v1.error) = { code: FAILED_PRECONDITION }];\n}\n", ""),
        Add("shop/goods.proto", "syntax = \"proto3\";\npackage shop;\nimport \"apibase/v1/options.proto\";\nenum StockError {\n  option (apibase.v1.errors) = { domain: \"stock.example.com\" };\n  STOCK_ERROR_UNSPECIFIED = 0;\n  STOCK_ERROR_EMPTY = 1 [(apibase.v1.error) = { code: FAILED_PRECONDITION }];\n}\n"),
    ] },
];

#[rustfmt::skip]
const ENTITIES: &[Change] = &[
    Change { name: "a new field", edits: &[Replace("string town = 1", "string street = 2;\n  string town = 1")] },
    Change { name: "a new field with presence and a format", edits: &[
        Replace("string town = 1", "optional string street = 2 [(apibase.v1.field).format = UUID];\n  string town = 1"),
    ] },
    Change { name: "a new field that may be empty beside its format", edits: &[
        Replace("string town = 1", "string street = 2 [(apibase.v1.field) = { format: UUID empty_is_absent: true }];\n  string town = 1"),
    ] },
    Change { name: "a new list with a format", edits: &[
        Replace("string town = 1", "repeated string streets = 2 [(apibase.v1.field).format = UUID];\n  string town = 1"),
    ] },
    Change { name: "a new message with fields that it needs", edits: &[
        Replace("message Plain {", "message New { option (apibase.v1.entity) = {}; string a = 1 [(apibase.v1.field).required = true]; }\nmessage Plain {"),
    ] },
    Change { name: "a field that is required no more", edits: &[Replace("{ format: UUID required: true }", "{ format: UUID empty_is_absent: true }")] },
    Change { name: "a field that was required by its format as well", edits: &[Replace("{ format: UUID required: true }", "{ format: UUID }")] },
    Change { name: "a field that is said to be required where its format says so", edits: &[
        Replace("string ref = 19 [(apibase.v1.field) = { format: UUID }];", "string ref = 19 [(apibase.v1.field) = { format: UUID }, (google.api.field_behavior) = OPTIONAL];"),
    ] },
    Change { name: "a field that Google's option requires, and ours doesn't", edits: &[
        Replace("string name = 2;", "string name = 2 [(google.api.field_behavior) = REQUIRED, (apibase.v1.field).required = false];"),
    ] },
    Change { name: "a required field outside of entities", edits: &[
        Replace("message Plain {\n  string text = 1;", "message Plain {\n  string text = 1 [(google.api.field_behavior) = REQUIRED];"),
    ] },
    Change { name: "a mask that Google's option requires", edits: &[
        Replace("FieldMask update_mask = 2;", "FieldMask update_mask = 2 [(google.api.field_behavior) = REQUIRED];"),
    ] },
    Change { name: "a oneof that is required no more", edits: &[Replace("{ required: true };\n    string mail", "{ required: false };\n    string mail")] },
    Change { name: "a oneof that is renamed", edits: &[Replace("oneof send {", "oneof send_by {")] },
    Change { name: "a oneof that is required and has one field more", edits: &[Replace("    string post = 17;", "    string post = 17;\n    string boat = 30;")] },
    Change { name: "a format that is dropped", edits: &[Replace("{ format: URI empty_is_absent: true }", "{ empty_is_absent: true }")] },
    Change { name: "a wider integer", edits: &[Replace("format: INT16", "format: INT64")] },
    Change { name: "an integer as wide as its field", edits: &[
        Replace("int64 count = 5;", "int64 count = 5 [(apibase.v1.field).format = INT64];"),
    ] },
    Change { name: "an integer of any width", edits: &[Replace(" [(apibase.v1.field) = { format: INT16 }]", "")] },
    Change { name: "a shared buffer", edits: &[Replace("bytes key = 7;", "bytes key = 7 [(apibase.v1.field).format = BUFFER];")] },
    Change { name: "a UUID in place of 16 bytes", edits: &[Replace("length: 16", "format: UUID")] },
    Change { name: "a 0 that stands for none", edits: &[
        Replace("int64 count = 5;", "int64 count = 5 [(apibase.v1.field) = { nonzero: true empty_is_absent: true }];"),
    ] },
    Change { name: "a field that gets presence", edits: &[Replace("string name = 2;", "optional string name = 2;")] },
    Change { name: "unknown numbers that fall back", edits: &[Replace("unknown: KEEP", "unknown: FALLBACK fallback: \"STATE_NEW\"")] },
    Change { name: "another name, in the entity alone", edits: &[
        Replace("{ patch: true }", "{ patch: true name: \"Thing\" }"),
        Replace("string nick = 3;", "string nick = 3 [(apibase.v1.field) = { rename: \"short\" sensitive: true }];"),
    ] },
    Change { name: "a message that becomes an entity", edits: &[
        Replace("message Plain {", "message Plain {\n  option (apibase.v1.entity) = {};"),
    ] },
    Change { name: "an entity that is none any more", edits: &[
        Replace("message Place {\n  option (apibase.v1.entity) = {};\n  string town = 1 [(apibase.v1.field) = { required: true }];", "message Place {\n  string town = 1;"),
    ] },
    Change { name: "a flattened message that needs nothing", edits: &[
        Replace("string town = 1 [(apibase.v1.field) = { required: true }];", "string town = 1;"),
        Replace("Place place = 4;", "Place place = 4 [(apibase.v1.field).flatten = true];"),
    ] },
    Change { name: "an immutable field where there is no patch", edits: &[
        Replace("string note = 3;", "string note = 3 [(apibase.v1.field).immutable = true];"),
    ] },
    Change { name: "a field that the service sets", edits: &[
        Replace("string name = 2;", "string name = 2 [(apibase.v1.field).output_only = true];"),
    ] },
    Change { name: "a field that is read past where there is no patch", edits: &[
        Replace("string note = 3;", "string note = 3 [(apibase.v1.field).ignore = true];"),
    ] },
    Change { name: "a list that is a set", edits: &[Replace("string tags = 11;", "string tags = 11 [(apibase.v1.field).set = true];")] },
];

#[rustfmt::skip]
const METHODS: &[Change] = &[
    Change { name: "a new method", edits: &[
        Replace("service Counts {", "service Counts {\n  rpc New(Plain) returns (Plain) { option (apibase.v1.method).auth.required = true; }"),
    ] },
    Change { name: "a method that turns idempotent", edits: &[
        Replace("  rpc Reset(Plain) returns (Plain);", "  rpc Reset(Plain) returns (Plain) { option idempotency_level = IDEMPOTENT; }"),
    ] },
    Change { name: "an idempotent method that has no side effects", edits: &[Replace("idempotency_level = IDEMPOTENT", "idempotency_level = NO_SIDE_EFFECTS")] },
    Change { name: "fewer scopes", edits: &[Replace("[\"items.read\", \"items.write\"]", "[\"items.write\"]")] },
    Change { name: "any token in place of scopes", edits: &[Replace("scopes: [\"items.read\", \"items.write\"]", "required: true")] },
    Change { name: "anybody in place of a token", edits: &[Replace("auth: { required: true }", "auth: { public: true }")] },
    Change { name: "nothing said in place of a token", edits: &[Replace("    option (apibase.v1.method) = { auth: { required: true } };\n", "")] },
    Change { name: "an open service that says so", edits: &[
        Replace("service Counts {", "service Counts {\n  option (apibase.v1.service).auth = { public: true };"),
    ] },
    Change { name: "a service that asks for what all of its methods have asked for", edits: &[
        Replace("  option (apibase.v1.service) = { errors: \"shop.StockError\" auth: { scopes: \"stock\" } };\n  rpc Fill(Plain) returns (Plain);",
            "  option (apibase.v1.service) = { errors: \"shop.StockError\" };\n  rpc Fill(Plain) returns (Plain) { option (apibase.v1.method).auth.scopes = \"stock\"; }"),
    ] },
    Change { name: "a higher cap", edits: &[Replace("deadline_cap: { seconds: 5 }", "deadline_cap: { seconds: 6 }")] },
    Change { name: "no cap", edits: &[Replace("      deadline_cap: { seconds: 5 }\n", "")] },
    Change { name: "the same cap, said otherwise", edits: &[
        Replace("deadline_cap: { seconds: 5 }", "deadline_cap: { nanos: 0 seconds: 5 }"),
    ] },
    Change { name: "more calls", edits: &[Replace("requests: 60 ", "requests: 61 ")] },
    Change { name: "more calls at once", edits: &[Replace("burst: 20", "burst: 21")] },
    Change { name: "the same calls, and all of them at once", edits: &[
        Replace("requests: 60 per: { seconds: 60 } burst: 20", "requests: 3600 per: { seconds: 3600 }"),
    ] },
    Change { name: "no limit", edits: &[Replace("      rate_limit: { requests: 60 per: { seconds: 60 } burst: 20 }\n", "")] },
    Change { name: "work that goes on", edits: &[Replace("auth: { required: true }", "auth: { required: true } detached: true")] },
    Change { name: "another deadline", edits: &[Replace("deadline: { seconds: 2 }", "deadline: { seconds: 1 }")] },
    Change { name: "other retries", edits: &[Replace("retry: { max_attempts: 3 }", "hedging: { max_attempts: 2 }")] },
    Change { name: "a breaker and a throttle", edits: &[
        Replace("service Counts {", "service Counts {\n  option (apibase.v1.service) = { breaker: { failure_threshold: 3 } retry_throttle: { max_tokens: 10 token_ratio: 0.1 } };"),
    ] },
];

#[rustfmt::skip]
const WIRE: &[Change] = &[
    Change { name: "a service that is gone", edits: &[
        Replace("service Counts {\n  rpc Count(Plain) returns (Plain);\n  rpc Reset(Plain) returns (Plain);\n}", ""),
    ] },
    Change { name: "a method that is gone", edits: &[Replace("  rpc Reset(Plain) returns (Plain);\n", "")] },
    Change { name: "a method that speaks another message", edits: &[Replace("rpc Reset(Plain)", "rpc Reset(stream Item)")] },
    Change { name: "a message that is gone", edits: &[
        Replace("  Place place = 10;\n", ""),
        Replace("  Place place = 4;\n", ""),
        Replace("message Place {\n  option (apibase.v1.entity) = {};\n  string town = 1 [(apibase.v1.field) = { required: true }];\n}\n", ""),
    ] },
    Change { name: "a field that is gone", edits: &[Replace("  optional string nick = 3;\n", "")] },
    Change { name: "a field of another type", edits: &[Replace("string name = 2;", "int32 name = 2;")] },
    Change { name: "a narrower field", edits: &[Replace("int64 count = 5;", "int32 count = 5;")] },
    Change { name: "a field of another name", edits: &[Replace("string name = 2;", "string title = 2;")] },
];
