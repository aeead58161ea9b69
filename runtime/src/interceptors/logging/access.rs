//! [`Access`]: what Logging does when a call comes in and when it is over.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::allowed::Allowed;
use super::correlation::{Correlation, NewId};
use super::level::Level;
use super::line::{Facts, Subject};
use super::{Output, event};
use crate::Context;
use crate::interceptors::chain::Watch;
use crate::interceptors::{CallEnd, Trail};
use crate::observe::Side;

/// Logs the calls of one method.
pub(super) struct Access {
    pub(super) subject: Subject,
    pub(super) output: Output,
    /// None where there is none.
    pub(super) allowed: Option<Allowed>,
    /// The least level that is worth a line.
    pub(super) least: Level,
}

impl Watch for Access {
    fn enter(&self, context: &Context, trail: &Trail) {
        trail.correlate(|| match context.correlation_id() {
            Some(_) => Correlation::OfContext,
            None => Correlation::New(NewId::random()),
        });
    }

    fn leave(&self, end: &CallEnd<'_>) {
        let level = Level::of(end.code);
        if level < self.least {
            return;
        }
        let (context, trail) = (end.context, end.trail);
        let facts = Facts {
            correlation_id: trail.correlation_id().or_else(|| context.correlation_id()),
            took: end.elapsed,
            code: end.code,
            level,
            trace_id: end.trace_id(),
            // At a client, that is who calls the servicer which makes the call.
            peer: context.peer().filter(|_| end.side == Side::Server),
            deadline: deadline(end),
            path: trail.path(),
            refusal: trail.refusal(),
            metadata: self
                .allowed
                .as_ref()
                .map(|allowed| (allowed, context.metadata())),
        };
        match &self.output {
            Output::Json(writer) => {
                writer.write(|line| self.subject.completed(line, &facts, SystemTime::now()));
            }
            Output::Tracing => event::completed(&self.subject, &facts),
        }
    }
}

/// What a call had from its start to its deadline.
fn deadline(end: &CallEnd<'_>) -> Option<Duration> {
    let deadline = end.context.deadline()?;
    // Far deadlines are as good as none.
    let from_end = deadline.checked_add(end.elapsed)?;
    Some(from_end.saturating_duration_since(Instant::now()))
}
