//! gRPC's service config, written, and what it gives when it is read back.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

mod calls;
mod schema;

use std::fs;

use calls::{HEAD, by, constants, generate, warnings};
use protoc_gen_apibase::{Emit, Options, Output, configure};
use schema::write;

/// Each in lines of its own, so that the same proto without them is easily made.
const WITH_POLICIES: &str = "service Items {
  option (apibase.v1.service) = { deadline: { seconds: 10 } retry_throttle: { max_tokens: 100 token_ratio: 0.3 } };
  rpc Retried(M) returns (M) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (apibase.v1.method) = { deadline: { seconds: 2 nanos: 50000000 } retry: { max_attempts: 4 initial_backoff: { nanos: 100000000 } max_backoff: { seconds: 1 } backoff_multiplier: 1.3 attempt_timeout: { nanos: 500000001 } codes: [UNAVAILABLE, RESOURCE_EXHAUSTED] } };
  }
  rpc Hedged(M) returns (stream M) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method) = { hedging: { max_attempts: 3 delay: { nanos: 50000 } non_fatal_codes: UNAVAILABLE } };
  }
  rpc AtOnce(M) returns (M) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method) = { hedging: { max_attempts: 5 } };
  }
  rpc Silent(stream M) returns (stream M);
  rpc Silent2(M) returns (M);
  rpc Watch(M) returns (stream M) {
    option (apibase.v1.method).no_deadline = true;
  }
}
service Orders {
  option (apibase.v1.service) = { deadline: { seconds: 1 } retry_throttle: { max_tokens: 100 token_ratio: 0.3 } };
  rpc One(M) returns (M);
  rpc Two(M) returns (stream M);
}
";

/// The same proto without the lines that our options are in.
fn without_options(source: &str) -> String {
    let lines = source.split_inclusive('\n');
    lines.filter(|line| !line.contains("apibase")).collect()
}

fn config_of(body: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        emit: Emit {
            rust: false,
            service_config: true,
            ..Emit::default()
        },
        ..Options::default()
    };
    by(dir.path(), body, options).unwrap()
}

#[test]
fn a_written_config_read_back_gives_the_same_constants() {
    let written = config_of(WITH_POLICIES);
    let [file] = written.files.as_slice() else {
        panic!("{} files", written.files.len());
    };
    assert_eq!(file.name, "shop.v1.service_config.json");
    insta::assert_snapshot!(file.content);
    let plain = without_options(WITH_POLICIES);
    let by_proto = generate(WITH_POLICIES, &[]).unwrap();
    let by_config = generate(&plain, &[&file.content]).unwrap();
    assert_eq!(warnings(&by_config), "");
    assert_eq!(constants(&by_config), constants(&by_proto));
    assert_ne!(
        constants(&generate(&plain, &[]).unwrap()),
        constants(&by_proto)
    );
}

#[test]
fn the_written_configs_of_several_packages_read_back_give_each_its_own_throttle() {
    let shop = format!("{HEAD}{WITH_POLICIES}");
    let depot = "syntax = \"proto3\";
package depot.v1;
import \"apibase/v1/options.proto\";
message M {}
service Silent {
  option (apibase.v1.service).retry_throttle = { max_tokens: 10 token_ratio: 0.5 };
  rpc One(M) returns (M);
}
service Loud {
  option (apibase.v1.service).retry_throttle = { max_tokens: 10 token_ratio: 0.5 };
  rpc One(M) returns (M) {
    option (apibase.v1.method).deadline = { seconds: 1 };
  }
}
";
    let plain = "syntax = \"proto3\";\npackage plain.v1;\nmessage M {}\nservice Plain { rpc One(M) returns (M); }\n";
    let sources = [
        ("shop.proto", shop.as_str()),
        ("depot.proto", depot),
        ("plain.proto", plain),
    ];
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &sources);
    let files = sources.map(|(name, _)| name);
    let written = configure().emit(Emit {
        rust: true,
        service_config: true,
        ..Emit::default()
    });
    let written = written.generate(&files, &[dir.path()]).unwrap();
    assert_eq!(warnings(&written), "");
    let mut back = configure();
    for file in written
        .files
        .iter()
        .filter(|file| file.name.ends_with(".json"))
    {
        let path = dir.path().join(&file.name);
        fs::write(&path, &file.content).unwrap();
        back = back.service_config(path.display().to_string());
    }
    for (name, source) in sources {
        fs::write(dir.path().join(name), without_options(source)).unwrap();
    }
    let back = back.generate(&files, &[dir.path()]).unwrap();
    assert_eq!(warnings(&back), "");
    assert_eq!(constants(&back), constants(&written));
}

/// Of services whose protos leave everything open, or something.
const OPEN: &str = "service A {
  rpc Retried(M) returns (M) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry.max_attempts = 2;
  }
  rpc Get(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Quick(M) returns (M) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (apibase.v1.method).deadline = { seconds: 2 };
  }
  rpc Put(stream M) returns (M) { option idempotency_level = IDEMPOTENT; }
  rpc Add(M) returns (M);
}
";

#[test]
fn what_the_proto_leaves_open_is_what_our_clients_do() {
    let output = config_of(OPEN);
    assert_eq!(warnings(&output), "");
    insta::assert_snapshot!(output.files.first().unwrap().content);
}

#[test]
fn what_is_written_of_our_clients_are_their_defaults() {
    let settings = include_str!("../../runtime/src/client/config/settings.md");
    let default = |name: &str| {
        let start = format!("| `GRPC__CLIENT__{name}` |");
        let row = settings
            .lines()
            .find(|row| row.starts_with(&start))
            .unwrap();
        row.split('|')
            .nth(3)
            .unwrap()
            .trim()
            .trim_matches('`')
            .to_owned()
    };
    let attempts = default("MAX_RETRIES").parse::<u32>().unwrap() + 1;
    let text = &config_of(OPEN).files.first().unwrap().content.clone();
    for member in [
        format!("\"maxAttempts\": {attempts}"),
        format!("\"initialBackoff\": \"{}\"", default("RETRY_BACKOFF_BASE")),
        format!("\"maxBackoff\": \"{}\"", default("RETRY_BACKOFF_MAX")),
        format!(
            "\"backoffMultiplier\": {}",
            default("RETRY_BACKOFF_MULTIPLIER")
        ),
        format!("\"maxTokens\": {}", default("RETRY_THROTTLE_TOKENS")),
        format!("\"tokenRatio\": {}", default("RETRY_THROTTLE_RATIO")),
    ] {
        assert!(text.contains(&member), "{member} in {text}");
    }
}

/// What is built in is said then: an operator's `GRPC__CLIENT__…` no longer changes it, though an
/// override does. The next config says the same.
#[test]
fn what_the_proto_leaves_open_is_said_once_it_is_read_back() {
    let written = config_of(OPEN).files.remove(0).content;
    let plain = without_options(OPEN);
    let back = generate(&plain, &[&written]).unwrap();
    assert_eq!(warnings(&back), "");
    insta::assert_snapshot!(constants(&back));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.json");
    fs::write(&path, &written).unwrap();
    let options = Options {
        emit: Emit {
            rust: false,
            service_config: true,
            ..Emit::default()
        },
        service_configs: vec![path.display().to_string()],
        ..Options::default()
    };
    let again = by(dir.path(), &plain, options).unwrap();
    assert_eq!(again.files.first().unwrap().content, written);
}

#[test]
fn throttles_that_differ_are_left_out_with_a_word() {
    let other = WITH_POLICIES.replace(
        "seconds: 1 } retry_throttle: { max_tokens: 100",
        "seconds: 1 } retry_throttle: { max_tokens: 99.5",
    );
    let output = config_of(&other);
    assert!(
        !output
            .files
            .first()
            .unwrap()
            .content
            .contains("retryThrottling")
    );
    insta::assert_snapshot!(warnings(&output));
}

#[test]
fn a_throttle_that_a_neighbour_takes_on_is_said() {
    let output = config_of(
        "service A {
  option (apibase.v1.service).retry_throttle = { max_tokens: 10 token_ratio: 0.5 };
  rpc One(M) returns (M);
}
service B {
  rpc One(M) returns (M) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry.max_attempts = 2;
  }
}
service ByItself { rpc One(M) returns (M) { option idempotency_level = IDEMPOTENT; } }
service Once { rpc One(M) returns (M); }
",
    );
    let content = &output.files.first().unwrap().content;
    assert!(content.contains("\"maxTokens\": 10"), "{content}");
    insta::assert_snapshot!(warnings(&output));
}

#[test]
fn a_package_without_policies_has_an_empty_config() {
    let output =
        config_of("service A { rpc Put(M) returns (M); rpc Watch(M) returns (stream M); }\n");
    let content = &output.files.first().unwrap().content;
    assert_eq!(content, "{\n  \"methodConfig\": []\n}\n");
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[(
            "m.proto",
            "syntax = \"proto3\";\npackage m;\nmessage M {}\n",
        )],
    );
    let emit = Emit {
        rust: false,
        service_config: true,
        ..Emit::default()
    };
    let output = configure().emit(emit).generate(&["m.proto"], &[dir.path()]);
    assert!(output.unwrap().files.is_empty());
}
