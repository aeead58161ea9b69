use std::fmt::Debug;

use proptest::collection::vec;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::super::parts::at;
use super::super::{Lawful, Located, Value};
use crate::mapper::{MapKey, MapOf, MapType};

impl<K, V, P, E> Lawful for MapOf<K, V, P, E>
where
    K: MapKey + Value,
    V: Lawful,
    P: MapType<K, V::Proto> + Clone + Debug + 'static,
    E: MapType<K, V::Entity> + Debug + 'static,
{
    fn entities(depth: u32) -> BoxedStrategy<E> {
        some::<K, _, E>(depth, V::entities)
    }

    fn unmappable(depth: u32) -> Option<Located<E>> {
        let depth = depth.checked_sub(1)?;
        Some(one_wrong(V::entities(depth), V::unmappable(depth)?))
    }

    fn protos(depth: u32) -> BoxedStrategy<P> {
        some::<K, _, P>(depth, V::protos)
    }

    fn corrupted(depth: u32) -> Option<Located<P>> {
        let depth = depth.checked_sub(1)?;
        Some(one_wrong(V::protos(depth), V::corrupted(depth)?))
    }

    fn same(a: &E, b: &E) -> bool {
        same_map(a, b, V::same)
    }

    fn same_proto(a: &P, b: &P) -> bool {
        same_map(a, b, V::same_proto)
    }
}

fn some<K: Value, T: Debug + 'static, X: MapType<K, T> + Debug + 'static>(
    depth: u32,
    values: fn(u32) -> BoxedStrategy<T>,
) -> BoxedStrategy<X> {
    match depth.checked_sub(1) {
        Some(depth) => vec((K::values(), values(depth)), 0..4)
            .prop_map(map)
            .boxed(),
        None => super::super::parts::made(|| map(Vec::new())),
    }
}

/// A map with one value that is wrong.
fn one_wrong<K, T, X>(right: BoxedStrategy<T>, wrong: Located<T>) -> Located<X>
where
    K: MapKey + Value,
    T: Debug + 'static,
    X: MapType<K, T> + Debug + 'static,
{
    (vec((K::values(), right), 0..3), K::values(), wrong)
        .prop_map(|(entries, key, (wrong, path))| {
            let mut map: X = map(entries);
            let path = at(&key.segment(), &path);
            map.insert(key, wrong);
            (map, path)
        })
        .boxed()
}

fn map<K, T, X: MapType<K, T>>(entries: Vec<(K, T)>) -> X {
    let mut map = X::with_capacity(entries.len());
    for (key, value) in entries {
        map.insert(key, value);
    }
    map
}

fn same_map<K: Value, T, X: MapType<K, T>>(a: &X, b: &X, same: impl Fn(&T, &T) -> bool) -> bool {
    let is_in_b = |(key, a): (&K, &T)| b.entries().any(|(other, b)| key.same(other) && same(a, b));
    a.entries().len() == b.entries().len() && a.entries().all(is_in_b)
}
