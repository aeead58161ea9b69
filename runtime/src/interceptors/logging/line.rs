//! [`Facts`] about a call, and the line that is written of them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tonic::metadata::MetadataMap;

use super::allowed::Allowed;
use super::level::Level;
use super::{clock, json};
use crate::context::Peer;
use crate::errors;
use crate::observe::{Refusal, Side};
use crate::{Code, Method};

/// The `event` of a call that is over: the usage guide's.
pub(super) const COMPLETED: &str = "grpc_request_completed";

/// The `event` of a request that never came to be a call.
pub(super) const REFUSED: &str = "grpc_request_refused";

/// What all lines of a method have, prepared.
pub(super) struct Subject {
    pub(super) method: &'static Method,
    pub(super) side: Side,
    /// Whom a client calls.
    pub(super) target: Option<Arc<str>>,
    /// All before the correlation id.
    head: Vec<u8>,
    /// All that belongs to the side.
    tail: Vec<u8>,
}

/// What is known of one call when it is over.
pub(super) struct Facts<'a> {
    pub(super) correlation_id: Option<Id<'a>>,
    pub(super) took: Duration,
    pub(super) code: Code,
    pub(super) level: Level,
    pub(super) trace_id: Option<Id<'a>>,
    pub(super) peer: Option<&'a Peer>,
    /// What it had from its start to its deadline.
    pub(super) deadline: Option<Duration>,
    /// The path that it came with, if no service has a method there.
    pub(super) path: Option<&'a str>,
    pub(super) refusal: Option<Refusal>,
    pub(super) metadata: Option<(&'a Allowed, &'a MetadataMap)>,
}

/// An id that was checked or made here: it is ASCII that stands for itself, in JSON too.
#[derive(Clone, Copy)]
pub(super) struct Id<'a>(pub(super) &'a [u8]);

impl<'a> Id<'a> {
    fn write(self, line: &mut Vec<u8>) {
        line.push(b'"');
        line.extend_from_slice(self.0);
        line.push(b'"');
    }

    pub(super) fn as_str(self) -> &'a str {
        std::str::from_utf8(self.0).unwrap_or_default()
    }
}

impl<'a> From<&'a str> for Id<'a> {
    fn from(id: &'a str) -> Self {
        Self(id.as_bytes())
    }
}

impl Subject {
    pub(super) fn new(side: Side, method: &'static Method, target: Option<Arc<str>>) -> Self {
        let mut head = Vec::new();
        begin(&mut head, COMPLETED, method.path());
        let mut tail = Vec::new();
        text(&mut tail, "side", side_of(side));
        if let Some(target) = &target {
            text(&mut tail, "target", target);
        }
        Self {
            method,
            side,
            target,
            head,
            tail,
        }
    }

    /// Writes the line of a call that is over.
    pub(super) fn completed(&self, line: &mut Vec<u8>, facts: &Facts<'_>, now: SystemTime) {
        line.extend_from_slice(&self.head);
        facts.write(line, &self.tail, now);
    }
}

/// Writes the line of a request to this path that never came to be a call.
pub(super) fn refused(line: &mut Vec<u8>, path: &str, facts: &Facts<'_>, now: SystemTime) {
    begin(line, REFUSED, path);
    facts.write(line, br#","side":"server""#, now);
}

/// All before the correlation id.
fn begin(line: &mut Vec<u8>, event: &str, path: &str) {
    line.extend_from_slice(br#"{"event":""#);
    line.extend_from_slice(event.as_bytes());
    line.extend_from_slice(br#"","method":"#);
    json::string(line, json::cut(path.as_bytes()));
    line.extend_from_slice(br#","correlation_id":"#);
}

impl Facts<'_> {
    /// Writes all from the correlation id on, `side` in its place. The five fields of the usage guide
    /// come first.
    fn write(&self, line: &mut Vec<u8>, side: &[u8], now: SystemTime) {
        match self.correlation_id {
            Some(id) => id.write(line),
            None => line.extend_from_slice(b"null"),
        }
        line.extend_from_slice(br#","duration_ms":"#);
        json::milliseconds(line, self.took);
        line.extend_from_slice(br#","status":""#);
        line.extend_from_slice(errors::name(self.code).as_bytes());
        line.extend_from_slice(br#"","timestamp":""#);
        clock::timestamp(line, now);
        line.extend_from_slice(br#"","level":""#);
        line.extend_from_slice(self.level.as_str().as_bytes());
        line.push(b'"');
        line.extend_from_slice(side);
        if let Some(trace_id) = self.trace_id {
            line.extend_from_slice(br#","trace_id":"#);
            trace_id.write(line);
        }
        if let Some(peer) = self.peer {
            line.extend_from_slice(br#","peer":"#);
            json::peer(line, peer);
        }
        if let Some(deadline) = self.deadline {
            line.extend_from_slice(br#","deadline_ms":"#);
            json::integer(line, whole_milliseconds(deadline));
        }
        if let Some(path) = self.path {
            text(line, "path", path);
        }
        if let Some(refusal) = self.refusal {
            text(line, "refusal", refusal.as_str());
        }
        if let Some((allowed, metadata)) = self.metadata {
            allowed.write(line, br#","metadata":{"#, metadata);
        }
        line.extend_from_slice(b"}\n");
    }
}

/// Writes a further field, whose name is plain.
fn text(line: &mut Vec<u8>, name: &str, value: &str) {
    line.extend_from_slice(br#",""#);
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(br#"":"#);
    json::string(line, json::cut(value.as_bytes()));
}

/// The nearest number of milliseconds: what is between a call's arrival and its start is no part of it.
pub(super) fn whole_milliseconds(time: Duration) -> u64 {
    let micros = time.as_micros().saturating_add(500);
    u64::try_from(micros / 1000).unwrap_or(u64::MAX)
}

pub(super) fn side_of(side: Side) -> &'static str {
    match side {
        Side::Server => "server",
        Side::Client => "client",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static METHOD: Method = Method::unary("/myservice.MyService/GetResource");

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_295_199_042)
    }

    fn facts() -> Facts<'static> {
        Facts {
            correlation_id: Some("abc-123".into()),
            took: Duration::from_micros(15_500),
            code: Code::Ok,
            level: Level::Info,
            trace_id: None,
            peer: None,
            deadline: None,
            path: None,
            refusal: None,
            metadata: None,
        }
    }

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut line = Vec::new();
        write(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn the_line_begins_with_the_five_fields_of_the_usage_guide() {
        let subject = Subject::new(Side::Server, &METHOD, None);
        let line = written(|line| subject.completed(line, &facts(), now()));
        assert_eq!(
            line,
            "{\"event\":\"grpc_request_completed\",\
             \"method\":\"/myservice.MyService/GetResource\",\"correlation_id\":\"abc-123\",\
             \"duration_ms\":15.5,\"status\":\"OK\",\"timestamp\":\"2026-11-21T21:06:39.042Z\",\
             \"level\":\"INFO\",\"side\":\"server\"}\n"
        );
    }

    #[test]
    fn a_line_with_all_that_there_can_be() {
        let mut allowed = Allowed::default();
        for name in ["x-tenant", "X-Absent", "x-region", "x-tenant"] {
            allowed.allow(name).unwrap();
        }
        let mut metadata = MetadataMap::new();
        metadata.insert("x-tenant", "a \"b\"".parse().unwrap());
        metadata.insert("x-region", "eu".parse().unwrap());
        metadata.insert("x-other", "not allowed".parse().unwrap());
        let peer = Peer::Tcp("10.0.0.7:41234".parse().unwrap());
        let facts = Facts {
            code: Code::ResourceExhausted,
            level: Level::Warn,
            trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
            peer: Some(&peer),
            deadline: Some(Duration::from_micros(1_999_700)),
            path: Some("/a/\"b\""),
            refusal: Some(Refusal::RateLimited),
            metadata: Some((&allowed, &metadata)),
            ..facts()
        };
        let subject = Subject::new(Side::Client, &METHOD, Some(Arc::from("http://items:50051")));
        let line = written(|line| subject.completed(line, &facts, now()));
        assert_eq!(
            line,
            "{\"event\":\"grpc_request_completed\",\
             \"method\":\"/myservice.MyService/GetResource\",\"correlation_id\":\"abc-123\",\
             \"duration_ms\":15.5,\"status\":\"RESOURCE_EXHAUSTED\",\
             \"timestamp\":\"2026-11-21T21:06:39.042Z\",\"level\":\"WARN\",\"side\":\"client\",\
             \"target\":\"http://items:50051\",\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\
             \"peer\":\"10.0.0.7:41234\",\"deadline_ms\":2000,\"path\":\"/a/\\\"b\\\"\",\
             \"refusal\":\"RATE_LIMITED\",\"metadata\":{\"x-tenant\":\"a \\\"b\\\"\",\
             \"x-region\":\"eu\"}}\n"
        );
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok());
    }

    #[test]
    fn a_refused_request_has_its_path_and_no_id() {
        let facts = Facts {
            correlation_id: None,
            ..facts()
        };
        let path = "/x\"".repeat(200);
        let line = written(|line| refused(line, &path, &facts, now()));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&read["event"], &read["side"]),
            (&REFUSED.into(), &"server".into())
        );
        assert_eq!(read["method"], path[..json::MAX_TEXT]);
        assert!(read["correlation_id"].is_null());
    }
}
