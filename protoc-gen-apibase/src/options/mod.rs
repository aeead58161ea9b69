//! What a caller may choose, and the `key=value` parameters that choose it.

mod nearest;
mod parameters;

use std::path::PathBuf;

use self::parameters::{PARAMETERS, Reader, split_unescaped};
use crate::error::{Diagnostic, Diagnostics, Error};

/// What to generate, and how.
///
/// The same for all three ways in: protoc and buf hand it over as parameters
/// ([`parse`](Self::parse)), the `generate` command as `--opt`, a build script through the
/// methods of [`Builder`](crate::Builder).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The name of the file with the module tree, `mod.rs` for example; none is written when
    /// unset.
    pub include_file: Option<String>,
    /// Whether tonic's own client and server modules are generated too.
    pub tonic: bool,
    /// The kinds of output.
    pub emit: Emit,
    /// Protobuf paths (`.google.type`) and the Rust paths (`::google_types`) that stand for
    /// them; nothing is generated for what is below such a path.
    pub extern_paths: Vec<(String, String)>,
    /// Paths whose `bytes` fields become `Bytes` instead of `Vec<u8>`; `.` is everything.
    pub bytes: Vec<String>,
    /// Paths whose `map` fields become `BTreeMap` instead of `HashMap`; `.` is everything.
    /// prost names itself in them, so they take prost as a dependency.
    pub btree_map: Vec<String>,
    /// Paths and the attributes put on their messages, enums and oneofs.
    pub type_attributes: Vec<(String, String)>,
    /// Paths and the attributes put on their fields.
    pub field_attributes: Vec<(String, String)>,
    /// A folder with templates that replace the built-in ones, file by file.
    pub templates: Option<PathBuf>,
}

/// The kinds of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emit {
    /// Messages, servicers, servers, clients, descriptors and the module tree.
    pub rust: bool,
    /// A Markdown page for each service.
    pub docs: bool,
}

impl Default for Emit {
    /// Rust alone.
    fn default() -> Self {
        Self {
            rust: true,
            docs: false,
        }
    }
}

impl Options {
    /// Reads comma-joined `key=value` parameters; `\,` is a comma inside a value.
    ///
    /// # Errors
    ///
    /// When a parameter is unknown, repeated though it holds one value, or has a bad value; all
    /// of them at once.
    pub fn parse(parameter: &str) -> Result<Self, Error> {
        Self::from_pairs(split_unescaped(parameter).iter().map(String::as_str))
    }

    /// Reads parameters of which each is one `key=value`, or the bare name of a switch.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut reader = Reader::default();
        for pair in pairs {
            reader.read(pair.trim());
        }
        let Reader {
            mut options,
            emit,
            mut problems,
            ..
        } = reader;
        if let Some(emit) = emit {
            options.emit = emit;
        }
        options.check(&mut problems);
        problems.finish_as(Error::parameter)?;
        Ok(options)
    }

    /// Checks what the types alone don't: paths, attributes and file names.
    ///
    /// # Errors
    ///
    /// When something can't be meant; all of it at once.
    pub fn validate(&self) -> Result<(), Error> {
        let mut problems = Diagnostics::new();
        self.check(&mut problems);
        problems.finish_as(Error::parameter)
    }

    /// The known parameters, one a line with what it does, for a help text.
    #[must_use]
    pub fn help() -> String {
        let width = PARAMETERS.iter().map(|p| p.usage.len()).max().unwrap_or(0);
        PARAMETERS
            .iter()
            .map(|p| format!("  {:width$}  {}\n", p.usage, p.about))
            .collect()
    }

    fn check(&self, problems: &mut Diagnostics) {
        if let Some(name) = &self.include_file {
            check_include_file(name, problems);
        }
        for (proto, rust) in &self.extern_paths {
            check_extern_path(proto, rust, problems);
        }
        for (key, attributes) in [
            ("type_attribute", &self.type_attributes),
            ("field_attribute", &self.field_attributes),
        ] {
            for (path, attribute) in attributes {
                check_attribute(key, path, attribute, problems);
            }
        }
        for (key, paths) in [("bytes", &self.bytes), ("btree_map", &self.btree_map)] {
            if paths.iter().any(String::is_empty) {
                problems.push(bad(key, "", "is empty").help(format!(
                    "`{key}=.` means every field, `{key}=.shop.Item.picture` one of them"
                )));
            }
        }
        if !self.emit.rust && !self.emit.docs {
            problems.push(
                Diagnostic::new("nothing to generate: neither Rust nor docs are asked for")
                    .help("use `emit=rust`, `emit=docs` or both"),
            );
        }
    }
}

fn check_include_file(name: &str, problems: &mut Diagnostics) {
    let plain = name.ends_with(".rs") && name != ".rs" && !name.contains(['/', '\\']);
    if !plain {
        problems.push(
            bad("include_file", name, "is not the plain name of a Rust file").help(
                "use `include_file=mod.rs`: the file lies beside the others, which it includes \
                 by their relative names",
            ),
        );
    }
}

fn check_extern_path(proto: &str, rust: &str, problems: &mut Diagnostics) {
    if !proto.starts_with('.') || (proto.len() > 1 && proto.ends_with('.')) {
        problems.push(
            bad("extern_path", proto, "is not a full protobuf path").help(
                "start it with a dot and end it with a name, as in \
                 `extern_path=.google.type=::google_types`",
            ),
        );
    }
    if syn::parse_str::<syn::Path>(rust).is_err() {
        problems.push(
            bad("extern_path", rust, "is not a Rust path")
                .help("write a path such as `::google_types` or `crate::google_types`"),
        );
    }
}

fn check_attribute(key: &str, path: &str, attribute: &str, problems: &mut Diagnostics) {
    use syn::parse::Parser as _;
    if path.is_empty() {
        problems.push(
            bad(key, path, "has no path").help(format!("`{key}=.=#[…]` is for every one of them")),
        );
    }
    let parsed = syn::Attribute::parse_outer.parse_str(attribute);
    if !parsed.is_ok_and(|list| !list.is_empty()) {
        problems.push(
            bad(key, attribute, "is not an attribute")
                .help(format!("write it as in `{key}=.shop.Item=#[derive(Eq)]`")),
        );
    }
}

fn bad(key: &str, value: &str, what: &str) -> Diagnostic {
    Diagnostic::new(format!("parameter `{key}`: `{value}` {what}"))
}
