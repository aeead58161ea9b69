//! A call on its way through the interceptors of its method to its dispatch.

use std::future::ready;
use std::sync::Arc;

use super::accept::{OTHER, Refused};
use super::call::{Answer, Reply};
use super::service::BoxDispatch;
use crate::errors::{self, DomainError};
use crate::interceptors::{Came, InterceptedCall, MethodChain, Through, through};
use crate::{Context, Method, Status};

/// What answers a call: `dispatch`, once the call has come through `chain`.
///
/// As far as nothing has to be waited for, that is now; only the rest is a future of its own.
pub(super) fn answer(
    chain: &Arc<MethodChain>,
    method: &'static Method,
    context: Context,
    dispatch: impl FnOnce(Context) -> BoxDispatch + Send + 'static,
) -> BoxDispatch {
    #[cfg(feature = "auth")]
    let dispatch = move |context| super::lifetime::within(context, dispatch);
    match chain.enter(&context, context.trail()) {
        Came::Through => dispatch(context),
        #[cfg(feature = "auth")]
        Came::Refused(status) => Box::pin(ready(Reply::failed(status))),
        Came::To(at) => Box::pin(wait(Arc::clone(chain), at, method, context, dispatch)),
    }
}

/// What answers a call to `path`, where there is no method, once it has come through `chain`: who may not
/// call doesn't hear which methods there are.
pub(super) fn unknown(chain: &Arc<MethodChain>, context: Context, path: &str) -> BoxDispatch {
    context.trail().came_to(path);
    let (refused, shared) = (Refused::unknown_method(path), Arc::clone(chain));
    let dispatch = move |context: Context| -> BoxDispatch {
        Box::pin(ready(refused.reply(&shared, &context)))
    };
    answer(chain, &OTHER, context, dispatch)
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
