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

pub(crate) use super::config::Balance;

pub(crate) use self::candidate::{Candidate, Ending, Started};
pub use self::ejection::OutlierEjection;
pub(crate) use self::ejection::{Change, Ejector, Notice};
pub(crate) use self::picker::Picker;
