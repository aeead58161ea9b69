//! What is wrong with a mask.

use std::fmt;

use super::super::{Fields, MapError, Unmappable, ViolationKind};
use super::{MAX_DEPTH, MAX_PATHS, Mask, Scope};

/// So much of a path is shown in an error.
const SHOWN: usize = 64;

/// A field that a mask can name: generated, for each message with a patch.
///
/// ```
/// # use apibase::codegen::map::MaskField;
/// static ADDRESS: [MaskField; 2] = [MaskField::leaf("street"), MaskField::leaf("city")];
/// static PERSON: [MaskField; 2] = [MaskField::leaf("name"), MaskField::message("address", &ADDRESS)];
/// ```
#[derive(Clone, Copy)]
pub struct MaskField {
    name: &'static str,
    fields: Option<&'static [Self]>,
}

impl MaskField {
    /// A field that is named as a whole only.
    #[must_use]
    pub const fn leaf(name: &'static str) -> Self {
        Self { name, fields: None }
    }

    /// A message whose fields can be named one by one. In a message that holds itself, the fields
    /// are a `static` that refers to itself.
    #[must_use]
    pub const fn message(name: &'static str, fields: &'static [Self]) -> Self {
        Self {
            name,
            fields: Some(fields),
        }
    }
}

/// The name alone: the fields of a message may hold the message.
impl fmt::Debug for MaskField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MaskField").field(&self.name).finish()
    }
}

impl Mask<'_> {
    /// Whether each path names one of `known`, the fields of the entity.
    ///
    /// # Errors
    ///
    /// All that is wrong, of the kind [`NotAllowed`](ViolationKind::NotAllowed) and without a path:
    /// where the mask stands, the caller knows.
    pub fn check(&self, known: &[MaskField]) -> Result<(), MapError> {
        let Scope::Paths(paths) = &self.scope else {
            return Ok(());
        };
        if paths.len() > MAX_PATHS {
            return Err(not_allowed(format!(
                "must not have more than {MAX_PATHS} paths"
            )));
        }
        let mut wrong = paths.iter().filter_map(|path| check(path, known).err());
        let Some(mut first) = wrong.next() else {
            return Ok(());
        };
        for other in wrong {
            first.append(other);
        }
        Err(first)
    }
}

impl Fields {
    /// Notes what is wrong with a mask, the field `name`.
    pub fn check_mask(&mut self, name: &'static str, mask: &Mask<'_>, known: &[MaskField]) {
        if let Err(error) = mask.check(known) {
            self.note(error.at(name));
        }
    }
}

fn check(path: &str, known: &[MaskField]) -> Result<(), MapError> {
    if path == "*" {
        return Err(not_allowed("must have no other paths beside \"*\""));
    }
    let mut known = Some(known);
    let mut within = "";
    for (depth, name) in path.split('.').enumerate() {
        if name.is_empty() {
            return Err(not_allowed(format!(
                "has {}, where a name is missing",
                Shown(path)
            )));
        }
        if depth >= MAX_DEPTH {
            return Err(not_allowed(format!(
                "has {}, which goes too deep",
                Shown(path)
            )));
        }
        let Some(fields) = known else {
            let path = Shown(path);
            return Err(not_allowed(format!(
                "has {path}, but the fields of \"{within}\" can't be named one by one"
            )));
        };
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            return Err(unknown(path, name, fields));
        };
        (known, within) = (field.fields, field.name);
    }
    Ok(())
}

#[cold]
fn unknown(path: &str, name: &str, fields: &[MaskField]) -> MapError {
    let path = Shown(path);
    let written = fields
        .iter()
        .find(|field| is_camel_case_of(name, field.name));
    if let Some(MaskField { name, .. }) = written {
        return not_allowed(format!("has {path}, whose name is written \"{name}\" here"));
    }
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    not_allowed(format!(
        "has {path}, which is none of: {}",
        names.join(", ")
    ))
}

/// Whether `name` is what the JSON form of masks makes of `proto`.
fn is_camel_case_of(name: &str, proto: &str) -> bool {
    let name = name.bytes().filter(|byte| *byte != b'_');
    let proto = proto.bytes().filter(|byte| *byte != b'_');
    name.map(|byte| byte.to_ascii_lowercase())
        .eq(proto.map(|byte| byte.to_ascii_lowercase()))
}

/// A path in quotes, the start of it if it is long.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        let start: String = chars.by_ref().take(SHOWN).collect();
        let more = if chars.next().is_some() { "…" } else { "" };
        write!(f, "\"{}{more}\"", start.escape_debug())
    }
}

#[cold]
fn not_allowed(description: impl Into<String>) -> MapError {
    MapError::new(ViolationKind::NotAllowed, description)
}
