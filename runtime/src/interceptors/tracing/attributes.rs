//! What spans say of calls: OpenTelemetry's semantic conventions for RPC, version 1.44 (release candidate).

use std::net::SocketAddr;

use opentelemetry::trace::Status;
use opentelemetry::{KeyValue, StringValue};

use crate::client::Verdict;
use crate::errors;
use crate::observe::Side;
use crate::{Code, Context, Method, Peer};

/// The conventions' next version has another name for it: this is the one place.
const STATUS_CODE: &str = "rpc.response.status_code";
const SYSTEM: &str = "rpc.system.name";
const METHOD: &str = "rpc.method";
const METHOD_ORIGINAL: &str = "rpc.method_original";
const ERROR_TYPE: &str = "error.type";
const SERVER_ADDRESS: &str = "server.address";
const SERVER_PORT: &str = "server.port";
const PEER_ADDRESS: &str = "network.peer.address";
const PEER_PORT: &str = "network.peer.port";
const TRANSPORT: &str = "network.transport";
/// Ours: the conventions know no attempts.
const ATTEMPT: &str = "apibase.attempt.number";
const VERDICT: &str = "apibase.attempt.verdict";

/// What a method is that no service has.
const OTHER: &str = "_OTHER";

/// What is told of a path that no service has a method at, in characters: callers choose it.
const LONGEST_PATH: usize = 256;

/// `pkg.Service/Method`; `_OTHER` where no service has it.
pub(super) fn method_name(method: &'static Method) -> &'static str {
    match method.service() {
        OTHER => OTHER,
        _ => method.path().trim_start_matches('/'),
    }
}

/// The name of a call's span.
pub(super) fn span_name(method: &'static Method) -> &'static str {
    match method_name(method) {
        OTHER => "grpc",
        name => name,
    }
}

/// What is the same for all spans of a method.
pub(super) fn of_method(method: &'static Method, target: &str) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new(SYSTEM, "grpc"),
        KeyValue::new(METHOD, method_name(method)),
    ];
    if let Some((host, port)) = server(target) {
        attributes.push(KeyValue::new(SERVER_ADDRESS, host.to_owned()));
        attributes.extend(port.map(|port| KeyValue::new(SERVER_PORT, i64::from(port))));
    }
    attributes
}

/// Whom a target names: `dns:///items:50051`.
fn server(target: &str) -> Option<(&str, Option<u16>)> {
    let (_, rest) = target.split_once("://").unwrap_or(("", target));
    let authority = rest.trim_start_matches('/').split('/').next()?;
    if authority.is_empty() {
        return None;
    }
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() => match port.parse() {
            Ok(port) => Some((host.trim_matches(['[', ']']), Some(port))),
            Err(_) => Some((authority, None)),
        },
        _ => Some((authority, None)),
    }
}

/// What a caller has asked for that no service has.
pub(super) fn of_path(path: &str) -> KeyValue {
    let path = path.trim_start_matches('/');
    KeyValue::new(
        METHOD_ORIGINAL,
        path.chars().take(LONGEST_PATH).collect::<String>(),
    )
}

/// Who calls.
pub(super) fn of_peer(context: &Context) -> Vec<KeyValue> {
    match context.peer() {
        Some(Peer::Tcp(address)) => vec![
            KeyValue::new(TRANSPORT, "tcp"),
            KeyValue::new(PEER_ADDRESS, address.ip().to_string()),
            KeyValue::new(PEER_PORT, i64::from(address.port())),
        ],
        Some(Peer::Unix) => vec![KeyValue::new(TRANSPORT, "unix")],
        None => Vec::new(),
    }
}

/// Which attempt of a call it is, from 1 on.
pub(super) fn of_attempt(number: u32) -> KeyValue {
    KeyValue::new(ATTEMPT, i64::from(number))
}

/// Where an attempt went.
pub(super) fn of_endpoint(endpoint: &str) -> Vec<KeyValue> {
    match endpoint.parse::<SocketAddr>() {
        Ok(address) => vec![
            KeyValue::new(PEER_ADDRESS, address.ip().to_string()),
            KeyValue::new(PEER_PORT, i64::from(address.port())),
        ],
        Err(_) => vec![KeyValue::new(PEER_ADDRESS, endpoint.to_owned())],
    }
}

/// What was decided after an attempt.
pub(super) fn of_verdict(verdict: Verdict) -> KeyValue {
    KeyValue::new(
        VERDICT,
        match verdict {
            Verdict::Again(_) => "AGAIN",
            Verdict::Unseen => "UNSEEN",
            Verdict::Final => "FINAL",
            Verdict::Exhausted => "EXHAUSTED",
            Verdict::Throttled => "THROTTLED",
            Verdict::ServerSaidNo => "SERVER_SAID_NO",
            Verdict::NoTime => "NO_TIME",
            Verdict::Committed => "COMMITTED",
            Verdict::CircuitOpen => "CIRCUIT_OPEN",
            Verdict::Overtaken => "OVERTAKEN",
            Verdict::Cancelled => "CANCELLED",
        },
    )
}

/// How a call or an attempt ended, and whether that is an error; what is spare never is.
pub(super) fn of_end(side: Side, code: Code, is_spare: bool) -> (Vec<KeyValue>, Status) {
    let name = StringValue::from(errors::name(code));
    let mut attributes = vec![KeyValue::new(STATUS_CODE, name.clone())];
    let status = match is_error(side, code) && !is_spare {
        true => {
            attributes.push(KeyValue::new(ERROR_TYPE, name));
            // The code says it all; a message may hold what is nobody's business.
            Status::error("")
        }
        false => Status::Unset,
    };
    (attributes, status)
}

/// At a server, what is its fault; at a client, all that isn't OK.
fn is_error(side: Side, code: Code) -> bool {
    match side {
        Side::Client => code != Code::Ok,
        Side::Server => matches!(
            code,
            Code::Unknown
                | Code::DeadlineExceeded
                | Code::Unimplemented
                | Code::Internal
                | Code::Unavailable
                | Code::DataLoss
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_a_server() {
        for (target, expected) in [
            ("http://items:50051", Some(("items", Some(50051)))),
            ("dns:///items:50051", Some(("items", Some(50051)))),
            (
                "https://items.example.com",
                Some(("items.example.com", None)),
            ),
            ("http://[::1]:50051", Some(("::1", Some(50051)))),
            ("echo", Some(("echo", None))),
            ("", None),
        ] {
            assert_eq!(server(target), expected, "{target}");
        }
    }

    #[test]
    fn at_a_server_six_codes_are_errors_and_at_a_client_all_but_ok() {
        let errors = |side| -> Vec<_> {
            let codes = (0..17).map(Code::from_i32);
            codes.filter(|code| is_error(side, *code)).collect()
        };
        assert_eq!(
            errors(Side::Server),
            [
                Code::Unknown,
                Code::DeadlineExceeded,
                Code::Unimplemented,
                Code::Internal,
                Code::Unavailable,
                Code::DataLoss
            ]
        );
        assert_eq!(errors(Side::Client).len(), 16);
    }
}
