//! [`IsEmpty`]: what a field without presence holds when nothing was said.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

/// Values of which the empty one can't be told from none at all, in a field without presence: text,
/// bytes, lists and maps; and zero, of integers.
pub trait IsEmpty {
    /// Whether it is the empty one.
    fn is_empty(&self) -> bool;
}

impl IsEmpty for String {
    #[inline]
    fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }
}

impl IsEmpty for Bytes {
    #[inline]
    fn is_empty(&self) -> bool {
        self.as_ref().is_empty()
    }
}

impl<T> IsEmpty for Vec<T> {
    #[inline]
    fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }
}

impl<K, V, S> IsEmpty for HashMap<K, V, S> {
    #[inline]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K, V> IsEmpty for BTreeMap<K, V> {
    #[inline]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! zero_is_empty {
    ($($integer:ty),*) => {$(
        impl IsEmpty for $integer {
            #[inline]
            fn is_empty(&self) -> bool {
                *self == 0
            }
        }
    )*};
}

zero_is_empty!(i32, i64, u32, u64);
