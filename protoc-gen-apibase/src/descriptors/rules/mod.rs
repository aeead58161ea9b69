//! What the protos say in the options of `apibase/v1/options.proto`, and in the two of others
//! that mean the same: `google.api.field_behavior` and `buf.validate.field`.
//!
//! Options are read from the files' bytes: prost-types drops those it doesn't know. An option is
//! only read when the set declares it by its full name, since its number may mean something else
//! in another house, and so that schemas without options cost nothing.

pub(super) mod elements;
mod embedded;
mod inherited;
mod messages;
mod newer;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use prost::{DecodeError, Message as _};
use prost_reflect::DescriptorPool;

use self::elements::{Element, Kind};
#[cfg(any(feature = "cli", test))]
pub(crate) use self::embedded::OPTIONS_SOURCE;
pub(crate) use self::embedded::{EmbeddedOptions, OPTIONS_FILE};
pub(crate) use self::inherited::Behavior;
use self::inherited::Inherited;
pub(crate) use self::messages::{
    Auth, Breaker, Code, EntityRule, ErrorRule, ErrorsRule, FailureRate, FieldRule, FileRule,
    Format, Hedging, MethodRule, OneofRule, RateLimit, Retry, RetryThrottle, ServiceRule, Unknown,
};
use super::{File, is_well_known, wire};
use crate::error::{Diagnostic, Error};

/// The number of all options of `apibase/v1/options.proto`.
pub(crate) const NUMBER: i32 = 50713;

/// All rules of a descriptor set; empty when it doesn't declare our options.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Rules {
    files: HashMap<String, FileRule>,
    messages: HashMap<String, MessageRules>,
    services: HashMap<String, ServiceRules>,
    enums: HashMap<String, EnumRules>,
    inherited: Inherited,
    /// What can't be read, by file.
    problems: BTreeMap<String, Vec<Diagnostic>>,
}

#[derive(Debug, Default, PartialEq)]
struct MessageRules {
    entity: Option<EntityRule>,
    fields: HashMap<i32, FieldRule>,
    oneofs: HashMap<String, OneofRule>,
}

#[derive(Debug, Default, PartialEq)]
struct ServiceRules {
    rule: Option<ServiceRule>,
    methods: HashMap<String, MethodRule>,
}

#[derive(Debug, Default, PartialEq)]
struct EnumRules {
    rule: Option<ErrorsRule>,
    values: HashMap<String, ErrorRule>,
}

impl Rules {
    /// Reads the rules of all files.
    ///
    /// # Errors
    ///
    /// When a file's bytes are garbled in a place that nothing has looked at before, or our
    /// options have another number.
    pub(super) fn read(pool: &DescriptorPool, files: &[File]) -> Result<Self, Error> {
        let mut rules = Self::default();
        let ours = Declared::of(pool)?;
        let inherited = inherited::Declared::of(pool);
        if ours.0.is_empty() && !inherited.any() {
            return Ok(rules);
        }
        for file in files {
            let name = file.proto.name();
            if is_well_known(name) {
                continue;
            }
            let garbled = |reason| Error::input(format!("{name} can't be read: {reason}"));
            for element in &elements::of_file(&file.bytes).map_err(garbled)? {
                if ours.0.contains(&element.kind) {
                    rules.add(element, file, pool).map_err(garbled)?;
                }
                let added = rules.inherited.add(element, &inherited);
                added.map_err(garbled)?;
            }
        }
        Ok(rules)
    }

    /// The rule of a file, by the name that `import` has.
    pub(crate) fn file(&self, name: &str) -> Option<&FileRule> {
        self.files.get(name)
    }

    /// The rule of a message, by its full name without a leading dot.
    pub(crate) fn entity(&self, message: &str) -> Option<&EntityRule> {
        self.messages.get(message)?.entity.as_ref()
    }

    /// The rule of a field, by its message's full name and its number.
    pub(crate) fn field(&self, message: &str, number: i32) -> Option<&FieldRule> {
        self.messages.get(message)?.fields.get(&number)
    }

    /// The rule of a oneof, by its message's full name and its own name.
    pub(crate) fn oneof(&self, message: &str, name: &str) -> Option<&OneofRule> {
        self.messages.get(message)?.oneofs.get(name)
    }

    /// The rule of a service, by its full name.
    pub(crate) fn service(&self, service: &str) -> Option<&ServiceRule> {
        self.services.get(service)?.rule.as_ref()
    }

    /// The rule of a method, by its service's full name and its own name.
    pub(crate) fn method(&self, service: &str, name: &str) -> Option<&MethodRule> {
        self.services.get(service)?.methods.get(name)
    }

    /// The rule of an enum that is an error catalogue, by its full name.
    pub(crate) fn errors(&self, enumeration: &str) -> Option<&ErrorsRule> {
        self.enums.get(enumeration)?.rule.as_ref()
    }

    /// The rule of an enum's value, by the enum's full name and the value's own name.
    pub(crate) fn error(&self, enumeration: &str, value: &str) -> Option<&ErrorRule> {
        self.enums.get(enumeration)?.values.get(value)
    }

    /// What `google.api.field_behavior` says of a field; nothing when the set doesn't have it.
    pub(crate) fn behavior(&self, message: &str, number: i32) -> Behavior {
        self.inherited.behavior(message, number)
    }

    /// Whether `buf.validate.field` says that a field is required.
    pub(crate) fn validate_required(&self, message: &str, number: i32) -> bool {
        self.inherited.validate_required(message, number)
    }

    /// What is said in a file and can't be read, with places.
    pub(crate) fn problems(&self, file: &str) -> &[Diagnostic] {
        self.problems.get(file).map_or(&[], Vec::as_slice)
    }

    fn add(
        &mut self,
        element: &Element<'_>,
        file: &File,
        pool: &DescriptorPool,
    ) -> Result<(), wire::Malformed> {
        let Some(bytes) = element.message_option(NUMBER.unsigned_abs())? else {
            return Ok(());
        };
        let mut problems = newer::check(pool, element, &bytes, file)?;
        if let Err(error) = self.insert(element, &bytes) {
            let message = format!("`({})` can't be read: {error}", option_name(element.kind));
            problems.push(
                file.diagnostic_at_option(message, &element.path, &[NUMBER])
                    .help(newer::HELP),
            );
        }
        if !problems.is_empty() {
            let name = file.proto.name().to_owned();
            self.problems.entry(name).or_default().extend(problems);
        }
        Ok(())
    }

    fn insert(&mut self, element: &Element<'_>, rule: &[u8]) -> Result<(), DecodeError> {
        let (owner, name) = (element.owner.clone(), element.name.to_owned());
        match element.kind {
            Kind::File => {
                self.files.insert(name, FileRule::decode(rule)?);
            }
            Kind::Message => {
                let message = self.messages.entry(element.full_name()).or_default();
                message.entity = Some(EntityRule::decode(rule)?);
            }
            Kind::Field => {
                let message = self.messages.entry(owner).or_default();
                let rule = FieldRule::decode(rule)?;
                message.fields.insert(element.number, rule);
            }
            Kind::Oneof => {
                let message = self.messages.entry(owner).or_default();
                message.oneofs.insert(name, OneofRule::decode(rule)?);
            }
            Kind::Service => {
                let service = self.services.entry(element.full_name()).or_default();
                service.rule = Some(ServiceRule::decode(rule)?);
            }
            Kind::Method => {
                let service = self.services.entry(owner).or_default();
                service.methods.insert(name, MethodRule::decode(rule)?);
            }
            Kind::Enum => {
                let enumeration = self.enums.entry(element.full_name()).or_default();
                enumeration.rule = Some(ErrorsRule::decode(rule)?);
            }
            Kind::EnumValue => {
                let enumeration = self.enums.entry(owner).or_default();
                enumeration.values.insert(name, ErrorRule::decode(rule)?);
            }
        }
        Ok(())
    }
}

/// The name of a value of an enum of our options, `UUID` of `FieldRule.Format`; its number where this
/// version has none.
#[cfg(feature = "cli")]
pub(crate) fn value_name(enumeration: &str, number: i32) -> String {
    newer::our_value(enumeration, number).unwrap_or_else(|| number.to_string())
}

/// The way to a field of our option of what is at `path`, by numbers: `retry.max_attempts` or
/// `errors.1`. As far as there is one.
pub(super) fn numbers(path: &[i32], field: &str) -> Vec<i32> {
    let mut numbers = vec![NUMBER];
    let mut message = newer::our_message(rule_name(elements::kind(path)));
    for name in field.split('.') {
        if let Ok(index) = name.parse() {
            numbers.push(index);
            continue;
        }
        let Some(field) = message.and_then(|message| message.get_field_by_name(name)) else {
            break;
        };
        numbers.push(field.number().cast_signed());
        message = field.kind().as_message().cloned();
    }
    numbers
}

/// Which of our options the set declares, so that their number means ours.
#[derive(Debug)]
struct Declared(Vec<Kind>);

impl Declared {
    fn of(pool: &DescriptorPool) -> Result<Self, Error> {
        let mut declared = Vec::new();
        for kind in Kind::ALL {
            let name = option_name(kind);
            let Some(option) = pool.get_extension_by_name(name) else {
                continue;
            };
            let number = option.number();
            if number != NUMBER.unsigned_abs() {
                let message = format!("`({name})` has the number {number} here, and not {NUMBER}");
                let file = option.parent_file();
                return Err(Diagnostic::new(message)
                    .in_file(file.name())
                    .help(newer::HELP)
                    .into());
            }
            declared.push(kind);
        }
        Ok(Self(declared))
    }
}

/// The full name of the option that a kind of element has.
fn option_name(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "apibase.v1.file",
        Kind::Message => "apibase.v1.entity",
        Kind::Field => "apibase.v1.field",
        Kind::Oneof => "apibase.v1.oneof",
        Kind::Service => "apibase.v1.service",
        Kind::Method => "apibase.v1.method",
        Kind::Enum => "apibase.v1.errors",
        Kind::EnumValue => "apibase.v1.error",
    }
}

/// The full name of the message that the option is.
fn rule_name(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "apibase.v1.FileRule",
        Kind::Message => "apibase.v1.EntityRule",
        Kind::Field => "apibase.v1.FieldRule",
        Kind::Oneof => "apibase.v1.OneofRule",
        Kind::Service => "apibase.v1.ServiceRule",
        Kind::Method => "apibase.v1.MethodRule",
        Kind::Enum => "apibase.v1.ErrorsRule",
        Kind::EnumValue => "apibase.v1.ErrorRule",
    }
}
