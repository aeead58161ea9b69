//! [`RequestBody`]: the body of a request, whichever server it came through.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

use crate::BoxError;
use crate::wire::boxed::{AnyBody, BoxedError};

/// The body of a request: hyper's own on our server, any other where a service is mounted.
pub(crate) enum RequestBody {
    #[cfg(feature = "server")]
    Own(hyper::body::Incoming),
    // One box a call: every server that we are mounted in has its own type.
    Foreign(AnyBody),
}

impl RequestBody {
    pub(crate) fn foreign<B>(body: B) -> Self
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self::Foreign(BoxedError::any(body))
    }

    /// Whether its `is_end_stream` says when its stream has ended.
    ///
    /// hyper's does; a server or client that we are mounted in may have bodies that don't.
    pub(crate) fn tells_its_end(&self) -> bool {
        match self {
            #[cfg(feature = "server")]
            Self::Own(_) => true,
            Self::Foreign(_) => false,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            #[cfg(feature = "server")]
            Self::Own(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Self::Foreign(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            #[cfg(feature = "server")]
            Self::Own(body) => body.is_end_stream(),
            Self::Foreign(body) => body.is_end_stream(),
        }
    }
}
