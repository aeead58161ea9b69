//! What nobody outside of the process may know: it goes to the log, and its id to the caller.

use std::any::Any;
use std::error::Error;
use std::fmt;

use super::leaving::Leaving;
use crate::{Code, Context, Status};

/// Causes in a log line: a chain can be a circle.
const MAX_CAUSES: usize = 16;

/// A random id: 32 hexadecimal digits.
pub(super) fn new_id() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// Logs an error whose caller is only told this id.
#[cold]
pub(super) fn log(
    reason: &str,
    code: Code,
    error: &dyn fmt::Display,
    source: Option<&(dyn Error + 'static)>,
    call: &Context,
) -> String {
    let error_id = new_id();
    tracing::error!(
        error_id,
        method = call.method().map(crate::Method::path),
        correlation_id = call.correlation_id(),
        trace_id = call.trace_id(),
        reason,
        code = super::name(code),
        %error,
        causes = source.map(|_| tracing::field::display(Causes(source))),
        "a call failed, and its caller is told the error's id alone"
    );
    error_id
}

/// What the caller of a redacted error is told.
pub(super) fn message(error_id: &str) -> String {
    format!("the call failed; the server's log has why, under the error id {error_id}")
}

/// Something of the server's own is wrong, and `what` it is goes to the log.
#[cold]
pub(crate) fn internal(what: &dyn fmt::Display, call: &Context) -> Status {
    let mut leaving = Leaving::unnamed(Code::Internal);
    leaving.redact(what, None, call);
    leaving.status(call, None)
}

/// A servicer has panicked. What it said goes to the log: it can hold anything.
#[cold]
pub(crate) fn panicked(payload: &(dyn Any + Send), call: &Context) -> Status {
    let said = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(a payload that is no text)");
    internal(&format_args!("the servicer panicked: {said}"), call)
}

/// An error and what caused it, each cause after a colon.
pub(super) struct Causes<'a>(pub(super) Option<&'a (dyn Error + 'static)>);

impl<'a> Causes<'a> {
    /// Each of them by itself.
    pub(super) fn each(&self) -> Vec<String> {
        let next = |&error: &&'a (dyn Error + 'static)| error.source();
        std::iter::successors(self.0, next)
            .take(MAX_CAUSES)
            .map(text)
            .collect()
    }
}

/// tonic's status would show its metadata, and that can hold secrets.
fn text(error: &(dyn Error + 'static)) -> String {
    match error.downcast_ref::<Status>() {
        Some(status) => format!("{:?}: {}", status.code(), status.message()),
        None => error.to_string(),
    }
}

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.each().join(": "))
    }
}
