//! Options that this generator doesn't know, since the schema's `options.proto` is newer. They
//! must not be passed over in silence: somebody relies on them.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};
use protox::Compiler;
use protox::file::{ChainFileResolver, GoogleFileResolver};

use super::super::File;
use super::super::wire::{self, Field, Malformed, Value};
use super::elements::{Element, numbers};
use super::{EmbeddedOptions, NUMBER, option_name, rule_name};
use crate::error::Diagnostic;

/// How to mend it.
pub(super) const HELP: &str = "it is written for a newer apibase: update protoc-gen-apibase, or use what the options file \
     of this version has, which `protoc-gen-apibase protos --out DIR` writes";

/// The options as this version has them; none can't be, which a test holds.
static OURS: LazyLock<Option<DescriptorPool>> = LazyLock::new(|| {
    let mut resolver = ChainFileResolver::new();
    resolver.add(GoogleFileResolver::new());
    resolver.add(EmbeddedOptions);
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    compiler.open_file(super::OPTIONS_FILE).ok()?;
    Some(compiler.descriptor_pool())
});

/// The message of this name, as this version has it.
pub(super) fn our_message(name: &str) -> Option<MessageDescriptor> {
    OURS.as_ref()?.get_message_by_name(name)
}

/// The name of an enum's value, `UUID` of `FieldRule.Format`, as this version has it.
#[cfg(feature = "cli")]
pub(super) fn our_value(enumeration: &str, number: i32) -> Option<String> {
    let name = format!("apibase.v1.{enumeration}");
    let value = OURS.as_ref()?.get_enum_by_name(&name)?.get_value(number)?;
    Some(value.name().to_owned())
}

/// What an element's rule says that this version doesn't know.
pub(super) fn check(
    pool: &DescriptorPool,
    element: &Element<'_>,
    rule: &[u8],
    file: &File,
) -> Result<Vec<Diagnostic>, Malformed> {
    let name = rule_name(element.kind);
    let Some(ours) = our_message(name) else {
        return Ok(Vec::new());
    };
    let mut finder = Finder {
        option: option_name(element.kind),
        file,
        element: &element.path,
        found: Vec::new(),
    };
    let theirs = pool.get_message_by_name(name);
    finder.message(&ours, theirs.as_ref(), rule, &mut vec![NUMBER])?;
    Ok(finder.found)
}

struct Finder<'a> {
    option: &'static str,
    file: &'a File,
    element: &'a [i32],
    found: Vec<Diagnostic>,
}

impl Finder<'_> {
    /// `ours` is the message in this version, `theirs` in the schema; `path` is where it stands
    /// in the element's options.
    fn message(
        &mut self,
        ours: &MessageDescriptor,
        theirs: Option<&MessageDescriptor>,
        bytes: &[u8],
        path: &mut Vec<i32>,
    ) -> Result<(), Malformed> {
        for field in &wire::fields(bytes)? {
            let theirs = theirs.and_then(|message| message.get_field(field.number));
            path.push(field.number.cast_signed());
            match ours.get_field(field.number) {
                Some(ours) => self.field(&ours, theirs.as_ref(), field, path)?,
                None => {
                    let what = match &theirs {
                        Some(theirs) => format!("`{}`", theirs.name()),
                        None => format!("a field of number {}", field.number),
                    };
                    self.report(&what, path);
                }
            }
            path.pop();
        }
        Ok(())
    }

    fn field(
        &mut self,
        ours: &FieldDescriptor,
        theirs: Option<&FieldDescriptor>,
        field: &Field<'_>,
        path: &mut Vec<i32>,
    ) -> Result<(), Malformed> {
        let theirs = theirs.map(FieldDescriptor::kind);
        match (ours.kind(), &field.value) {
            (Kind::Message(ours), Value::Bytes(bytes)) => {
                let theirs = theirs.as_ref().and_then(Kind::as_message);
                self.message(&ours, theirs, bytes, path)?;
            }
            (Kind::Enum(known), _) => {
                let theirs = theirs.as_ref().and_then(Kind::as_enum);
                for value in numbers(std::slice::from_ref(field), field.number)? {
                    // A negative one is on the wire as 64 bits, of which these are the number.
                    #[allow(clippy::cast_possible_truncation, reason = "that is the number")]
                    let number = value as i32;
                    if known.get_value(number).is_none() {
                        let value = theirs.and_then(|theirs| theirs.get_value(number));
                        let value = match &value {
                            Some(value) => value.name().to_owned(),
                            None => number.to_string(),
                        };
                        self.report(&format!("`{}: {value}`", ours.name()), path);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn report(&mut self, what: &str, path: &[i32]) {
        let message = format!("`({})` has {what}, which is not known", self.option);
        self.found.push(
            self.file
                .diagnostic_at_option(message, self.element, path)
                .help(HELP),
        );
    }
}
