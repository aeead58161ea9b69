//! From JSON to what it says of methods.

use std::time::Duration;

use super::json::{self, Value};
use super::reader::{Reader, seconds};
use super::{MethodConfig, Name, Repeats, ServiceConfig};
use crate::error::{Diagnostic, Diagnostics};
use crate::model::policy::{Hedging, MOST_ATTEMPTS, Retry, RetryThrottle};

/// What gRPC knows at the top.
const TOP: &[&str] = &[
    "healthCheckConfig",
    "loadBalancingConfig",
    "loadBalancingPolicy",
    "methodConfig",
    "retryThrottling",
];
const METHOD: &[&str] = &[
    "hedgingPolicy",
    "name",
    "retryPolicy",
    "timeout",
    "maxRequestMessageBytes",
    "maxResponseMessageBytes",
    "waitForReady",
];
/// What isn't said to our clients by policies, and where it is.
const ELSEWHERE: &[(&str, &str)] = &[
    ("healthCheckConfig", "use `ClientFactory::health_check`"),
    ("loadBalancingConfig", BALANCE),
    ("loadBalancingPolicy", BALANCE),
    (
        "maxRequestMessageBytes",
        "our clients send what is asked of them: it is servers that have a limit, \
         GRPC__SERVER__MAX_MESSAGE_SIZE",
    ),
    (
        "maxResponseMessageBytes",
        "use GRPC__CLIENT__MAX_MESSAGE_SIZE, or `CallOptions::max_message_size`",
    ),
    (
        "waitForReady",
        "use GRPC__CLIENT__WAIT_FOR_READY, or `CallOptions::wait_for_ready`",
    ),
];
const BALANCE: &str = "use GRPC__CLIENT__LB_POLICY, or `ClientFactory::balance`";
const NAME: &[&str] = &["method", "service"];
const RETRY: &[&str] = &[
    "backoffMultiplier",
    "initialBackoff",
    "maxAttempts",
    "maxBackoff",
    "perAttemptRecvTimeout",
    "retryableStatusCodes",
];
const HEDGING: &[&str] = &["hedgingDelay", "maxAttempts", "nonFatalStatusCodes"];
const THROTTLE: &[&str] = &["maxTokens", "tokenRatio"];

/// Reads the text of `file`. What makes no sense goes to `problems`.
pub(super) fn config(
    file: &str,
    text: &str,
    problems: &mut Diagnostics,
    warnings: &mut Diagnostics,
) -> ServiceConfig {
    let mut config = ServiceConfig {
        methods: Vec::new(),
        throttle: None,
    };
    let root = match json::parse(text) {
        Ok(root) => root,
        Err((reason, line, column)) => {
            let problem = Diagnostic::new(format!("this is no JSON: {reason}"));
            problems.push(problem.at(file, line, column));
            return config;
        }
    };
    let mut reader = Reader {
        file,
        text,
        problems,
        warnings,
    };
    let Some(top) = reader.object(&root, TOP) else {
        return config;
    };
    reader.pass_over(&top, ELSEWHERE);
    if let Some(methods) = top.get("methodConfig") {
        for method in reader.items(methods) {
            config.methods.extend(reader.method(&method));
        }
    }
    config.throttle = top
        .get("retryThrottling")
        .and_then(|value| Some((reader.throttle(value)?, reader.place(value))));
    config
}

impl Reader<'_> {
    fn method(&mut self, value: &Value<'_>) -> Option<MethodConfig> {
        let members = self.object(value, METHOD)?;
        let names = match members.get("name") {
            Some(names) => self.items(names),
            None => Vec::new(),
        };
        if names.is_empty() {
            let warning = self
                .place(value)
                .says("has no `name`, and so is for no method");
            self.warnings
                .push(warning.help("for all of a service: `\"name\": [{ \"service\": \"…\" }]`"));
        }
        let names = names.iter().filter_map(|name| self.name(name)).collect();
        self.pass_over(&members, ELSEWHERE);
        let timeout = members.get("timeout");
        let timeout = timeout.and_then(|value| Some((self.duration(value)?, self.place(value))));
        let retry = members.get("retryPolicy");
        let hedging = members.get("hedgingPolicy");
        let repeats = match (retry, hedging) {
            (Some(_), Some(hedging)) => {
                self.wrong(
                    hedging,
                    "stands beside a `retryPolicy`",
                    "remove one of the two: gRFC A6 allows one for a method",
                );
                None
            }
            (Some(value), None) => {
                let retry = self.retry(value).map(Repeats::Retry);
                retry.map(|retry| (retry, self.place(value)))
            }
            (None, Some(value)) => {
                let hedging = self.hedging(value).map(Repeats::Hedging);
                hedging.map(|hedging| (hedging, self.place(value)))
            }
            (None, None) => None,
        };
        Some(MethodConfig {
            names,
            timeout,
            repeats,
        })
    }

    fn name(&mut self, value: &Value<'_>) -> Option<Name> {
        let members = self.object(value, NAME)?;
        let [service, method] = ["service", "method"].map(|key| {
            let text = members.get(key).and_then(|value| self.text(value));
            text.filter(|text| !text.is_empty())
        });
        if service.is_none() && method.is_some() {
            self.wrong(
                value,
                "has a `method` without its `service`",
                "add `\"service\"` with the full name of the service, \"shop.v1.ItemService\"",
            );
            return None;
        }
        Some(Name {
            service,
            method,
            place: self.place(value),
        })
    }

    fn retry(&mut self, value: &Value<'_>) -> Option<Retry> {
        let members = self.object(value, RETRY)?;
        let [initial, longest] = ["initialBackoff", "maxBackoff"].map(|key| {
            let backoff = self.needed(value, &members, key, "\"0.100s\"")?;
            self.duration(backoff)
        });
        let multiplier = self
            .needed(value, &members, "backoffMultiplier", "1.3")
            .and_then(|value| self.multiplier(value));
        let timeout = members.get("perAttemptRecvTimeout");
        let attempt_timeout = timeout.and_then(|value| self.duration(value));
        let codes = self
            .needed(value, &members, "retryableStatusCodes", "[\"UNAVAILABLE\"]")
            .map(|value| (value, self.codes(value)));
        if let Some((value, _)) = &codes
            && value.items().is_some_and(|items| items.is_empty())
        {
            let help = "name them, [\"UNAVAILABLE\"], or remove the policy";
            self.wrong(value, "has no code", help);
        }
        // Google's own configs often leave it out, and mean as often as there is time for.
        let max_attempts = match members.get("maxAttempts") {
            Some(value) => self.attempts(value)?,
            None => MOST_ATTEMPTS,
        };
        let (initial, longest) = (initial?, longest?);
        Some(Retry {
            max_attempts,
            initial_backoff: Some(initial.min(longest)),
            max_backoff: Some(longest),
            backoff_multiplier: Some(multiplier?),
            attempt_timeout,
            codes: codes?.1,
        })
    }

    fn hedging(&mut self, value: &Value<'_>) -> Option<Hedging> {
        let members = self.object(value, HEDGING)?;
        let attempts = self.needed(value, &members, "maxAttempts", "3")?;
        let delay = members.get("hedgingDelay");
        let is_zero = |value: &&Value<'_>| {
            let text = value.text();
            text.and_then(|text| seconds(&text)) == Some(Duration::ZERO)
        };
        let delay = delay.filter(|value| !is_zero(value));
        let codes = members.get("nonFatalStatusCodes");
        Some(Hedging {
            max_attempts: self.attempts(attempts)?,
            delay: delay.and_then(|value| self.duration(value)),
            non_fatal_codes: codes.map_or_else(Vec::new, |value| self.codes(value)),
        })
    }

    fn throttle(&mut self, value: &Value<'_>) -> Option<RetryThrottle> {
        let members = self.object(value, THROTTLE)?;
        let [tokens, ratio] =
            [("maxTokens", "100"), ("tokenRatio", "0.1")].map(|(key, example)| {
                let value = self.needed(value, &members, key, example)?;
                let number = value.number().filter(|n| (0.001..=1000.0).contains(n));
                if number.is_none() {
                    let what = format!("is {}, and no number from 0.001 to 1000", value.shown());
                    self.wrong(value, &what, &format!("{example} for example (gRFC A6)"));
                }
                number
            });
        Some(RetryThrottle {
            max_tokens: tokens?,
            token_ratio: ratio?,
        })
    }
}
