use proptest::strategy::{BoxedStrategy, Strategy};

use super::super::parts::{any_of, inside, itself, sampled};
use super::super::{Lawful, Located, Value};
use crate::BoxError;
use crate::mapper::{Boxed, Newtype, NotZero, ProtobufMapper, Same, Sensitive};

impl<T: Value> Lawful for Same<T> {
    fn entities(_depth: u32) -> BoxedStrategy<T> {
        T::values()
    }

    fn protos(_depth: u32) -> BoxedStrategy<T> {
        T::values()
    }

    fn corrupted(_depth: u32) -> Option<Located<T>> {
        None
    }

    fn same(a: &T, b: &T) -> bool {
        a.same(b)
    }

    fn same_proto(a: &T, b: &T) -> bool {
        a.same(b)
    }
}

impl<M: Lawful> Lawful for Boxed<M> {
    fn entities(depth: u32) -> BoxedStrategy<Box<M::Entity>> {
        M::entities(depth).prop_map(Box::new).boxed()
    }

    fn unmappable(depth: u32) -> Option<Located<Box<M::Entity>>> {
        M::unmappable(depth).map(|wrong| inside(wrong, Box::new))
    }

    fn protos(depth: u32) -> BoxedStrategy<Box<M::Proto>> {
        M::protos(depth).prop_map(Box::new).boxed()
    }

    fn corrupted(depth: u32) -> Option<Located<Box<M::Proto>>> {
        M::corrupted(depth).map(|wrong| inside(wrong, Box::new))
    }

    fn same(a: &Box<M::Entity>, b: &Box<M::Entity>) -> bool {
        M::same(a, b)
    }

    fn same_proto(a: &Box<M::Proto>, b: &Box<M::Proto>) -> bool {
        M::same_proto(a, b)
    }
}

macro_rules! types_of_values {
    ($($name:ident),*) => {$(
        /// Values of what `M` makes that `T` takes. A `T` that takes few of them needs a mapper of its own,
        /// with values of its own.
        impl<M, T> Lawful for $name<M, T>
        where
            M: Lawful<Entity: From<T>>,
            T: Clone + std::fmt::Debug + TryFrom<M::Entity, Error: Into<BoxError>> + 'static,
        {
            fn entities(depth: u32) -> BoxedStrategy<T> {
                M::entities(depth)
                    .prop_filter_map("the type takes it", |inner| T::try_from(inner).ok())
                    .boxed()
            }

            fn unmappable(depth: u32) -> Option<Located<T>> {
                let wrong = M::unmappable(depth)?.prop_filter_map("the type takes it", |(inner, path)| {
                    Some((T::try_from(inner).ok()?, path))
                });
                Some(wrong.boxed())
            }

            fn protos(depth: u32) -> BoxedStrategy<M::Proto> {
                M::protos(depth)
                    .prop_filter("the type takes it", |proto| {
                        Self::from_proto(proto.clone()).is_ok()
                    })
                    .boxed()
            }

            fn corrupted(depth: u32) -> Option<Located<M::Proto>> {
                let refused = sampled(&M::protos(depth), |proto| {
                    Self::from_proto(proto.clone()).is_err()
                });
                any_of([M::corrupted(depth), refused.map(itself)])
            }

            fn same(a: &T, b: &T) -> bool {
                M::same(&a.clone().into(), &b.clone().into())
            }

            fn same_proto(a: &M::Proto, b: &M::Proto) -> bool {
                M::same_proto(a, b)
            }
        }
    )*};
}

types_of_values!(Newtype, NotZero);

impl<M: Lawful> Lawful for Sensitive<M> {
    fn entities(depth: u32) -> BoxedStrategy<M::Entity> {
        M::entities(depth)
    }

    fn unmappable(depth: u32) -> Option<Located<M::Entity>> {
        M::unmappable(depth).map(without_keys)
    }

    fn protos(depth: u32) -> BoxedStrategy<M::Proto> {
        M::protos(depth)
    }

    fn corrupted(depth: u32) -> Option<Located<M::Proto>> {
        M::corrupted(depth).map(without_keys)
    }

    fn same(a: &M::Entity, b: &M::Entity) -> bool {
        M::same(a, b)
    }

    fn same_proto(a: &M::Proto, b: &M::Proto) -> bool {
        M::same_proto(a, b)
    }
}

/// The path as far as the first key of a map.
fn without_keys<T: std::fmt::Debug + 'static>(wrong: Located<T>) -> Located<T> {
    wrong
        .prop_map(|(wrong, path)| match path.split_once("[\"") {
            Some((before, _)) => (wrong, before.to_owned()),
            None => (wrong, path),
        })
        .boxed()
}
