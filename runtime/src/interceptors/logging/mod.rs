//! [`Logging`]: one line for each call.
//!
//! A line is composed by hand into a buffer that its thread keeps, copied into a bounded queue, and
//! written by a thread that does nothing else: a call waits for no sink ([`queue`], [`writer`]).

mod access;
mod allowed;
mod clock;
mod correlation;
mod event;
mod json;
mod level;
mod line;
mod queue;
mod writer;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use self::access::Access;
use self::allowed::Allowed;
#[cfg(feature = "admin")]
pub(crate) use self::clock::timestamp;
pub(crate) use self::correlation::{CORRELATION_ID, Correlation};
use self::level::Level;
use self::line::{Facts, Id, Subject};
use self::writer::Writer;
use super::chain::{Place, Standard, Step};
use crate::observe::{Event, Observer, Side};
use crate::{Context, MetadataError, Method};

/// Stands for `tracing`'s subscriber, of which there is one.
static SUBSCRIBER: u8 = 0;

/// Services whose calls that went well have no line: probes are many, and say nothing.
const HEALTH: &str = "grpc.health.v1.Health";

/// A line of JSON for each call, written when it is over: its body has ended, or was dropped. For
/// servers and clients, added by [`Interceptors::with_logging`](crate::Interceptors::with_logging).
///
/// ```json
/// {"event":"grpc_request_completed","method":"/myservice.MyService/GetResource","correlation_id":"abc-123","duration_ms":15.5,"status":"OK","timestamp":"2026-11-21T21:06:39.042Z","level":"INFO","side":"server","peer":"10.0.0.7:41234","deadline_ms":2000}
/// ```
///
/// | field | what it is |
/// |---|---|
/// | `event` | `grpc_request_completed`; `grpc_request_refused` of a request that a server refused before it came to be a call; `grpc_log_lines_lost` where lines are missing, `lines` of them |
/// | `method` | the path; of calls to methods that no service has `/_OTHER/_OTHER`, and theirs is `path` |
/// | `correlation_id` | what ties together all calls that one request causes, see below |
/// | `duration_ms` | from the call's start to its end, in milliseconds |
/// | `status` | the code that it ended with; `CANCELLED` if it was dropped before its end |
/// | `timestamp` | when it ended: RFC 3339, UTC |
/// | `level` | see below |
/// | `side` | `server` or `client` |
/// | `target` | whom a client calls |
/// | `trace_id` | the trace that it belongs to, if there is one |
/// | `peer` | the address of whoever calls a server |
/// | `deadline_ms` | how long it had at its start, if it had a deadline |
/// | `refusal` | why a server refused it: [`Refusal::as_str`](crate::Refusal::as_str) |
/// | `metadata` | what is [allowed](Self::with_metadata) of the request's |
///
/// Nothing else is ever written: no messages, no tokens, no cookies, no metadata that isn't allowed, and
/// no words of errors, which the error itself says in the process's log, under its id.
///
/// `ERROR` is what is broken: `UNKNOWN`, `INTERNAL`, `DATA_LOSS`. `WARN` is worth a look where there are
/// many: `UNAUTHENTICATED`, `PERMISSION_DENIED`, `RESOURCE_EXHAUSTED`, `DEADLINE_EXCEEDED`,
/// `UNAVAILABLE`, `UNIMPLEMENTED`, and refused requests. All else is `INFO`.
///
/// # Correlation ids
///
/// At a server, a call that brings no valid one (see [`Context::correlation_id`]) gets one: 32
/// hexadecimal digits. Servicers have it in their context, and the calls that they make pass it on. Callers
/// have it in `x-correlation-id`: who has sent one finds in the answer's headers which one counts; who has
/// sent none finds ours in the trailers of a call that has failed, to ask for it in the log. At a client, a
/// call whose context has none gets one too, and is sent with it.
///
/// # Where lines go
///
/// To a thread of their own, by a queue of [4 MiB](Self::buffer_size). A sink that is slow or takes
/// nothing holds no call up: lines that find no room are lost, [counted](Self::dropped), and a line says
/// how many they were. Lines reach the sink after a hundredth of a second at most, unless it is slow.
/// When the last clone and all that it was given to are gone, what is left is written, for a second at
/// most; a process that exits otherwise calls [`flush`](Self::flush).
#[derive(Clone, Debug)]
pub struct Logging {
    output: Output,
    allowed: Allowed,
    with_health: bool,
    failures_only: bool,
}

#[derive(Clone, Debug)]
enum Output {
    Json(Arc<Writer>),
    Tracing,
}

impl Logging {
    /// Lines to the process's standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::to(io::stdout())
    }

    /// Lines to the process's standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self::to(io::stderr())
    }

    /// Lines to the end of this file, which is made if there is none.
    ///
    /// It stays open: tools that rotate logs have to copy and truncate it.
    ///
    /// # Errors
    ///
    /// When it can't be opened; says which file that is.
    pub fn file(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let file = OpenOptions::new().append(true).create(true).open(path);
        let named = |error: io::Error| {
            let problem = format!("the log `{}` can't be opened: {error}", path.display());
            io::Error::new(error.kind(), problem)
        };
        Ok(Self::to(file.map_err(named)?))
    }

    /// Lines to `sink`: whole ones, many at once where calls are many, and flushed. It is written to by
    /// a thread of its own and may block.
    #[must_use]
    pub fn to(sink: impl Write + Send + 'static) -> Self {
        Self::new(Output::Json(Arc::new(Writer::new(sink))))
    }

    /// No lines: an event of `tracing` for each call, with the same fields and the target
    /// `apibase::access`, for processes that have a subscriber already.
    ///
    /// The subscriber is called when the call ends, on its thread, and is as fast as it is.
    #[must_use]
    pub fn tracing() -> Self {
        Self::new(Output::Tracing)
    }

    fn new(output: Output) -> Self {
        Self {
            output,
            allowed: Allowed::default(),
            with_health: false,
            failures_only: false,
        }
    }

    /// The same, with the first value of this metadata of the requests that a server takes, if they have
    /// it; the first 256 bytes of it. Default: none.
    ///
    /// # Errors
    ///
    /// When it is nothing for a log: binary metadata (`…-bin`), and names that have `authorization`,
    /// `cookie`, `token`, `secret`, `password`, `credential`, `api-key`, `jwt` or `signature` in them.
    pub fn with_metadata(mut self, name: &str) -> Result<Self, MetadataError> {
        self.allowed.allow(name)?;
        Ok(self)
    }

    /// The same, with lines for all calls of `grpc.health.v1.Health`. Default: only for those that are
    /// `WARN` or `ERROR`, since probes are many and say nothing.
    #[must_use]
    pub fn with_health_checks(mut self) -> Self {
        self.with_health = true;
        self
    }

    /// The same, with lines only for calls that are `WARN` or `ERROR`. Default: for all. Correlation ids
    /// are as without.
    #[must_use]
    pub fn failures_only(mut self) -> Self {
        self.failures_only = true;
        self
    }

    /// The same, where this many bytes of lines wait for the sink at most; one line has 300 to 800.
    /// Default: 4 MiB, which 100,000 calls a second fill in a tenth of one. It holds for all clones.
    #[must_use]
    pub fn buffer_size(self, bytes: usize) -> Self {
        if let Output::Json(writer) = &self.output {
            writer.queue().set_capacity(bytes);
        }
        self
    }

    /// How many lines were lost until now, as they found no room or the sink failed.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        match &self.output {
            Output::Json(writer) => writer.queue().lost(),
            Output::Tracing => 0,
        }
    }

    /// Waits until all lines are written that are there now, no longer than `timeout`; whether they
    /// are. It blocks its thread: in `async` code, call it where that does no harm, after the server has
    /// stopped for example.
    pub fn flush(&self, timeout: Duration) -> bool {
        match &self.output {
            Output::Json(writer) => writer.queue().flush(timeout),
            Output::Tracing => true,
        }
    }

    fn step(&self, side: Side, method: &'static Method, target: Option<Arc<str>>) -> Step {
        let is_quiet = method.service() == HEALTH && !self.with_health;
        Step::Watch(Box::new(Access {
            subject: Subject::new(side, method, target),
            output: self.output.clone(),
            // What a client's context has is what came in.
            allowed: match side {
                Side::Server if !self.allowed.is_empty() => Some(self.allowed.clone()),
                _ => None,
            },
            least: if is_quiet || self.failures_only {
                Level::Warn
            } else {
                Level::Info
            },
        }))
    }
}

impl Default for Logging {
    /// Lines to the process's standard output.
    fn default() -> Self {
        Self::stdout()
    }
}

impl Standard for Logging {
    fn place(&self) -> Place {
        Place::Logging
    }

    fn of(&self, side: Side, method: &'static Method) -> Result<Option<Step>, String> {
        if let Output::Json(writer) = &self.output
            && let Some(problem) = writer.problem()
        {
            return Err(format!(
                "has no log, since there is no thread to write it: {problem}"
            ));
        }
        Ok(Some(self.step(side, method, None)))
    }

    fn sink(&self) -> Option<*const ()> {
        Some(match &self.output {
            Output::Json(writer) => Arc::as_ptr(writer).cast(),
            Output::Tracing => (&raw const SUBSCRIBER).cast(),
        })
    }

    fn at_client(
        &self,
        target: &Arc<str>,
        method: &'static Method,
    ) -> Result<Option<Step>, String> {
        // Where there is no thread, lines are lost and counted: a client makes its calls all the same.
        Ok(Some(self.step(
            Side::Client,
            method,
            Some(Arc::clone(target)),
        )))
    }

    fn observer(&self) -> Option<Arc<dyn Observer>> {
        Some(Arc::new(Refusals(self.output.clone())))
    }
}

/// Logs what a server has refused before it came to the chain.
struct Refusals(Output);

impl Observer for Refusals {
    fn observe(&self, event: &Event<'_>) {
        let &Event::Refused {
            path,
            reason,
            code,
            peer,
            context,
            started: false,
        } = event
        else {
            return;
        };
        let facts = Facts {
            correlation_id: context.and_then(Context::correlation_id).map(Id::from),
            took: Duration::ZERO,
            code,
            level: Level::Warn,
            trace_id: context.and_then(Context::trace_id).map(Id::from),
            peer,
            deadline: None,
            path: None,
            refusal: Some(reason),
            metadata: None,
        };
        match &self.0 {
            Output::Json(writer) => {
                writer.write(|line| line::refused(line, path, &facts, SystemTime::now()));
            }
            Output::Tracing => event::refused(path, &facts),
        }
    }
}
