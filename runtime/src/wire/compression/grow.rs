//! How the output of a decompressor grows: with what comes of it, and not with what is announced.

use super::Broken;

/// The least that is set aside.
const LEAST: usize = 4 * 1024;

/// Room for what `packed` bytes may become at first, where up to `limit` bytes are read.
///
/// It is a multiple of what was sent: a few bytes can't have a lot set aside.
pub(super) fn room(packed: usize, limit: usize) -> Vec<u8> {
    let first = packed.saturating_mul(4).max(LEAST);
    Vec::with_capacity(first.min(limit.saturating_add(1)))
}

/// Twice the room, and no more than one byte above the limit: who fills that has too much.
pub(super) fn grow(output: &mut Vec<u8>, limit: usize) -> Result<(), Broken> {
    let most = limit.saturating_add(1);
    if output.capacity() >= most {
        return Err(Broken::TooLarge);
    }
    let wanted = output.capacity().saturating_mul(2).max(LEAST).min(most);
    output.reserve_exact(wanted - output.len());
    Ok(())
}
