use std::fmt::Debug;

use proptest::option;
use proptest::prelude::prop_oneof;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy};

use super::super::parts::{any_of, inside, itself, sampled};
use super::super::{Lawful, Located, Value};
use super::presence::both;
use crate::mapper::{
    Fallback, Keep, Open, OptionalEnum, ProstEnum, ProtobufMapper, ZeroIsNone, is_unknown,
};

/// Numbers that the enum has no name for.
pub fn unknown_numbers<M: ProtobufMapper<Proto = i32>>() -> BoxedStrategy<i32> {
    i32::values()
        .prop_filter("has no name", |number| is_unknown_to::<M>(*number))
        .boxed()
}

fn is_unknown_to<M: ProtobufMapper<Proto = i32>>(number: i32) -> bool {
    M::from_proto(number).is_err_and(|error| is_unknown(&error))
}

/// Values whose numbers are below a few thousand.
impl<E> Lawful for ProstEnum<E>
where
    E: Copy + Debug + Into<i32> + TryFrom<i32> + 'static,
{
    fn entities(_depth: u32) -> BoxedStrategy<E> {
        let values: Vec<E> = (-100..5000)
            .filter_map(|number| E::try_from(number).ok())
            .collect();
        select(values).boxed()
    }

    fn protos(depth: u32) -> BoxedStrategy<i32> {
        Self::entities(depth).prop_map(Into::into).boxed()
    }

    fn corrupted(_depth: u32) -> Option<Located<i32>> {
        Some(itself(unknown_numbers::<Self>()))
    }

    fn same(a: &E, b: &E) -> bool {
        (*a).into() == (*b).into()
    }

    fn same_proto(a: &i32, b: &i32) -> bool {
        a == b
    }
}

impl<M: Lawful<Proto = i32>> Lawful for Keep<M> {
    fn entities(depth: u32) -> BoxedStrategy<Open<M::Entity>> {
        prop_oneof![
            M::entities(depth).prop_map(Open::Known),
            unknown_numbers::<M>().prop_map(Open::Unknown),
            // Numbers that have names are those names.
            M::protos(depth).prop_map(Open::Unknown),
        ]
        .boxed()
    }

    fn unmappable(depth: u32) -> Option<Located<Open<M::Entity>>> {
        let known = M::unmappable(depth).map(|wrong| inside(wrong, Open::Known));
        // The number that stands for no value, where there is one.
        let none = Self::corrupted(depth).map(|wrong| inside(wrong, Open::Unknown));
        any_of([known, none])
    }

    fn protos(depth: u32) -> BoxedStrategy<i32> {
        prop_oneof![M::protos(depth), unknown_numbers::<M>()].boxed()
    }

    fn corrupted(depth: u32) -> Option<Located<i32>> {
        sampled(&M::corrupted(depth)?, |(number, _)| {
            Self::from_proto(*number).is_err()
        })
    }

    fn same(a: &Open<M::Entity>, b: &Open<M::Entity>) -> bool {
        match (a, b) {
            (Open::Known(a), Open::Known(b)) => M::same(a, b),
            (Open::Unknown(a), Open::Unknown(b)) => a == b,
            (Open::Known(known), Open::Unknown(number))
            | (Open::Unknown(number), Open::Known(known)) => {
                M::from_proto(*number).is_ok_and(|named| M::same(known, &named))
            }
        }
    }

    fn same_proto(a: &i32, b: &i32) -> bool {
        M::same_proto(a, b)
    }
}

impl<M: Lawful<Proto = i32>, const N: i32> Lawful for Fallback<M, N> {
    fn entities(depth: u32) -> BoxedStrategy<M::Entity> {
        M::entities(depth)
    }

    fn unmappable(depth: u32) -> Option<Located<M::Entity>> {
        M::unmappable(depth)
    }

    fn protos(depth: u32) -> BoxedStrategy<i32> {
        prop_oneof![M::protos(depth), unknown_numbers::<M>()].boxed()
    }

    fn corrupted(depth: u32) -> Option<Located<i32>> {
        sampled(&M::corrupted(depth)?, |(number, _)| {
            Self::from_proto(*number).is_err()
        })
    }

    fn same(a: &M::Entity, b: &M::Entity) -> bool {
        M::same(a, b)
    }

    fn same_proto(a: &i32, b: &i32) -> bool {
        M::same_proto(a, b)
    }
}

impl<M: Lawful<Proto = i32>> Lawful for ZeroIsNone<M> {
    fn entities(depth: u32) -> BoxedStrategy<Option<M::Entity>> {
        option::of(M::entities(depth)).boxed()
    }

    fn unmappable(depth: u32) -> Option<Located<Option<M::Entity>>> {
        M::unmappable(depth).map(|wrong| inside(wrong, Some))
    }

    fn protos(depth: u32) -> BoxedStrategy<i32> {
        prop_oneof![1 => Just(0), 3 => M::protos(depth)].boxed()
    }

    fn corrupted(depth: u32) -> Option<Located<i32>> {
        sampled(&M::corrupted(depth)?, |(number, _)| *number != 0)
    }

    fn same(a: &Option<M::Entity>, b: &Option<M::Entity>) -> bool {
        both(a, b, M::same) || (is_zero::<M>(a) && is_zero::<M>(b))
    }

    fn same_proto(a: &i32, b: &i32) -> bool {
        a == b
    }
}

/// Whether it is none, or a value whose number is 0, which means the same.
fn is_zero<M: Lawful<Proto = i32>>(entity: &Option<M::Entity>) -> bool {
    matches!(ZeroIsNone::<M>::to_proto(entity), Ok(0))
}

impl<M: Lawful<Proto = i32>> Lawful for OptionalEnum<M> {
    fn entities(depth: u32) -> BoxedStrategy<Option<M::Entity>> {
        ZeroIsNone::<M>::entities(depth)
    }

    fn unmappable(depth: u32) -> Option<Located<Option<M::Entity>>> {
        ZeroIsNone::<M>::unmappable(depth)
    }

    fn protos(depth: u32) -> BoxedStrategy<Option<i32>> {
        option::weighted(0.7, ZeroIsNone::<M>::protos(depth)).boxed()
    }

    fn corrupted(depth: u32) -> Option<Located<Option<i32>>> {
        any_of([ZeroIsNone::<M>::corrupted(depth).map(|wrong| inside(wrong, Some))])
    }

    fn same(a: &Option<M::Entity>, b: &Option<M::Entity>) -> bool {
        ZeroIsNone::<M>::same(a, b)
    }

    fn same_proto(a: &Option<i32>, b: &Option<i32>) -> bool {
        a == b
    }
}
