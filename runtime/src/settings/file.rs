//! Settings from a TOML file: a table per section, `[server]`, with the names as in code.
//!
//! Types are TOML's and nothing is guessed: a number in quotes is a text, so that a text of digits
//! stays what it is.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::error::{ConfigProblem, shown};
use super::nearest::{unknown_key, unknown_table};
use super::table::{Row, SettingOrigin, Table};
use super::takes::Form;
use super::{OVERRIDE_TABLE, SECTIONS};

/// A file that is larger, in bytes, is not one of settings: a device for example, which has no end.
const MAX_SIZE: u64 = 1024 * 1024;

type Key<'i> = Spanned<DeString<'i>>;
type Value<'i> = Spanned<DeValue<'i>>;

/// The text of the file, or why it can't be had.
pub(super) fn load(path: &Path) -> Result<String, String> {
    let name = shown(&path.to_string_lossy());
    let unreadable = |error| format!("the file `{name}` can't be read: {error}");
    let mut text = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    let read = file.take(MAX_SIZE + 1).read_to_end(&mut text);
    if read.map_err(unreadable)? as u64 > MAX_SIZE {
        return Err(format!("the file `{name}` is larger than 1 MiB"));
    }
    String::from_utf8(text).map_err(|_| format!("the file `{name}` is not UTF-8"))
}

/// Takes what the text of a file says of this section.
pub(super) fn take<S: Table>(
    text: &str,
    path: &Path,
    settings: &mut S,
    problems: &mut Vec<ConfigProblem>,
) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut found = Found::default();
    for error in &errors {
        found.add(error.span().unwrap_or_default(), "", error.message());
    }
    // What was recovered may lack the half of it, so that more complaints would mislead.
    if errors.is_empty() {
        for (key, value) in table.get_ref() {
            found.take_section(settings, key, value);
        }
    }
    found.0.sort_by_key(|(place, _)| place.start);
    let name = shown(&path.to_string_lossy());
    problems.extend(found.0.into_iter().map(|(place, problem)| {
        let (line, column) = position(text, place.start);
        problem.at(format!("{name}:{line}:{column}"))
    }));
}

/// Problems and where in the text they are.
#[derive(Default)]
struct Found(Vec<(Range<usize>, ConfigProblem)>);

impl Found {
    fn add(&mut self, place: Range<usize>, key: &str, problem: impl Into<String>) {
        let problem = ConfigProblem::new(shown(key), problem);
        self.0.push((place, problem));
    }

    fn take_section<S: Table>(&mut self, settings: &mut S, key: &Key<'_>, value: &Value<'_>) {
        let (own, name) = (S::SECTION.to_lowercase(), key.get_ref());
        if !SECTIONS
            .iter()
            .any(|section| section.to_lowercase() == **name)
        {
            self.add(key.span(), name, unknown_table::<S>(&shown(name)));
        } else if own == **name {
            match value.get_ref() {
                DeValue::Table(table) => {
                    for (key, value) in table {
                        self.take_setting_or_overrides(settings, key, value);
                    }
                }
                _ => self.add(
                    value.span(),
                    name,
                    format!("it is a table; write `[{own}]`"),
                ),
            }
        }
    }

    fn take_setting_or_overrides<S: Table>(
        &mut self,
        settings: &mut S,
        key: &Key<'_>,
        value: &Value<'_>,
    ) {
        let section = S::SECTION.to_lowercase();
        let has_overrides = S::ROWS.iter().any(Row::is_overridable);
        if !has_overrides || *key.get_ref() != OVERRIDE_TABLE {
            return self.take_setting(settings, (&section, SettingOrigin::File), key, value);
        }
        let section = format!("{section}.{OVERRIDE_TABLE}");
        match value.get_ref() {
            DeValue::Table(table) => {
                for (key, value) in table {
                    let below = (section.as_str(), SettingOrigin::Override);
                    self.take_setting(settings, below, key, value);
                }
            }
            _ => self.add(
                value.span(),
                &section,
                format!("it is a table; write `[{section}]`"),
            ),
        }
    }

    /// `below` is the table that it stands in, and what that makes of it.
    fn take_setting<S: Table>(
        &mut self,
        settings: &mut S,
        below: (&str, SettingOrigin),
        key: &Key<'_>,
        value: &Value<'_>,
    ) {
        let (name, (table, origin)) = (key.get_ref(), below);
        let whole = format!("{table}.{name}");
        let may = |row: &&Row<S>| origin != SettingOrigin::Override || row.is_overridable();
        let rows = || S::ROWS.iter().filter(may);
        let Some(row) = rows().find(|row| row.name == *name) else {
            return self.add(key.span(), &whole, unknown_key(&shown(name), rows()));
        };
        let taken = plain(row, value.get_ref()).and_then(|text| row.take(settings, &text, origin));
        if let Err(problem) = taken {
            self.add(value.span(), &whole, problem);
        }
    }
}

/// The value as it would stand in the environment, if it has the type that the setting takes.
fn plain<S>(row: &Row<S>, value: &DeValue<'_>) -> Result<String, String> {
    let (text, kind) = match value {
        DeValue::Boolean(yes) => (yes.to_string(), "a boolean"),
        DeValue::Integer(number) => (number.to_string(), "a number"),
        DeValue::Float(number) => (number.to_string(), "a number"),
        DeValue::String(text) => (text.clone().into_owned(), "a text"),
        DeValue::Datetime(_) => (String::new(), "a date"),
        DeValue::Array(_) => (String::new(), "a list"),
        DeValue::Table(_) => (String::new(), "a table"),
    };
    let (fits, hint) = match (row.form, kind) {
        (Form::Switch, "a boolean")
        | (Form::Number | Form::TextOrNumber, "a number")
        | (Form::Text | Form::TextOrNumber, "a text") => (true, ""),
        (Form::Switch | Form::Number, "a text") => (false, "; write it without quotes"),
        (Form::Text, "a number" | "a boolean") => (false, "; write it in quotes"),
        _ => (false, ""),
    };
    match fits {
        true => Ok(text),
        false => Err(format!("{kind} is not {}{hint}", (row.takes)())),
    }
}

/// Line and column of a byte of the text, from 1.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .chars()
        .rev()
        .take_while(|char| *char != '\n')
        .count()
        + 1;
    (line, column)
}
