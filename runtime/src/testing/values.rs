//! [`Value`]: values of the types that are the same on both sides.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::hash::Hash;

use bytes::Bytes;
use proptest::collection::{btree_map, hash_map, vec};
use proptest::prelude::{any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};

/// The types that a field has on both sides.
pub trait Value: Clone + Debug + 'static {
    /// Its values, those at the edges often.
    fn values() -> BoxedStrategy<Self>;

    /// Whether two are equal in the normal form.
    fn same(&self, other: &Self) -> bool;
}

macro_rules! integers {
    ($($integer:ident),*) => {$(
        impl Value for $integer {
            fn values() -> BoxedStrategy<Self> {
                const EDGES: [$integer; 6] = [
                    $integer::MIN,
                    $integer::MIN + 1,
                    0,
                    1,
                    $integer::MAX - 1,
                    $integer::MAX,
                ];
                prop_oneof![
                    select(EDGES.as_slice()),
                    any::<$integer>(),
                    // Any of any width.
                    (any::<$integer>(), 0..$integer::BITS).prop_map(|(value, by)| value >> by),
                ]
                .boxed()
            }

            fn same(&self, other: &Self) -> bool {
                self == other
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

macro_rules! floats {
    ($($float:ident: $nan:expr),*) => {$(
        impl Value for $float {
            fn values() -> BoxedStrategy<Self> {
                const EDGES: [$float; 12] = [
                    0.0,
                    -0.0,
                    1.0,
                    $float::MIN,
                    $float::MAX,
                    $float::MIN_POSITIVE,
                    $float::EPSILON,
                    $float::INFINITY,
                    $float::NEG_INFINITY,
                    $float::NAN,
                    // One with something to say.
                    $float::from_bits($nan),
                    // The least above zero.
                    $float::from_bits(1),
                ];
                let all = proptest::num::$float::ANY;
                prop_oneof![select(EDGES.as_slice()), all].boxed()
            }

            fn same(&self, other: &Self) -> bool {
                self == other || self.to_bits() == other.to_bits()
            }
        }
    )*};
}

floats!(f32: 0x7fc0_beef, f64: 0x7ff8_0000_dead_beef);

impl Value for bool {
    fn values() -> BoxedStrategy<Self> {
        any::<Self>().boxed()
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl Value for String {
    fn values() -> BoxedStrategy<Self> {
        const EDGES: [&str; 7] = ["", " ", "\0", "a", "ß", "日本語", "\u{10ffff}\"\\\n"];
        prop_oneof![select(EDGES.as_slice()).prop_map(Self::from), any::<Self>(),].boxed()
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl Value for Bytes {
    fn values() -> BoxedStrategy<Self> {
        Vec::<u8>::values().prop_map(Self::from).boxed()
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl<T: Value> Value for Vec<T> {
    fn values() -> BoxedStrategy<Self> {
        vec(T::values(), 0..5).boxed()
    }

    fn same(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(a, b)| a.same(b))
    }
}

impl<T: Value> Value for Option<T> {
    fn values() -> BoxedStrategy<Self> {
        proptest::option::of(T::values()).boxed()
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Some(a), Some(b)) => a.same(b),
            (None, None) => true,
            _ => false,
        }
    }
}

impl<T: Value> Value for Box<T> {
    fn values() -> BoxedStrategy<Self> {
        T::values().prop_map(Self::new).boxed()
    }

    fn same(&self, other: &Self) -> bool {
        (**self).same(other)
    }
}

impl<K: Value + Eq + Hash, V: Value> Value for HashMap<K, V> {
    fn values() -> BoxedStrategy<Self> {
        hash_map(K::values(), V::values(), 0..4).boxed()
    }

    fn same(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, a)| other.get(key).is_some_and(|b| a.same(b)))
    }
}

impl<K: Value + Ord, V: Value> Value for BTreeMap<K, V> {
    fn values() -> BoxedStrategy<Self> {
        btree_map(K::values(), V::values(), 0..4).boxed()
    }

    fn same(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, a)| other.get(key).is_some_and(|b| a.same(b)))
    }
}
