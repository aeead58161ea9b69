//! Schemas with our options, inline.

#![allow(dead_code, reason = "each test file uses a part")]

use protoc_gen_apibase::{Request, generate};

use crate::schema::{Sources, refusal, request};

/// The options file of this version.
pub(crate) const OPTIONS: &str = include_str!("../../protos/apibase/v1/options.proto");

/// What fields have as types.
const TYPES: &str = r#"
message Money { option (apibase.v1.entity) = {}; string currency = 1; }
message Patched { option (apibase.v1.entity) = { patch: true }; string name = 1; }
message Plain { string text = 1; }
message Loop { Loop next = 1 [(apibase.v1.field).flatten = true]; }
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; COLOR_OTHER = 2; }
enum Size { SMALL = 0; LARGE = 1; }
"#;

const OTHERS: &str = "syntax = \"proto3\";\npackage others;\n\
    enum Kind { KIND_UNSPECIFIED = 0; KIND_ONE = 1; }\n";

/// A request for an entity with one field, on line 11 of its file.
pub(crate) fn one(field: &str) -> Request {
    let source = format!(
        r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "others.proto";
message Item {{ option (apibase.v1.entity) = {{}};
  {field}
}}
{TYPES}"#
    );
    with_options(&[("shop.proto", &source), ("others.proto", OTHERS)])
}

/// Each field, with what is said about it.
pub(crate) fn fields(fields: &[&str]) -> String {
    let said = fields
        .iter()
        .map(|field| format!("{field}\n{}\n", refusal(&one(field))));
    said.collect::<Vec<_>>().join("\n")
}

/// Whether an entity with this field is generated for.
pub(crate) fn generates(field: &str) -> bool {
    match generate(&one(field)) {
        Ok(_) => true,
        Err(error) => {
            eprintln!("{error}");
            false
        }
    }
}

/// A request for `files`, which find our options.
pub(crate) fn with_options(files: Sources<'_>) -> Request {
    let mut all = vec![("apibase/v1/options.proto", OPTIONS)];
    all.extend(files);
    let mut request = request(&all);
    request.files.remove(0);
    request
}
