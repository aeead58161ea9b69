//! Mappers of map fields.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use super::lists::{Gathered, note};
use super::{Grade, MapError, ProtobufMapper, Unmappable};

/// A map whose values `V` maps and whose keys, of type `K`, stay as they are; between the map types
/// `P` of the message and `E` of the entity, each of which is a hash map or an ordered one. Of a map
/// that is wrong, everything that is wrong is said: `["a"].price`.
#[derive(Debug)]
pub struct MapOf<K, V, P, E>(PhantomData<fn(K) -> V>, PhantomData<fn(P) -> E>);

/// Hash maps on both sides.
pub type HashMapOf<K, V> = MapOf<
    K,
    V,
    HashMap<K, <V as ProtobufMapper>::Proto>,
    HashMap<K, <V as ProtobufMapper>::Entity>,
>;

/// Sorted maps on both sides.
pub type BTreeMapOf<K, V> = MapOf<
    K,
    V,
    BTreeMap<K, <V as ProtobufMapper>::Proto>,
    BTreeMap<K, <V as ProtobufMapper>::Entity>,
>;

/// A hash map in the message, a sorted one in the entity.
pub type SortedMapOf<K, V> = MapOf<
    K,
    V,
    HashMap<K, <V as ProtobufMapper>::Proto>,
    BTreeMap<K, <V as ProtobufMapper>::Entity>,
>;

/// The types of protobuf's map keys.
pub trait MapKey: Clone {
    /// The key as it stands in a path: `["a"]`, `[3]`, `[true]`. Long texts are cut.
    fn segment(&self) -> String;
}

/// The types of maps.
pub trait MapType<K, V> {
    /// An empty map with room for this many.
    fn with_capacity(entries: usize) -> Self;

    /// Adds an entry.
    fn insert(&mut self, key: K, value: V);

    /// The entries.
    fn entries<'a>(&'a self) -> impl ExactSizeIterator<Item = (&'a K, &'a V)>
    where
        K: 'a,
        V: 'a;

    /// The entries of a map that goes.
    fn into_entries(self) -> impl ExactSizeIterator<Item = (K, V)>;
}

impl<K, V, P, E> ProtobufMapper for MapOf<K, V, P, E>
where
    K: MapKey,
    V: ProtobufMapper,
    P: MapType<K, V::Proto>,
    E: MapType<K, V::Entity>,
{
    type Entity = E;
    type Proto = P;
    type EncodeError = V::EncodeError;
    const GRADE: Grade = V::GRADE;

    #[inline]
    fn to_proto(entity: &E) -> Result<P, V::EncodeError> {
        let entries = entity.entries();
        let mut proto = P::with_capacity(entries.len());
        for (key, value) in entries {
            match V::to_proto(value) {
                Ok(value) => proto.insert(key.clone(), value),
                Err(error) => return Err(error.at(key.segment())),
            }
        }
        Ok(proto)
    }

    #[inline]
    fn into_proto(entity: E) -> Result<P, V::EncodeError> {
        let entries = entity.into_entries();
        let mut proto = P::with_capacity(entries.len());
        for (key, value) in entries {
            match V::into_proto(value) {
                Ok(value) => proto.insert(key, value),
                Err(error) => return Err(error.at(key.segment())),
            }
        }
        Ok(proto)
    }

    #[inline]
    fn from_proto(proto: P) -> Result<E, MapError> {
        let entries = proto.into_entries();
        let mut wrong = Gathered::new(None);
        let mut entity = E::with_capacity(entries.len());
        for (key, value) in entries {
            match V::from_proto(value) {
                Ok(value) => entity.insert(key, value),
                Err(error) => note(&mut wrong, key.segment(), error),
            }
        }
        match Gathered::into_inner(wrong) {
            None => Ok(entity),
            Some(wrong) => Err(wrong),
        }
    }
}

impl<K: Eq + Hash, V, S: BuildHasher + Default> MapType<K, V> for HashMap<K, V, S> {
    #[inline]
    fn with_capacity(entries: usize) -> Self {
        Self::with_capacity_and_hasher(entries, S::default())
    }

    #[inline]
    fn insert(&mut self, key: K, value: V) {
        self.insert(key, value);
    }

    #[inline]
    fn entries<'a>(&'a self) -> impl ExactSizeIterator<Item = (&'a K, &'a V)>
    where
        K: 'a,
        V: 'a,
    {
        self.iter()
    }

    #[inline]
    fn into_entries(self) -> impl ExactSizeIterator<Item = (K, V)> {
        self.into_iter()
    }
}

impl<K: Ord, V> MapType<K, V> for BTreeMap<K, V> {
    #[inline]
    fn with_capacity(_entries: usize) -> Self {
        Self::new()
    }

    #[inline]
    fn insert(&mut self, key: K, value: V) {
        self.insert(key, value);
    }

    #[inline]
    fn entries<'a>(&'a self) -> impl ExactSizeIterator<Item = (&'a K, &'a V)>
    where
        K: 'a,
        V: 'a,
    {
        self.iter()
    }

    #[inline]
    fn into_entries(self) -> impl ExactSizeIterator<Item = (K, V)> {
        self.into_iter()
    }
}

impl MapKey for String {
    #[cold]
    fn segment(&self) -> String {
        text_segment(self)
    }
}

macro_rules! plain_key {
    ($($key:ty),*) => {$(
        impl MapKey for $key {
            #[cold]
            fn segment(&self) -> String {
                segment(self)
            }
        }
    )*};
}

plain_key!(bool, i32, i64, u32, u64);

/// So much of a text key is in a path, in characters: a message holds what its sender likes.
const KEY_SHOWN: usize = 64;

/// `["a"]`.
pub(super) fn text_segment(key: &str) -> String {
    match key.char_indices().nth(KEY_SHOWN) {
        Some((cut, _)) => format!("[{:?}…]", key.get(..cut).unwrap_or_default()),
        None => format!("[{key:?}]"),
    }
}

fn segment(key: impl fmt::Display) -> String {
    format!("[{key}]")
}
