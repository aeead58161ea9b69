//! [`Table`]: a list of the page.

use std::fmt;

use super::words::{Count, Escaped, Tone};
use crate::admin::status::MOST_ROWS;

/// A table with a caption. Its first column says what a row is of.
///
/// On a narrow screen rows become blocks, and each cell has its column's name before it (`data-head`).
/// To a screen reader such a table would be none any more: so it says what it is (`role`).
pub(super) struct Table<'a> {
    caption: &'a str,
    heads: &'a [&'a str],
    rows: Vec<Vec<Cell>>,
    /// How many there are, with those that aren't among the rows.
    total: usize,
}

/// What stands in a table.
pub(super) enum Cell {
    Text(String),
    /// What is copied rather than read.
    Code(String),
    Number(String),
    Word(Tone, String),
    /// How full something is.
    Meter {
        label: String,
        used: usize,
        max: usize,
    },
    /// There is nothing to say.
    Nothing,
}

impl<'a> Table<'a> {
    /// Of the rows, no more are written than a list may have.
    pub(super) fn new(
        caption: &'a str,
        heads: &'a [&'a str],
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> Self {
        let mut rows = rows.into_iter();
        let written: Vec<_> = rows.by_ref().take(MOST_ROWS).collect();
        Self {
            caption,
            heads,
            total: written.len() + rows.count(),
            rows: written,
        }
    }

    /// The same, of so many that aren't all among its rows.
    pub(super) fn of_total(mut self, total: usize) -> Self {
        self.total = total.max(self.rows.len());
        self
    }
}

impl Cell {
    pub(super) fn text(text: impl fmt::Display) -> Self {
        Self::Text(text.to_string())
    }

    pub(super) fn code(text: impl fmt::Display) -> Self {
        Self::Code(text.to_string())
    }

    pub(super) fn number(number: impl fmt::Display) -> Self {
        Self::Number(number.to_string())
    }

    pub(super) fn word(tone: Tone, word: impl fmt::Display) -> Self {
        Self::Word(tone, word.to_string())
    }

    const fn class(&self) -> &'static str {
        match self {
            Self::Number(_) => " class=\"number\"",
            Self::Nothing => " class=\"nothing\"",
            _ => "",
        }
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::Nothing, Into::into)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Number(text) => Escaped(text).fmt(f),
            Self::Code(text) => write!(f, "<code>{}</code>", Escaped(text)),
            Self::Word(tone, word) => {
                let tone = tone.as_str();
                write!(f, "<span class=\"word {tone}\">{}</span>", Escaped(word))
            }
            Self::Meter { label, used, max } => Meter {
                label,
                used: *used,
                max: *max,
            }
            .fmt(f),
            Self::Nothing => f.write_str(
                "<span aria-hidden=\"true\">–</span><span class=\"unseen\">nothing</span>",
            ),
        }
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "<table role=\"table\">\n<caption>{}</caption>",
            self.caption
        )?;
        f.write_str("<thead role=\"rowgroup\"><tr role=\"row\">")?;
        for head in self.heads {
            write!(f, "<th scope=\"col\" role=\"columnheader\">{head}</th>")?;
        }
        f.write_str("</tr></thead>\n<tbody role=\"rowgroup\">\n")?;
        for row in &self.rows {
            f.write_str("<tr role=\"row\">")?;
            for (at, (cell, head)) in row.iter().zip(self.heads).enumerate() {
                let class = cell.class();
                match at {
                    0 => write!(f, "<th scope=\"row\" role=\"rowheader\"{class}>{cell}</th>")?,
                    _ => write!(
                        f,
                        "<td role=\"cell\" data-head=\"{head}\"{class}>{cell}</td>"
                    )?,
                }
            }
            f.write_str("</tr>\n")?;
        }
        f.write_str("</tbody>\n</table>\n")?;
        match self.total - self.rows.len() {
            0 => Ok(()),
            more => writeln!(f, "<p class=\"more\">and {} more</p>", Count::of(more)),
        }
    }
}

/// How full something is, drawn and in words.
pub(super) struct Meter<'a> {
    pub(super) label: &'a str,
    pub(super) used: usize,
    pub(super) max: usize,
}

impl Meter<'_> {
    pub(super) fn bar(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // With a limit of none all is full.
        let (used, max) = match self.max {
            0 => (1, 1),
            max => (self.used, max),
        };
        let (low, high) = (max.saturating_mul(7) / 10, max.saturating_mul(9) / 10);
        let label = Escaped(self.label);
        write!(
            f,
            "<meter aria-label=\"{label}\" min=\"0\" max=\"{max}\" low=\"{low}\" high=\"{high}\" \
             optimum=\"0\" value=\"{used}\"></meter>"
        )
    }
}

impl fmt::Display for Meter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<span class=\"meter\">")?;
        self.bar(f)?;
        let (used, max) = (Count::of(self.used), Count::of(self.max));
        write!(f, " {used} of {max}</span>")
    }
}
