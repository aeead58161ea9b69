//! Mappers of repeated fields: lists and sets.

use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;
use std::marker::PhantomData;

use super::{Grade, MapError, ProtobufMapper, lists};

/// A list of what `M` maps. Of a list that is wrong, everything that is wrong is said: `[3].price`.
#[derive(Debug)]
pub struct Repeated<M>(PhantomData<fn() -> M>);

/// A hash set of what `M` maps. Doubles on the wire merge, and the order is not kept.
#[derive(Debug)]
pub struct HashSetOf<M>(PhantomData<fn() -> M>);

/// An ordered set of what `M` maps. Doubles on the wire merge, and it is sent in order.
#[derive(Debug)]
pub struct BTreeSetOf<M>(PhantomData<fn() -> M>);

impl<M: ProtobufMapper> ProtobufMapper for Repeated<M> {
    type Entity = Vec<M::Entity>;
    type Proto = Vec<M::Proto>;
    type EncodeError = M::EncodeError;
    const GRADE: Grade = M::GRADE;

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        M::to_proto_list(entity)
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        M::into_proto_list(entity)
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<Self::Entity, MapError> {
        M::from_proto_list(proto)
    }
}

impl<M: ProtobufMapper<Entity: Eq + Hash>> ProtobufMapper for HashSetOf<M> {
    type Entity = HashSet<M::Entity>;
    type Proto = Vec<M::Proto>;
    type EncodeError = M::EncodeError;
    const GRADE: Grade = M::GRADE.and(Grade::Injective);

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        lists::to_protos::<M>(entity.iter())
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        lists::into_protos::<M>(entity.into_iter())
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<Self::Entity, MapError> {
        Ok(M::from_proto_list(proto)?.into_iter().collect())
    }
}

impl<M: ProtobufMapper<Entity: Ord>> ProtobufMapper for BTreeSetOf<M> {
    type Entity = BTreeSet<M::Entity>;
    type Proto = Vec<M::Proto>;
    type EncodeError = M::EncodeError;
    const GRADE: Grade = M::GRADE.and(Grade::Injective);

    #[inline]
    fn to_proto(entity: &Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        lists::to_protos::<M>(entity.iter())
    }

    #[inline]
    fn into_proto(entity: Self::Entity) -> Result<Self::Proto, Self::EncodeError> {
        lists::into_protos::<M>(entity.into_iter())
    }

    #[inline]
    fn from_proto(proto: Self::Proto) -> Result<Self::Entity, MapError> {
        Ok(M::from_proto_list(proto)?.into_iter().collect())
    }
}
