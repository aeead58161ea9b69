//! [`Plain`]: a message that is its own entity.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use super::{Grade, MapError, ProtobufMapper};

/// A message as it is, where no entity stands for it.
///
/// By value it costs nothing: a message goes through. [`to_proto`](ProtobufMapper::to_proto) has to
/// clone it.
pub struct Plain<M>(PhantomData<fn() -> M>);

/// [`Plain`] as a value, for a message whose type follows from what is done with it.
#[must_use]
pub const fn plain<M>() -> Plain<M> {
    Plain::new()
}

impl<M> Plain<M> {
    /// The mapper.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<M: Clone> ProtobufMapper for Plain<M> {
    type Entity = M;
    type Proto = M;
    type EncodeError = Infallible;
    const GRADE: Grade = Grade::Iso;

    #[inline]
    fn to_proto(entity: &M) -> Result<M, Infallible> {
        Ok(entity.clone())
    }

    #[inline]
    fn into_proto(entity: M) -> Result<M, Infallible> {
        Ok(entity)
    }

    #[inline]
    fn from_proto(proto: M) -> Result<M, MapError> {
        Ok(proto)
    }
}

impl<M> Default for Plain<M> {
    fn default() -> Self {
        Self::new()
    }
}

// Derived, these would ask the same of `M`.
impl<M> Clone for Plain<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Plain<M> {}

impl<M> fmt::Debug for Plain<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain")
    }
}
