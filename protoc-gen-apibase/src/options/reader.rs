//! Reading `key=value` parameters, wherever they come from.

use std::path::PathBuf;

use super::given::Given;
use super::parameters::{bad, find, unknown, usage_of};
use super::{DurationLibrary, Emit, Time};
use crate::error::Diagnostic;

/// Without its leading dot, as the names of entities and fields are kept.
pub(crate) fn undotted(proto: &str) -> &str {
    proto.strip_prefix('.').unwrap_or(proto)
}

impl Given {
    /// Takes one `key=value`, or the bare name of a switch.
    pub(super) fn read(&mut self, pair: &str) {
        let pair = pair.trim();
        if pair.is_empty() {
            return;
        }
        let (key, value) = match pair.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim())),
            None => (pair, None),
        };
        match (key, value) {
            ("emit", value) => self.read_emit(value.unwrap_or_default()),
            ("tonic", value) => {
                self.options.tonic = self.switch("tonic", value.unwrap_or("true"));
            }
            ("laws", value) => self.options.laws = self.switch("laws", value.unwrap_or("true")),
            (_, Some(value)) if self.read_single(key, value) => {}
            ("extra", Some(value)) => {
                let extra = self.split_in_three("extra", value);
                self.options.extras.extend(extra);
            }
            (_, Some(value)) => self.read_listed(key, value),
            (_, None) => self.problems.push(missing_value_or_unknown(key)),
        }
    }

    /// Whether `key` holds one value, which is taken then.
    fn read_single(&mut self, key: &str, value: &str) -> bool {
        match key {
            "include_file" => {
                self.once("include_file");
                self.options.include_file = Some(value.to_owned());
            }
            "templates" => {
                self.once("templates");
                self.options.templates = Some(PathBuf::from(value));
            }
            "config" => {
                self.once("config");
                self.options.config = Some(PathBuf::from(value));
            }
            "time" => {
                self.once("time");
                self.options.time = self.one_of("time", value, TIMES).unwrap_or_default();
            }
            "duration" => {
                self.once("duration");
                self.options.duration = self.one_of("duration", value, DURATIONS);
            }
            _ => return false,
        }
        true
    }

    fn read_listed(&mut self, key: &str, value: &str) {
        if let Some(list) = self.options.paths(key) {
            list.push(value.to_owned());
        } else if let Some(list) = self.options.pairs(key) {
            match value.split_once('=') {
                Some((name, rest)) => {
                    list.push((name_as_kept(key, name.trim()), rest.trim().to_owned()));
                }
                None => self.lacks_a_part(key, value, "lacks its second part"),
            }
        } else {
            self.problems.push(unknown(key).note(COMMAS));
        }
    }

    /// The first `emit` takes the place of the default, the others add.
    fn read_emit(&mut self, value: &str) {
        let mut emit = Emit {
            rust: false,
            docs: false,
            fakes: false,
            service_config: false,
        };
        if self.said("emit") {
            emit = self.options.emit;
        }
        match value {
            "rust" => emit.rust = true,
            "docs" => emit.docs = true,
            "fakes" => emit.fakes = true,
            "service_config" => emit.service_config = true,
            _ => {
                self.problems
                    .push(bad("emit", value, "is not an output").help(
                        "use `rust`, `docs`, `fakes` or `service_config`; `emit=rust,emit=docs` gives both",
                    ));
                return;
            }
        }
        self.options.emit = emit;
        self.say("emit");
    }

    fn switch(&mut self, key: &'static str, value: &str) -> bool {
        self.once(key);
        match value {
            "true" => true,
            "false" => false,
            _ => {
                self.problems
                    .push(bad(key, value, "is not a switch").help("use `true` or `false`"));
                false
            }
        }
    }

    fn one_of<T: Copy>(&mut self, key: &str, value: &str, known: &[(&str, T)]) -> Option<T> {
        let found = known.iter().find(|(name, _)| *name == value);
        if found.is_none() {
            let names: Vec<String> = known.iter().map(|(name, _)| format!("`{name}`")).collect();
            self.problems.push(
                bad(key, value, "is not one of the libraries")
                    .help(format!("use one of {}", names.join(", "))),
            );
        }
        found.map(|(_, value)| *value)
    }

    fn split_in_three(&mut self, key: &str, value: &str) -> Option<(String, String, String)> {
        let mut parts = value.splitn(3, '=').map(str::trim);
        if let (Some(proto), Some(field), Some(expr)) = (parts.next(), parts.next(), parts.next()) {
            return Some((name_as_kept(key, proto), field.to_owned(), expr.to_owned()));
        }
        self.lacks_a_part(key, value, "lacks one of its three parts");
        None
    }

    fn lacks_a_part(&mut self, key: &str, value: &str, what: &str) {
        let usage = usage_of(key);
        self.problems
            .push(bad(key, value, what).help(format!("write it as `{usage}`")));
    }

    /// Notes that `key`, which holds one value, is given.
    fn once(&mut self, key: &'static str) {
        if self.said(key) {
            self.problems.push(
                Diagnostic::new(format!("parameter `{key}` is given twice"))
                    .help("it holds one value; remove one of the two"),
            );
        }
        self.say(key);
    }
}

/// Where an unknown parameter often comes from.
const COMMAS: &str = "a comma inside a value is written `\\,`";

const TIMES: &[(&str, Time)] = &[
    ("chrono", Time::Chrono),
    ("time", Time::Time),
    ("jiff", Time::Jiff),
    ("system", Time::System),
];

const DURATIONS: &[(&str, DurationLibrary)] = &[
    ("std", DurationLibrary::Std),
    ("chrono", DurationLibrary::Chrono),
    ("time", DurationLibrary::Time),
    ("jiff", DurationLibrary::Jiff),
];

/// The name that a pair begins with, as it is kept.
pub(super) fn name_as_kept(key: &str, name: &str) -> String {
    match key {
        "entity" | "with" | "newtype" | "extra" => undotted(name).to_owned(),
        _ => name.to_owned(),
    }
}

fn missing_value_or_unknown(key: &str) -> Diagnostic {
    let Some(parameter) = find(key) else {
        return unknown(key).note(COMMAS);
    };
    Diagnostic::new(format!("parameter `{key}` needs a value"))
        .help(format!("write it as `{}`", parameter.usage))
}

/// Splits at commas that no backslash escapes. A backslash before anything else stays.
pub(super) fn split_unescaped(parameter: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = parameter.chars().peekable();
    while let Some(char) = chars.next() {
        match (char, parts.last_mut()) {
            (',', _) => parts.push(String::new()),
            ('\\', Some(part)) if chars.peek() == Some(&',') => {
                chars.next();
                part.push(',');
            }
            (char, Some(part)) => part.push(char),
            (_, None) => {}
        }
    }
    parts
}
