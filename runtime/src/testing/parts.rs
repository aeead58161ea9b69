//! What values are made of.

use std::fmt::Debug;

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy, Union, ValueTree};
use proptest::test_runner::TestRunner;

use super::Located;

/// The path of what is wrong, one level up: `price` is `items[3].price` at `items[3]`.
#[must_use]
pub fn at(segment: &str, path: &str) -> String {
    let dot = if path.is_empty() || path.starts_with('[') {
        ""
    } else {
        "."
    };
    format!("{segment}{dot}{path}")
}

/// Messages, or entities, of which one field is wrong; `set` puts it in.
pub fn broken<T: Debug + 'static, F: Debug + 'static>(
    whole: &BoxedStrategy<T>,
    field: &'static str,
    wrong: Option<Located<F>>,
    set: impl Fn(&mut T, F) + 'static,
) -> Option<Located<T>> {
    let both = (whole.clone(), wrong?);
    let broken = both.prop_map(move |(mut whole, (wrong, path))| {
        set(&mut whole, wrong);
        (whole, at(field, &path))
    });
    Some(broken.boxed())
}

/// Any of those that there are; none where there are none.
pub fn any_of<T: Debug + 'static>(
    all: impl IntoIterator<Item = Option<BoxedStrategy<T>>>,
) -> Option<BoxedStrategy<T>> {
    let all: Vec<_> = all.into_iter().flatten().collect();
    (!all.is_empty()).then(|| Union::new(all).boxed())
}

/// Those values of a few hundred samples that are wanted; none where none is. For what
/// `prop_filter` would search for in vain.
pub fn sampled<T: Clone + Debug + 'static>(
    values: &BoxedStrategy<T>,
    wanted: impl Fn(&T) -> bool,
) -> Option<BoxedStrategy<T>> {
    let mut runner = TestRunner::deterministic();
    let samples: Vec<T> = (0..SAMPLES)
        .filter_map(|_| values.new_tree(&mut runner).ok())
        .map(|tree| tree.current())
        .filter(wanted)
        .collect();
    (!samples.is_empty()).then(|| select(samples).boxed())
}

const SAMPLES: usize = 400;

/// A value that can be made again and again but not cloned.
pub(super) fn made<T: Debug + 'static>(make: impl Fn() -> T + 'static) -> BoxedStrategy<T> {
    proptest::strategy::Just(())
        .prop_map(move |()| make())
        .boxed()
}

/// The same, wrong in itself.
pub(super) fn itself<T: Debug + 'static>(wrong: BoxedStrategy<T>) -> Located<T> {
    wrong.prop_map(|wrong| (wrong, String::new())).boxed()
}

/// What is wrong, in another value.
pub(super) fn inside<T: Debug + 'static, U: Debug + 'static>(
    wrong: Located<T>,
    put: impl Fn(T) -> U + 'static,
) -> Located<U> {
    wrong
        .prop_map(move |(wrong, path)| (put(wrong), path))
        .boxed()
}
