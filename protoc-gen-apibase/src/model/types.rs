//! Where the Rust of a protobuf type lies.

use std::collections::BTreeMap;

use super::Type;
use crate::names;
use crate::options::Options;

/// Where generated messages find prost and prost-types: a user needs neither in their manifest.
pub(crate) const PROST: &str = "::apibase::prost";
const PROST_TYPES: &str = "::apibase::prost_types";

/// Protobuf paths, each with a leading dot, and the Rust paths that stand for them.
pub(crate) struct Externs {
    paths: BTreeMap<String, String>,
}

impl Externs {
    /// The user's, and below them prost's own mapping of google.protobuf.
    pub(crate) fn new(options: &Options) -> Self {
        let mut paths = BTreeMap::from([(".google.protobuf".to_owned(), PROST_TYPES.to_owned())]);
        for (message, rust) in [
            ("BoolValue", "bool".to_owned()),
            ("BytesValue", format!("{PROST}::alloc::vec::Vec<u8>")),
            ("DoubleValue", "f64".to_owned()),
            ("Empty", "()".to_owned()),
            ("FloatValue", "f32".to_owned()),
            ("Int32Value", "i32".to_owned()),
            ("Int64Value", "i64".to_owned()),
            ("StringValue", format!("{PROST}::alloc::string::String")),
            ("UInt32Value", "u32".to_owned()),
            ("UInt64Value", "u64".to_owned()),
        ] {
            paths.insert(format!(".google.protobuf.{message}"), rust);
        }
        paths.extend(options.extern_paths.iter().cloned());
        Self { paths }
    }

    /// All of them, for prost-build.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.paths
            .iter()
            .map(|(proto, rust)| (proto.as_str(), rust.as_str()))
    }

    /// Whether all of a package (without a leading dot) is somewhere else.
    pub(crate) fn cover(&self, package: &str) -> bool {
        !package.is_empty() && self.longest(&format!(".{package}")).is_some()
    }

    /// Whether a message or an enum, given by its full name with a leading dot, is somewhere
    /// else.
    pub(super) fn cover_type(&self, full_name: &str) -> bool {
        self.longest(full_name).is_some()
    }

    /// A type, given by its full name with a leading dot, as written inside the module `api`
    /// of `package`.
    pub(super) fn resolve(&self, package: &str, full_name: &str) -> Type {
        let proto = full_name.trim_start_matches('.');
        let rust = match self.outside(full_name) {
            Some(path) => shorten(&path),
            None => inside(package, proto),
        };
        Type {
            proto: proto.to_owned(),
            rust,
            mapper: None,
        }
    }

    /// The path from the module `api` of one package to the module of another, with `::` at its end.
    pub(super) fn module(&self, from: &str, to: &str) -> String {
        // Any type of the package leads there.
        let inside = format!(".{to}.T").replace("..", ".");
        let ty = self.resolve(from, &inside).rust;
        ty.strip_suffix('T').unwrap_or_default().to_owned()
    }

    /// Whether the user has another type for one of `google.protobuf`'s, given without a leading dot.
    pub(super) fn is_redirected(&self, full_name: &str) -> bool {
        let name = format!(".{full_name}");
        let builtin = [
            PROST_TYPES,
            PROST,
            "bool",
            "f64",
            "f32",
            "i32",
            "i64",
            "u32",
            "u64",
            "()",
        ];
        self.longest(&name)
            .is_none_or(|(_, rust)| !builtin.iter().any(|path| rust.starts_with(path)))
    }

    fn outside(&self, full_name: &str) -> Option<String> {
        let (prefix, rust) = self.longest(full_name)?;
        let rest = full_name.strip_prefix(prefix)?.trim_start_matches('.');
        if rest.is_empty() {
            return Some(rust.to_owned());
        }
        let (modules, name) = rest.rsplit_once('.').unwrap_or(("", rest));
        let mut path = rust.to_owned();
        for segment in names::modules(modules) {
            path.push_str("::");
            path.push_str(&segment);
        }
        Some(format!("{path}::{}", names::upper_camel(name)))
    }

    /// The entry with the longest proto path that `full_name` is or is below.
    fn longest(&self, full_name: &str) -> Option<(&str, &str)> {
        let mut prefix = full_name;
        loop {
            if let Some((prefix, rust)) = self.paths.get_key_value(prefix) {
                return Some((prefix, rust));
            }
            prefix = prefix.rsplit_once('.')?.0;
        }
    }
}

/// Relative to the module `api` of `package`, as prost writes it relative to the package's.
fn inside(package: &str, proto: &str) -> String {
    let mut from = package
        .split('.')
        .filter(|segment| !segment.is_empty())
        .peekable();
    let (modules, name) = proto.rsplit_once('.').unwrap_or(("", proto));
    let mut to = modules
        .split('.')
        .filter(|segment| !segment.is_empty())
        .peekable();
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let mut path = "super::".repeat(1 + from.count());
    for segment in to {
        path.push_str(&names::snake(segment));
        path.push_str("::");
    }
    path + &names::upper_camel(name)
}

/// What `api` has a shorter name for.
fn shorten(path: &str) -> String {
    if path == format!("{PROST}::alloc::string::String") {
        return "String".to_owned();
    }
    if path == format!("{PROST}::alloc::vec::Vec<u8>") {
        return "Vec<u8>".to_owned();
    }
    match path.strip_prefix(PROST_TYPES) {
        Some(rest) => format!("rt::prost_types{rest}"),
        None => path.to_owned(),
    }
}
