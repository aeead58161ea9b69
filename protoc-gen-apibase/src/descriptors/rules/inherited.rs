//! What options of others say about fields, so that nobody has to say it twice.

use std::collections::{HashMap, HashSet};

use prost_reflect::DescriptorPool;

use super::super::wire::{self, Malformed};
use super::elements::{Element, Kind, numbers};

/// `FieldRules.required` of `buf/validate/validate.proto`, and of its older `FieldConstraints`.
const REQUIRED: u32 = 25;

/// What `google.api.field_behavior` says of a field (AIP-203).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Behavior {
    /// `REQUIRED`: a value must be there.
    pub(crate) required: bool,
    /// `OUTPUT_ONLY`: set by the service.
    pub(crate) output_only: bool,
    /// `IMMUTABLE`: never changes once it is set.
    pub(crate) immutable: bool,
    /// `IDENTIFIER`: the resource's name.
    pub(crate) identifier: bool,
}

/// The numbers of the options that the set declares.
#[derive(Debug, Default)]
pub(super) struct Declared {
    behavior: Option<u32>,
    validate: Option<u32>,
}

/// What was found, by the message's full name and the field's number.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inherited {
    behaviors: HashMap<String, HashMap<i32, Behavior>>,
    required: HashMap<String, HashSet<i32>>,
}

impl Declared {
    pub(super) fn of(pool: &DescriptorPool) -> Self {
        let number = |name| {
            pool.get_extension_by_name(name)
                .map(|option| option.number())
        };
        Self {
            behavior: number("google.api.field_behavior"),
            validate: number("buf.validate.field"),
        }
    }

    pub(super) fn any(&self) -> bool {
        self.behavior.is_some() || self.validate.is_some()
    }
}

impl Inherited {
    pub(super) fn behavior(&self, message: &str, number: i32) -> Behavior {
        let fields = self.behaviors.get(message);
        fields
            .and_then(|fields| fields.get(&number))
            .copied()
            .unwrap_or_default()
    }

    pub(super) fn validate_required(&self, message: &str, number: i32) -> bool {
        let fields = self.required.get(message);
        fields.is_some_and(|fields| fields.contains(&number))
    }

    pub(super) fn add(
        &mut self,
        element: &Element<'_>,
        declared: &Declared,
    ) -> Result<(), Malformed> {
        if element.kind != Kind::Field {
            return Ok(());
        }
        if let Some(option) = declared.behavior {
            let behavior = Behavior::of(&element.enum_option(option)?);
            if behavior != Behavior::default() {
                let fields = self.behaviors.entry(element.owner.clone()).or_default();
                fields.insert(element.number, behavior);
            }
        }
        if let Some(option) = declared.validate
            && let Some(rules) = element.message_option(option)?
            && numbers(&wire::fields(&rules)?, REQUIRED)?.last() == Some(&1)
        {
            let fields = self.required.entry(element.owner.clone()).or_default();
            fields.insert(element.number);
        }
        Ok(())
    }
}

impl Behavior {
    /// The numbers are those of `google.api.FieldBehavior`.
    fn of(numbers: &[u64]) -> Self {
        Self {
            required: numbers.contains(&2),
            output_only: numbers.contains(&3),
            immutable: numbers.contains(&5),
            identifier: numbers.contains(&8),
        }
    }
}
