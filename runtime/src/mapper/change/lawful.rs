//! Values to try the mappers with.

use proptest::option;
use proptest::prelude::prop_oneof;
use proptest::strategy::{BoxedStrategy, Just, Strategy};

use super::super::{IsEmpty, ProtobufMapper};
use super::{Change, Changed, Clearable};
use crate::testing::{Lawful, Located, any_of, sampled};

impl<M: Lawful> Lawful for Changed<M> {
    fn entities(depth: u32) -> BoxedStrategy<Change<M::Entity>> {
        let set = M::entities(depth).prop_map(Some);
        let keep = Just(()).prop_map(|()| None);
        prop_oneof![1 => keep, 3 => set]
            .prop_map(Change::from)
            .boxed()
    }

    fn unmappable(depth: u32) -> Option<Located<Change<M::Entity>>> {
        any_of([Some(clear()), set(M::unmappable(depth))])
    }

    fn protos(depth: u32) -> BoxedStrategy<Option<M::Proto>> {
        option::of(M::protos(depth)).boxed()
    }

    fn corrupted(depth: u32) -> Option<Located<Option<M::Proto>>> {
        some(M::corrupted(depth))
    }

    fn same(a: &Change<M::Entity>, b: &Change<M::Entity>) -> bool {
        same(a, b, M::same)
    }

    fn same_proto(a: &Option<M::Proto>, b: &Option<M::Proto>) -> bool {
        same_option(a, b, M::same_proto)
    }
}

impl<M: Lawful<Proto: IsEmpty + Default>> Lawful for Clearable<M> {
    fn entities(depth: u32) -> BoxedStrategy<Change<M::Entity>> {
        // Not `M`'s own entities: some may be empty on the wire.
        let protos = Self::protos(depth);
        protos
            .prop_filter_map("it maps", |proto| Self::from_proto(proto).ok())
            .boxed()
    }

    fn unmappable(depth: u32) -> Option<Located<Change<M::Entity>>> {
        set(M::unmappable(depth))
    }

    fn protos(depth: u32) -> BoxedStrategy<Option<M::Proto>> {
        let empty = Just(()).prop_map(|()| Some(M::Proto::default()));
        let others = sampled(&M::protos(depth), |proto| !proto.is_empty());
        let none = Just(()).prop_map(|()| None);
        match others {
            Some(others) => prop_oneof![1 => none, 1 => empty, 4 => others.prop_map(Some)].boxed(),
            None => prop_oneof![none, empty].boxed(),
        }
    }

    fn corrupted(depth: u32) -> Option<Located<Option<M::Proto>>> {
        let wrong = sampled(&M::corrupted(depth)?, |(proto, _)| !proto.is_empty());
        some(wrong)
    }

    fn same(a: &Change<M::Entity>, b: &Change<M::Entity>) -> bool {
        same(a, b, M::same)
    }

    fn same_proto(a: &Option<M::Proto>, b: &Option<M::Proto>) -> bool {
        same_option(a, b, M::same_proto)
    }
}

fn clear<T: std::fmt::Debug + 'static>() -> Located<Change<T>> {
    Just(())
        .prop_map(|()| (Change::Clear, String::new()))
        .boxed()
}

fn set<T: std::fmt::Debug + 'static>(wrong: Option<Located<T>>) -> Option<Located<Change<T>>> {
    let wrong = wrong?.prop_map(|(wrong, path)| (Change::Set(wrong), path));
    Some(wrong.boxed())
}

fn some<T: std::fmt::Debug + 'static>(wrong: Option<Located<T>>) -> Option<Located<Option<T>>> {
    let wrong = wrong?.prop_map(|(wrong, path)| (Some(wrong), path));
    Some(wrong.boxed())
}

fn same<T>(a: &Change<T>, b: &Change<T>, same: impl Fn(&T, &T) -> bool) -> bool {
    match (a, b) {
        (Change::Set(a), Change::Set(b)) => same(a, b),
        (Change::Keep, Change::Keep) | (Change::Clear, Change::Clear) => true,
        _ => false,
    }
}

fn same_option<T>(a: &Option<T>, b: &Option<T>, same: impl Fn(&T, &T) -> bool) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{IpText, Same, StdDuration};
    use super::*;
    use crate::testing::laws;

    #[test]
    fn changes_are_lawful() {
        laws::field::<Changed<Same<f64>>>();
        laws::field::<Changed<StdDuration>>();
        laws::field::<Clearable<Same<String>>>();
        laws::field::<Clearable<IpText>>();
    }
}
