//! [`Constructor`]: a function that says by its parameters what it needs.

use std::any::{TypeId, type_name};
use std::sync::Arc;

use super::Container;

/// A type of parts.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub(super) id: TypeId,
    pub(super) name: &'static str,
}

impl Key {
    pub(super) fn of<T: ?Sized + 'static>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: type_name::<T>(),
        }
    }
}

/// A function that makes a part of a [`Container`] from others: each of its parameters is an `Arc`, up
/// to eight of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no constructor of a part",
    note = "a constructor is a function or closure whose parameters, eight at most, are each an `Arc<T>` with `T: Send + Sync + 'static`"
)]
pub trait Constructor<Needs> {
    /// What it makes.
    type Output;

    #[doc(hidden)]
    fn needs() -> Vec<Key>;

    /// None where something that it needs isn't there.
    #[doc(hidden)]
    fn construct(self, container: &Container) -> Option<Self::Output>;
}

macro_rules! constructors {
    ($($need:ident),*) => {
        impl<F, T, $($need),*> Constructor<($(Arc<$need>,)*)> for F
        where
            F: FnOnce($(Arc<$need>),*) -> T,
            $($need: ?Sized + Send + Sync + 'static,)*
        {
            type Output = T;

            fn needs() -> Vec<Key> {
                vec![$(Key::of::<$need>()),*]
            }

            #[allow(unused_variables, reason = "a constructor without parameters needs nothing")]
            fn construct(self, container: &Container) -> Option<T> {
                Some(self($(container.find::<$need>()?),*))
            }
        }
    };
}

constructors!();
constructors!(A);
constructors!(A, B);
constructors!(A, B, C);
constructors!(A, B, C, D);
constructors!(A, B, C, D, E);
constructors!(A, B, C, D, E, G);
constructors!(A, B, C, D, E, G, H);
constructors!(A, B, C, D, E, G, H, I);
