//! Python's grpcio calls a server with all five interceptors on, with a token, a trace and a correlation id:
//! the script is `tests/interop/guarded.py`. What it is told is asserted there; here, what the server says of
//! it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod five;
mod logged;
mod openmetrics;
mod peers;
mod spans;
mod tokens;

use std::collections::BTreeMap;

use common::soon;
use five::{Five, SPAN, TRACE};
use openmetrics::Page;
use opentelemetry::trace::SpanKind;
use peers::{python, said};
use spans::{attribute, trace_of};

/// The method, the status and how often: what the script does.
const CALLS: [(&str, &str, usize); 6] = [
    ("Knock", "OK", 1),
    ("Look", "OK", 2),
    ("Look", "UNAUTHENTICATED", 4),
    ("Take", "OK", 1),
    ("Take", "PERMISSION_DENIED", 1),
    ("Take", "RESOURCE_EXHAUSTED", 0),
];

fn total() -> usize {
    CALLS.iter().map(|(_, _, times)| times).sum()
}

#[tokio::test]
async fn python_with_a_token_a_trace_and_a_correlation_id_is_known_by_all_five() {
    let Some(mut python) = python("guarded.py") else {
        return;
    };
    let five = Five::start(|auth| auth).await;
    let (token, scopes) = (five.token(""), five.token("vault.read vault.take"));
    let forged = five.forged();
    python
        .arg(five.server.addr.to_string())
        .arg(format!("00-{TRACE}-{SPAN}-01"))
        .args([&token, &scopes, &forged]);
    let output = soon(python.output()).await.unwrap();
    let script = said(&output);
    assert!(output.status.success(), "{script}");
    assert!(script.contains("9 calls"), "{script}");

    let text = five.lines.text();
    let lines = five.lines.take(total()).await;
    for secret in [&token, &scopes, &forged] {
        // Neither the token nor a part of it.
        for part in secret.split('.').chain([secret.as_str()]) {
            assert!(!text.contains(part), "{text}");
        }
    }
    assert!(!text.contains("cookie") && !text.contains("secret") && !text.contains("not valid"));
    let mut ids = Vec::new();
    for line in &lines {
        assert_eq!(line["trace_id"], TRACE, "{line}");
        assert_eq!(line["event"], "grpc_request_completed", "{line}");
        assert!(line["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
        // grpcio rounds up what it was given.
        let deadline = line["deadline_ms"].as_f64().unwrap();
        assert!((10_000.0..=21_000.0).contains(&deadline), "{line}");
        ids.extend(line["correlation_id"].as_str().map(str::to_owned));
    }
    assert_eq!(ids.len(), total());
    ids.retain(|id| id.starts_with("python-"));
    // All but the one that came with what is none.
    assert_eq!(ids.len(), total() - 1, "{text}");

    spans_are_of_the_trace(&five);
    let page = Page::read(&five.metrics.encode());
    for (method, status, times) in CALLS {
        let labels = [
            ("service", "guarded.VaultService"),
            ("method", method),
            ("status", status),
        ];
        let counted = page.value("grpc_requests_total", &labels).unwrap_or(0.0);
        assert_eq!(counted, times as f64, "{method}, {status}");
        let logged = lines.iter().filter(|line| {
            line["status"] == status && line["method"].as_str().unwrap().ends_with(method)
        });
        assert_eq!(logged.count(), times, "{method}, {status}");
    }
    for (reason, times) in [
        ("TOKEN_MISSING", 1.0),
        ("TOKEN_SIGNATURE", 2.0),
        ("TOKEN_MALFORMED", 1.0),
        ("SCOPE_MISSING", 1.0),
    ] {
        let refused = page.value("grpc_server_refused_total", &[("reason", reason)]);
        assert_eq!(refused, Some(times), "{reason}");
    }
}

/// Each call has a span, below that of the caller.
fn spans_are_of_the_trace(five: &Five) {
    let mut codes = BTreeMap::<_, usize>::new();
    let spans = five.spans.all();
    assert_eq!(spans.len(), total());
    for span in spans {
        assert_eq!(span.span_kind, SpanKind::Server);
        assert_eq!(trace_of(&span).to_string(), TRACE);
        assert_eq!(span.parent_span_id.to_string(), SPAN);
        assert!(span.parent_span_is_remote);
        assert_eq!(span.span_context.trace_state().header(), "vendor=1");
        let method = span.name.rsplit('/').next().unwrap().to_owned();
        let code = attribute(&span, "rpc.response.status_code");
        *codes.entry((method, code)).or_default() += 1;
    }
    let expected = CALLS.iter().filter(|(_, _, times)| *times > 0);
    let expected = expected
        .map(|(method, code, times)| (((*method).to_owned(), (*code).to_owned()), *times))
        .collect();
    assert_eq!(codes, expected);
}
