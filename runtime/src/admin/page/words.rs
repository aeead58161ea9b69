//! What stands in the page: texts, times and tones.

use std::fmt::{self, Write as _};
use std::time::Duration;

/// A text in the page, between tags or in a quoted attribute.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // What turns the direction of a line would make it read as another one.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => f.write_char('\u{fffd}')?,
                char if char.is_control() && char != '\n' => f.write_char('\u{fffd}')?,
                char => f.write_char(char)?,
            }
        }
        Ok(())
    }
}

/// A time as a person says it: `250 ms`, `3.2 s`, `2 min 5 s`, `3 h 12 min`, `2 d 4 h`.
pub(super) struct Span(pub(super) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (millis, seconds) = (self.0.as_millis(), self.0.as_secs());
        match seconds {
            0 => write!(f, "{millis} ms"),
            1..60 => {
                // Never more than has passed.
                let tenth = self.0.subsec_millis() / 100;
                match tenth {
                    0 => write!(f, "{seconds} s"),
                    _ => write!(f, "{seconds}.{tenth} s"),
                }
            }
            60..3600 => two(f, seconds, (60, "min"), (1, "s")),
            3600..86_400 => two(f, seconds, (3600, "h"), (60, "min")),
            _ => two(f, seconds, (86_400, "d"), (3600, "h")),
        }
    }
}

fn two(
    f: &mut fmt::Formatter<'_>,
    seconds: u64,
    (large, of_large): (u64, &str),
    (small, of_small): (u64, &str),
) -> fmt::Result {
    write!(f, "{} {of_large}", seconds / large)?;
    match seconds % large / small {
        0 => Ok(()),
        rest => write!(f, " {rest} {of_small}"),
    }
}

/// A number with its thousands apart: `10,000`.
pub(super) struct Count(pub(super) u64);

impl Count {
    pub(super) fn of(count: usize) -> Self {
        Self(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_char(',')?;
            }
            f.write_char(digit)?;
        }
        Ok(())
    }
}

/// How good something is: a class of the style sheet. The words beside it say as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Warn,
    Bad,
    Plain,
}

impl Tone {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Plain => "plain",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_as_a_person_says_it() {
        for (millis, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1000, "1 s"),
            (3_290, "3.2 s"),
            (59_999, "59.9 s"),
            (60_000, "1 min"),
            (125_000, "2 min 5 s"),
            (3_600_000, "1 h"),
            (11_520_000, "3 h 12 min"),
            (187_200_000, "2 d 4 h"),
        ] {
            assert_eq!(Span(Duration::from_millis(millis)).to_string(), text);
        }
    }

    #[test]
    fn thousands_are_apart() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(Count(count).to_string(), text);
        }
    }

    #[test]
    fn nothing_in_a_text_is_markup() {
        let hostile = "<script>alert('1' & \"2\")</script>\u{202e}\u{0}\u{1b}[0m";
        assert_eq!(
            Escaped(hostile).to_string(),
            "&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;\u{fffd}\u{fffd}\u{fffd}[0m"
        );
    }
}
