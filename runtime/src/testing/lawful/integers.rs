use proptest::strategy::{BoxedStrategy, Strategy};

use super::super::parts::itself;
use super::super::{Lawful, Located, Value};
use crate::mapper::{AnyInteger, Integer, Narrow};

impl<P, T> Lawful for Narrow<P, T>
where
    P: AnyInteger + From<T> + TryFrom<T> + Value,
    T: AnyInteger + TryFrom<P> + Value,
{
    fn entities(_depth: u32) -> BoxedStrategy<T> {
        T::values()
    }

    fn protos(_depth: u32) -> BoxedStrategy<P> {
        T::values().prop_map(P::from).boxed()
    }

    fn corrupted(_depth: u32) -> Option<Located<P>> {
        too_large_for::<P, T>()
    }

    fn same(a: &T, b: &T) -> bool {
        a.same(b)
    }

    fn same_proto(a: &P, b: &P) -> bool {
        a.same(b)
    }
}

impl<P, T> Lawful for Integer<P, T>
where
    P: AnyInteger + TryFrom<T> + Value,
    T: AnyInteger + TryFrom<P> + Value,
{
    fn entities(_depth: u32) -> BoxedStrategy<T> {
        in_both::<T, P>()
    }

    fn unmappable(_depth: u32) -> Option<Located<T>> {
        too_large_for::<T, P>()
    }

    fn protos(_depth: u32) -> BoxedStrategy<P> {
        in_both::<P, T>()
    }

    fn corrupted(_depth: u32) -> Option<Located<P>> {
        too_large_for::<P, T>()
    }

    fn same(a: &T, b: &T) -> bool {
        a.same(b)
    }

    fn same_proto(a: &P, b: &P) -> bool {
        a.same(b)
    }
}

/// Values of `A` that are also in `B`, drawn from the narrower of the two.
fn in_both<A, B>() -> BoxedStrategy<A>
where
    A: TryFrom<B> + Value,
    B: TryFrom<A> + Value,
{
    if size_of::<A>() <= size_of::<B>() {
        A::values()
            .prop_filter("is in both", |value| B::try_from(value.clone()).is_ok())
            .boxed()
    } else {
        B::values()
            .prop_filter_map("is in both", |value| A::try_from(value).ok())
            .boxed()
    }
}

/// Values of `A` that are not in `B`.
fn too_large_for<A, B>() -> Option<Located<A>>
where
    A: AnyInteger + Value,
    B: AnyInteger + TryFrom<A>,
{
    if B::MIN <= A::MIN && A::MAX <= B::MAX {
        return None;
    }
    let values = A::values().prop_filter("is not in both", |value| B::try_from(*value).is_err());
    Some(itself(values.boxed()))
}
