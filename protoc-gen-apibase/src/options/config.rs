//! `apibase.toml`: the same parameters, written as TOML.
//!
//! Its keys are the parameters' names. What it says becomes the same `key=value` pairs, so that
//! nothing is defined twice.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::given::Given;
use super::parameters::{Parameter, Shape, find, unknown};
use super::reader::name_as_kept;
use crate::error::Diagnostic;

/// Reads the text of the file called `name`. What is wrong is kept, with its places.
pub(super) fn read(text: &str, name: &str) -> Given {
    let source = Source { name, text };
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut given = Given::default();
    for error in &errors {
        let problem = Diagnostic::new(error.message());
        let place = error.span().unwrap_or_default();
        given.problems.push(source.placed(problem, &place));
    }
    if !errors.is_empty() {
        // What was recovered may lack the half of it, so that more complaints would mislead.
        return given;
    }
    let mut entries = Entries::default();
    for (key, value) in table.get_ref() {
        entries.add_parameter(key, value);
    }
    // A parsed table is sorted by its keys; the output follows the file.
    entries.list.sort_by_key(|entry| entry.place.start);
    for (place, problem) in entries.problems {
        given.problems.push(source.placed(problem, &place));
    }
    take_all(entries.list, &source, &mut given);
    given
}

/// Has each entry checked alone, so that what is wrong with it gets its place.
fn take_all(entries: Vec<Entry>, source: &Source<'_>, given: &mut Given) {
    let mut places: BTreeMap<(&str, String), Range<usize>> = BTreeMap::new();
    for entry in entries {
        let pair = entry.pair();
        let mut problems = Given::from_pairs([pair.as_str()]).into_problems();
        if let Some(name) = entry.unique_name() {
            if let Some(earlier) = places.get(&(entry.parameter.name, name.clone())) {
                problems.push(source.double(&entry, &name, earlier));
            }
            places.insert((entry.parameter.name, name), entry.place.clone());
        }
        if problems.is_empty() {
            given.read(&pair);
        }
        let placed = |problem| source.placed(problem, &entry.place);
        given
            .problems
            .extend(problems.into_vec().into_iter().map(placed));
    }
}

/// What one value says.
struct Entry {
    place: Range<usize>,
    parameter: &'static Parameter,
    /// `PROTO`, `PROTO=FIELD` or nothing.
    name: Option<String>,
    value: String,
}

impl Entry {
    fn pair(&self) -> String {
        let key = self.parameter.name;
        match &self.name {
            Some(name) => format!("{key}={name}={}", self.value),
            None => format!("{key}={}", self.value),
        }
    }

    /// The name, where there can be only one value for it. TOML sees to that, but for names that
    /// differ in a leading dot.
    fn unique_name(&self) -> Option<String> {
        let name = self.name.as_deref()?;
        let unique = matches!(self.parameter.shape, Shape::Pairs | Shape::Triples);
        unique.then(|| name_as_kept(self.parameter.name, name))
    }
}

#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    problems: Vec<(Range<usize>, Diagnostic)>,
}

type Key<'i> = Spanned<DeString<'i>>;
type Value<'i> = Spanned<DeValue<'i>>;

impl Entries {
    fn add_parameter(&mut self, key: &Key<'_>, value: &Value<'_>) {
        let Some(parameter) = find(key.get_ref()) else {
            self.problems.push((key.span(), unknown(key.get_ref())));
            return;
        };
        if parameter.name == "config" {
            let problem = Diagnostic::new("`config` can't stand in a file that it could name")
                .help("remove it; to use another file, give `config=FILE` as a parameter");
            self.problems.push((key.span(), problem));
            return;
        }
        match (parameter.shape, value.get_ref()) {
            (Shape::Switch, DeValue::Boolean(yes)) => {
                self.add(parameter, value.span(), None, &yes.to_string());
            }
            (Shape::Single, DeValue::String(text)) => {
                self.add(parameter, value.span(), None, text);
            }
            (Shape::List, _) => self.add_list(parameter, None, value),
            (Shape::Pairs | Shape::Attributes, DeValue::Table(table)) => {
                for (name, value) in table {
                    self.add_named(parameter, name.get_ref(), name, value);
                }
            }
            (Shape::Triples, DeValue::Table(table)) => self.add_triples(parameter, table),
            _ => self.unexpected(parameter, value),
        }
    }

    fn add_triples(&mut self, parameter: &'static Parameter, table: &DeTable<'_>) {
        for (proto, fields) in table {
            let DeValue::Table(fields) = fields.get_ref() else {
                self.unexpected(parameter, fields);
                continue;
            };
            for (field, expr) in fields {
                let name = format!("{}={}", proto.get_ref(), field.get_ref());
                self.add_named(parameter, &name, field, expr);
            }
        }
    }

    /// `"PROTO" = "RUST"`: its place is where it begins, as either half can be wrong.
    fn add_named(
        &mut self,
        parameter: &'static Parameter,
        name: &str,
        key: &Key<'_>,
        value: &Value<'_>,
    ) {
        match (parameter.shape, value.get_ref()) {
            (Shape::Attributes, _) => self.add_list(parameter, Some(name), value),
            (_, DeValue::String(text)) => self.add(parameter, key.span(), Some(name), text),
            _ => self.unexpected(parameter, value),
        }
    }

    /// One text, or several in brackets.
    fn add_list(&mut self, parameter: &'static Parameter, name: Option<&str>, value: &Value<'_>) {
        match value.get_ref() {
            DeValue::String(text) => self.add(parameter, value.span(), name, text),
            DeValue::Array(list) => {
                for item in list.iter() {
                    match item.get_ref() {
                        DeValue::String(text) => self.add(parameter, item.span(), name, text),
                        _ => self.unexpected(parameter, item),
                    }
                }
            }
            _ => self.unexpected(parameter, value),
        }
    }

    fn add(
        &mut self,
        parameter: &'static Parameter,
        place: Range<usize>,
        name: Option<&str>,
        value: &str,
    ) {
        self.list.push(Entry {
            place,
            parameter,
            name: name.map(str::to_owned),
            value: value.to_owned(),
        });
    }

    fn unexpected(&mut self, parameter: &Parameter, value: &Value<'_>) {
        let (key, found) = (parameter.name, kind_of(value.get_ref()));
        let (expected, help) = expectation(parameter);
        let message = format!("parameter `{key}`: {found} stands where {expected} is expected");
        let problem = Diagnostic::new(message).help(help);
        self.problems.push((value.span(), problem));
    }
}

/// What a parameter's value has to be, and how to write it: made of its usage (`KEY=NAME=VALUE`).
fn expectation(parameter: &Parameter) -> (&'static str, String) {
    let mut parts = parameter.usage.split('=');
    let (key, first) = (parameter.name, parts.nth(1).unwrap_or_default());
    let (second, third) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    match parameter.shape {
        Shape::Switch => (
            "`true` or `false`",
            format!("write it as `{key} = true`, without quotes"),
        ),
        Shape::Single => ("a text", format!("write it as `{key} = \"{first}\"`")),
        Shape::List => (
            "a text or a list of texts",
            format!("write it as `{key} = [\"{first}\"]`"),
        ),
        Shape::Pairs => (
            "a text for each name",
            format!(
                "write `\"{first}\" = \"{second}\"` below `[{key}]`; a name with dots needs its \
                 quotes"
            ),
        ),
        Shape::Attributes => (
            "a text or a list of texts for each path",
            format!(
                "write `\"{first}\" = \"{second}\"` below `[{key}]`; a path with dots needs its \
                 quotes"
            ),
        ),
        Shape::Triples => (
            "a text for each field of each message",
            format!(
                "write `{second} = \"{third}\"` below `[{key}.\"{first}\"]`; a name with dots \
                 needs its quotes"
            ),
        ),
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The file, for places in it.
struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn placed(&self, problem: Diagnostic, place: &Range<usize>) -> Diagnostic {
        let (line, column) = self.position(place);
        problem.at(self.name, line, column)
    }

    fn double(&self, entry: &Entry, name: &str, earlier: &Range<usize>) -> Diagnostic {
        let (line, column) = self.position(earlier);
        let key = entry.parameter.name;
        Diagnostic::new(format!("parameter `{key}`: `{name}` is given twice"))
            .note_at(self.name, line, column, "the other one")
            .help("remove one of the two; a leading dot makes no difference")
    }

    /// Line and column of its first character, from 1.
    fn position(&self, place: &Range<usize>) -> (u32, u32) {
        let before = self.text.get(..place.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before
            .chars()
            .rev()
            .take_while(|char| *char != '\n')
            .count()
            + 1;
        let small = |number| u32::try_from(number).unwrap_or(u32::MAX);
        (small(line), small(column))
    }
}
