//! gRPC's service config of a package, so that clients in other languages call as ours do.
//!
//! What the proto leaves to the client is what our clients have built in: how often they send what is
//! idempotent, how long they wait, when they stop. Two things have no place in it: breakers, and the
//! deadline of calls whose proto has none, which is a setting of each client (ours have
//! `GRPC__CLIENT__DEFAULT_TIMEOUT`, 30 seconds).

use std::fmt::Write as _;
use std::time::Duration;

use crate::GeneratedFile;
use crate::model::policy::{Code, Hedging, Retry, RetryThrottle, built_in, proto_name};
use crate::model::{Method, Package, Service};

pub(super) fn file(package: &Package) -> GeneratedFile {
    let throttle = package.throttle();
    let services = package.services.iter();
    let entries = services.flat_map(|service| match entries(service) {
        // A throttle is of the services that its config names.
        none if none.is_empty() && throttle.is_some() && service.throttle() == throttle => {
            vec![entry(&[all_of(service)], "")]
        }
        entries => entries,
    });
    let entries: Vec<String> = entries.collect();
    let mut content = "{\n  \"methodConfig\": [".to_owned();
    content.push_str(&entries.join(","));
    content.push_str(if entries.is_empty() { "]" } else { "\n  ]" });
    if let Some(throttle) = throttle {
        content.push_str(&throttling(throttle));
    }
    content.push_str("\n}\n");
    GeneratedFile {
        name: format!("{}.service_config.json", package.stem),
        content,
    }
}

/// The entries of a service: one for all methods that are called alike.
fn entries(service: &Service) -> Vec<String> {
    let mut alike: Vec<(String, Vec<&str>)> = Vec::new();
    for method in &service.methods {
        let says = says(method);
        if says.is_empty() {
            continue;
        }
        match alike.iter_mut().find(|(other, _)| *other == says) {
            Some((_, methods)) => methods.push(&method.proto_name),
            None => alike.push((says, vec![&method.proto_name])),
        }
    }
    let is_all = |methods: &[&str]| methods.len() == service.methods.len();
    let entries = alike.iter().map(|(says, methods)| {
        let names: Vec<String> = match methods.as_slice() {
            all if is_all(all) => vec![all_of(service)],
            some => some.iter().map(|method| one_of(service, method)).collect(),
        };
        entry(&names, says)
    });
    entries.collect()
}

fn entry(names: &[String], says: &str) -> String {
    let names = names.join(",\n        ");
    format!("\n    {{\n      \"name\": [\n        {names}\n      ]{says}\n    }}")
}

fn all_of(service: &Service) -> String {
    format!("{{ \"service\": \"{}\" }}", service.full_name)
}

fn one_of(service: &Service, method: &str) -> String {
    let service = &service.full_name;
    format!("{{ \"service\": \"{service}\", \"method\": \"{method}\" }}")
}

/// The members of a method's entry but for its names; empty where it is called as gRPC does by itself.
fn says(method: &Method) -> String {
    let policy = &method.policy;
    let mut says = String::new();
    if let Some(deadline) = policy.deadline {
        let _ = write!(says, ",\n      \"timeout\": {}", seconds(deadline));
    }
    if let Some(retry) = method.retry() {
        says.push_str(&member("retryPolicy", &of_retry(&retry)));
    }
    if let Some(hedging) = &policy.hedging {
        says.push_str(&member("hedgingPolicy", &of_hedging(hedging)));
    }
    says
}

fn member(name: &str, members: &[String]) -> String {
    let members = members.join(",\n        ");
    format!(",\n      \"{name}\": {{\n        {members}\n      }}")
}

fn of_retry(retry: &Retry) -> Vec<String> {
    let longest = retry.max_backoff.unwrap_or(built_in::MAX_BACKOFF);
    let initial = retry.initial_backoff.unwrap_or(built_in::INITIAL_BACKOFF);
    let multiplier = retry.backoff_multiplier;
    let multiplier = multiplier.unwrap_or(built_in::BACKOFF_MULTIPLIER);
    let mut members = vec![
        format!("\"maxAttempts\": {}", retry.max_attempts),
        format!("\"initialBackoff\": {}", seconds(initial.min(longest))),
        format!("\"maxBackoff\": {}", seconds(longest)),
        format!("\"backoffMultiplier\": {multiplier}"),
    ];
    if let Some(timeout) = retry.attempt_timeout {
        members.push(format!("\"perAttemptRecvTimeout\": {}", seconds(timeout)));
    }
    members.push(format!("\"retryableStatusCodes\": {}", codes(&retry.codes)));
    members
}

fn of_hedging(hedging: &Hedging) -> Vec<String> {
    let delay = hedging.delay.unwrap_or_default();
    let mut members = vec![
        format!("\"maxAttempts\": {}", hedging.max_attempts),
        format!("\"hedgingDelay\": {}", seconds(delay)),
    ];
    let listed = &hedging.non_fatal_codes;
    if !listed.is_empty() {
        members.push(format!("\"nonFatalStatusCodes\": {}", codes(listed)));
    }
    members
}

/// gRPC's C core takes whole tokens alone.
fn throttling(throttle: RetryThrottle) -> String {
    let (tokens, ratio) = (throttle.max_tokens.ceil(), throttle.token_ratio);
    format!(
        ",\n  \"retryThrottling\": {{\n    \"maxTokens\": {tokens},\n    \"tokenRatio\": {ratio}\n  }}"
    )
}

fn codes(codes: &[Code]) -> String {
    let names = codes
        .iter()
        .map(|code| format!("\"{}\"", proto_name(*code)));
    format!("[{}]", names.collect::<Vec<_>>().join(", "))
}

/// With no decimals, three, six or nine, as protobuf's JSON has them.
fn seconds(duration: Duration) -> String {
    let (whole, nanos) = (duration.as_secs(), duration.subsec_nanos());
    match nanos {
        0 => format!("\"{whole}s\""),
        _ if nanos % 1_000_000 == 0 => format!("\"{whole}.{:03}s\"", nanos / 1_000_000),
        _ if nanos % 1000 == 0 => format!("\"{whole}.{:06}s\"", nanos / 1000),
        _ => format!("\"{whole}.{nanos:09}s\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_groups_of_three_decimals() {
        assert_eq!(seconds(Duration::from_secs(60)), "\"60s\"");
        assert_eq!(seconds(Duration::from_millis(1050)), "\"1.050s\"");
        assert_eq!(seconds(Duration::from_micros(7)), "\"0.000007s\"");
        assert_eq!(seconds(Duration::from_nanos(10)), "\"0.000000010s\"");
        assert_eq!(seconds(Duration::ZERO), "\"0s\"");
    }
}
