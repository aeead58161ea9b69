//! Protobuf by hand, for messages whose parts are borrowed: an error's texts go onto the wire
//! without a copy of each.

use prost::encoding::{encode_varint, encoded_len_varint};

/// Writes fields, in the order in which they are given.
pub(super) struct Writer(Vec<u8>);

/// The wire types that are needed.
const VARINT: u32 = 0;
const LENGTH_DELIMITED: u32 = 2;

impl Writer {
    /// With room for `capacity` bytes; it grows for more.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// A string that is left out when it is empty, as proto3 does.
    pub(super) fn text(&mut self, tag: u32, text: &str) {
        if !text.is_empty() {
            self.key(tag, LENGTH_DELIMITED);
            self.varint(text.len() as u64);
            self.0.extend_from_slice(text.as_bytes());
        }
    }

    /// A number that is left out when it is 0.
    pub(super) fn number(&mut self, tag: u32, number: u64) {
        if number != 0 {
            self.key(tag, VARINT);
            self.varint(number);
        }
    }

    /// A message, empty or not.
    pub(super) fn message(&mut self, tag: u32, write: impl FnOnce(&mut Self)) {
        self.key(tag, LENGTH_DELIMITED);
        let start = self.0.len();
        // Nobody knows yet how long it is. One byte says it for most.
        self.0.push(0);
        write(self);
        self.set_length(start);
    }

    /// An entry of a `map<string, string>`.
    pub(super) fn entry(&mut self, tag: u32, key: &str, value: &str) {
        self.message(tag, |entry| {
            entry.text(1, key);
            entry.text(2, value);
        });
    }

    fn key(&mut self, tag: u32, wire_type: u32) {
        self.varint(u64::from(tag << 3 | wire_type));
    }

    fn varint(&mut self, number: u64) {
        match u8::try_from(number) {
            // Keys, and lengths of what is short.
            Ok(byte @ 0..0x80) => self.0.push(byte),
            _ => encode_varint(number, &mut self.0),
        }
    }

    /// Writes how long all after the byte at `start` is, and makes room where a byte can't say it.
    fn set_length(&mut self, start: usize) {
        let end = self.0.len();
        let content = start + 1..end;
        let length = content.len() as u64;
        let more = encoded_len_varint(length) - 1;
        if more > 0 {
            self.0.resize(end + more, 0);
            self.0.copy_within(content, start + 1 + more);
        }
        if let Some(mut place) = self.0.get_mut(start..=start + more) {
            encode_varint(length, &mut place);
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::super::google::ErrorInfo;
    use super::*;

    #[test]
    fn a_length_of_any_size_is_what_prost_writes() {
        for size in [0, 1, 100, 127, 128, 129, 16_000, 16_383, 16_384, 70_000] {
            let text = "x".repeat(size);
            let mut writer = Writer::with_capacity(0);
            writer.text(1, "R");
            writer.entry(3, "key", &text);
            let info = ErrorInfo {
                reason: "R".to_owned(),
                metadata: [("key".to_owned(), text)].into(),
                ..ErrorInfo::default()
            };
            assert_eq!(writer.finish(), info.encode_to_vec(), "{size}");
        }
    }
}
