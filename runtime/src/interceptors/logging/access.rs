//! [`Access`]: what Logging does when a call comes in and when it is over.

use std::time::Duration;

use super::allowed::Allowed;
use super::level::Level;
use super::line::{Facts, Id, Subject};
use super::{Output, event};
use crate::Context;
use crate::clock;
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
        context.correlate(trail.correlation());
    }

    fn leave(&self, end: &CallEnd<'_>) {
        let level = Level::of(end.code);
        if level < self.least {
            return;
        }
        let (context, trail) = (end.context, end.trail);
        let correlation = trail.correlation();
        let made = correlation.made();
        let span = end.own_trace();
        let facts = Facts {
            correlation_id: match &made {
                Some(made) => Some(Id(&made.0)),
                None => correlation
                    .own()
                    .or_else(|| context.correlation_id())
                    .map(Id::from),
            },
            took: end.elapsed,
            code: end.code,
            level,
            trace_id: match &span {
                Some(span) => Some(Id(&span.0)),
                None => context.trace_id().map(Id::from),
            },
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
                writer.write(|line| self.subject.completed(line, &facts, clock::wall(end.ended)));
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
    Some(from_end.saturating_duration_since(end.ended))
}
