//! [`BoxedError`]: a body whose error is boxed, whatever it was.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

use crate::BoxError;

/// A body of any type.
pub(crate) type AnyBody = Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>;

pin_project_lite::pin_project! {
    pub(crate) struct BoxedError<B> {
        #[pin]
        body: B,
    }
}

impl<B> BoxedError<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    /// `body` in a box, without its type.
    pub(crate) fn any(body: B) -> AnyBody {
        Box::pin(Self { body })
    }
}

impl<B> Body for BoxedError<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.project().body.poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
