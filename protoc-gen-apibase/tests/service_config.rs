//! gRPC's service config, read.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

mod calls;
mod schema;

use calls::{by, constants, generate, refusal, warnings};
use protoc_gen_apibase::Options;

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

/// The third way, a build script, is that of `tests/`: its fixture `configured`.
#[cfg(feature = "cli")]
#[test]
fn plugin_and_command_read_it_from_where_they_run() {
    use std::fs;
    use std::process::Command;

    use calls::HEAD;
    use schema::write;

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
