//! What time it is, as log lines have it: RFC 3339, UTC, milliseconds.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use super::json::ascii;

/// `2026-11-21T21:06:39`.
type Text = [u8; 19];

const DAY: u64 = 24 * 60 * 60;

/// The last second of the year 9999: RFC 3339 has four digits for a year.
const LAST: u64 = 253_402_300_799;

thread_local! {
    /// The second that was last written, and its text: a thread mostly writes many lines a second.
    static SECOND: Cell<(u64, Text)> = const { Cell::new((u64::MAX, [0; 19])) };
}

/// Writes `now`: `2026-11-21T21:06:39.042Z`. Times before 1970 are the first of 1970.
pub(crate) fn timestamp(line: &mut Vec<u8>, now: SystemTime) {
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or(Duration::ZERO);
    let second = since.as_secs().min(LAST);
    // A thread that ends has none any more.
    let known = SECOND.try_with(Cell::get).ok();
    let text = match known {
        Some((known, text)) if known == second => text,
        _ => {
            let text = text(second);
            let _ = SECOND.try_with(|last| last.set((second, text)));
            text
        }
    };
    let millis = u64::from(since.subsec_millis());
    line.extend_from_slice(&text);
    line.extend_from_slice(&[
        b'.',
        ascii(millis / 100),
        ascii(millis / 10),
        ascii(millis),
        b'Z',
    ]);
}

fn text(second: u64) -> Text {
    let (year, month, day) = date(second / DAY);
    let of_day = second % DAY;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    [
        ascii(year / 1000),
        ascii(year / 100),
        ascii(year / 10),
        ascii(year),
        b'-',
        ascii(month / 10),
        ascii(month),
        b'-',
        ascii(day / 10),
        ascii(day),
        b'T',
        ascii(hour / 10),
        ascii(hour),
        b':',
        ascii(minute / 10),
        ascii(minute),
        b':',
        ascii(second / 10),
        ascii(second),
    ]
}

/// Year, month and day of a day since the first of 1970.
///
/// Years begin in March here, so that the day that some have more is their last, and are counted in
/// the 400 years after which the calendar repeats.
fn date(day: u64) -> (u64, u64, u64) {
    const OF_400_YEARS: u64 = 146_097;
    /// From the first of March of the year 0 to the first of January of 1970.
    const BEFORE_1970: u64 = 719_468;
    let day = day + BEFORE_1970;
    let (era, day) = (day / OF_400_YEARS, day % OF_400_YEARS);
    // Without the leap days that were before it, each year has 365.
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // From March on, months have 153 days in each five.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(since: Duration) -> String {
        let mut line = Vec::new();
        timestamp(&mut line, SystemTime::UNIX_EPOCH + since);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn a_time_is_written_as_rfc_3339_has_it() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (1_795_295_199_042, "2026-11-21T21:06:39.042Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(written(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn each_day_of_400_years_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for number in 0..146_097 {
            assert_eq!(date(number), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > last {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn a_time_before_1970_or_after_9999_is_written_all_the_same() {
        let mut line = Vec::new();
        timestamp(&mut line, SystemTime::UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(line, b"1970-01-01T00:00:00.000Z");
        assert!(written(Duration::from_secs(LAST * 2)).starts_with("9999-12-31T23:59:59"));
    }
}
