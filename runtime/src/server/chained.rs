//! A call on its way through the interceptors of its method to its dispatch.

use std::future::ready;
use std::sync::Arc;

use super::accept::{OTHER, Refused};
use super::call::{Answer, Reply};
use super::service::BoxDispatch;
use crate::errors::{self, DomainError};
use crate::interceptors::{Came, Chain, InterceptedCall, MethodChain, Through, through};
use crate::{Context, Method, Status};

/// What calls come to that have come through a chain.
pub(super) trait Beyond: Send + Sync + 'static {
    /// What comes with a call.
    type Request: Send + 'static;

    /// What answers a call.
    fn dispatch(&self, context: Context, request: Self::Request) -> BoxDispatch;
}

/// What answers a call: `beyond`, once the call has come through `chain`.
///
/// As far as nothing has to be waited for, that is now; only the rest is a future of its own.
pub(super) fn answer<B: Beyond>(
    chain: &Arc<MethodChain>,
    method: &'static Method,
    context: Context,
    request: B::Request,
    beyond: &Arc<B>,
) -> BoxDispatch {
    match chain.enter(&context, context.trail()) {
        Came::Through => dispatch(beyond, context, request),
        #[cfg(feature = "auth")]
        Came::Refused(status) => Box::pin(ready(Reply::failed(status))),
        Came::To(at) => {
            let (chain, beyond) = (Arc::clone(chain), Arc::clone(beyond));
            let dispatch = move |context| dispatch(&beyond, context, request);
            Box::pin(wait(chain, at, method, context, dispatch))
        }
    }
}

/// What `beyond` answers, as long as the caller is let in.
fn dispatch<B: Beyond>(beyond: &Arc<B>, context: Context, request: B::Request) -> BoxDispatch {
    #[cfg(feature = "auth")]
    return super::lifetime::within(context, |context| beyond.dispatch(context, request));
    #[cfg(not(feature = "auth"))]
    beyond.dispatch(context, request)
}

/// What answers a call to `path`, where there is no method, once it has come through `chain`: who may not
/// call doesn't hear which methods there are.
pub(super) fn unknown(chain: &Arc<MethodChain>, context: Context, path: &str) -> BoxDispatch {
    context.trail().came_to(path);
    let refused = Refused::unknown_method(path);
    answer(chain, &OTHER, context, refused, chain)
}

/// Nothing is beyond the chain of a path where there is no method.
impl Beyond for MethodChain {
    type Request = Refused;

    fn dispatch(&self, context: Context, refused: Refused) -> BoxDispatch {
        Box::pin(ready(refused.reply(self, &context)))
    }
}

/// Answers a call that is refused behind its chain.
#[cold]
pub(super) fn refuse(
    refused: Refused,
    chain: Option<&Arc<MethodChain>>,
    context: &Context,
) -> BoxDispatch {
    let reply = match chain {
        Some(chain) => refused.reply(chain, context),
        None => refused.reply(&Chain::default(), context),
    };
    Box::pin(ready(reply))
}

async fn wait(
    chain: Arc<MethodChain>,
    at: usize,
    method: &'static Method,
    context: Context,
    dispatch: impl FnOnce(Context) -> BoxDispatch + Send,
) -> Reply {
    let call = InterceptedCall::incoming(method, context.clone());
    let exchange = |call: InterceptedCall| async {
        match dispatch(call.into_context()).await {
            Reply {
                answer: Answer::Failed(status),
                ..
            } => Err(status),
            reply => Ok(reply),
        }
    };
    match through(&chain, at, call, exchange, Status::clone).await {
        Through::Carried(Ok(reply)) => reply,
        // It has left its servicer as it is.
        Through::Carried(Err(status)) => Reply::failed(status),
        Through::Answered(status) => {
            let error = DomainError::Status(Box::new(status));
            Reply::failed(errors::status(&error, &context))
        }
    }
}
