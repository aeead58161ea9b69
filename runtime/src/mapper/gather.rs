//! What several checks of one value found, together.

use super::MapError;

/// All that is wrong, in the order of the checks. Asked only where something is: an array of what
/// might be wrong costs more than the mapping itself.
#[cold]
pub(super) fn all_of<const N: usize>(found: [Option<MapError>; N]) -> MapError {
    let mut all = MapError::none();
    for error in found.into_iter().flatten() {
        all.append(error);
    }
    all
}
