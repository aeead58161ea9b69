use std::fmt::Debug;

use proptest::option;
use proptest::prelude::prop_oneof;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::super::parts::{any_of, inside, itself, made, sampled};
use super::super::{Lawful, Located};
use crate::mapper::{AbsentIfEmpty, IsEmpty, NonEmpty, Optional, Required};

/// How often a value that may be there is.
const OFTEN: f64 = 0.7;

impl<M: Lawful> Lawful for Required<M> {
    fn entities(depth: u32) -> BoxedStrategy<M::Entity> {
        M::entities(depth)
    }

    fn unmappable(depth: u32) -> Option<Located<M::Entity>> {
        M::unmappable(depth)
    }

    fn protos(depth: u32) -> BoxedStrategy<Option<M::Proto>> {
        M::protos(depth).prop_map(Some).boxed()
    }

    fn corrupted(depth: u32) -> Option<Located<Option<M::Proto>>> {
        let missing = itself(made(|| None));
        let wrong = M::corrupted(depth).map(|wrong| inside(wrong, Some));
        any_of([Some(missing), wrong])
    }

    fn same(a: &M::Entity, b: &M::Entity) -> bool {
        M::same(a, b)
    }

    fn same_proto(a: &Option<M::Proto>, b: &Option<M::Proto>) -> bool {
        both(a, b, M::same_proto)
    }
}

impl<M: Lawful> Lawful for Optional<M> {
    fn entities(depth: u32) -> BoxedStrategy<Option<M::Entity>> {
        perhaps(depth, M::entities)
    }

    fn unmappable(depth: u32) -> Option<Located<Option<M::Entity>>> {
        M::unmappable(depth.checked_sub(1)?).map(|wrong| inside(wrong, Some))
    }

    fn protos(depth: u32) -> BoxedStrategy<Option<M::Proto>> {
        perhaps(depth, M::protos)
    }

    fn corrupted(depth: u32) -> Option<Located<Option<M::Proto>>> {
        M::corrupted(depth.checked_sub(1)?).map(|wrong| inside(wrong, Some))
    }

    fn same(a: &Option<M::Entity>, b: &Option<M::Entity>) -> bool {
        both(a, b, M::same)
    }

    fn same_proto(a: &Option<M::Proto>, b: &Option<M::Proto>) -> bool {
        both(a, b, M::same_proto)
    }
}

fn perhaps<T: Debug + 'static>(
    depth: u32,
    values: fn(u32) -> BoxedStrategy<T>,
) -> BoxedStrategy<Option<T>> {
    match depth.checked_sub(1) {
        Some(depth) => option::weighted(OFTEN, values(depth)).boxed(),
        None => made(|| None),
    }
}

pub(super) fn both<T>(a: &Option<T>, b: &Option<T>, same: impl Fn(&T, &T) -> bool) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        _ => false,
    }
}

impl<M: Lawful<Proto: IsEmpty + Default>> Lawful for NonEmpty<M> {
    fn entities(depth: u32) -> BoxedStrategy<M::Entity> {
        // A list that must have something in it has it at any depth.
        M::entities(depth.max(1))
            .prop_filter("is not empty", says_something::<M>)
            .boxed()
    }

    fn unmappable(depth: u32) -> Option<Located<M::Entity>> {
        any_of([M::unmappable(depth.max(1)), empty::<M>().map(itself)])
    }

    fn protos(depth: u32) -> BoxedStrategy<M::Proto> {
        M::protos(depth.max(1))
            .prop_filter("is not empty", |proto| !proto.is_empty())
            .boxed()
    }

    fn corrupted(depth: u32) -> Option<Located<M::Proto>> {
        let missing = itself(made(M::Proto::default));
        any_of([Some(missing), M::corrupted(depth.max(1))])
    }

    fn same(a: &M::Entity, b: &M::Entity) -> bool {
        M::same(a, b)
    }

    fn same_proto(a: &M::Proto, b: &M::Proto) -> bool {
        M::same_proto(a, b)
    }
}

impl<M: Lawful<Proto: IsEmpty + Default>> Lawful for AbsentIfEmpty<M> {
    fn entities(depth: u32) -> BoxedStrategy<Option<M::Entity>> {
        if depth == 0 {
            return made(|| None);
        }
        let some = M::entities(depth).prop_filter("is not empty", says_something::<M>);
        option::weighted(OFTEN, some).boxed()
    }

    fn unmappable(depth: u32) -> Option<Located<Option<M::Entity>>> {
        let wrong = any_of([M::unmappable(depth), empty::<M>().map(itself)])?;
        Some(inside(wrong, Some))
    }

    fn protos(depth: u32) -> BoxedStrategy<M::Proto> {
        if depth == 0 {
            return made(M::Proto::default);
        }
        let some = M::protos(depth).prop_filter("is not empty", |proto| !proto.is_empty());
        prop_oneof![1 => made(M::Proto::default), 3 => some].boxed()
    }

    fn corrupted(depth: u32) -> Option<Located<M::Proto>> {
        sampled(&M::corrupted(depth)?, |(proto, _)| !proto.is_empty())
    }

    fn same(a: &Option<M::Entity>, b: &Option<M::Entity>) -> bool {
        both(a, b, M::same)
    }

    fn same_proto(a: &M::Proto, b: &M::Proto) -> bool {
        M::same_proto(a, b)
    }
}

fn says_something<M: Lawful<Proto: IsEmpty>>(entity: &M::Entity) -> bool {
    M::to_proto(entity).is_ok_and(|proto| !proto.is_empty())
}

/// The entity that is the empty message, where one is.
fn empty<M: Lawful<Proto: IsEmpty + Default>>() -> Option<BoxedStrategy<M::Entity>> {
    let entity = M::from_proto(M::Proto::default()).ok()?;
    if says_something::<M>(&entity) {
        return None;
    }
    let entities =
        made(|| ()).prop_filter_map("is an entity", |()| M::from_proto(M::Proto::default()).ok());
    Some(entities.boxed())
}
