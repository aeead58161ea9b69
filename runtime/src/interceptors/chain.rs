//! [`MethodChain`]: the interceptors of a server or a client, prepared for one method.

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use super::interceptor::{Answer, AnyInterceptor, CallEnd, InterceptedCall, Next};
use super::meeting::Meeting;
use super::trail::Trail;
#[cfg(feature = "client")]
use crate::client::ClientView;
use crate::errors::ErrorPolicy;
use crate::observe::{Event, Observer, Observers, Side};
#[cfg(feature = "server")]
use crate::server::RateKey;
use crate::wire::compression::Encodings;
use crate::{Context, Method, Status};

/// What is set beside the steps, shared by all calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain {
    pub(crate) observers: Observers,
    pub(crate) errors: ErrorPolicy,
    pub(crate) encodings: Encodings,
    #[cfg(feature = "server")]
    pub(crate) rate_key: Option<RateKey>,
}

/// What stands around the calls of one method: made once, so that a call looks nothing up.
pub(crate) struct MethodChain {
    shared: Arc<Chain>,
    steps: Box<[Step]>,
}

/// What a chain is made of, before it is known for which method.
#[derive(Clone)]
pub(super) enum Part {
    Standard(Arc<dyn Standard>),
    User(Arc<dyn AnyInterceptor>),
}

/// Which one of this crate's interceptors it is, in the order of the specification: errors are mapped
/// outside of all of them, where they leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    #[cfg(feature = "prometheus")]
    Metrics,
    #[cfg(feature = "otel")]
    Tracing,
    Logging,
    #[cfg(feature = "auth")]
    Auth,
}

impl Place {
    /// Whether it keeps callers out: another one must not take its place.
    pub(super) fn is_guard(self) -> bool {
        match self {
            #[cfg(feature = "auth")]
            Self::Auth => true,
            _ => false,
        }
    }
}

/// One of the interceptors of this crate.
pub(crate) trait Standard: Send + Sync {
    /// Which one it is.
    fn place(&self) -> Place;

    /// What it is for the calls of a method; `None` if it has nothing to do with them.
    ///
    /// # Errors
    ///
    /// Why such calls can't be served, or made; completes a sentence about the method.
    fn of(&self, side: Side, method: &'static Method) -> Result<Option<Step>, String>;

    /// Who hears for it of what is no call: refusals, connections, breakers, endpoints.
    fn observer(&self) -> Option<Arc<dyn Observer>> {
        None
    }

    /// Where it counts or writes to: what has the same one twice in a chain would count or write twice.
    /// `None` if there is no such thing.
    fn sink(&self) -> Option<*const ()> {
        None
    }

    /// A client has been made that it stands around the calls of.
    #[cfg(feature = "client")]
    fn opened(&self, client: &ClientView) {
        let _ = client;
    }

    /// What it counts, where it counts at all.
    #[cfg(all(feature = "admin", feature = "prometheus"))]
    fn metrics(&self) -> Option<super::Metrics> {
        None
    }

    /// The same at a client of this target.
    ///
    /// # Errors
    ///
    /// Those of [`of`](Self::of).
    fn at_client(
        &self,
        target: &Arc<str>,
        method: &'static Method,
    ) -> Result<Option<Step>, String> {
        let _ = target;
        self.of(Side::Client, method)
    }

    /// Whether it asks callers who they are.
    fn authenticates(&self) -> bool {
        false
    }

    /// Why it makes no sense at a client, if it doesn't.
    #[cfg(feature = "client")]
    fn only_for_servers(&self) -> Option<&'static str> {
        None
    }
}

/// One interceptor, for the calls of one method.
pub(crate) enum Step {
    /// Sees calls come in and end. It doesn't wait, so it costs a call no future.
    Watch(Box<dyn Watch>),
    /// Lets a call in, or doesn't.
    #[cfg(feature = "auth")]
    Gate(Box<dyn Gate>),
    User(Arc<dyn AnyInterceptor>),
}

/// Sees the calls of a method come in and end.
pub(crate) trait Watch: Send + Sync {
    /// A call has come this far.
    fn enter(&self, context: &Context, trail: &Trail);

    /// Such a call is over.
    fn leave(&self, end: &CallEnd<'_>);

    /// A client's call is over that came to no step at all: no time was left for it, it can't be sent, or
    /// it was dropped before that.
    fn miss(&self, end: &CallEnd<'_>) {
        self.enter(end.context, end.trail);
        self.leave(end);
    }

    /// An attempt to carry a client's call has ended.
    fn hear(&self, event: &Event<'_>) {
        let _ = event;
    }
}

/// Lets the calls of a method in, or doesn't.
#[cfg(feature = "auth")]
pub(crate) trait Gate: Send + Sync {
    fn check(&self, context: &Context) -> Checked;
}

/// What a gate says.
#[cfg(feature = "auth")]
pub(crate) enum Checked {
    Passed,
    Refused(Status),
    /// It can't be said at once.
    Waits(Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>),
}

/// How far a call has come without waiting.
pub(crate) enum Came {
    /// Through all.
    Through,
    #[cfg(feature = "auth")]
    Refused(Status),
    /// To this step, which has to be waited for.
    To(usize),
}

impl MethodChain {
    pub(super) fn new(shared: Arc<Chain>, steps: Vec<Step>) -> Self {
        Self {
            shared,
            steps: steps.into(),
        }
    }

    /// Whether it does anything beside what calls ask it for.
    pub(crate) fn has_steps(&self) -> bool {
        !self.steps.is_empty()
    }

    /// Whether anybody hears of calls.
    pub(crate) fn is_heard(&self) -> bool {
        self.has_steps() || !self.observers.is_empty()
    }

    /// Takes a call as far as it comes without waiting.
    pub(crate) fn enter(&self, context: &Context, trail: &Trail) -> Came {
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Watch(watch) => {
                    trail.enter(at);
                    watch.enter(context, trail);
                }
                #[cfg(feature = "auth")]
                Step::Gate(gate) => match gate.check(context) {
                    Checked::Passed => {}
                    Checked::Refused(status) => return Came::Refused(status),
                    Checked::Waits(_) => return Came::To(at),
                },
                Step::User(_) => return Came::To(at),
            }
        }
        Came::Through
    }

    /// Takes a call through the steps from `at` on, to the meeting.
    pub(super) fn pass<'a>(
        &'a self,
        at: usize,
        call: InterceptedCall,
        meeting: &'a Meeting,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Status>> + Send + 'a>> {
        Box::pin(async move {
            for (at, step) in self.steps.iter().enumerate().skip(at) {
                match step {
                    Step::Watch(watch) => {
                        call.trail().enter(at);
                        watch.enter(call.context(), call.trail());
                    }
                    #[cfg(feature = "auth")]
                    Step::Gate(gate) => match gate.check(call.context()) {
                        Checked::Passed => {}
                        Checked::Refused(status) => return Err(status),
                        Checked::Waits(answer) => answer.await?,
                    },
                    Step::User(interceptor) => {
                        call.trail().enter(at);
                        let next = Next {
                            chain: self,
                            at: at + 1,
                            meeting,
                        };
                        return interceptor.intercept_boxed(call, next).await;
                    }
                }
            }
            meeting.carry(call).await
        })
    }

    /// An attempt to carry a client's call has ended.
    pub(crate) fn hear(&self, event: &Event<'_>) {
        for watch in self.watches() {
            watch.hear(event);
        }
    }

    /// A client's call is over. One that came to no step is heard of all the same, by all that count and
    /// tell of calls.
    pub(crate) fn leave_client(&self, end: &CallEnd<'_>) {
        match end.trail.entered() {
            0 => self.watches().for_each(|watch| watch.miss(end)),
            _ => self.leave(end),
        }
    }

    fn watches(&self) -> impl Iterator<Item = &dyn Watch> {
        self.steps.iter().filter_map(|step| match step {
            Step::Watch(watch) => Some(&**watch),
            _ => None,
        })
    }

    /// A call is over: whoever saw it come in hears of it, the innermost first.
    pub(crate) fn leave(&self, end: &CallEnd<'_>) {
        let entered = end.trail.entered();
        for step in self.steps.iter().take(entered).rev() {
            match step {
                Step::Watch(watch) => watch.leave(end),
                Step::User(interceptor) => interceptor.hear_end(end),
                #[cfg(feature = "auth")]
                Step::Gate(_) => {}
            }
        }
    }
}

impl Deref for MethodChain {
    type Target = Chain;

    fn deref(&self) -> &Chain {
        &self.shared
    }
}

impl fmt::Debug for MethodChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} interceptors", self.steps.len())
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(standard) => standard.place().fmt(f),
            Self::User(_) => f.write_str("User"),
        }
    }
}

impl Part {
    #[cfg(feature = "client")]
    pub(super) fn only_for_servers(&self) -> Option<&'static str> {
        match self {
            Self::Standard(standard) => standard.only_for_servers(),
            Self::User(_) => None,
        }
    }

    /// Which of this crate's own it is; `None` for a user's.
    pub(super) fn place(&self) -> Option<Place> {
        self.standard().map(Standard::place)
    }

    pub(super) fn standard(&self) -> Option<&dyn Standard> {
        match self {
            Self::Standard(standard) => Some(&**standard),
            Self::User(_) => None,
        }
    }

    pub(super) fn step_at_client(
        &self,
        target: &Arc<str>,
        method: &'static Method,
    ) -> Result<Option<Step>, String> {
        match self {
            Self::Standard(standard) => standard.at_client(target, method),
            Self::User(_) => self.step(Side::Client, method),
        }
    }

    pub(super) fn authenticates(&self) -> bool {
        match self {
            Self::Standard(standard) => standard.authenticates(),
            Self::User(_) => false,
        }
    }

    pub(super) fn step(&self, side: Side, method: &'static Method) -> Result<Option<Step>, String> {
        match self {
            Self::Standard(standard) => standard.of(side, method),
            Self::User(interceptor) => Ok(Some(Step::User(Arc::clone(interceptor)))),
        }
    }
}
