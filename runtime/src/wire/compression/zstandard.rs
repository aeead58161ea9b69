//! Zstandard (RFC 8878), each message in one frame.
//!
//! Reading is one-shot, so that the output is the window. A stream's decompressor would set aside a
//! window as large as the frame says, whatever comes of it, and keep it.

use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd::zstd_safe::{CCtx, DCtx, ErrorCode};

use super::Broken;
use super::grow::{grow, room};

/// The fastest of the usual ones.
const LEVEL: i32 = 1;

/// How zstd says that there is no room: its codes are negative.
const NO_ROOM: ErrorCode = (ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall as usize).wrapping_neg();

#[derive(Default)]
pub(super) struct Zstandard {
    compress: Option<CCtx<'static>>,
    decompress: Option<DCtx<'static>>,
}

impl Zstandard {
    /// Compresses `plain` into `packed`, which is empty and has room for as much; false where it
    /// wouldn't be smaller.
    pub(super) fn compress(&mut self, plain: &[u8], packed: &mut Vec<u8>) -> bool {
        if self.compress.is_none() {
            self.compress = CCtx::try_create();
        }
        let Some(context) = &mut self.compress else {
            return false;
        };
        match context.compress(packed, plain, LEVEL) {
            Ok(length) => length < plain.len(),
            Err(_) => false,
        }
    }

    /// What is in the frames of `packed`.
    ///
    /// Where there is no room, it starts anew with twice as much: all in all at most twice the work.
    pub(super) fn decompress(&mut self, packed: &[u8], limit: usize) -> Result<Vec<u8>, Broken> {
        if packed.is_empty() {
            return Err(Broken::Corrupt("there is no frame"));
        }
        if self.decompress.is_none() {
            self.decompress = DCtx::try_create();
        }
        let Some(context) = &mut self.decompress else {
            return Err(Broken::Corrupt("there is no memory for it"));
        };
        let mut output = room(packed.len(), limit);
        loop {
            match context.decompress(&mut output, packed) {
                Ok(length) if length > limit => return Err(Broken::TooLarge),
                Ok(_) => return Ok(output),
                Err(NO_ROOM) => grow(&mut output, limit)?,
                Err(code) => return Err(Broken::Corrupt(zstd::zstd_safe::get_error_name(code))),
            }
        }
    }
}
