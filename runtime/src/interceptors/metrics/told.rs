//! [`Told`]: what is told of the calls of all methods, at one end of them.

use super::calls::{Calls, codes};
use super::family::{Family, Value};
use crate::Code;
use crate::method::Kind;

/// What is told of all calls at one end.
pub(super) struct Told {
    requests: Family,
    active: Family,
    durations: Family,
    streams: Family,
    sent: Family,
    received: Family,
    attempts: Family,
    retries: Family,
}

impl Told {
    pub(super) fn of_servers() -> Self {
        Self {
            requests: Family::counter(
                "grpc_requests",
                "Calls that have ended at this server, by their final status.",
            ),
            active: Family::gauge(
                "grpc_server_active_requests",
                "Calls that this server is answering.",
            ),
            durations: Family::histogram(
                "grpc_request_duration",
                "How long calls without streams took this server, from their head to their last trailer.",
            ),
            streams: Family::histogram(
                "grpc_server_stream_duration",
                "How long calls with a stream took this server, from their head to their last trailer.",
            ),
            sent: Family::counter(
                "grpc_server_messages_sent",
                "Replies that were sent in calls with a stream.",
            ),
            received: Family::counter(
                "grpc_server_messages_received",
                "Requests that were read in calls with a stream.",
            ),
            ..Self::of_clients()
        }
    }

    pub(super) fn of_clients() -> Self {
        Self {
            requests: Family::counter(
                "grpc_client_requests",
                "Calls that have ended at this client, by their final status, however often each was sent.",
            ),
            active: Family::gauge(
                "grpc_client_active_requests",
                "Calls that this client is making.",
            ),
            durations: Family::histogram(
                "grpc_client_request_duration",
                "How long calls without streams took this client, with all their attempts.",
            ),
            streams: Family::histogram(
                "grpc_client_stream_duration",
                "How long calls with a stream took this client, with all their attempts.",
            ),
            sent: Family::counter(
                "grpc_client_messages_sent",
                "Requests that were sent in calls with a stream, each once.",
            ),
            received: Family::counter(
                "grpc_client_messages_received",
                "Replies that were read in calls with a stream.",
            ),
            attempts: Family::counter(
                "grpc_client_attempts",
                "Attempts to carry a call, by their status.",
            ),
            retries: Family::counter(
                "grpc_client_retries",
                "Attempts after the first of their call: retries and hedges.",
            ),
        }
    }

    /// What there is to tell of a method.
    pub(super) fn add(&mut self, calls: &Calls) {
        let ended: u64 = codes().map(|code| calls.ended(code)).sum();
        let active = calls.active();
        // Nobody waits for what isn't there.
        if calls.is_unknown() && ended == 0 && active == 0 {
            return;
        }
        for code in codes() {
            // Success is there from the start, so that the first of all is an increase.
            let is_told = code == Code::Ok && !calls.is_unknown();
            let count = calls.ended(code);
            if count > 0 || is_told {
                let labels = calls.with_status(code);
                self.requests.push(labels, Value::Counter(count));
            }
            if let Some(count) = calls.attempts(code).filter(|count| *count > 0 || is_told) {
                let labels = calls.with_status(code);
                self.attempts.push(labels, Value::Counter(count));
            }
        }
        self.active.push(calls.labels(), Value::Gauge(active));
        if let Some(retries) = calls.retries() {
            self.retries.push(calls.labels(), Value::Counter(retries));
        }
        if let Some([sent, received]) = calls.messages() {
            self.sent.push(calls.labels(), Value::Counter(sent));
            self.received.push(calls.labels(), Value::Counter(received));
        }
        let durations = match calls.kind() {
            Kind::Unary => &mut self.durations,
            _ => &mut self.streams,
        };
        for (status, seen) in calls.durations() {
            let labels = status.map_or_else(|| calls.labels(), |code| calls.with_status(code));
            durations.push(labels, Value::Histogram(seen));
        }
    }

    pub(super) fn families(self) -> [Family; 8] {
        [
            self.requests,
            self.durations,
            self.active,
            self.streams,
            self.sent,
            self.received,
            self.attempts,
            self.retries,
        ]
    }
}
