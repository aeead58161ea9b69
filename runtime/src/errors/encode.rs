//! Protobuf by hand, for messages whose parts are borrowed: an error's texts go onto the wire
//! without a copy of each.

use prost::encoding::encode_varint;

/// Writes fields, in the order in which they are given.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

/// The wire types that are needed.
const VARINT: u32 = 0;
const LENGTH_DELIMITED: u32 = 2;

impl Writer {
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// A string that is left out when it is empty, as proto3 does.
    pub(super) fn text(&mut self, tag: u32, text: &str) {
        if !text.is_empty() {
            self.key(tag, LENGTH_DELIMITED);
            encode_varint(text.len() as u64, &mut self.0);
            self.0.extend_from_slice(text.as_bytes());
        }
    }

    /// A number that is left out when it is 0.
    pub(super) fn number(&mut self, tag: u32, number: u64) {
        if number != 0 {
            self.key(tag, VARINT);
            encode_varint(number, &mut self.0);
        }
    }

    /// A message, empty or not.
    pub(super) fn message(&mut self, tag: u32, write: impl FnOnce(&mut Self)) {
        self.key(tag, LENGTH_DELIMITED);
        let start = self.0.len();
        write(self);
        let mut length = Vec::with_capacity(2);
        encode_varint((self.0.len() - start) as u64, &mut length);
        self.0.splice(start..start, length);
    }

    /// An entry of a `map<string, string>`.
    pub(super) fn entry(&mut self, tag: u32, key: &str, value: &str) {
        self.message(tag, |entry| {
            entry.text(1, key);
            entry.text(2, value);
        });
    }

    fn key(&mut self, tag: u32, wire_type: u32) {
        encode_varint(u64::from(tag << 3 | wire_type), &mut self.0);
    }
}
