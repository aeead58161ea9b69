//! JSON by hand, into a buffer that is there: texts, numbers and addresses.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use crate::context::Peer;

/// What is written of a text that somebody else chose, in bytes.
pub(super) const MAX_TEXT: usize = 256;

/// Writes `bytes` as a string, in quotes. What is not UTF-8 becomes U+FFFD, as
/// `String::from_utf8_lossy` has it.
pub(super) fn string(line: &mut Vec<u8>, bytes: &[u8]) {
    line.push(b'"');
    // Nearly all texts are; all bytes are looked at, since that can be done to many at a time.
    if bytes.iter().fold(true, |all, byte| all & is_plain(*byte)) {
        line.extend_from_slice(bytes);
        line.push(b'"');
        return;
    }
    for chunk in bytes.utf8_chunks() {
        escaped(line, chunk.valid());
        if !chunk.invalid().is_empty() {
            line.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    line.push(b'"');
}

/// Whether it is ASCII that stands for itself.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') & (byte != b'"') & (byte != b'\\')
}

/// The start of `bytes`, if they are too long to be written; no character is cut in two.
pub(super) fn cut(bytes: &[u8]) -> &[u8] {
    let Some((start, rest)) = bytes.split_at_checked(MAX_TEXT) else {
        return bytes;
    };
    let is_continued = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    if !rest.first().is_some_and(is_continued) {
        return start;
    }
    let last = start.iter().rposition(|byte| !is_continued(byte));
    // No character is longer; this is no text.
    let last = last.filter(|last| start.len() - last < 4);
    last.and_then(|last| start.get(..last)).unwrap_or(start)
}

fn escaped(line: &mut Vec<u8>, text: &str) {
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(is_special) {
        let (plain, special) = rest.split_at(at);
        line.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else {
            return;
        };
        rest = after;
        match byte {
            b'"' => line.extend_from_slice(br#"\""#),
            b'\\' => line.extend_from_slice(br"\\"),
            b'\n' => line.extend_from_slice(br"\n"),
            b'\r' => line.extend_from_slice(br"\r"),
            b'\t' => line.extend_from_slice(br"\t"),
            control => {
                line.extend_from_slice(br"\u00");
                line.extend_from_slice(&[hex(control >> 4), hex(control & 0xf)]);
            }
        }
    }
    line.extend_from_slice(rest);
}

/// The lower-case digit of a number below 16.
const fn hex(digit: u8) -> u8 {
    match digit {
        0..=9 => b'0' + digit,
        _ => b'a' - 10 + digit,
    }
}

/// Writes a number.
pub(super) fn integer(line: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = ascii(number);
        used += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    line.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

/// Writes a number of up to three digits.
fn small(line: &mut Vec<u8>, number: u8) {
    if number >= 100 {
        line.push(ascii((number / 100).into()));
    }
    if number >= 10 {
        line.push(ascii((number / 10).into()));
    }
    line.push(ascii(number.into()));
}

/// The last digit of a number.
pub(super) const fn ascii(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

/// Writes milliseconds with one to three places of fraction: `15.5`.
pub(super) fn milliseconds(line: &mut Vec<u8>, time: Duration) {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    integer(line, micros / 1000);
    let fraction = micros % 1000;
    line.extend_from_slice(&[b'.', ascii(fraction / 100)]);
    if fraction % 100 != 0 {
        line.push(ascii(fraction / 10));
    }
    if fraction % 10 != 0 {
        line.push(ascii(fraction));
    }
}

/// Writes who calls as a string: `10.0.0.7:41234`, `[::1]:41234`, `unix`.
pub(super) fn peer(line: &mut Vec<u8>, peer: &Peer) {
    line.push(b'"');
    match peer {
        Peer::Tcp(SocketAddr::V4(address)) => {
            for (octet, mark) in address.ip().octets().into_iter().zip(*b"...:") {
                small(line, octet);
                line.push(mark);
            }
            integer(line, address.port().into());
        }
        Peer::Tcp(address) => {
            // Nothing here can fail: a buffer takes all.
            let _ = write!(line, "{address}");
        }
        Peer::Unix => line.extend_from_slice(b"unix"),
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut line = Vec::new();
        write(&mut line);
        String::from_utf8(line).unwrap()
    }

    /// Bytes that are text, nearly text, or anything.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            any::<String>().prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..300),
            prop::collection::vec(
                prop_oneof![0..0x30_u8, Just(b'"'), Just(b'\\'), 0x7f..0xc8_u8],
                0..64
            ),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn any_bytes_are_a_string_that_says_the_same(bytes in bytes()) {
            let json = written(|line| string(line, &bytes));
            prop_assert!(!json.contains('\n'));
            let read: String = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read, String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn what_is_too_long_is_cut_between_characters(text in any::<String>(), times in 1..80_usize) {
            let text = text.repeat(times);
            let start = cut(text.as_bytes());
            prop_assert!(text.as_bytes().starts_with(start) && start.len() <= MAX_TEXT);
            prop_assert!(std::str::from_utf8(start).is_ok());
            prop_assert!(start.len() == text.len() || start.len() + 4 > MAX_TEXT);
        }

        #[test]
        fn numbers_are_read_as_they_were(number in any::<u64>(), micros in any::<u32>()) {
            prop_assert_eq!(written(|line| integer(line, number)), number.to_string());
            let time = Duration::from_micros(micros.into());
            let read: f64 = written(|line| milliseconds(line, time)).parse().unwrap();
            prop_assert_eq!(read, f64::from(micros) / 1000.0);
        }
    }

    #[test]
    fn milliseconds_have_a_fraction_and_no_zeros_behind_it() {
        for (micros, text) in [
            (15_500, "15.5"),
            (0, "0.0"),
            (7, "0.007"),
            (2_000_000, "2000.0"),
            (1_230, "1.23"),
            (1_203, "1.203"),
        ] {
            let time = Duration::from_micros(micros);
            assert_eq!(written(|line| milliseconds(line, time)), text);
        }
    }

    #[test]
    fn addresses_are_as_the_standard_library_has_them() {
        for text in [
            "10.0.0.7:41234",
            "255.0.10.1:1",
            "[::1]:65535",
            "[2001:db8::7]:80",
        ] {
            let address = Peer::Tcp(text.parse().unwrap());
            assert_eq!(written(|line| peer(line, &address)), format!("\"{text}\""));
        }
        assert_eq!(written(|line| peer(line, &Peer::Unix)), "\"unix\"");
    }
}
