//! Options that make no sense are refused with their place and the way out, the same from every
//! compiler.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

mod compiled;
mod corpus;
mod schema;

use compiled::{both, by_protoc, protoc_command, refusal, shop, warnings};
use protoc_gen_apibase::{Imports, Options, Output, Request, configure, generate};
use schema::write;

#[test]
fn a_method_that_may_do_harm_is_not_repeated() {
    insta::assert_snapshot!(refusal(
        r#"service Items {
  rpc A(Item) returns (Item) {
    option (apibase.v1.method).retry = { max_attempts: 3 };
  }
  rpc B(Item) returns (Item) {
    option (apibase.v1.method) = { hedging: { max_attempts: 3 } };
  }
  rpc C(stream Item) returns (Item) {
    option (apibase.v1.method).retry.max_attempts = 3;
  }
  rpc D(stream Item) returns (stream Item) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (apibase.v1.method).hedging.max_attempts = 3;
  }
  rpc E(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry.max_attempts = 3;
    option (apibase.v1.method).hedging.max_attempts = 3;
  }
}
"#
    ));
}

#[test]
fn a_retry_that_can_not_happen() {
    insta::assert_snapshot!(refusal(
        r#"service Items {
  option (apibase.v1.service).deadline = { seconds: 5 };
  rpc A(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry = { initial_backoff: { seconds: 1 } };
  }
  rpc B(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry = { max_attempts: 1 };
  }
  rpc C(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry = {
      max_attempts: 2 initial_backoff: { seconds: 2 } max_backoff: { seconds: 1 }
    };
  }
  rpc D(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).deadline.seconds = 2;
    option (apibase.v1.method).retry.max_attempts = 2;
    option (apibase.v1.method).retry.initial_backoff.seconds = 2;
  }
  rpc E(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry.max_attempts = 2;
    option (apibase.v1.method).retry.initial_backoff.seconds = 6;
  }
  rpc F(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry.max_attempts = 2;
    option (apibase.v1.method).retry.backoff_multiplier = 0.5;
    option (apibase.v1.method).retry.codes = UNAVAILABLE;
    option (apibase.v1.method).retry.codes = CODE_UNSPECIFIED;
  }
  rpc G(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry = { max_attempts: 2 backoff_multiplier: nan };
  }
  rpc H(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).hedging = { max_attempts: 1 delay: { seconds: 5 } };
  }
}
"#
    ));
}

#[test]
fn waits_that_take_longer_than_the_call_may() {
    insta::assert_snapshot!(refusal(
        r#"service Items {
  option (apibase.v1.service).deadline = { seconds: 5 };
  // 1 + 2 seconds, and a fifth of that, fit.
  rpc Fits(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry = { max_attempts: 3 initial_backoff: { seconds: 1 } };
  }
  rpc A(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry = { max_attempts: 4 initial_backoff: { seconds: 1 } };
  }
  rpc B(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method) = {
      deadline: { nanos: 600000000 }
      retry: {
        max_attempts: 5 initial_backoff: { nanos: 100000000 } max_backoff: { nanos: 150000000 }
      }
    };
  }
  rpc C(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry = {
      max_attempts: 3 initial_backoff: { seconds: 2 } backoff_multiplier: 1.1
    };
  }
  rpc D(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry = { max_attempts: 2 attempt_timeout: { seconds: 5 } };
  }
  rpc E(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).hedging = { max_attempts: 5 delay: { seconds: 2 } };
  }
}
"#
    ));
}

#[test]
fn attempts_and_codes_beyond_what_helps() {
    insta::assert_snapshot!(refusal(
        r#"service Items {
  rpc A(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry = { max_attempts: 6 codes: [UNAVAILABLE, CANCELLED] };
  }
  rpc B(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).hedging.max_attempts = 4294967295;
    option (apibase.v1.method).hedging.non_fatal_codes = INVALID_ARGUMENT;
    option (apibase.v1.method).hedging.non_fatal_codes = UNIMPLEMENTED;
  }
  rpc C(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry = { max_attempts: 2 backoff_multiplier: 100.5 };
  }
}
"#
    ));
}

#[test]
fn times_of_more_than_a_year() {
    insta::assert_snapshot!(refusal(
        r#"service Items {
  option (apibase.v1.service).deadline.seconds = 31536001;
  option (apibase.v1.service).breaker = { failure_threshold: 1 timeout: { seconds: 31536001 } };
  rpc A(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method) = {
      deadline: { seconds: 31536000 }
      retry: {
        max_attempts: 2 initial_backoff: { seconds: 31536001 } max_backoff: { seconds: 31536001 }
        attempt_timeout: { seconds: 31536001 }
      }
      breaker: { failure_threshold: 1 timeout: { seconds: 31536001 } }
    };
  }
  rpc B(Item) returns (Item) { option (apibase.v1.method).breaker = {}; }
}
"#
    ));
}

#[test]
fn a_duration_that_is_none() {
    insta::assert_snapshot!(refusal(
        r#"service Items {
  option (apibase.v1.service).deadline = {};
  option (apibase.v1.service).breaker = { failure_threshold: 1 timeout: { seconds: -1 } };
  rpc A(Item) returns (Item) {
    option (apibase.v1.method).deadline = { nanos: 1000000000 };
    option (apibase.v1.method).deadline_cap = { seconds: 1 nanos: -1 };
  }
  rpc B(Item) returns (Item) {
    option (apibase.v1.method).deadline = { seconds: 315576000001 };
  }
  rpc C(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method) = {
      retry: { max_attempts: 2 initial_backoff: { seconds: -1 } max_backoff: {} }
    };
  }
  rpc D(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).hedging = { max_attempts: 2 delay: { nanos: -1 } };
  }
}
"#
    ));
}

#[test]
fn a_deadline_beyond_its_cap() {
    insta::assert_snapshot!(refusal(
        r#"service Items {
  option (apibase.v1.service).deadline = { seconds: 5 };
  rpc A(Item) returns (Item) {
    option (apibase.v1.method).deadline = { seconds: 2 };
    option (apibase.v1.method).deadline_cap = { seconds: 1 };
  }
  rpc B(Item) returns (Item) {
    option (apibase.v1.method).deadline_cap = { seconds: 1 };
  }
}
"#
    ));
}

#[test]
fn a_deadline_beside_none() {
    insta::assert_snapshot!(refusal(
        r#"service Items {
  option (apibase.v1.service).deadline = { seconds: 5 };
  rpc A(Item) returns (stream Item) {
    option (apibase.v1.method) = { deadline: { seconds: 2 } no_deadline: true };
  }
  rpc B(Item) returns (stream Item) {
    option (apibase.v1.method).no_deadline = true;
    option (apibase.v1.method).deadline_cap = { seconds: 1 };
  }
}
"#
    ));
}

#[test]
fn limits_that_let_nobody_through_or_everybody() {
    insta::assert_snapshot!(refusal(
        r#"service Items {
  option (apibase.v1.service).breaker = {};
  option (apibase.v1.service).retry_throttle = { max_tokens: 1001 token_ratio: 0.1 };
  rpc A(Item) returns (Item) { option (apibase.v1.method).rate_limit = {}; }
  rpc B(Item) returns (Item) {
    option (apibase.v1.method).rate_limit.requests = 1;
    option (apibase.v1.method).rate_limit.per.seconds = -1;
  }
  rpc C(Item) returns (Item) {
    option (apibase.v1.method).rate_limit = { requests: 1 per: { seconds: 86400 } burst: 36500 };
  }
}
service Others {
  option (apibase.v1.service).retry_throttle = { max_tokens: -1 };
}
"#
    ));
}

#[test]
fn a_breaker_that_opens_in_no_way_or_in_two() {
    insta::assert_snapshot!(refusal(
        r#"service Items {
  option (apibase.v1.service).breaker = {
    failure_threshold: 5
    rate: { threshold: 0.5 }
  };
  rpc A(Item) returns (Item) {
    option (apibase.v1.method).breaker.timeout.seconds = 30;
  }
  rpc B(Item) returns (Item) {
    option (apibase.v1.method).breaker.failure_threshold = 5;
    option (apibase.v1.method).breaker.rate.threshold = 0.5;
  }
  rpc C(Item) returns (Item) { option (apibase.v1.method).breaker = { half_open_probes: 2 }; }
  rpc D(Item) returns (Item) {
    option (apibase.v1.method).breaker.failure_threshold = 5;
    option (apibase.v1.method).breaker.half_open_probes = 101;
  }
}
"#
    ));
}

#[test]
fn a_rate_of_failures_that_is_none() {
    insta::assert_snapshot!(refusal(
        r#"service Items {
  option (apibase.v1.service).breaker = { rate: {} };
  rpc A(Item) returns (Item) {
    option (apibase.v1.method).breaker.rate.threshold = 50;
    option (apibase.v1.method).breaker.rate.window.seconds = 0;
  }
  rpc B(Item) returns (Item) {
    option (apibase.v1.method).breaker.rate = { threshold: nan window: { seconds: 31536001 } };
  }
  rpc C(Item) returns (Item) { option (apibase.v1.method).breaker.rate.threshold = 0.0009; }
  rpc D(Item) returns (Item) { option (apibase.v1.method).breaker.rate.threshold = -0.5; }
  rpc E(Item) returns (Item) { option (apibase.v1.method).breaker.rate.minimum_calls = 20; }
}
"#
    ));
}

#[test]
fn callers_that_are_two_things_at_once_or_none() {
    insta::assert_snapshot!(refusal(
        r#"service Items {
  option (apibase.v1.service).auth = { required: true public: true };
  rpc A(Item) returns (Item) { option (apibase.v1.method).auth = {}; }
  rpc B(Item) returns (Item) {
    option (apibase.v1.method).auth.public = true;
    option (apibase.v1.method).auth.scopes = "items.read";
  }
  rpc C(Item) returns (Item) {
    option (apibase.v1.method).auth.scopes = "";
    option (apibase.v1.method).auth.scopes = "items read";
  }
}
"#
    ));
}

#[test]
fn what_makes_sense_is_taken_without_a_word() {
    let output = both(&[(
        "shop.proto",
        &shop(
            r#"enum ItemError {
  option (apibase.v1.errors).domain = "shop.example.com";
  ITEM_ERROR_UNSPECIFIED = 0;
  ITEM_ERROR_GONE = 1 [(apibase.v1.error) = { code: NOT_FOUND message: "{id} {{" metadata: "id" }];
}
service Items {
  option (apibase.v1.service) = {
    deadline: { seconds: 5 } errors: "shop.ItemError" breaker: { failure_threshold: 5 }
    retry_throttle: { max_tokens: 1000 token_ratio: 0.1 } auth: { public: true }
  };
  rpc A(Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method) = {
      deadline: { seconds: 2 } deadline_cap: { seconds: 2 } errors: "GONE" detached: true
      retry: {
        max_attempts: 2 initial_backoff: { nanos: 1 } max_backoff: { nanos: 1 }
        backoff_multiplier: 1
      }
    };
  }
  rpc B(Item) returns (Item) {
    option (apibase.v1.method) = { breaker: { rate: { threshold: 0.001 } half_open_probes: 100 } };
  }
  rpc C(Item) returns (Item) {
    option (apibase.v1.method).breaker.rate = {
      threshold: 1 minimum_calls: 4294967295 window: { seconds: 31536000 }
    };
  }
  rpc D(Item) returns (Item) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (apibase.v1.method).hedging.max_attempts = 2;
  }
  rpc E(stream Item) returns (Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry.max_attempts = 2;
  }
  rpc F(stream Item) returns (stream Item) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry.max_attempts = 2;
  }
}
"#,
        ),
    )])
    .unwrap();
    assert_eq!(warnings(&output), "");
}

#[test]
fn a_format_that_there_is_none_of_is_the_compilers_to_refuse() {
    let source = shop("message Order { string id = 1 [(apibase.v1.field).format = UUIDD]; }\n");
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("shop.proto", &source)]);
    let error = configure().generate(&["shop.proto"], &[dir.path()]);
    insta::assert_snapshot!("a_format_unknown_to_protox", error.unwrap_err());
    let out = dir.path().join("set");
    let output = protoc_command(dir.path(), &["shop.proto"])
        .arg(format!("--descriptor_set_out={}", out.display()))
        .output()
        .unwrap();
    assert!(!output.status.success());
    insta::assert_snapshot!(
        "a_format_unknown_to_protoc",
        String::from_utf8(output.stderr).unwrap()
    );
}

#[test]
fn the_options_file_is_never_generated_for() {
    let dir = tempfile::tempdir().unwrap();
    let options = include_str!("../protos/apibase/v1/options.proto");
    let shop = shop("service Items { rpc A(Item) returns (Item); }\n");
    write(
        dir.path(),
        &[("apibase/v1/options.proto", options), ("shop.proto", &shop)],
    );
    let both = ["apibase/v1/options.proto", "shop.proto"];
    let with = configure().generate(&both, &[dir.path()]).unwrap();
    let without = configure().generate(&both[1..], &[dir.path()]).unwrap();
    assert_eq!(with, without);
    assert!(with.warnings.is_empty());
    let mut names = with.files.iter().map(|file| file.name.as_str());
    assert!(names.all(|name| !name.contains("apibase")), "{with:?}");
    // Reflection shows it all the same.
    let set = with
        .files
        .iter()
        .find(|file| file.name == "shop.descriptors.rs");
    assert!(set.unwrap().content.contains("apibase/v1/options.proto"));
    // Asked for alone, with and without a module tree.
    let alone = configure().generate(&both[..1], &[dir.path()]).unwrap();
    assert!(alone.warnings.is_empty());
    let request = Request {
        descriptor_set: by_protoc(dir.path(), &both[..1]),
        files: vec![both[0].to_owned()],
        imports: Imports::Skip,
        options: Options::default(),
    };
    assert_eq!(generate(&request).unwrap(), Output::default());
}

#[test]
fn a_copy_of_the_options_file_counts_before_the_embedded_one() {
    let options = include_str!("../protos/apibase/v1/options.proto");
    let older = options.replace("  string rename = 3;\n", "");
    assert_ne!(options, older);
    let dir = tempfile::tempdir().unwrap();
    let shop = shop("message Order { string id = 1 [(apibase.v1.field).rename = \"x\"]; }\n");
    write(
        dir.path(),
        &[("apibase/v1/options.proto", &older), ("shop.proto", &shop)],
    );
    let error = configure().generate(&["shop.proto"], &[dir.path()]);
    assert!(error.unwrap_err().to_string().contains("rename"));
}

#[cfg(feature = "cli")]
mod command {
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Output};

    use super::corpus::succeed;
    use super::{protoc_command, shop, write};

    const BINARY: &str = env!("CARGO_BIN_EXE_protoc-gen-apibase");
    const SOURCE: &str = include_str!("../protos/apibase/v1/options.proto");

    fn protos(dir: &Path, arguments: &[&str]) -> (Output, String) {
        let mut command = Command::new(BINARY);
        let command = command.current_dir(dir).arg("protos").args(arguments);
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr.clone()).unwrap();
        (output, stderr)
    }

    #[test]
    fn protos_writes_the_options_file_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/apibase/v1/options.proto");
        let (output, stderr) = protos(dir.path(), &["--out", "deep/er"]);
        assert!(output.status.success());
        assert_eq!(stderr, "wrote deep/er/apibase/v1/options.proto\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), SOURCE);
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        let (output, stderr) = protos(dir.path(), &["--out", "deep/er"]);
        assert!(output.status.success());
        assert_eq!(stderr, "deep/er/apibase/v1/options.proto is up to date\n");
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
    }

    #[test]
    fn protos_checks_without_writing() {
        let dir = tempfile::tempdir().unwrap();
        let check = ["--out", "protos", "--check"];
        let (output, stderr) = protos(dir.path(), &check);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            stderr,
            "error: protos/apibase/v1/options.proto is missing\n  help: run `protoc-gen-apibase \
             protos --out protos` and commit the result\n"
        );
        assert!(!dir.path().join("protos").exists());
        let windows = SOURCE.replace('\n', "\r\n");
        write(dir.path(), &[("protos/apibase/v1/options.proto", &windows)]);
        assert!(protos(dir.path(), &check).0.status.success());
        write(dir.path(), &[("protos/apibase/v1/options.proto", "old")]);
        let (output, stderr) = protos(dir.path(), &check);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr.contains("is stale"), "{stderr}");
    }

    #[test]
    fn the_plugin_gives_no_file_for_the_options_and_the_same_error() {
        let dir = tempfile::tempdir().unwrap();
        let source = shop("service Items { option (apibase.v1.service).breaker = {}; }\n");
        write(dir.path(), &[("shop.proto", &source)]);
        fs::create_dir(dir.path().join("gen")).unwrap();
        let plugin = |file: &str| {
            let mut command = protoc_command(dir.path(), &[file]);
            command
                .arg(format!("--plugin=protoc-gen-apibase={BINARY}"))
                .arg("--apibase_out=gen");
            command
        };
        let output = succeed(&mut plugin("apibase/v1/options.proto"));
        assert!(output.stderr.is_empty());
        assert_eq!(fs::read_dir(dir.path().join("gen")).unwrap().count(), 0);
        let refused = plugin("shop.proto").output().unwrap();
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(
            stderr,
            "--apibase_out: shop.proto:5:17: service `Items` has a `breaker` that opens after no \
             failures, so that nobody could call\n  help: set `failure_threshold` to 1 at least, or \
             `rate`, { threshold: 0.5 } for example\n"
        );
    }
}
