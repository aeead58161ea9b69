//! Lists of what a mapper maps.

use std::fmt;
use std::mem::ManuallyDrop;

use super::{MapError, ProtobufMapper, Unmappable};

/// The place of an element in a path: `[3]`.
#[derive(Clone, Copy)]
pub(super) struct Index(pub(super) usize);

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0)
    }
}

/// The messages of entities that stay.
#[inline]
pub(super) fn to_protos<'a, M>(
    entities: impl ExactSizeIterator<Item = &'a M::Entity>,
) -> Result<Vec<M::Proto>, M::EncodeError>
where
    M: ProtobufMapper<Entity: 'a>,
{
    let mut protos = Vec::with_capacity(entities.len());
    for (index, entity) in entities.enumerate() {
        match M::to_proto(entity) {
            Ok(proto) => protos.push(proto),
            Err(error) => return Err(error.at(Index(index))),
        }
    }
    Ok(protos)
}

/// The messages of entities that go.
#[inline]
pub(super) fn into_protos<M: ProtobufMapper>(
    entities: impl ExactSizeIterator<Item = M::Entity>,
) -> Result<Vec<M::Proto>, M::EncodeError> {
    let mut protos = Vec::with_capacity(entities.len());
    for (index, entity) in entities.enumerate() {
        match M::into_proto(entity) {
            Ok(proto) => protos.push(proto),
            Err(error) => return Err(error.at(Index(index))),
        }
    }
    Ok(protos)
}

/// The messages of a list that goes.
#[inline]
pub(super) fn list_into_protos<M: ProtobufMapper>(
    entities: Vec<M::Entity>,
) -> Result<Vec<M::Proto>, M::EncodeError> {
    if !in_place::<M::Entity, M::Proto>() {
        return into_protos::<M>(entities.into_iter());
    }
    let mut failed = None;
    let protos = entities
        .into_iter()
        .enumerate()
        .map_while(|(index, entity)| match M::into_proto(entity) {
            Ok(proto) => Some(proto),
            Err(error) => {
                failed = Some(error.at(Index(index)));
                None
            }
        })
        .collect();
    failed.map_or(Ok(protos), Err)
}

/// The entities of messages, or all that is wrong with any of them.
#[inline]
pub(super) fn from_protos<M: ProtobufMapper>(
    protos: Vec<M::Proto>,
) -> Result<Vec<M::Entity>, MapError> {
    let length = protos.len();
    let mut wrong = Gathered::new(None);
    let mapped =
        protos
            .into_iter()
            .enumerate()
            .filter_map(|(index, proto)| match M::from_proto(proto) {
                Ok(entity) => Some(entity),
                Err(error) => {
                    note(&mut wrong, Index(index), error);
                    None
                }
            });
    let entities: Vec<M::Entity> = if in_place::<M::Proto, M::Entity>() {
        mapped.collect()
    } else {
        let mut entities = Vec::with_capacity(length);
        entities.extend(mapped);
        entities
    };
    match Gathered::into_inner(wrong) {
        None => Ok(entities),
        Some(wrong) => Err(wrong),
    }
}

/// What is wrong with some of many. It is always taken out: that it is dropped nowhere else spares the
/// loops the code for it. Only a panic in between would leak it.
pub(super) type Gathered = ManuallyDrop<Option<MapError>>;

/// Adds what is wrong at a place.
#[cold]
#[inline(never)]
pub(super) fn note(wrong: &mut Gathered, place: impl fmt::Display, error: MapError) {
    let error = error.at(place);
    match &mut **wrong {
        Some(all) => all.append(error),
        None => **wrong = Some(error),
    }
}

/// Whether `collect` writes a list of `To` over the list of `From` that it is made of: the standard
/// library does where the one fits into the other. It is asked only where little room is wasted;
/// elsewhere a list of the right size is made at once.
const fn in_place<From, To>() -> bool {
    let (from, to) = (size_of::<From>(), size_of::<To>());
    to > 0 && to <= from && from <= 2 * to && align_of::<From>() == align_of::<To>()
}
