//! [`FakeMethod`]: a method of a generated fake, which answers as a test says.

mod calls;
mod kinds;
mod plan;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::calls::FakeCall;
use self::calls::Recorded;
pub use self::kinds::{FakeReplies, FakeRequests, Many, One};
use self::plan::{Plan, Script};
use super::in_process::undeclared;
use crate::errors::ServiceError;
use crate::{Code, Context, DomainError, Inbound, Method, Status, Streamed};

/// A fake's method with one request and one reply.
pub type FakeUnary<Q, R, E> = FakeMethod<One<Q>, One<R>, E>;

/// A fake's method with one request and a stream of replies.
pub type FakeServerStream<Q, R, E> = FakeMethod<One<Q>, Many<R>, E>;

/// A fake's method with a stream of requests and one reply.
pub type FakeClientStream<Q, R, E> = FakeMethod<Many<Q>, One<R>, E>;

/// A fake's method with streams both ways.
pub type FakeBidi<Q, R, E> = FakeMethod<Many<Q>, Many<R>, E>;

/// A method of a generated fake (`emit=fakes`): it answers as a test says, and remembers what it was
/// asked. Clones are the same.
///
/// What is said to be answered [once](Self::fails_once) is answered first, in the order in which it was
/// said; then what was said last to be answered always. A call that nothing was said of is
/// UNIMPLEMENTED, and says so.
///
/// ```ignore
/// let items = FakeItemService::new();
/// items.get_item().fails_once(ItemError::ItemNotFound { item_id }).returns(item);
/// let client = ItemServiceClient::in_process(items.clone());
/// // …
/// assert_eq!(items.get_item().calls()[0].request().id, "7");
/// ```
pub struct FakeMethod<Q, R, E>
where
    Q: FakeRequests,
    R: FakeReplies<E>,
{
    shared: Arc<Shared<Q, R, E>>,
}

struct Shared<Q: FakeRequests, R: FakeReplies<E>, E> {
    method: &'static Method,
    state: Mutex<State<Q, R, E>>,
}

struct State<Q: FakeRequests, R: FakeReplies<E>, E> {
    once: VecDeque<Plan<Q, R, E>>,
    always: Option<Script<Q, R, E>>,
    recorded: Recorded<Q>,
}

impl<Q, R, E> FakeMethod<Q, R, E>
where
    Q: FakeRequests,
    R: FakeReplies<E>,
    E: ServiceError,
{
    /// Nothing is said yet. Generated.
    #[must_use]
    pub fn new(method: &'static Method) -> Self {
        let state = State {
            once: VecDeque::new(),
            always: None,
            recorded: Recorded::new(),
        };
        Self {
            shared: Arc::new(Shared {
                method,
                state: Mutex::new(state),
            }),
        }
    }

    /// Every call fails with this, before its requests are read.
    ///
    /// # Panics
    ///
    /// When the method doesn't declare this error of its service.
    pub fn fails(&self, error: impl Into<E>) -> &Self
    where
        E: Clone,
    {
        let error = self.declared(error.into());
        self.always(Box::new(move || Plan::Fail(error.clone())))
    }

    /// The next call that nothing else was said of fails with this, before its requests are read.
    ///
    /// # Panics
    ///
    /// When the method doesn't declare this error of its service.
    pub fn fails_once(&self, error: impl Into<E>) -> &Self {
        let error = self.declared(error.into());
        self.once(Plan::Fail(error))
    }

    /// Every call is answered by this.
    ///
    /// It is given the one request, shared with what is [remembered](Self::calls), or the stream of
    /// them, of which nothing is remembered then. An error that the method doesn't declare fails the
    /// test where the call is made, over [`InProcess`](super::InProcess).
    pub fn with<F>(&self, answer: impl Fn(Context, Q::Given) -> F + Send + Sync + 'static) -> &Self
    where
        F: Future<Output = Result<R::Given, E>> + Send + 'static,
    {
        let answer = Arc::new(answer);
        self.always(Box::new(move || {
            let answer = Arc::clone(&answer);
            Plan::With(Box::new(move |ctx, asked| Box::pin(answer(ctx, asked))))
        }))
    }

    /// The next call that nothing else was said of is answered by this; else as [`with`](Self::with).
    pub fn with_once<F>(
        &self,
        answer: impl FnOnce(Context, Q::Given) -> F + Send + 'static,
    ) -> &Self
    where
        F: Future<Output = Result<R::Given, E>> + Send + 'static,
    {
        self.once(Plan::With(Box::new(move |ctx, asked| {
            Box::pin(answer(ctx, asked))
        })))
    }

    /// The calls in the order in which they came, the last 1,024 of them.
    #[must_use]
    pub fn calls(&self) -> Vec<FakeCall<Q>> {
        self.state().recorded.calls()
    }

    /// How many calls there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.state().recorded.count()
    }

    /// How much of what was said to be answered once has not been.
    #[must_use]
    pub fn unused(&self) -> usize {
        self.state().once.len()
    }

    fn always(&self, script: Script<Q, R, E>) -> &Self {
        self.state().always = Some(script);
        self
    }

    fn once(&self, plan: Plan<Q, R, E>) -> &Self {
        self.state().once.push_back(plan);
        self
    }

    /// Remembers a call, and says how it is answered.
    fn begin(&self, ctx: &Context, kept: Q::Kept) -> Result<Plan<Q, R, E>, E> {
        let mut state = self.state();
        state.recorded.push(ctx.clone(), kept);
        let once = state.once.pop_front();
        let plan = once.or_else(|| state.always.as_ref().map(|always| always()));
        plan.ok_or_else(|| self.unscripted())
    }

    fn unscripted(&self) -> E {
        let message = format!(
            "nothing says what the fake of `{}` answers: tell it with `returns`, `fails` or `with`",
            self.shared.method
        );
        let status = Status::new(Code::Unimplemented, message);
        E::from(DomainError::from(status))
    }

    /// The error, if the method may fail with it.
    #[allow(clippy::panic, reason = "a test fails by panicking")]
    fn declared(&self, error: E) -> E {
        let method = self.shared.method;
        let declared = method.declared_errors();
        let is_own = error.parts().into_domain().is_none();
        if let Some(row) = error.row()
            && is_own
            && !declared.is_empty()
            && !declared.contains(&row.reason)
        {
            panic!("{}", undeclared(method, row.reason));
        }
        error
    }

    fn state(&self) -> MutexGuard<'_, State<Q, R, E>> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q, T, E> FakeMethod<Q, One<T>, E>
where
    Q: FakeRequests,
    T: Send + 'static,
    E: ServiceError,
{
    /// Every call is answered with this, once all its requests are read.
    pub fn returns(&self, reply: T) -> &Self
    where
        T: Clone + Sync,
    {
        self.always(Box::new(move || Plan::Return(reply.clone())))
    }

    /// The next call that nothing else was said of is answered with this, once all its requests are
    /// read.
    pub fn returns_once(&self, reply: T) -> &Self {
        self.once(Plan::Return(reply))
    }
}

impl<Q, T, E> FakeMethod<Q, Many<T>, E>
where
    Q: FakeRequests,
    T: Send + 'static,
    E: ServiceError,
{
    /// Every call is answered with these, once all its requests are read, and ends well.
    pub fn returns(&self, replies: impl IntoIterator<Item = T>) -> &Self
    where
        T: Clone + Sync,
    {
        let replies: Vec<T> = replies.into_iter().collect();
        self.always(Box::new(move || {
            Plan::Return(stream(replies.clone(), None))
        }))
    }

    /// The next call that nothing else was said of is answered with these, once all its requests are
    /// read, and ends well.
    pub fn returns_once(&self, replies: impl IntoIterator<Item = T>) -> &Self {
        let replies = replies.into_iter().collect();
        self.once(Plan::Return(stream(replies, None)))
    }

    /// Every call is answered with these, once all its requests are read, and then fails.
    ///
    /// # Panics
    ///
    /// When the method doesn't declare this error of its service.
    pub fn fails_after(&self, replies: impl IntoIterator<Item = T>, error: impl Into<E>) -> &Self
    where
        T: Clone + Sync,
        E: Clone,
    {
        let replies: Vec<T> = replies.into_iter().collect();
        let error = self.declared(error.into());
        self.always(Box::new(move || {
            Plan::Return(stream(replies.clone(), Some(error.clone())))
        }))
    }

    /// The next call that nothing else was said of is answered with these, once all its requests are
    /// read, and then fails.
    ///
    /// # Panics
    ///
    /// When the method doesn't declare this error of its service.
    pub fn fails_after_once(
        &self,
        replies: impl IntoIterator<Item = T>,
        error: impl Into<E>,
    ) -> &Self {
        let error = self.declared(error.into());
        let replies = replies.into_iter().collect();
        self.once(Plan::Return(stream(replies, Some(error))))
    }
}

fn stream<T, E>(replies: Vec<T>, error: Option<E>) -> Streamed<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let replies = replies.into_iter().map(Ok);
    Streamed::from_iter(replies.chain(error.map(Err)))
}

impl<T, R, E> FakeMethod<One<T>, R, E>
where
    T: Send + Sync + 'static,
    R: FakeReplies<E>,
    E: ServiceError,
{
    /// Answers a call. Generated.
    ///
    /// # Errors
    ///
    /// Those that it was told to fail with; UNIMPLEMENTED if it was told nothing.
    pub async fn answer(&self, ctx: &Context, request: T) -> Result<R::Given, E> {
        let request = Arc::new(request);
        match self.begin(ctx, Arc::clone(&request))? {
            Plan::Return(reply) => Ok(reply),
            Plan::Fail(error) => Err(error),
            Plan::With(answer) => answer(ctx.clone(), request).await,
        }
    }
}

impl<T, R, E> FakeMethod<Many<T>, R, E>
where
    T: Send + Sync + 'static,
    R: FakeReplies<E>,
    E: ServiceError,
{
    /// Answers a call. Generated.
    ///
    /// # Errors
    ///
    /// Those that it was told to fail with, and those of its requests; UNIMPLEMENTED if it was told
    /// nothing.
    pub async fn answer(&self, ctx: &Context, mut requests: Inbound<T>) -> Result<R::Given, E> {
        let kept = <Many<T> as FakeRequests>::Kept::default();
        match self.begin(ctx, Arc::clone(&kept))? {
            Plan::Return(reply) => {
                let mut read = Vec::new();
                while let Some(request) = requests.message().await? {
                    read.push(request);
                }
                // It is set here alone.
                let _ = kept.set(read);
                Ok(reply)
            }
            Plan::Fail(error) => Err(error),
            Plan::With(answer) => answer(ctx.clone(), requests).await,
        }
    }
}

impl<Q, R, E> Clone for FakeMethod<Q, R, E>
where
    Q: FakeRequests,
    R: FakeReplies<E>,
{
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<Q, R, E> fmt::Debug for FakeMethod<Q, R, E>
where
    Q: FakeRequests,
    R: FakeReplies<E>,
{
    /// Shows the method: what it was asked may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeMethod")
            .field("method", &self.shared.method.path())
            .finish_non_exhaustive()
    }
}
