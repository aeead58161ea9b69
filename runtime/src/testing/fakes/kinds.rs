//! [`One`] and [`Many`]: what each side of a method sends.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use crate::{Inbound, Streamed};

/// One message.
pub struct One<T>(PhantomData<fn() -> T>);

/// A stream of messages.
pub struct Many<T>(PhantomData<fn() -> T>);

/// What a method is asked: [`One`] or [`Many`].
pub trait FakeRequests: Sealed + 'static {
    /// What a function that answers is given.
    type Given: Send + 'static;

    /// What is remembered of a call.
    type Kept: Clone + Send + Sync + 'static;
}

/// What a method that fails with `E` answers: [`One`] or [`Many`].
pub trait FakeReplies<E>: Sealed + 'static {
    /// What a function that answers gives.
    type Given: Send + 'static;
}

impl<T: Send + Sync + 'static> FakeRequests for One<T> {
    type Given = Arc<T>;
    type Kept = Arc<T>;
}

impl<T: Send + Sync + 'static> FakeRequests for Many<T> {
    type Given = Inbound<T>;
    /// Not set until all of them are read.
    type Kept = Arc<OnceLock<Vec<T>>>;
}

impl<T: Send + 'static, E> FakeReplies<E> for One<T> {
    type Given = T;
}

impl<T: 'static, E: 'static> FakeReplies<E> for Many<T> {
    type Given = Streamed<T, E>;
}

impl<T> fmt::Debug for One<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("One")
    }
}

impl<T> fmt::Debug for Many<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Many")
    }
}

/// There are these two.
pub trait Sealed {}

impl<T> Sealed for One<T> {}
impl<T> Sealed for Many<T> {}
