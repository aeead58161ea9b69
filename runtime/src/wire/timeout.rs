//! The `grpc-timeout` header: one to eight digits and a unit (PROTOCOL-HTTP2.md, "Timeout").

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

pub(crate) const GRPC_TIMEOUT: &str = "grpc-timeout";

/// The header was there but isn't a timeout.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads the timeout of a request: none, a duration, or a header that isn't one.
pub(crate) fn read(headers: &HeaderMap) -> Result<Option<Duration>, Malformed> {
    headers
        .get(GRPC_TIMEOUT)
        .map(|value| parse(value.as_bytes()).ok_or(Malformed))
        .transpose()
}

fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let amount = digits
        .iter()
        .fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(amount * 3600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// Writes what remains of a deadline in the finest unit that eight digits can hold.
///
/// Rounds down: a server that gives up a moment early is right, one that goes on is not.
pub(crate) fn write(remaining: Duration) -> HeaderValue {
    const LIMIT: u128 = 100_000_000;
    let units = [
        (remaining.as_nanos(), 'n'),
        (remaining.as_micros(), 'u'),
        (remaining.as_millis(), 'm'),
        (u128::from(remaining.as_secs()), 'S'),
        (u128::from(remaining.as_secs() / 60), 'M'),
    ];
    let (amount, unit) = units
        .into_iter()
        .find(|(amount, _)| *amount < LIMIT)
        .unwrap_or((u128::from(remaining.as_secs() / 3600).min(LIMIT - 1), 'H'));
    HeaderValue::from_str(&format!("{amount}{unit}"))
        .unwrap_or_else(|_| HeaderValue::from_static("0n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        let cases = [
            ("1H", Duration::from_secs(3600)),
            ("2M", Duration::from_secs(120)),
            ("3S", Duration::from_secs(3)),
            ("4m", Duration::from_millis(4)),
            ("5u", Duration::from_micros(5)),
            ("6n", Duration::from_nanos(6)),
            ("99999999H", Duration::from_secs(99_999_999 * 3600)),
        ];
        for (text, duration) in cases {
            assert_eq!(parse(text.as_bytes()), Some(duration), "{text}");
        }
    }

    #[test]
    fn what_is_no_timeout_is_refused() {
        for text in [
            "",
            "S",
            "1",
            "1s",
            "123456789S",
            "-1S",
            "+1S",
            "1.5S",
            " 1S",
            "1S ",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn a_written_timeout_is_read_back_and_never_longer() {
        for remaining in [
            Duration::ZERO,
            Duration::from_nanos(1),
            Duration::from_nanos(99_999_999),
            Duration::from_nanos(100_000_000),
            Duration::from_millis(1500),
            Duration::from_secs(86_400 * 365),
            Duration::from_secs(u64::MAX),
        ] {
            let written = write(remaining);
            let read = parse(written.as_bytes()).unwrap();
            assert!(read <= remaining, "{remaining:?} became {read:?}");
        }
    }
}
