//! As much of HPACK (RFC 7541) as it takes to ask as a real client does and to find `grpc-status`.

use std::collections::VecDeque;

/// What the static table has for these names.
const METHOD_POST: u8 = 3;
const SCHEME_HTTP: u8 = 6;
const AUTHORITY: u8 = 1;
const PATH: u8 = 4;
const CONTENT_TYPE: u8 = 31;
const USER_AGENT: u8 = 58;
const AUTHORIZATION: u8 = 23;

/// The first entry of the dynamic table; smaller numbers are the static one's.
const FIRST_DYNAMIC: usize = 62;

/// More entries than the 4,096 bytes of a table can have, at 32 bytes each and their own.
const ENTRIES: usize = 128;

/// `grpc-status`, and the texts `0` and `8`, plain and in Huffman's code (RFC 7541, appendix B).
const NAME: [&[u8]; 2] = [
    b"grpc-status",
    &[0x9a, 0xca, 0xc8, 0xb2, 0x12, 0x34, 0xda, 0x8f],
];
const OK: [&[u8]; 2] = [b"0", &[0x07]];
const EXHAUSTED: [&[u8]; 2] = [b"8", &[0x7b]];

/// How a call ended, by its `grpc-status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Code {
    /// `OK`.
    Ok,
    /// `RESOURCE_EXHAUSTED`.
    Exhausted,
    /// Any other one.
    #[default]
    Other,
}

impl Code {
    fn of(value: &[u8]) -> Self {
        if OK.contains(&value) {
            Self::Ok
        } else if EXHAUSTED.contains(&value) {
            Self::Exhausted
        } else {
            Self::Other
        }
    }
}

/// The header blocks of the first request on a connection, which fills the server's table, and of every
/// later one, which names its entries: what clients do whose headers are the same in each call.
///
/// A token is written out in each of them, and plain, as gRPC's own library for Python does.
pub(crate) fn heads(path: &str, token: Option<&str>) -> (Vec<u8>, Vec<u8>) {
    let known = [0x80 | METHOD_POST, 0x80 | SCHEME_HTTP];
    let fields: [(Result<u8, &str>, &str); 5] = [
        (Ok(PATH), path),
        (Ok(AUTHORITY), "localhost"),
        (Err("te"), "trailers"),
        (Ok(CONTENT_TYPE), "application/grpc"),
        (Ok(USER_AGENT), "bench/1"),
    ];
    let (mut first, mut later) = (known.to_vec(), known.to_vec());
    for (number, (name, value)) in fields.iter().enumerate() {
        match name {
            Ok(index) => first.push(0x40 | index),
            Err(name) => {
                first.push(0x40);
                text(&mut first, name);
            }
        }
        text(&mut first, value);
        // The newest entry comes first.
        later.push(0x80 | (FIRST_DYNAMIC + fields.len() - 1 - number) as u8);
    }
    if let Some(token) = token {
        for block in [&mut first, &mut later] {
            // A literal that no table gets.
            block.extend_from_slice(&[0x0f, AUTHORIZATION - 0x0f]);
            text(block, &format!("Bearer {token}"));
        }
    }
    (first, later)
}

/// As it is written.
fn text(block: &mut Vec<u8>, text: &str) {
    match text.len().checked_sub(0x7f) {
        None => block.push(text.len() as u8),
        Some(mut rest) => {
            block.push(0x7f);
            while rest >= 0x80 {
                block.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            block.push(rest as u8);
        }
    }
    block.extend_from_slice(text.as_bytes());
}

/// What is known of a field: whether it is `grpc-status`, and what its value then says.
#[derive(Clone, Copy, Debug, Default)]
struct Field {
    is_status: bool,
    code: Code,
}

/// What a server's header blocks say of `grpc-status`.
///
/// Nothing is evicted: a server names no entry that is gone, and those that it names count from the
/// newest.
#[derive(Debug, Default)]
pub(crate) struct Statuses {
    table: VecDeque<Field>,
}

impl Statuses {
    /// The `grpc-status` of this block, if it has one.
    ///
    /// Every block must be given, in order.
    pub(crate) fn of(&mut self, block: &[u8]) -> Result<Option<Code>, &'static str> {
        self.read(block).ok_or("a header block that is no HPACK")
    }

    fn read(&mut self, mut rest: &[u8]) -> Option<Option<Code>> {
        let mut status = None;
        while let Some(&kind) = rest.first() {
            let field = if kind & 0x80 != 0 {
                self.indexed(number(&mut rest, 7)?)?
            } else if kind & 0xc0 == 0x40 {
                let field = self.literal(&mut rest, 6)?;
                self.table.push_front(field);
                self.table.truncate(ENTRIES);
                field
            } else if kind & 0xe0 == 0x20 {
                number(&mut rest, 5)?;
                continue;
            } else {
                self.literal(&mut rest, 4)?
            };
            if field.is_status {
                status = Some(field.code);
            }
        }
        Some(status)
    }

    fn indexed(&self, index: usize) -> Option<Field> {
        match index.checked_sub(FIRST_DYNAMIC) {
            Some(dynamic) => self.table.get(dynamic).copied(),
            None => Some(Field::default()),
        }
    }

    /// A field whose value is written out, and its name too where the index of that is 0.
    fn literal(&self, rest: &mut &[u8], bits: u32) -> Option<Field> {
        let is_status = match number(rest, bits)? {
            0 => NAME.contains(&string(rest)?),
            index => self.indexed(index)?.is_status,
        };
        let code = Code::of(string(rest)?);
        Some(Field { is_status, code })
    }
}

/// RFC 7541, 5.1.
fn number(rest: &mut &[u8], bits: u32) -> Option<usize> {
    let (&first, mut tail) = rest.split_first()?;
    let most = (1_usize << bits) - 1;
    let mut number = usize::from(first) & most;
    if number == most {
        let mut shift = 0;
        loop {
            let (&byte, after) = tail.split_first()?;
            tail = after;
            number += (usize::from(byte) & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    *rest = tail;
    Some(number)
}

/// RFC 7541, 5.2, as it is written.
fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(rest, 7)?;
    let (string, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(string)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_found_however_it_is_written() {
        let mut statuses = Statuses::default();
        // Written out, in Huffman's code, and put into the table; another field goes before it.
        let mut first = vec![0x88, 0x40, 0x88];
        first.extend_from_slice(NAME[1]);
        first.extend_from_slice(&[0x81, 0x07]);
        assert_eq!(statuses.of(&first).unwrap(), Some(Code::Ok));
        assert_eq!(statuses.of(&[0x88, 0xbe]).unwrap(), Some(Code::Ok));
        // A field of another name moves it by one.
        assert_eq!(statuses.of(b"\x61\x04soon").unwrap(), None);
        assert_eq!(statuses.of(&[0xbe]).unwrap(), None);
        assert_eq!(statuses.of(&[0xbf]).unwrap(), Some(Code::Ok));
        // By its name alone, with another value, and not kept.
        assert_eq!(statuses.of(b"\x0f\x30\x0213").unwrap(), Some(Code::Other));
        assert_eq!(
            statuses.of(b"\x00\x0bgrpc-status\x018").unwrap(),
            Some(Code::Exhausted)
        );
        assert_eq!(
            statuses.of(b"\x0f\x2f\x81\x7b").unwrap(),
            None,
            "soon is no status, whatever it says"
        );
        assert_eq!(
            statuses.of(b"\x00\x0bgrpc-status\x010").unwrap(),
            Some(Code::Ok)
        );
        assert_eq!(statuses.of(&[0xbf]).unwrap(), Some(Code::Ok));
    }

    #[test]
    fn a_token_of_any_length_stands_at_the_end_of_each_head() {
        for length in [1, 120, 121, 248, 249, 649, 8192] {
            let token = "t".repeat(length);
            let (first, later) = heads("/a.B/C", Some(&token));
            let plain = heads("/a.B/C", None);
            let mut statuses = Statuses::default();
            for (block, plain) in [(first, plain.0), (later, plain.1)] {
                assert_eq!(statuses.of(&block).unwrap(), None, "{length}");
                let mut field = block.strip_prefix(&*plain).unwrap();
                assert_eq!(number(&mut field, 4), Some(AUTHORIZATION.into()));
                let value = string(&mut field).unwrap();
                assert_eq!(value, format!("Bearer {token}").as_bytes());
                assert!(field.is_empty());
            }
        }
    }

    #[test]
    fn a_block_that_ends_too_soon_is_an_error() {
        let mut statuses = Statuses::default();
        for block in [&b"\x40"[..], b"\x40\x0bgrpc", b"\xff", b"\xbe"] {
            assert!(statuses.of(block).is_err(), "{block:?}");
        }
    }
}
