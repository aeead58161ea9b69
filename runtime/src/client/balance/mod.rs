//! Which endpoint of a target a call goes to.
//!
//! The [`Picker`] chooses among those that are ready, by what their [`Candidate`]s say: how busy they are
//! (`load.rs`), whether calls on them fail (`ejection.rs`), and whether the call was there before.

mod candidate;
mod ejection;
mod load;
mod picker;
#[cfg(test)]
mod tests;

pub(crate) use self::candidate::{Candidate, Ending, Started};
pub use self::ejection::OutlierEjection;
pub(crate) use self::ejection::{Cause, Change, Ejector, Notice};
pub(crate) use self::picker::Picker;

/// How a channel chooses among the endpoints of its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Balance {
    /// Each in turn; it is connected to all of them. The default.
    #[default]
    RoundRobin,
    /// The first that can be connected to, as long as it is there; the next one is tried 250 ms later
    /// (gRFC A61).
    PickFirst,
    /// The one with the least to do, by calls in flight and how long they take; it is connected to all
    /// of them.
    LeastLoaded,
}
