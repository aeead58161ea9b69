//! [`Service`]: what a generated server type is to the runtime.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::call::{Call, Reply};
use crate::Method;
use crate::errors::{ERROR_STATUS_TABLE, ErrorTable};

/// A service that can be served: its name, its methods, and how a call finds its servicer.
///
/// Generated server types implement it; there is no need to do so by hand.
pub trait Service: Send + Sync + 'static {
    /// Its full name, `package.Service`.
    const NAME: &'static str;

    /// Its methods, in the order of the proto.
    const METHODS: &'static [Method];

    /// The errors that its methods fail with, beside those that every service has.
    const ERRORS: &'static ErrorTable = &ERROR_STATUS_TABLE;

    /// A serialized `google.protobuf.FileDescriptorSet` that describes it.
    const DESCRIPTORS: &'static [u8];

    /// Answers one call.
    fn dispatch(&self, call: Call) -> impl Future<Output = Reply> + Send + 'static;
}

/// Holds the servicer of a generated server type.
pub struct Dispatcher<S> {
    servicer: Arc<S>,
}

impl<S> Dispatcher<S> {
    /// Holds `servicer`.
    #[must_use]
    pub fn new(servicer: S) -> Self {
        Self {
            servicer: Arc::new(servicer),
        }
    }

    /// The servicer, shared with a call.
    #[must_use]
    pub fn servicer(&self) -> Arc<S> {
        Arc::clone(&self.servicer)
    }
}

impl<S> fmt::Debug for Dispatcher<S> {
    /// Shows the type: a servicer need not be `Debug`, and may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dispatcher<{}>", std::any::type_name::<S>())
    }
}

/// The future of a dispatch whose service is not known by type.
pub(crate) type BoxDispatch = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// A [`Service`] of any type.
#[cfg(feature = "server")]
pub(crate) trait ErasedService: Send + Sync {
    fn name(&self) -> &'static str;
    fn methods(&self) -> &'static [Method];
    fn errors(&self) -> &'static ErrorTable;
    #[cfg(feature = "reflection")]
    fn descriptors(&self) -> &'static [u8];
    /// One box a call: the services of a server have different types.
    fn dispatch_boxed(&self, call: Call) -> BoxDispatch;
}

#[cfg(feature = "server")]
impl<S: Service> ErasedService for S {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn methods(&self) -> &'static [Method] {
        S::METHODS
    }

    fn errors(&self) -> &'static ErrorTable {
        S::ERRORS
    }

    #[cfg(feature = "reflection")]
    fn descriptors(&self) -> &'static [u8] {
        S::DESCRIPTORS
    }

    fn dispatch_boxed(&self, call: Call) -> BoxDispatch {
        Box::pin(self.dispatch(call))
    }
}
