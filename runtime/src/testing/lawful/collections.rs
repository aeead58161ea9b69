use std::collections::{BTreeSet, HashSet};
use std::fmt::Debug;
use std::hash::Hash;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::sample::Index;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::super::parts::{at, made};
use super::super::{Lawful, Located};
use crate::mapper::{BTreeSetOf, HashSetOf, Repeated};

impl<M: Lawful> Lawful for Repeated<M> {
    fn entities(depth: u32) -> BoxedStrategy<Vec<M::Entity>> {
        some(depth, M::entities)
    }

    fn unmappable(depth: u32) -> Option<Located<Vec<M::Entity>>> {
        let depth = depth.checked_sub(1)?;
        Some(one_wrong(M::entities(depth), M::unmappable(depth)?))
    }

    fn protos(depth: u32) -> BoxedStrategy<Vec<M::Proto>> {
        some(depth, M::protos)
    }

    fn corrupted(depth: u32) -> Option<Located<Vec<M::Proto>>> {
        let depth = depth.checked_sub(1)?;
        Some(one_wrong(M::protos(depth), M::corrupted(depth)?))
    }

    fn same(a: &Vec<M::Entity>, b: &Vec<M::Entity>) -> bool {
        all(a, b, M::same)
    }

    fn same_proto(a: &Vec<M::Proto>, b: &Vec<M::Proto>) -> bool {
        all(a, b, M::same_proto)
    }
}

/// Where an element of a set stands on the wire is known of one alone, so only that can be
/// unmappable.
impl<M: Lawful<Entity: Eq + Hash>> Lawful for HashSetOf<M> {
    fn entities(depth: u32) -> BoxedStrategy<HashSet<M::Entity>> {
        some(depth, M::entities)
            .prop_map(|entities| entities.into_iter().collect())
            .boxed()
    }

    fn unmappable(depth: u32) -> Option<Located<HashSet<M::Entity>>> {
        let wrong = M::unmappable(depth.checked_sub(1)?)?
            .prop_map(|(wrong, path)| (HashSet::from([wrong]), at("[0]", &path)));
        Some(wrong.boxed())
    }

    fn protos(depth: u32) -> BoxedStrategy<Vec<M::Proto>> {
        some(depth, M::protos)
    }

    fn corrupted(depth: u32) -> Option<Located<Vec<M::Proto>>> {
        Repeated::<M>::corrupted(depth)
    }

    fn same(a: &HashSet<M::Entity>, b: &HashSet<M::Entity>) -> bool {
        a.len() == b.len() && a.iter().all(|a| b.iter().any(|b| M::same(a, b)))
    }

    fn same_proto(a: &Vec<M::Proto>, b: &Vec<M::Proto>) -> bool {
        without_order(a, b, M::same_proto)
    }
}

/// As [`HashSetOf`].
impl<M: Lawful<Entity: Ord>> Lawful for BTreeSetOf<M> {
    fn entities(depth: u32) -> BoxedStrategy<BTreeSet<M::Entity>> {
        some(depth, M::entities)
            .prop_map(|entities| entities.into_iter().collect())
            .boxed()
    }

    fn unmappable(depth: u32) -> Option<Located<BTreeSet<M::Entity>>> {
        let wrong = M::unmappable(depth.checked_sub(1)?)?
            .prop_map(|(wrong, path)| (BTreeSet::from([wrong]), at("[0]", &path)));
        Some(wrong.boxed())
    }

    fn protos(depth: u32) -> BoxedStrategy<Vec<M::Proto>> {
        some(depth, M::protos)
    }

    fn corrupted(depth: u32) -> Option<Located<Vec<M::Proto>>> {
        Repeated::<M>::corrupted(depth)
    }

    fn same(a: &BTreeSet<M::Entity>, b: &BTreeSet<M::Entity>) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| M::same(a, b))
    }

    fn same_proto(a: &Vec<M::Proto>, b: &Vec<M::Proto>) -> bool {
        all(a, b, M::same_proto)
    }
}

fn some<T: Debug + 'static>(
    depth: u32,
    values: fn(u32) -> BoxedStrategy<T>,
) -> BoxedStrategy<Vec<T>> {
    match depth.checked_sub(1) {
        Some(depth) => vec(values(depth), 0..4).boxed(),
        None => made(Vec::new),
    }
}

/// A list with one element that is wrong.
fn one_wrong<T: Debug + 'static>(right: BoxedStrategy<T>, wrong: Located<T>) -> Located<Vec<T>> {
    (vec(right, 0..3), wrong, any::<Index>())
        .prop_map(|(mut list, (wrong, path), index)| {
            let index = index.index(list.len() + 1);
            list.insert(index, wrong);
            (list, at(&format!("[{index}]"), &path))
        })
        .boxed()
}

fn all<T>(a: &[T], b: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

fn without_order<T>(a: &[T], b: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    a.len() == b.len() && a.iter().all(|a| b.iter().any(|b| same(a, b)))
}
