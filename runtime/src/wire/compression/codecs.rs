//! Messages in and out of an encoding, by codecs that a thread keeps.
//!
//! A codec has tables of some 100 KiB. They are the threads' and not the streams': there may be a lot
//! of streams, no codec remembers anything of an earlier message, and a unary call has them ready too.

use std::cell::Cell;

#[cfg(feature = "gzip")]
use super::gzip::Gzip;
#[cfg(feature = "zstd")]
use super::zstandard::Zstandard;
use super::{Broken, Compression};

/// What a thread keeps of a buffer, in bytes; one that grew larger for a message goes with it.
const KEPT: usize = 64 * 1024;

thread_local! {
    /// Taken out while it is used.
    static CODECS: Cell<Option<Box<Codecs>>> = const { Cell::new(None) };
}

/// A thread's codecs, each made when it is first used.
#[derive(Default)]
struct Codecs {
    #[cfg(feature = "gzip")]
    gzip: Gzip,
    #[cfg(feature = "zstd")]
    zstd: Zstandard,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

/// What `packed` is without its encoding: at most `limit` bytes, of which never more than one byte
/// above that is held.
pub(crate) fn decompress(
    encoding: Compression,
    packed: &[u8],
    limit: usize,
) -> Result<Vec<u8>, Broken> {
    with(|codecs| match encoding {
        #[cfg(feature = "gzip")]
        Compression::Gzip => codecs.gzip.decompress(packed, limit),
        #[cfg(feature = "zstd")]
        Compression::Zstd => codecs.zstd.decompress(packed, limit),
    })
}

/// Has a message written by `encode`, and gives it to `send`: compressed, and that it is, where that is
/// smaller.
pub(crate) fn pack<T>(
    encoding: Compression,
    encode: impl FnOnce(&mut Vec<u8>),
    send: impl FnOnce(bool, &[u8]) -> T,
) -> T {
    with(|codecs| {
        let Codecs { plain, packed, .. } = codecs;
        plain.clear();
        encode(plain);
        packed.clear();
        packed.reserve_exact(plain.len());
        let is_smaller = match encoding {
            #[cfg(feature = "gzip")]
            Compression::Gzip => codecs.gzip.compress(plain, packed),
            #[cfg(feature = "zstd")]
            Compression::Zstd => codecs.zstd.compress(plain, packed),
        };
        let sent = send(is_smaller, if is_smaller { packed } else { plain });
        for buffer in [plain, packed] {
            if buffer.capacity() > KEPT {
                *buffer = Vec::new();
            }
        }
        sent
    })
}

/// Works with the thread's codecs. A thread that ends has none any more, and one that panicked neither.
fn with<T>(work: impl FnOnce(&mut Codecs) -> T) -> T {
    let kept = CODECS.try_with(Cell::take).ok().flatten();
    let mut codecs = kept.unwrap_or_default();
    let result = work(&mut codecs);
    // Only a thread that ends doesn't take them.
    let _ = CODECS.try_with(|kept| kept.set(Some(codecs)));
    result
}
