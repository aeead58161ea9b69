//! What generated values are put together with.

use std::fmt::Debug;

use proptest::strategy::{BoxedStrategy, Strategy, Union};

use super::Located;
use super::parts::at;
use crate::mapper::ProtobufMapper;

/// As [`broken`](super::broken), for a oneof: its members know their own names, so that its own is only for when
/// none is set.
pub fn broken_oneof<T: Debug + 'static, F: Debug + 'static>(
    whole: &BoxedStrategy<T>,
    oneof: &'static str,
    wrong: Option<Located<F>>,
    set: impl Fn(&mut T, F) + 'static,
) -> Option<Located<T>> {
    let both = (whole.clone(), wrong?);
    let broken = both.prop_map(move |(mut whole, (wrong, path))| {
        set(&mut whole, wrong);
        let path = if path.is_empty() {
            oneof.to_owned()
        } else {
            path
        };
        (whole, path)
    });
    Some(broken.boxed())
}

/// What is wrong, as the value of a oneof's member.
pub fn wrapped<T: Debug + 'static, U: Debug + 'static>(
    wrong: Option<Located<T>>,
    member: &'static str,
    put: impl Fn(T) -> U + 'static,
) -> Option<Located<U>> {
    let wrapped = wrong?.prop_map(move |(wrong, path)| (put(wrong), at(member, &path)));
    Some(wrapped.boxed())
}

/// Any of those that there are.
///
/// # Panics
///
/// When there is none: a oneof whose members all hold the oneof has no end.
pub fn one_of<T: Debug + 'static>(
    all: impl IntoIterator<Item = Option<BoxedStrategy<T>>>,
) -> BoxedStrategy<T> {
    let all: Vec<_> = all.into_iter().flatten().collect();
    assert!(
        !all.is_empty(),
        "every member of the oneof holds the oneof itself"
    );
    Union::new(all).boxed()
}

/// The message of an entity that a message can say.
///
/// # Panics
///
/// When it can't.
#[must_use]
pub fn proto_of<M: ProtobufMapper>(entity: &M::Entity) -> M::Proto {
    match M::to_proto(entity) {
        Ok(proto) => proto,
        Err(error) => {
            let error = error.into();
            unmappable(&error)
        }
    }
}

#[allow(clippy::panic, reason = "a property test fails by panicking")]
fn unmappable(error: &crate::MapError) -> ! {
    panic!("no message can say it: {error}")
}
