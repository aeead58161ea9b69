//! What is there of [`Channel`] without the feature `client`: its name, and errors that say so.

use std::convert::Infallible;

use http::{Request, Response};

use crate::client::{Attempt, ConnectError, RequestStream, Target, Transport, TransportError};

/// HTTP/2 connections to a target. Without the feature `client` there is none.
#[derive(Clone, Debug)]
pub struct Channel {
    never: Infallible,
}

impl Channel {
    /// Says that the feature `client` is off.
    ///
    /// # Errors
    ///
    /// Always.
    #[allow(clippy::unused_async, reason = "the signature of the real one")]
    pub async fn connect(target: impl Into<Target>) -> Result<Self, ConnectError> {
        Self::connect_lazy(target)
    }

    /// Says that the feature `client` is off.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn connect_lazy(target: impl Into<Target>) -> Result<Self, ConnectError> {
        Err(ConnectError::off(&target.into()))
    }
}

impl Transport for Channel {
    type Body = tonic::body::Body;

    async fn send(
        &self,
        _request: Request<RequestStream>,
        _attempt: &mut Attempt,
    ) -> Result<Response<Self::Body>, TransportError> {
        match self.never {}
    }
}
