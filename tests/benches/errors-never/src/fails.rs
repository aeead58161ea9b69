//! The errors that the shop can be asked for: none.

use crate::never::Never;

pub(crate) const ITEMS: [&str; 0] = [];

/// Nobody asks for it.
#[allow(
    clippy::needless_pass_by_value,
    reason = "the errors of the other side take it"
)]
pub(crate) fn with(item: String) -> Never {
    crate::never::out_of_reach(&item)
}
