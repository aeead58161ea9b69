#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::io::{Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression as Level, GzBuilder};

use super::*;

const BOTH: [Compression; 2] = [Compression::Gzip, Compression::Zstd];
const LIMIT: usize = 100_000;

/// Some sizes around which something changes, of bytes that compress well, badly or not at all.
fn messages() -> impl Iterator<Item = Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(7);
    let sizes = [0, 1, 100, 1023, 1024, 4096, 32_768, 65_536, LIMIT];
    sizes.into_iter().flat_map(move |size| {
        let mut below = |most: u8| (0..size).map(|_| random.u8(..most)).collect();
        [vec![b'a'; size], below(4), below(255)]
    })
}

/// What others' codecs make of `plain`.
fn theirs(encoding: Compression, plain: &[u8]) -> Vec<u8> {
    match encoding {
        Compression::Gzip => gzip(GzBuilder::new(), plain),
        Compression::Zstd => {
            // In a stream, so that the frame doesn't say how long it is.
            let mut encoder = zstd::Encoder::new(Vec::new(), 0).unwrap();
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
    }
}

fn gzip(builder: GzBuilder, plain: &[u8]) -> Vec<u8> {
    let mut encoder = builder.write(Vec::new(), Level::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn ours(encoding: Compression, plain: &[u8]) -> Option<Vec<u8>> {
    let encode = |buffer: &mut Vec<u8>| buffer.extend_from_slice(plain);
    pack(encoding, encode, |is_packed, sent| match is_packed {
        true => Some(sent.to_vec()),
        false => {
            assert!(sent == plain);
            None
        }
    })
}

fn is_corrupt(encoding: Compression, packed: &[u8]) -> bool {
    matches!(decompress(encoding, packed, LIMIT), Err(Broken::Corrupt(_)))
}

#[test]
fn what_others_compress_is_read() {
    for encoding in BOTH {
        for plain in messages() {
            let read = decompress(encoding, &theirs(encoding, &plain), LIMIT).unwrap();
            assert!(read == plain, "{encoding}, {} bytes", plain.len());
        }
    }
}

#[test]
fn what_is_compressed_is_smaller_and_others_read_it() {
    for plain in messages() {
        if let Some(packed) = ours(Compression::Gzip, &plain) {
            assert!(packed.len() < plain.len());
            let mut read = Vec::new();
            let mut decoder = MultiGzDecoder::new(&packed[..]);
            decoder.read_to_end(&mut read).unwrap();
            assert!(read == plain);
        }
        if let Some(packed) = ours(Compression::Zstd, &plain) {
            assert!(packed.len() < plain.len());
            assert!(zstd::decode_all(&packed[..]).unwrap() == plain);
        }
    }
    for encoding in BOTH {
        assert!(ours(encoding, &[b'a'; 1024]).is_some());
    }
}

#[test]
fn what_would_not_be_smaller_is_sent_as_it_is() {
    let mut random = fastrand::Rng::with_seed(7);
    let plain: Vec<_> = (0..50_000).map(|_| random.u8(..)).collect();
    for encoding in BOTH {
        assert_eq!(ours(encoding, &plain), None);
        assert_eq!(ours(encoding, b""), None);
    }
}

#[test]
fn the_limit_is_to_the_byte_and_never_more_is_held() {
    for encoding in BOTH {
        let exact = theirs(encoding, &vec![0; LIMIT]);
        let read = decompress(encoding, &exact, LIMIT).unwrap();
        assert!(read.len() == LIMIT && read.capacity() <= LIMIT + 1);
        for (plain, limit) in [(LIMIT + 1, LIMIT), (LIMIT, 1), (1, 0), (64 << 20, LIMIT)] {
            let packed = theirs(encoding, &vec![0; plain]);
            let read = decompress(encoding, &packed, limit);
            assert_eq!(
                read,
                Err(Broken::TooLarge),
                "{encoding}, {plain} of {limit}"
            );
        }
        assert_eq!(decompress(encoding, &theirs(encoding, b""), 0), Ok(vec![]));
    }
}

#[test]
fn a_few_bytes_do_not_have_a_lot_set_aside_whatever_they_announce() {
    // A frame that announces 64 MiB and has one byte: single segment, 4 bytes of size, a last raw block.
    let mut lying = vec![0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000];
    lying.extend((64_u32 << 20).to_le_bytes());
    lying.extend([0b1001, 0, 0, b'a']);
    let read = decompress(Compression::Zstd, &lying, usize::MAX);
    assert!(matches!(read, Err(Broken::Corrupt(_))), "{read:?}");
    for encoding in BOTH {
        let read = decompress(encoding, &theirs(encoding, b"a"), 4 << 20).unwrap();
        assert!(read.capacity() <= 8192, "{encoding}: {}", read.capacity());
    }
}

#[test]
fn what_is_cut_or_followed_by_something_else_is_corrupt() {
    let plain: Vec<_> = (0..2000_u32).flat_map(u32::to_le_bytes).collect();
    for encoding in BOTH {
        let whole = theirs(encoding, &plain);
        for end in 0..whole.len() {
            assert!(is_corrupt(encoding, &whole[..end]), "{encoding}, {end}");
        }
        for garbage in [&b"\0"[..], b"garbage", &whole[..whole.len() / 2]] {
            let followed = [&whole[..], garbage].concat();
            assert!(is_corrupt(encoding, &followed), "{encoding}, {garbage:?}");
        }
    }
}

#[test]
fn a_wrong_byte_is_never_taken_for_another_message() {
    let plain: Vec<_> = (0..2000_u32).flat_map(u32::to_le_bytes).collect();
    let whole = theirs(Compression::Gzip, &plain);
    for at in 0..whole.len() {
        let mut wrong = whole.clone();
        wrong[at] ^= 0x10;
        // Time, extra flags and system say nothing of the content.
        match decompress(Compression::Gzip, &wrong, LIMIT) {
            Ok(read) => assert!(read == plain && (4..10).contains(&at), "{at}"),
            Err(error) => assert!(matches!(error, Broken::Corrupt(_)), "{at}"),
        }
    }
}

#[test]
fn members_and_frames_one_after_the_other_are_one_message() {
    for encoding in BOTH {
        let parts = [
            theirs(encoding, b"one "),
            theirs(encoding, b""),
            theirs(encoding, b"two"),
        ];
        let read = decompress(encoding, &parts.concat(), LIMIT);
        assert_eq!(read.unwrap(), b"one two");
        let many = theirs(encoding, &[0; 1000]).repeat(LIMIT / 1000 + 1);
        assert_eq!(decompress(encoding, &many, LIMIT), Err(Broken::TooLarge));
    }
    let empty = theirs(Compression::Gzip, b"").repeat(2000);
    assert!(is_corrupt(Compression::Gzip, &empty), "too many");
}

#[test]
fn a_gzip_header_may_have_all_that_there_is() {
    let builder = || {
        let builder = GzBuilder::new().mtime(7).operating_system(3);
        builder
            .extra(&b"extra"[..])
            .filename("name")
            .comment("comment")
    };
    let full = gzip(builder(), b"text");
    assert_eq!(
        decompress(Compression::Gzip, &full, LIMIT).unwrap(),
        b"text"
    );
    for end in 0..full.len() {
        assert!(is_corrupt(Compression::Gzip, &full[..end]), "{end}");
    }
    // The same with a checksum of the header, which flate2 doesn't write.
    let plain = GzEncoder::new(Vec::new(), Level::default())
        .finish()
        .unwrap();
    let mut header = plain[..10].to_vec();
    header[3] = 2;
    let mut crc = flate2::Crc::new();
    crc.update(&header);
    let [a, b, ..] = crc.sum().to_le_bytes();
    let checked = [&header[..], &[a, b], &plain[10..]].concat();
    assert_eq!(decompress(Compression::Gzip, &checked, LIMIT).unwrap(), b"");
    let wrong = [&header[..], &[a, !b], &plain[10..]].concat();
    assert!(is_corrupt(Compression::Gzip, &wrong));
}

#[test]
fn noise_is_corrupt() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let mut noise: Vec<_> = (0..random.usize(..200)).map(|_| random.u8(..)).collect();
        for encoding in BOTH {
            let start: &[u8] = match encoding {
                Compression::Gzip => &[0x1f, 0x8b, 8],
                Compression::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
            };
            for (byte, right) in noise.iter_mut().zip(start) {
                *byte = *right;
            }
            // Whatever it is taken for, it is within the limit.
            if let Ok(read) = decompress(encoding, &noise, 1000) {
                assert!(read.len() <= 1000);
            }
        }
    }
}

#[test]
fn the_first_of_ours_that_is_taken_is_agreed_on() {
    let agreed = |ours: &[Compression], theirs: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for value in theirs {
            headers.append(GRPC_ACCEPT_ENCODING, HeaderValue::from_static(value));
        }
        Encodings::new(ours.iter().copied()).agreed(&headers)
    };
    let [gzip, zstd] = BOTH;
    assert_eq!(agreed(&BOTH, &["zstd,gzip"]), Some(gzip));
    assert_eq!(agreed(&[zstd, gzip], &["gzip, zstd"]), Some(zstd));
    assert_eq!(agreed(&BOTH, &["identity", "deflate ,\tzstd "]), Some(zstd));
    assert_eq!(agreed(&[gzip], &["zstd,gzipped,identity"]), None);
    assert_eq!(agreed(&BOTH, &[]), None);
    assert_eq!(agreed(&[], &["gzip"]), None);
}

#[test]
fn a_list_is_told_in_its_order_and_once() {
    let [gzip, zstd] = BOTH;
    let told = |list: &[Compression]| Encodings::new(list.iter().copied()).header();
    assert_eq!(told(&[]), "identity");
    assert_eq!(told(&[zstd]), "zstd,identity");
    assert_eq!(told(&[zstd, zstd, gzip, zstd]), "zstd,gzip,identity");
    assert_eq!(Encodings::all().header(), "gzip,zstd,identity");
}
