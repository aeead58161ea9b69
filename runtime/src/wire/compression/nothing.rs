//! No encoding is built in, so there is none to work with.

use super::{Broken, Compression};

pub(crate) fn decompress(
    encoding: Compression,
    _packed: &[u8],
    _limit: usize,
) -> Result<Vec<u8>, Broken> {
    match encoding {}
}

pub(crate) fn pack<T>(
    encoding: Compression,
    _encode: impl FnOnce(&mut Vec<u8>),
    _send: impl FnOnce(bool, &[u8]) -> T,
) -> T {
    match encoding {}
}
