//! gRPC's service config: read, and written.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

mod schema;

use std::fs;
use std::path::Path;

use protoc_gen_apibase::{Emit, Error, Options, Output, configure};
use schema::write;

const HEAD: &str =
    "syntax = \"proto3\";\npackage shop.v1;\nimport \"apibase/v1/options.proto\";\nmessage M {}\n";

/// Generates for the services in `body`, with what `configs` say, written as `<index>.json`.
fn generate(body: &str, configs: &[&str]) -> Result<Output, Error> {
    let dir = tempfile::tempdir().unwrap();
    let files = configs.iter().enumerate();
    let files = files.map(|(index, text)| {
        let path = dir.path().join(format!("{index}.json"));
        fs::write(&path, text).unwrap();
        path.display().to_string()
    });
    let options = Options {
        service_configs: files.collect(),
        ..Options::default()
    };
    by(dir.path(), body, options)
}

fn by(dir: &Path, body: &str, options: Options) -> Result<Output, Error> {
    write(dir, &[("shop.proto", &format!("{HEAD}{body}"))]);
    protoc_gen_apibase::Builder::from(options).generate(&["shop.proto"], &[dir])
}

/// Without the folder that the files of a test are in.
fn placeless(text: &str) -> String {
    let folders = text.split(['`', ' ', '\n', ':']);
    let mut folders = folders.filter_map(|word| word.strip_suffix("/0.json"));
    match folders.next() {
        Some(folder) => text.replace(&format!("{folder}/"), ""),
        None => text.to_owned(),
    }
}

fn warnings(output: &Output) -> String {
    let warnings = output.warnings.iter().map(ToString::to_string);
    placeless(&warnings.collect::<Vec<_>>().join("\n"))
}

fn refusal(body: &str, configs: &[&str]) -> String {
    let error = generate(body, configs).unwrap_err();
    assert!(error.is_parameter(), "{error}");
    placeless(&error.to_string())
}

/// The constants of all methods.
fn constants(output: &Output) -> String {
    let files = output.files.iter();
    let apis = files.filter(|file| file.name.ends_with(".api.rs"));
    let lines = apis.flat_map(|file| file.content.lines());
    let mut inside = false;
    let constants = lines.filter(|line| {
        inside |= line.starts_with("pub mod ");
        inside &= !line.starts_with('}');
        inside && !line.contains("METHODS") && !line.contains("All of them")
    });
    constants.collect::<Vec<_>>().join("\n")
}

/// In the shape of those that Google has beside its APIs.
const LIKE_GOOGLES: &str = r#"{
  "methodConfig": [
    {
      "name": [
        { "service": "shop.v1.Publisher", "method": "CreateTopic" },
        { "service": "shop.v1.Publisher", "method": "GetTopic" },
        { "service": "shop.v1.Publisher", "method": "SetIamPolicy" }
      ],
      "timeout": "60s",
      "retryPolicy": {
        "maxAttempts": 5,
        "initialBackoff": "0.100s",
        "maxBackoff": "60s",
        "backoffMultiplier": 1.3,
        "retryableStatusCodes": ["UNAVAILABLE"]
      }
    },
    {
      "name": [{ "service": "shop.v1.Publisher", "method": "Publish" }],
      "timeout": "60s",
      "retryPolicy": {
        "initialBackoff": "0.250s",
        "maxBackoff": "32s",
        "backoffMultiplier": 1.3,
        "retryableStatusCodes": ["ABORTED", "CANCELLED", "DEADLINE_EXCEEDED"]
      }
    },
    { "name": [{ "service": "shop.v1.Publisher", "method": "ListTopics" }], "timeout": "3600s" },
    { "name": [{ "service": "google.longrunning.Operations" }], "timeout": "600s" }
  ]
}
"#;

const PUBLISHER: &str = "service Publisher {
  rpc CreateTopic(M) returns (M);
  rpc GetTopic(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Publish(M) returns (M);
  rpc ListTopics(M) returns (stream M);
  rpc DetachTopic(M) returns (M);
}
";

#[test]
fn a_config_in_googles_shape_becomes_policies_without_a_word() {
    let output = generate(PUBLISHER, &[LIKE_GOOGLES]).unwrap();
    assert_eq!(warnings(&output), "");
    insta::assert_snapshot!(constants(&output));
}

#[test]
fn what_the_proto_says_beats_the_config() {
    let body = "service A {
  option (apibase.v1.service) = {
    deadline: { seconds: 9 } retry_throttle: { max_tokens: 7 token_ratio: 0.7 }
  };
  rpc Own(M) returns (M) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method) = {
      deadline: { seconds: 3 }
      hedging: { max_attempts: 2 delay: { seconds: 1 } }
    };
  }
  rpc OfService(M) returns (M);
  rpc Watch(M) returns (stream M) {
    option (apibase.v1.method).no_deadline = true;
  }
}
";
    let config = r#"{
  "methodConfig": [{
    "name": [{ "service": "shop.v1.A" }],
    "timeout": "60s",
    "retryPolicy": {
      "maxAttempts": 2, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
      "retryableStatusCodes": [14, "RESOURCE_EXHAUSTED"]
    }
  }],
  "retryThrottling": { "maxTokens": 10, "tokenRatio": 0.1 }
}"#;
    insta::assert_snapshot!(constants(&generate(body, &[config]).unwrap()));
}

#[test]
fn a_stream_of_requests_is_retried_and_not_hedged() {
    let body = "service A {
  rpc Upload(stream M) returns (M) { option idempotency_level = IDEMPOTENT; }
  rpc Talk(stream M) returns (stream M) { option idempotency_level = IDEMPOTENT; }
  rpc Send(stream M) returns (M) { option idempotency_level = IDEMPOTENT; }
  rpc Get(M) returns (M) { option idempotency_level = IDEMPOTENT; }
}
";
    let config = r#"{
  "methodConfig": [
    {
      "name": [
        { "service": "shop.v1.A", "method": "Upload" }, { "service": "shop.v1.A", "method": "Talk" }
      ],
      "retryPolicy": {
        "maxAttempts": 2, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"]
      }
    },
    { "name": [{ "service": "shop.v1.A" }], "hedgingPolicy": { "maxAttempts": 2 } }
  ]
}"#;
    let output = generate(body, &[config]).unwrap();
    assert_eq!(warnings(&output), "");
    insta::assert_snapshot!(constants(&output));
}

#[test]
fn hedging_that_could_act_twice_is_passed_over_with_a_word() {
    let body = "service A {
  rpc Get(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Put(M) returns (M);
  rpc Watch(M) returns (stream M);
  rpc Upload(stream M) returns (M);
}
";
    let config = r#"{
  "methodConfig": [
    { "name": [{ "service": "shop.v1.A" }], "timeout": "2s", "hedgingPolicy": { "maxAttempts": 2 } }
  ]
}"#;
    let output = generate(body, &[config]).unwrap();
    let constants = constants(&output);
    let hedged: Vec<&str> = constants.split("pub const ").collect();
    let hedged = hedged.iter().filter(|one| one.contains("HedgingPolicy::"));
    let names: Vec<_> = hedged.filter_map(|one| one.split_once(':')).collect();
    assert!(matches!(names.as_slice(), [("GET", _)]), "{constants}");
    assert!(!constants.contains("repeated"), "{constants}");
    insta::assert_snapshot!(warnings(&output));
}

#[test]
fn the_most_exact_name_counts_and_no_two_entries_are_merged() {
    let body = "service A {
  rpc One(M) returns (M) { option idempotency_level = IDEMPOTENT; }
  rpc Two(M) returns (M) { option idempotency_level = IDEMPOTENT; }
}
service B { rpc One(M) returns (M); }
";
    let first = r#"{
  "methodConfig": [
    { "name": [{}], "timeout": "1s" },
    { "name": [{ "service": "shop.v1.A" }], "timeout": "2s",
      "hedgingPolicy": { "maxAttempts": 3, "hedgingDelay": "0.5s", "nonFatalStatusCodes": ["ABORTED"] } }
  ]
}"#;
    let second = r#"{
  "methodConfig": [
    { "name": [{ "service": "shop.v1.A", "method": "Two" }],
      "hedgingPolicy": { "maxAttempts": 2, "hedgingDelay": "0s" } }
  ],
  "retryThrottling": { "maxTokens": 10, "tokenRatio": 0.1 }
}"#;
    let output = generate(body, &[first, second]).unwrap();
    assert_eq!(warnings(&output), "");
    insta::assert_snapshot!(constants(&output));
}

#[test]
fn what_grpc_has_no_sense_for_is_refused_with_its_place() {
    let config = r#"{
  "methodConfig": [
    {
      "name": [{ "method": "Get" }, 7],
      "timeout": "60",
      "retryPolicy": {
        "maxAttempts": 1,
        "initialBackoff": "0s",
        "maxBackoff": "31536001s",
        "backoffMultiplier": 0,
        "retryableStatusCodes": ["OK", "UNAVAILABEL", 17]
      }
    },
    { "name": [{ "service": "shop.v1.A" }], "retryPolicy": { "maxAttempts": 2.5 } },
    { "name": { "service": 3 } },
    {
      "name": [{ "service": 3 }],
      "hedgingPolicy": {},
      "retryPolicy": {}
    },
    {
      "name": [{ "service": "shop.v1.A" }],
      "hedgingPolicy": { "maxAttempts": "3", "hedgingDelay": 1, "nonFatalStatusCodes": "ABORTED" }
    }
  ],
  "retryThrottling": { "maxTokens": 1001 }
}"#;
    let body = "service A { rpc One(M) returns (M); }\n";
    insta::assert_snapshot!(refusal(body, &[config]));
}

#[test]
fn what_is_said_to_our_clients_elsewhere_is_passed_over_with_the_setting_for_it() {
    let config = r#"{
  "loadBalancingPolicy": "PICK_FIRST",
  "loadBalancingConfig": [{ "pick_first": {} }],
  "healthCheckConfig": { "serviceName": "shop.v1.A" },
  "methodConfig": [{
    "name": [{ "service": "shop.v1.A" }],
    "waitForReady": true,
    "maxRequestMessageBytes": 1048576,
    "maxResponseMessageBytes": "1048576"
  }, {
    "name": [{ "service": "shop.v1.B" }],
    "waitForReady": false
  }]
}"#;
    let body = "service A { rpc One(M) returns (M); }\n";
    let warnings = warnings(&generate(body, &[config]).unwrap());
    let settings = include_str!("../../runtime/src/client/config/settings.md");
    let words = warnings.split([' ', ',', '\n']);
    let mut named = words.filter(|word| word.starts_with("GRPC__CLIENT__"));
    assert!(named.all(|name| settings.contains(&format!("`{name}`"))));
    insta::assert_snapshot!(warnings);
}

/// A config that names `services` and has a throttle with so many tokens.
fn throttling(services: &[&str], tokens: u32) -> String {
    let names = services
        .iter()
        .map(|service| format!("{{ \"name\": [{{ {service} }}] }}"));
    let names = names.collect::<Vec<_>>().join(", ");
    format!(
        "{{ \"methodConfig\": [{names}],\n\"retryThrottling\": {{ \"maxTokens\": {tokens}, \
         \"tokenRatio\": 0.1 }} }}"
    )
}

#[test]
fn a_throttle_is_of_the_services_that_its_config_names() {
    let body = "service A { rpc One(M) returns (M); }\nservice B { rpc One(M) returns (M); }\n";
    let of_a = throttling(&["\"service\": \"shop.v1.A\""], 10);
    let [of_all, of_none] = [throttling(&[""], 20), throttling(&[], 30)];
    let tokens = |configs: &[&str]| {
        let constants = constants(&generate(body, configs).unwrap());
        let throttles = constants.split("RetryThrottle::new(").skip(1);
        let tokens = throttles.filter_map(|throttle| throttle.split_once('.'));
        tokens
            .map(|(tokens, _)| tokens.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(tokens(&[&of_a]), ["10"]);
    assert_eq!(tokens(&[&of_all, &of_a]), ["10", "20"]);
    assert_eq!(tokens(&[&of_none]), ["30", "30"]);
    assert_eq!(tokens(&[&of_none, &of_a]), ["10"]);
    insta::assert_snapshot!(warnings(&generate(body, &[&of_none, &of_a]).unwrap()));
}

#[test]
fn two_throttles_of_one_service_are_refused_at_both_places() {
    let one = r#""service": "shop.v1.A", "method": "One""#;
    let two = r#""service": "shop.v1.A", "method": "Two""#;
    let other = r#""service": "shop.v1.B""#;
    let body = "service A { rpc One(M) returns (M); rpc Two(M) returns (M); }\n";
    let [first, second] = [throttling(&[other, one], 10), throttling(&[two], 20)];
    insta::assert_snapshot!(refusal(body, &[&first, &second]));
    // The same one twice says the same.
    generate(body, &[&first, &throttling(&[two], 10)]).unwrap();
}

#[test]
fn what_is_there_twice_is_refused_at_both_places() {
    let config = r#"{
  "methodConfig": [{
    "name": [{ "service": "shop.v1.A", "service": "shop.v1.B" }],
    "timeout": "1s",
    "retryPolicy": null,
    "timeout": "2s"
  }],
  "retryThrottling": null,
  "methodConfig": []
}"#;
    let body = "service A { rpc One(M) returns (M); }\n";
    insta::assert_snapshot!(refusal(body, &[config]));
}

#[test]
fn what_is_odd_and_can_be_read_is_said() {
    let body = "service Items {
  rpc GetItem(M) returns (M) {
    option (apibase.v1.method).deadline = { seconds: 2 };
  }
  rpc Upload(stream M) returns (M);
  rpc Delete(M) returns (M);
}
service Other { rpc Get(M) returns (M); }
";
    let config = r#"{
  "loadBalancingConfig": [{ "round_robin": {} }],
  "methodConfigs": [],
  "methodConfig": [
    {
      "name": [{ "service": "shop.v1.Items", "method": "GetItem" }],
      "waitForReady": true,
      "retryPolicy": {
        "MaxAttempts": 2,
        "maxAttempts": 10,
        "initialBackoff": "1s",
        "maxBackoff": "10s",
        "backoffMultiplier": 0.5,
        "retryableStatusCodes": ["UNAVAILABLE"]
      }
    },
    {
      "name": [{ "service": "shop.v1.Items", "method": "Upload" }],
      "hedgingPolicy": { "maxAttempts": 2 }
    },
    {
      "name": [{ "service": "shop.v1.Othr" }, { "service": "shop.v1.Items", "method": "Delet" }],
      "timeout": "5s"
    },
    {
      "name": [
        { "service": "shop.v2.Items" },
        { "service": "shop.v1.Orders" },
        { "service": "shop.v1.Items", "method": "GetItems" },
        { "service": "shop.v1.Items", "method": "SetIamPolicy" }
      ]
    },
    { "timeout": "1s" }
  ]
}"#;
    insta::assert_snapshot!(warnings(&generate(body, &[config]).unwrap()));
}

#[test]
fn times_that_can_not_all_be_kept_are_said_of_each_method_where_they_stand() {
    let body = "service A {
  rpc Capped(M) returns (M) {
    option (apibase.v1.method).deadline_cap = { seconds: 5 };
  }
  rpc Quick(M) returns (M) {
    option (apibase.v1.method).deadline = { seconds: 2 };
  }
  rpc Slow(M) returns (M) {
    option idempotency_level = IDEMPOTENT;
    option (apibase.v1.method).retry = { max_attempts: 2 initial_backoff: { seconds: 20 } };
  }
}
";
    let config = r#"{
  "methodConfig": [{
    "name": [{ "service": "shop.v1.A" }],
    "timeout": "10s",
    "retryPolicy": {
      "maxAttempts": 3, "initialBackoff": "1s", "maxBackoff": "1s", "backoffMultiplier": 1,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
}"#;
    insta::assert_snapshot!(warnings(&generate(body, &[config]).unwrap()));
}

#[test]
fn a_method_that_two_entries_name_is_refused_at_both_places() {
    let config = r#"{ "methodConfig": [{ "name": [{ "service": "shop.v1.A" }] }] }"#;
    insta::assert_snapshot!(refusal(PUBLISHER, &[config, config]).replace(".json", ""));
}

#[test]
fn a_file_that_is_none_is_refused() {
    let text = refusal(PUBLISHER, &["{\n  \"methodConfig\": [}\n"]);
    assert_eq!(text, "0.json:2:20: this is no JSON: expected value");
    let text = refusal(PUBLISHER, &["[{ \"serviceConfig\": {} }]"]);
    let expected =
        "0.json:1:1: the service config is […], and no object\n  help: write it as { … }";
    assert_eq!(text, expected);
    let options = Options::from_pairs(["service_config=nowhere.json"]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let error = by(dir.path(), PUBLISHER, options).unwrap_err();
    let expected = "parameter `service_config`: there is no file `nowhere.json`";
    assert!(error.to_string().starts_with(expected), "{error}");
}

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

/// The third way, a build script, is that of `tests/`: its fixture `configured`.
#[cfg(feature = "cli")]
#[test]
fn plugin_and_command_read_it_from_where_they_run() {
    use std::process::Command;

    let binary = env!("CARGO_BIN_EXE_protoc-gen-apibase");
    let dir = tempfile::tempdir().unwrap();
    let proto = format!("{HEAD}{PUBLISHER}");
    write(
        dir.path(),
        &[("shop.proto", &proto), ("conf/shop.json", LIKE_GOOGLES)],
    );
    for out in ["plugin", "command", "toml"] {
        fs::create_dir(dir.path().join(out)).unwrap();
    }
    let run = |command: &mut Command| {
        let output = command.current_dir(dir.path()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
    };
    let protoc = protoc_bin_vendored::protoc_bin_path().unwrap();
    let include = protoc_bin_vendored::include_path().unwrap();
    run(Command::new(protoc)
        .arg(format!("--plugin=protoc-gen-apibase={binary}"))
        .args([
            "-I.",
            concat!("-I", env!("CARGO_MANIFEST_DIR"), "/protos"),
            "-I",
        ])
        .arg(include)
        .args([
            "--apibase_out=plugin",
            "--apibase_opt=service_config=conf/shop.json",
            "shop.proto",
        ]));
    let generate = ["generate", "-I", ".", "--out"];
    run(Command::new(binary).args(generate).args([
        "command",
        "--opt",
        "service_config=conf/shop.json",
        "shop.proto",
    ]));
    write(
        dir.path(),
        &[("apibase.toml", "service_config = \"conf/shop.json\"\n")],
    );
    run(Command::new(binary)
        .args(generate)
        .args(["toml", "shop.proto"]));
    let read = |out: &str| fs::read_to_string(dir.path().join(out).join("shop.v1.api.rs")).unwrap();
    let by_plugin = read("plugin");
    assert!(by_plugin.contains("RetryPolicy::up_to(5)"));
    assert_eq!((&read("command"), &read("toml")), (&by_plugin, &by_plugin));
}
