//! The Markdown pages, and templates that replace ours.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::fs;
use std::path::Path;

use protoc_gen_apibase::{Emit, Error, configure};

const LIBRARY: &str = r#"
syntax = "proto3";
package library.v1;

import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";

// Lends books.
//
// Works with `Vec<T>` | and Vec<T> [alike]:
//
//     let x = y;
service LibraryService {
  // Returns one book.
  rpc GetBook(GetBookRequest) returns (Book) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  // Sends all books.
  rpc ListBooks(google.protobuf.Empty) returns (stream Book);
  // Takes many in.
  rpc Return(stream Book) returns (google.protobuf.Empty) {
    option idempotency_level = IDEMPOTENT;
  }
  rpc Talk(stream Book) returns (stream Book) {
    option deprecated = true;
  }
}

// Says which book.
message GetBookRequest {
  // The number, `1|2`.
  int64 id = 1;
  google.protobuf.FieldMask mask = 2;
}

// A book.
message Book {
  // The title.
  //
  // - never empty
  // - never long
  optional string title = 1;
  repeated Book sequels = 2;
  map<string, Chapter> chapters = 3;
  // Where it is.
  oneof place {
    // On a shelf.
    int32 shelf = 4;
    string reader = 5 [deprecated = true];
  }
  Genre genre = 6;

  // A part.
  message Chapter {
    string name = 1;
  }
}

// What it is about.
enum Genre {
  // Nobody knows.
  GENRE_UNSPECIFIED = 0;
  GENRE_FICTION = 1;
  // Once | was.
  GENRE_OLD = 2 [deprecated = true];
}

message Unreachable {}
"#;

fn page(templates: Option<&Path>) -> Result<String, Error> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("library.proto"), LIBRARY).unwrap();
    let mut builder = configure().emit(Emit {
        rust: false,
        docs: true,
        ..Emit::default()
    });
    if let Some(templates) = templates {
        builder = builder.templates(templates);
    }
    let output = builder.generate(&["library.proto"], &[dir.path()])?;
    let [file] = output.files.as_slice() else {
        panic!("{} pages", output.files.len());
    };
    assert_eq!(file.name, "library.v1.LibraryService.md");
    Ok(file.content.clone())
}

fn templates(page: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("docs")).unwrap();
    fs::write(dir.path().join("docs/service.md.jinja"), page).unwrap();
    dir
}

#[test]
fn page_says_everything() {
    insta::assert_snapshot!(page(None).unwrap());
}

#[test]
fn a_page_says_how_each_method_is_called() {
    let dir = tempfile::tempdir().unwrap();
    let proto = r#"
syntax = "proto3";
package care;
import "apibase/v1/options.proto";
service CareService {
  option (apibase.v1.service) = {
    deadline: { seconds: 10 } breaker: { failure_threshold: 5 timeout: { seconds: 30 } }
    retry_throttle: { max_tokens: 100 token_ratio: 0.3 }
  };
  rpc Retried(Care) returns (Care) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method) = {
      deadline: { seconds: 2 nanos: 500000000 }
      retry: {
        max_attempts: 4 initial_backoff: { nanos: 100000000 } max_backoff: { seconds: 1 }
        backoff_multiplier: 1.3 attempt_timeout: { nanos: 500000000 }
        codes: [UNAVAILABLE, RESOURCE_EXHAUSTED]
      }
    };
  }
  rpc Plainly(Care) returns (Care) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method) = { retry: { max_attempts: 2 } breaker: { failure_threshold: 1 } };
  }
  rpc Hedged(Care) returns (Care) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).hedging = {
      max_attempts: 3 delay: { nanos: 50000000 } non_fatal_codes: UNAVAILABLE
    };
  }
  rpc Rated(Care) returns (Care) {
    option (apibase.v1.method).breaker = {
      rate: { threshold: 0.3 minimum_calls: 20 window: { seconds: 10 } } timeout: { seconds: 5 }
      half_open_probes: 3
    };
  }
  rpc Partly(Care) returns (Care) { option (apibase.v1.method).breaker.rate.threshold = 0.1259; }
  rpc Silent(Care) returns (Care);
}
message Care {}
"#;
    fs::write(dir.path().join("care.proto"), proto).unwrap();
    let emit = Emit {
        rust: false,
        docs: true,
        ..Emit::default()
    };
    let builder = configure().emit(emit);
    let output = builder.generate(&["care.proto"], &[dir.path()]).unwrap();
    let page = &output.files[0].content;
    let methods = page.split("## Errors").next().unwrap();
    let wanted = [
        "### ",
        "- **Deadline",
        "- **Retry",
        "- **Hedging",
        "- **Thro",
        "- **Circuit",
    ];
    let lines = methods.lines();
    let lines = lines.filter(|line| wanted.iter().any(|start| line.starts_with(start)));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn unreachable_message_is_left_out() {
    assert!(!page(None).unwrap().contains("Unreachable"));
}

#[test]
fn every_link_has_its_heading() {
    let page = page(None).unwrap();
    let anchors: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## ").or(line.strip_prefix("### ")))
        .map(|heading| heading.replace('.', "").replace(' ', "-").to_lowercase())
        .collect();
    let links: Vec<&str> = page
        .split("](#")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap())
        .collect();
    assert!(!links.is_empty());
    for link in links {
        assert!(
            anchors.iter().any(|anchor| anchor == link),
            "{link}: {anchors:?}"
        );
    }
}

#[test]
fn users_template_replaces_ours() {
    let folder = templates("{{ service.full_name }}: {% include \"docs/methods.jinja\" %}");
    let part = "{% for method in methods %}{{ method.name }} {% endfor %}";
    fs::write(folder.path().join("docs/methods.jinja"), part).unwrap();
    let page = page(Some(folder.path())).unwrap();
    let (header, body) = page.split_once("\n\n").unwrap();
    assert!(
        header.contains("@generated by protoc-gen-apibase"),
        "{header}"
    );
    assert_eq!(
        body,
        "library.v1.LibraryService: GetBook ListBooks Return Talk "
    );
}

#[test]
fn broken_template_is_named_with_line_and_reason() {
    for (text, line, reason) in [
        ("one\n{% for x in %}\n", 2, "unexpected end of block"),
        ("one\ntwo\n{{ service.nmae }}\n", 3, "undefined value"),
        ("{{ service.name | shout }}", 1, "shout"),
    ] {
        let folder = templates(text);
        let error = page(Some(folder.path())).unwrap_err();
        assert!(error.is_parameter());
        let path = folder.path().join("docs/service.md.jinja");
        let expected = format!("{}:{line}: the template can't be used: ", path.display());
        let error = error.to_string();
        assert!(error.starts_with(&expected), "{error}");
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn folder_without_the_template_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = page(Some(dir.path())).unwrap_err().to_string();
    assert!(error.contains("has no `docs/service.md.jinja`"), "{error}");
}
