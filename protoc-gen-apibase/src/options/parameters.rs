//! `key=value` parameters: the known ones, and reading them.

use std::path::PathBuf;

use super::nearest::nearest;
use super::{Emit, Options, bad};
use crate::error::{Diagnostic, Diagnostics};

/// A parameter as the help and the errors show it.
pub(super) struct Parameter {
    name: &'static str,
    pub(super) usage: &'static str,
    pub(super) about: &'static str,
}

/// All of them, in the order of the help.
pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "emit",
        usage: "emit=rust|docs",
        about: "what to generate; may repeat; rust unless given",
    },
    Parameter {
        name: "include_file",
        usage: "include_file=FILE",
        about: "also write the module tree, as FILE (mod.rs)",
    },
    Parameter {
        name: "tonic",
        usage: "tonic[=true|false]",
        about: "also generate tonic's own client and server modules",
    },
    Parameter {
        name: "extern_path",
        usage: "extern_path=.PROTO=RUST",
        about: "use the Rust path for what is below the proto path; may repeat",
    },
    Parameter {
        name: "bytes",
        usage: "bytes=PATH",
        about: "use Bytes for the bytes fields below PATH (. for all); may repeat",
    },
    Parameter {
        name: "btree_map",
        usage: "btree_map=PATH",
        about: "use BTreeMap for the map fields below PATH (. for all; needs prost too); may repeat",
    },
    Parameter {
        name: "type_attribute",
        usage: "type_attribute=PATH=ATTR",
        about: "put ATTR on the types below PATH; may repeat",
    },
    Parameter {
        name: "field_attribute",
        usage: "field_attribute=PATH=ATTR",
        about: "put ATTR on the fields below PATH; may repeat",
    },
    Parameter {
        name: "templates",
        usage: "templates=DIR",
        about: "take templates from DIR where it has them (docs/service.md.jinja)",
    },
];

/// Gathers options and everything that is wrong with them.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) options: Options,
    /// What `emit` has named so far; none leaves the default.
    pub(super) emit: Option<Emit>,
    /// The parameters seen that hold one value.
    seen: Vec<&'static str>,
    pub(super) problems: Diagnostics,
}

impl Reader {
    /// Takes one `key=value`, or the bare name of a switch.
    pub(super) fn read(&mut self, pair: &str) {
        if pair.is_empty() {
            return;
        }
        let (key, value) = match pair.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim())),
            None => (pair, None),
        };
        match (key, value) {
            ("emit", value) => self.emit(value.unwrap_or_default()),
            ("tonic", value) => self.tonic(value.unwrap_or("true")),
            ("include_file", Some(value)) => {
                self.once("include_file");
                self.options.include_file = Some(value.to_owned());
            }
            ("templates", Some(value)) => {
                self.once("templates");
                self.options.templates = Some(PathBuf::from(value));
            }
            ("bytes", Some(value)) => self.options.bytes.push(value.to_owned()),
            ("btree_map", Some(value)) => self.options.btree_map.push(value.to_owned()),
            ("extern_path", Some(value)) => {
                let pair = self.split("extern_path", value);
                self.options.extern_paths.extend(pair);
            }
            ("type_attribute", Some(value)) => {
                let pair = self.split("type_attribute", value);
                self.options.type_attributes.extend(pair);
            }
            ("field_attribute", Some(value)) => {
                let pair = self.split("field_attribute", value);
                self.options.field_attributes.extend(pair);
            }
            (key, _) => self.problems.push(missing_value_or_unknown(key)),
        }
    }

    fn emit(&mut self, value: &str) {
        let mut emit = self.emit.unwrap_or(Emit {
            rust: false,
            docs: false,
        });
        match value {
            "rust" => emit.rust = true,
            "docs" => emit.docs = true,
            _ => {
                self.problems.push(
                    bad("emit", value, "is not an output")
                        .help("use `rust` or `docs`; `emit=rust,emit=docs` gives both"),
                );
                return;
            }
        }
        self.emit = Some(emit);
    }

    fn tonic(&mut self, value: &str) {
        self.once("tonic");
        match value {
            "true" => self.options.tonic = true,
            "false" => self.options.tonic = false,
            _ => self
                .problems
                .push(bad("tonic", value, "is not a switch").help("use `true` or `false`")),
        }
    }

    fn split(&mut self, key: &str, value: &str) -> Option<(String, String)> {
        if let Some((path, rest)) = value.split_once('=') {
            return Some((path.trim().to_owned(), rest.trim().to_owned()));
        }
        let usage = usage_of(key);
        self.problems
            .push(bad(key, value, "lacks its second part").help(format!("write it as `{usage}`")));
        None
    }

    fn once(&mut self, key: &'static str) {
        if self.seen.contains(&key) {
            self.problems.push(
                Diagnostic::new(format!("parameter `{key}` is given twice"))
                    .help("it holds one value; remove one of the two"),
            );
        }
        self.seen.push(key);
    }
}

fn missing_value_or_unknown(key: &str) -> Diagnostic {
    if PARAMETERS.iter().any(|p| p.name == key) {
        let usage = usage_of(key);
        return Diagnostic::new(format!("parameter `{key}` needs a value"))
            .help(format!("write it as `{usage}`"));
    }
    let known: Vec<&str> = PARAMETERS.iter().map(|p| p.name).collect();
    let diagnostic = Diagnostic::new(format!("unknown parameter `{key}`"))
        .note(format!("the known ones are: {}", known.join(", ")));
    match nearest(key, &known) {
        Some(name) => diagnostic.help(format!("did you mean `{name}`?")),
        None => diagnostic.help(
            "remove it, or see `protoc-gen-apibase --help` for what each of them does; \
             a comma inside a value is written `\\,`",
        ),
    }
}

fn usage_of(key: &str) -> &'static str {
    PARAMETERS
        .iter()
        .find(|p| p.name == key)
        .map_or("", |p| p.usage)
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
