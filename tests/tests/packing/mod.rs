//! Compressed frames, made and read by others' codecs.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::io::{Read, Write};

use apibase::Compression;
use apibase::prost::Message;
use bytes::Bytes;

use crate::common::{Answer, frame_of};

/// `plain` as others compress it.
pub(crate) fn packed(encoding: Compression, plain: &[u8]) -> Vec<u8> {
    match encoding {
        Compression::Gzip => {
            let level = flate2::Compression::default();
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => zstd::encode_all(plain, 0).unwrap(),
        other => panic!("{other}"),
    }
}

/// What others read of `packed`.
pub(crate) fn unpacked(encoding: Compression, packed: &[u8]) -> Vec<u8> {
    match encoding {
        Compression::Gzip => {
            let mut plain = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(packed);
            decoder.read_to_end(&mut plain).unwrap();
            plain
        }
        Compression::Zstd => zstd::decode_all(packed).unwrap(),
        other => panic!("{other}"),
    }
}

/// `message` as a frame that says that it is compressed, and is.
pub(crate) fn packed_frame(encoding: Compression, message: &impl Message) -> Bytes {
    marked(&packed(encoding, &message.encode_to_vec()))
}

/// These bytes as a frame that says that it is compressed.
pub(crate) fn marked(bytes: &[u8]) -> Bytes {
    frame_of(1, u32::try_from(bytes.len()).unwrap(), bytes)
}

/// The messages of an answer, and whether each is compressed.
pub(crate) fn replies<M: Message + Default>(answer: &Answer) -> Vec<(bool, M)> {
    let encoding = answer.headers.get("grpc-encoding");
    let encoding = encoding.map(|name| match name.to_str().unwrap() {
        "gzip" => Compression::Gzip,
        "zstd" => Compression::Zstd,
        other => panic!("{other}"),
    });
    let mut messages = Vec::new();
    let mut rest = &*answer.body;
    while let Some((&[flag, a, b, c, d], after)) = rest.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap();
        let (message, after) = after.split_at(length);
        messages.push(match flag {
            0 => (false, M::decode(message).unwrap()),
            1 => (
                true,
                M::decode(&*unpacked(encoding.unwrap(), message)).unwrap(),
            ),
            flag => panic!("flags {flag}"),
        });
        rest = after;
    }
    assert!(rest.is_empty(), "{} bytes are left", rest.len());
    messages
}
