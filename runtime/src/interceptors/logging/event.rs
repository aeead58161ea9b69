//! A call as an event of `tracing`, for who has a subscriber already.

use super::level::Level;
use super::line::{COMPLETED, Facts, Id, REFUSED, Subject, side_of, whole_milliseconds};
use crate::context::Peer;
use crate::errors;
use crate::observe::Side;

/// Tells the subscriber of a call that is over.
pub(super) fn completed(subject: &Subject, facts: &Facts<'_>) {
    let target = subject.target.as_deref();
    emit(
        COMPLETED,
        subject.method.path(),
        subject.side,
        target,
        facts,
    );
}

/// Tells it of a request to this path that never came to be a call.
pub(super) fn refused(path: &str, facts: &Facts<'_>) {
    emit(REFUSED, path, Side::Server, None, facts);
}

fn emit(event: &str, method: &str, side: Side, upstream: Option<&str>, facts: &Facts<'_>) {
    macro_rules! emit {
        ($level:ident) => {
            tracing::$level!(
                target: "apibase::access",
                event,
                method,
                correlation_id = facts.correlation_id.map(Id::as_str),
                duration_ms = facts.took.as_micros() as f64 / 1000.0,
                status = errors::name(facts.code),
                side = side_of(side),
                target = upstream,
                trace_id = facts.trace_id.map(Id::as_str),
                peer = facts.peer.map(peer).as_deref(),
                deadline_ms = facts.deadline.map(whole_milliseconds),
                path = facts.path,
                refusal = facts.refusal.map(crate::Refusal::as_str),
                metadata = metadata(facts).as_deref(),
            )
        };
    }
    // The level of an event is fixed where it stands.
    match facts.level {
        Level::Info => emit!(info),
        Level::Warn => emit!(warn),
        Level::Error => emit!(error),
    }
}

fn peer(peer: &Peer) -> String {
    match peer {
        Peer::Tcp(address) => address.to_string(),
        Peer::Unix => "unix".to_owned(),
    }
}

/// Fields are fixed where they stand, too, so this is one, in JSON.
fn metadata(facts: &Facts<'_>) -> Option<String> {
    let (allowed, metadata) = facts.metadata?;
    let mut object = Vec::new();
    allowed.write(&mut object, b"{", metadata);
    let object = String::from_utf8(object).ok()?;
    (!object.is_empty()).then_some(object)
}
