//! What is done where a target can't be reached: another transport, or a closure.

use std::fmt;
use std::pin::Pin;

use http::header::AUTHORIZATION;
use http::{Request, Response};

use super::attempt::Attempt;
use super::body::RequestStream;
use super::error::CallError;
use super::failure::{Failure, FailureKind};
use super::setback::Setback;
use super::transport::Transport;
use crate::Code;
use crate::wire::boxed::{AnyBody, BoxedError};

/// Another way to a service: [`CallOptions::fallback`](super::CallOptions::fallback).
pub(super) struct Fallback(Box<dyn Way>);

type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response<AnyBody>, Setback>> + Send + 'a>>;

/// A transport of any type.
trait Way: Send + Sync {
    fn send<'a>(&'a self, request: Request<RequestStream>, attempt: &'a mut Attempt)
    -> Sending<'a>;
}

impl<T: Transport> Way for T {
    fn send<'a>(
        &'a self,
        mut request: Request<RequestStream>,
        attempt: &'a mut Attempt,
    ) -> Sending<'a> {
        Box::pin(async move {
            // Its own, if it has some; the token of the target that can't be reached is not for it.
            if let Some(upstream) = self.upstream()
                && let Some(credentials) = upstream.credentials()
                && !request.headers().contains_key(AUTHORIZATION)
            {
                let bearer = credentials.bearer(upstream.is_secure()).await?;
                request.headers_mut().insert(AUTHORIZATION, bearer.header);
            }
            attempt.give();
            let response = Transport::send(self, request, attempt).await?;
            Ok(response.map(BoxedError::any))
        })
    }
}

impl Fallback {
    pub(super) fn new(transport: impl Transport) -> Self {
        Self(Box::new(transport))
    }

    pub(super) async fn send(
        &self,
        request: Request<RequestStream>,
        attempt: &mut Attempt,
    ) -> Result<Response<AnyBody>, Setback> {
        self.0.send(request, attempt).await
    }
}

impl fmt::Debug for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback").finish_non_exhaustive()
    }
}

impl Setback {
    /// Whether the target can't be reached, or is in no state to answer in time.
    pub(super) fn is_unreachable(&self) -> bool {
        match self {
            Self::Transport(error) => error.code() == Code::Unavailable,
            Self::Status { status, .. } => status.code() == Code::Unavailable,
            Self::Final(failure) => failure.is_unreachable(),
            Self::TimedOut(_) => true,
        }
    }
}

impl Failure {
    /// Whether the target can't be reached, or is in no state to answer: its circuit breaker is open, the
    /// client itself refused to send, there is no connection, one broke, or the status was UNAVAILABLE;
    /// after all attempts that the call was worth.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self.kind() {
            FailureKind::CircuitOpen | FailureKind::Refused => true,
            FailureKind::Transport | FailureKind::Status => {
                self.status().code() == Code::Unavailable
            }
            _ => false,
        }
    }
}

/// A fallback for a call's result.
///
/// ```no_run
/// # use apibase::{CallError, Context, DomainError};
/// # struct Auth;
/// # impl Auth { async fn verify_token(&self, _: &Context, _: &str) -> Result<bool, CallError<DomainError>> { Ok(true) } }
/// # async fn verify_by_rest(_: &str) -> Result<bool, CallError<DomainError>> { Ok(true) }
/// # async fn show(auth: Auth, ctx: Context, token: &str) -> Result<(), CallError<DomainError>> {
/// use apibase::OrFallback;
///
/// let is_valid = auth
///     .verify_token(&ctx, token)
///     .await
///     .or_fallback(async |_why| verify_by_rest(token).await)
///     .await?;
/// # Ok(()) }
/// ```
pub trait OrFallback<R, E> {
    /// What `fallback` gives, where the target [can't be reached](Failure::is_unreachable); else the
    /// result that there is.
    ///
    /// A server may have acted on a call that broke: see [`Failure::is_not_processed`] before doing it
    /// again elsewhere.
    ///
    /// # Errors
    ///
    /// The error that there is, or the one of `fallback`.
    fn or_fallback(
        self,
        fallback: impl AsyncFnOnce(Box<Failure>) -> Result<R, CallError<E>>,
    ) -> impl Future<Output = Result<R, CallError<E>>>;
}

impl<R, E> OrFallback<R, E> for Result<R, CallError<E>> {
    async fn or_fallback(
        self,
        fallback: impl AsyncFnOnce(Box<Failure>) -> Result<R, CallError<E>>,
    ) -> Result<R, CallError<E>> {
        match self {
            Err(CallError::Failed(failure)) if failure.is_unreachable() => {
                let cause = failure.status().message();
                tracing::warn!(cause, "a call falls back to a closure");
                fallback(failure).await
            }
            result => result,
        }
    }
}
