//! Whether what the configuration names is in the schema, and is used there: a slip of the pen would
//! otherwise leave a generated type where somebody wants their own.
//!
//! Only names in packages that the run is asked for are checked: several runs can share one
//! `apibase.toml`, and each sees a part of what that is about.

mod named;

use std::collections::BTreeSet;

use prost_types::FieldDescriptorProto;

use self::named::{Named, inside, join};
use super::Entities;
use super::index::{MessageRef, is_message};
use crate::descriptors::File;
use crate::error::{Diagnostic, Diagnostics};
use crate::options::nearest;

/// What a parameter names, for its errors.
struct Parameter<'p> {
    key: &'static str,
    /// What it is for.
    home: &'static str,
    fits: fn(&Named<'_, '_>) -> bool,
    name: &'p str,
}

impl<'a> Entities<'a> {
    /// Refuses what is configured and would do nothing. `files` are those that are asked for.
    pub(in crate::model) fn check_configured(&self, files: &[&File], problems: &mut Diagnostics) {
        let packages: BTreeSet<&str> = files.iter().map(|file| file.proto.package()).collect();
        let options = self.options;
        let entities = options.entities.iter().map(|(name, _)| entity(name));
        let with = options.with.iter().map(|(name, _)| with(name));
        let newtypes = options.newtypes.iter().map(|(name, _)| newtype(name));
        let extras = options.extras.iter().map(|(name, ..)| extra(name));
        for parameter in entities.chain(with).chain(newtypes).chain(extras) {
            if parameter.name.starts_with("google.protobuf.") {
                problems.extend(self.of_protobuf(&parameter));
            } else if let Some(package) = self.package_of(parameter.name, &packages) {
                problems.extend(self.check_parameter(&parameter, package));
            }
        }
    }

    /// The package that a name is in, if it is one of `packages`.
    fn package_of<'p>(&self, name: &str, packages: &BTreeSet<&'p str>) -> Option<&'p str> {
        let inside = |package: &&&'p str| below(name, package).is_some();
        let package = packages.iter().filter(inside).max_by_key(|p| p.len())?;
        let rest = below(name, package)?;
        let (first, more) = rest.split_once('.').unwrap_or((rest, ""));
        let known = self.find(&join(package, first)).is_some();
        // `shop.v1.Item` can be of a package that another run is asked for.
        let other = !known && !more.is_empty() && first.starts_with(|c: char| c.is_lowercase());
        (!other).then_some(*package)
    }

    fn check_parameter(&self, parameter: &Parameter<'_>, package: &str) -> Option<Diagnostic> {
        let Parameter {
            key, home, name, ..
        } = parameter;
        let Some(named) = self.find(name) else {
            let diagnostic = wrong(parameter, "is not in the schema");
            return Some(match self.meant(parameter, package) {
                Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
                None => diagnostic.help(format!("name one of the {home} of package `{package}`")),
            });
        };
        if !(parameter.fits)(&named) {
            let diagnostic = named.noted(wrong(
                parameter,
                &format!("is {}, and `{key}` is for {home}", named.kind()),
            ));
            return Some(diagnostic.help(instead(key, &named)));
        }
        let unused = self.unused(parameter, &named);
        unused.map(|(what, help)| named.noted(wrong(parameter, &what)).help(help))
    }

    /// Protobuf's own messages are never generated for: only a mapper of the user's changes them.
    fn of_protobuf(&self, parameter: &Parameter<'_>) -> Option<Diagnostic> {
        let name = parameter.name;
        let message = self.index.find(name).is_some();
        if parameter.key == "with" && message {
            return None;
        }
        let diagnostic = wrong(
            parameter,
            "is protobuf's own, for which nothing is generated",
        );
        Some(diagnostic.help(if message {
            format!("use `with={name}=…`, which names a mapper of yours")
        } else {
            "name a message, `with=google.protobuf.Timestamp=…`, or fields of yours".to_owned()
        }))
    }

    /// Whether the user's mapper of a message is no plain path.
    fn is_generic(&self, name: &str) -> bool {
        find(&self.options.with, name).is_some_and(|(_, mapper)| mapper.contains('<'))
    }

    /// Why something that is there does nothing, and how to mend it.
    fn unused(&self, parameter: &Parameter<'_>, named: &Named<'_, '_>) -> Option<(String, String)> {
        let name = parameter.name;
        if let Named::Enum(found) = named {
            self.rules.errors(&found.full_name)?;
            return Some((
                "would not be used: the enum is an error catalogue".to_owned(),
                "remove the parameter: the type of a catalogue is always generated".to_owned(),
            ));
        }
        let message = named.message()?;
        match named {
            Named::Message(_) if parameter.key == "extra" => return self.unused_extra(message),
            Named::Message(_) if parameter.key == "with" && self.is_generic(name) => {
                return Some((
                    "is mapped by a generic type, which calls can't name as a value".to_owned(),
                    "make it a unit struct of your own, `struct ItemMapper;`".to_owned(),
                ));
            }
            Named::Message(_) => return self.skipped(message),
            _ => {}
        }
        let flattened = self.is_flattened_somewhere(message);
        if !self.is_entity(message) && !flattened {
            return Some((
                format!(
                    "would not be used: message `{}` is no entity",
                    message.full_name
                ),
                "add `option (apibase.v1.entity) = {};` to the message, or remove the parameter"
                    .to_owned(),
            ));
        }
        if let Some((_, mapper)) = find(&self.options.with, &message.full_name)
            && !flattened
        {
            return Some((
                format!(
                    "would not be used: `{mapper}` maps all of `{}`",
                    message.full_name
                ),
                "remove one of the two".to_owned(),
            ));
        }
        let Named::Field(_, _, field) = named else {
            return None;
        };
        if let Some(rule) = self.rules.field(&message.full_name, field.number())
            && (rule.ignore || rule.flatten)
        {
            let rule = if rule.ignore { "ignore" } else { "flatten" };
            return Some((
                format!("would not be used: the field says `{rule}`"),
                format!("remove `{rule}` from the proto, or the parameter"),
            ));
        }
        if parameter.key != "newtype" {
            return None;
        }
        if let Some((_, mapper)) = find(&self.options.with, name) {
            return Some((
                format!("would not be used: `with={name}={mapper}` is given too"),
                "remove one of the two: a mapper of your own can give the type itself".to_owned(),
            ));
        }
        self.newtype_of_entity(field)
    }

    /// The type of an entity is said once, for all fields that have it.
    fn newtype_of_entity(&self, field: &FieldDescriptorProto) -> Option<(String, String)> {
        let value = self
            .index
            .map_entry(field)
            .map_or(field, |(_, value)| value);
        let inner = self
            .index
            .find(value.type_name())
            .filter(|_| is_message(value))?;
        self.is_entity(inner).then(|| {
            (
                format!("is the entity `{}`, which has a type", inner.full_name),
                format!(
                    "use `entity={0}=…` for a type of your own, or `with={0}=…` for a mapper",
                    inner.full_name
                ),
            )
        })
    }

    fn unused_extra(&self, message: &MessageRef<'_>) -> Option<(String, String)> {
        let name = message.full_name.as_str();
        if let Some((_, mapper)) = find(&self.options.with, name) {
            return Some((
                format!("would not be used: `with={name}={mapper}` is given too"),
                "fill the field in your own mapper".to_owned(),
            ));
        }
        if find(&self.options.entities, name).is_none() {
            return Some((
                "has a generated type, which has the fields of the message and no more".to_owned(),
                format!("name your own type, `entity={name}=crate::…`, or remove the parameter"),
            ));
        }
        self.skipped(message)
    }

    fn skipped(&self, message: &MessageRef<'_>) -> Option<(String, String)> {
        let rule = self.rules.entity(&message.full_name)?;
        rule.skip.then(|| {
            (
                "would not be used: the message says `skip`".to_owned(),
                "remove `skip` from the proto, or the parameter".to_owned(),
            )
        })
    }

    fn find(&self, name: &str) -> Option<Named<'_, 'a>> {
        if let Some(message) = self.index.find(name) {
            return Some(Named::Message(message));
        }
        if let Some(found) = self.index.find_enum(name) {
            return Some(Named::Enum(found));
        }
        let (message, last) = name.rsplit_once('.')?;
        let message = self.index.find(message)?;
        inside(message).find(|named| named.name() == last)
    }

    /// What a misspelt name was meant to be, with its package.
    fn meant(&self, parameter: &Parameter<'_>, package: &str) -> Option<String> {
        let mut all: Vec<Named<'_, 'a>> = Vec::new();
        for message in self.index.messages() {
            if message.file.proto.package() == package
                && !super::super::conflicts::is_map_entry(message.message)
            {
                all.push(Named::Message(message));
                all.extend(inside(message));
            }
        }
        let enums = self.index.enums();
        all.extend(
            enums
                .filter(|found| found.file.proto.package() == package)
                .map(Named::Enum),
        );
        let names: Vec<String> = all
            .iter()
            .filter(|named| (parameter.fits)(named))
            .filter_map(|named| below(&named.full_name(), package).map(str::to_owned))
            .collect();
        let word = below(parameter.name, package)?;
        let candidates: Vec<&str> = names.iter().map(String::as_str).collect();
        nearest(word, &candidates).map(|meant| join(package, meant))
    }
}

fn entity(name: &str) -> Parameter<'_> {
    Parameter {
        key: "entity",
        home: "messages, enums and oneofs",
        fits: |named| !matches!(named, Named::Field(..)),
        name,
    }
}

fn with(name: &str) -> Parameter<'_> {
    Parameter {
        key: "with",
        home: "messages and fields",
        fits: |named| matches!(named, Named::Message(_) | Named::Field(..)),
        name,
    }
}

fn newtype(name: &str) -> Parameter<'_> {
    Parameter {
        key: "newtype",
        home: "fields",
        fits: |named| matches!(named, Named::Field(..)),
        name,
    }
}

fn extra(name: &str) -> Parameter<'_> {
    Parameter {
        key: "extra",
        home: "messages",
        fits: |named| matches!(named, Named::Message(_)),
        name,
    }
}

/// What to use in place of a parameter that isn't for such a thing.
fn instead(key: &str, named: &Named<'_, '_>) -> String {
    let name = named.full_name();
    match named {
        Named::Field(..) => {
            format!("use `newtype={name}=…` for a type, or `with={name}=…` for a mapper")
        }
        Named::Message(_) => {
            format!("use `entity={name}=…` for a type, or `with={name}=…` for a mapper")
        }
        Named::Enum(_) | Named::Oneof(..) if key == "with" => {
            format!("use `entity={name}=…` for a type of your own, or name the fields that have it")
        }
        Named::Enum(_) | Named::Oneof(..) => {
            format!("use `entity={name}=…` for a type of your own")
        }
    }
}

fn wrong(parameter: &Parameter<'_>, what: &str) -> Diagnostic {
    let Parameter { key, name, .. } = parameter;
    Diagnostic::new(format!("parameter `{key}`: `{name}` {what}"))
}

fn find<'b>(pairs: &'b [(String, String)], name: &str) -> Option<&'b (String, String)> {
    pairs.iter().find(|(proto, _)| proto == name)
}

/// What comes after the package's name.
fn below<'b>(name: &'b str, package: &str) -> Option<&'b str> {
    if package.is_empty() {
        return Some(name);
    }
    name.strip_prefix(package)?.strip_prefix('.')
}
