//! gzip (RFC 1952) around DEFLATE.
//!
//! The few bytes around it are our own: what flate2 has for them makes a new codec for every message.

use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};

use super::Broken;
use super::grow::{grow, room};

/// DEFLATE, no name, no time, fastest, from nowhere in particular.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// The checksum and the length, after each member.
const TRAILER: usize = 8;

/// How many members a message may have. Every other sender writes one; each costs as much as a lot of
/// its bytes.
const MOST_MEMBERS: usize = 1024;

const NOT_GZIP: Broken = Broken::Corrupt("it does not start as gzip does");
const CUT: Broken = Broken::Corrupt("it ends before its end");

#[derive(Default)]
pub(super) struct Gzip {
    compress: Option<Compress>,
    decompress: Option<Decompress>,
}

impl Gzip {
    /// Compresses `plain` into `packed`, which is empty and has room for as much; false where it
    /// wouldn't be smaller.
    pub(super) fn compress(&mut self, plain: &[u8], packed: &mut Vec<u8>) -> bool {
        let deflater = self
            .compress
            .get_or_insert_with(|| Compress::new(Compression::fast(), false));
        deflater.reset();
        packed.extend_from_slice(&HEADER);
        let status = deflater.compress_vec(plain, packed, FlushCompress::Finish);
        if !matches!(status, Ok(Status::StreamEnd)) || packed.len() + TRAILER >= plain.len() {
            return false;
        }
        packed.extend_from_slice(&checksum(plain).to_le_bytes());
        packed.extend_from_slice(&modulo(plain.len()).to_le_bytes());
        true
    }

    /// What is in the members of `packed`, one after the other.
    pub(super) fn decompress(&mut self, packed: &[u8], limit: usize) -> Result<Vec<u8>, Broken> {
        let mut output = room(packed.len(), limit);
        let mut rest = packed;
        for _ in 0..MOST_MEMBERS {
            rest = after_header(rest)?;
            let start = output.len();
            let used = self.inflate(rest, &mut output, limit)?;
            let member = output.get(start..).unwrap_or_default();
            let Some((trailer, next)) = rest
                .get(used..)
                .and_then(<[u8]>::split_first_chunk::<TRAILER>)
            else {
                return Err(CUT);
            };
            let said = u64::from_le_bytes(*trailer);
            let length = u64::from(modulo(member.len()));
            if said != length << 32 | u64::from(checksum(member)) {
                return Err(Broken::Corrupt("its checksum is wrong"));
            }
            if next.is_empty() {
                return Ok(output);
            }
            rest = next;
        }
        Err(Broken::Corrupt("it has too many members"))
    }

    /// Inflates one member to the end of `output`, and says how much of `input` it was.
    fn inflate(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        limit: usize,
    ) -> Result<usize, Broken> {
        let inflater = self
            .decompress
            .get_or_insert_with(|| Decompress::new(false));
        inflater.reset(false);
        let mut rest = input;
        loop {
            if output.len() == output.capacity() {
                grow(output, limit)?;
            }
            let (read, written) = (inflater.total_in(), output.len());
            let status = inflater.decompress_vec(rest, output, FlushDecompress::None);
            if output.len() > limit {
                return Err(Broken::TooLarge);
            }
            let used = usize::try_from(inflater.total_in() - read).unwrap_or(usize::MAX);
            rest = rest.get(used..).unwrap_or_default();
            match status {
                Ok(Status::StreamEnd) => return Ok(input.len() - rest.len()),
                // There was room, and still nothing came of it.
                Ok(_) if used == 0 && output.len() == written => return Err(CUT),
                Ok(_) => {}
                Err(_) => return Err(Broken::Corrupt("it is no DEFLATE")),
            }
        }
    }
}

/// What follows the header of a member (RFC 1952, section 2.3).
fn after_header(member: &[u8]) -> Result<&[u8], Broken> {
    const HAS_CHECKSUM: u8 = 2;
    const HAS_EXTRA: u8 = 4;
    const HAS_NAME: u8 = 8;
    const HAS_COMMENT: u8 = 16;
    const RESERVED: u8 = 0xe0;
    let Some((&[0x1f, 0x8b, 8, flags, ..], mut rest)) = member.split_first_chunk::<10>() else {
        return Err(NOT_GZIP);
    };
    if flags & RESERVED != 0 {
        return Err(NOT_GZIP);
    }
    if flags & HAS_EXTRA != 0 {
        let (length, extra) = rest.split_first_chunk().ok_or(CUT)?;
        let length = u16::from_le_bytes(*length);
        rest = extra.get(usize::from(length)..).ok_or(CUT)?;
    }
    for text in [HAS_NAME, HAS_COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0).ok_or(CUT)?;
            rest = rest.get(end + 1..).ok_or(CUT)?;
        }
    }
    if flags & HAS_CHECKSUM != 0 {
        let header = member.len() - rest.len();
        let header = member.get(..header).unwrap_or_default();
        let (said, after) = rest.split_first_chunk().ok_or(CUT)?;
        if u32::from(u16::from_le_bytes(*said)) != checksum(header) & 0xffff {
            return Err(Broken::Corrupt("the checksum of its header is wrong"));
        }
        rest = after;
    }
    Ok(rest)
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// A length as a trailer has it: modulo 2³².
fn modulo(length: usize) -> u32 {
    let [a, b, c, d, ..] = (length as u64).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
