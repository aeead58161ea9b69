//! What an entity has from the entities inside it: whether a message can say all of it, and its
//! grade. Entities may be inside each other, so this asks what can be reached.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::entity::{Content, Domain, Entity, Grade, GradeOf, Slot};
use super::super::scope::Scope;
use super::Entities;
use crate::descriptors::rules::NUMBER;
use crate::error::Diagnostics;

/// What an entity is by itself.
#[derive(Clone)]
struct Own {
    fallible: bool,
    grade: GradeOf,
    nested: Vec<String>,
}

impl<'a> Entities<'a> {
    /// Finishes the entities of a package.
    pub(super) fn reach(&'a self, domain: &mut Domain, problems: &mut Diagnostics) {
        let mut known: BTreeMap<String, Own> = domain
            .entities
            .iter()
            .map(|entity| (entity.full_name.clone(), own(entity)))
            .collect();
        for entity in &mut domain.entities {
            let start = own(entity);
            let all = self.closure(&start, &mut known);
            entity.fallible = all.fallible;
            entity.grade = all.grade;
            for oneof in &mut entity.oneofs {
                let start = Own {
                    fallible: oneof.fallible,
                    grade: oneof.grade.clone(),
                    nested: oneof
                        .variants
                        .iter()
                        .flat_map(|variant| variant.mapping.nested.clone())
                        .collect(),
                };
                let all = self.closure(&start, &mut known);
                oneof.fallible = all.fallible;
                oneof.grade = all.grade;
            }
            self.check_lossless(entity, &known, problems);
        }
    }

    fn closure(&'a self, start: &Own, known: &mut BTreeMap<String, Own>) -> Own {
        let mut all = start.clone();
        let mut seen = BTreeSet::new();
        let mut open = start.nested.clone();
        while let Some(name) = open.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let own = match known.get(&name) {
                Some(own) => own.clone(),
                // Of another package, which reports its own problems.
                None => {
                    let Some(own) = self.elsewhere(&name) else {
                        continue;
                    };
                    known.insert(name, own.clone());
                    own
                }
            };
            all.fallible |= own.fallible;
            all.grade.lower(&own.grade);
            open.extend(own.nested);
        }
        all
    }

    fn elsewhere(&'a self, name: &str) -> Option<Own> {
        let message = self.index.find(name)?;
        let package = message.file.proto.package();
        let entity = self.entity(
            package,
            message,
            &mut Scope::default(),
            &mut Diagnostics::new(),
        );
        entity.as_ref().map(own)
    }

    fn check_lossless(
        &self,
        entity: &Entity,
        known: &BTreeMap<String, Own>,
        problems: &mut Diagnostics,
    ) {
        let asked = self
            .rules
            .entity(&entity.full_name)
            .is_some_and(|rule| rule.lossless);
        let Some(message) = self.index.find(&entity.full_name) else {
            return;
        };
        if !asked || entity.grade.known != Grade::Lossy {
            return;
        }
        // A field of its own that is lossy has been refused.
        let (reason, help) = match self.lossy_inside(entity, known) {
            _ if !entity.extras.is_empty() => (
                "the configuration gives it fields that the message doesn't have".to_owned(),
                "remove `lossless`, or those `extra` fields".to_owned(),
            ),
            Some(inner) => (
                format!("`{inner}` inside it is not"),
                format!("remove `lossless`, or what is lossy in `{inner}`"),
            ),
            None => (
                "an entity inside it is not".to_owned(),
                "remove `lossless`, or what is lossy there".to_owned(),
            ),
        };
        let text = format!("entity `{}` is not lossless: {reason}", entity.name);
        let file = message.file;
        let diagnostic = file.diagnostic_at_option(text, &message.path, &[NUMBER, 3]);
        problems.push(diagnostic.help(help));
    }

    /// The first entity inside, from the outside in, that loses something by itself.
    fn lossy_inside(&self, entity: &Entity, known: &BTreeMap<String, Own>) -> Option<String> {
        let mut seen = BTreeSet::new();
        let mut open = VecDeque::from(own(entity).nested);
        while let Some(name) = open.pop_front() {
            let Some(inner) = known.get(&name) else {
                continue;
            };
            if inner.grade.known == Grade::Lossy {
                return Some(name);
            }
            if seen.insert(name) {
                open.extend(inner.nested.iter().cloned());
            }
        }
        None
    }
}

fn own(entity: &Entity) -> Own {
    let mut own = Own {
        fallible: false,
        grade: entity.grade.clone(),
        nested: Vec::new(),
    };
    add(&entity.slots, &mut own);
    own
}

fn add(slots: &[Slot], own: &mut Own) {
    for slot in slots {
        match &slot.content {
            Content::Field(field) => {
                own.fallible |= field.mapping.fallible;
                own.grade.lower(&field.mapping.grade);
                own.nested.extend(field.mapping.nested.iter().cloned());
            }
            // Many masks and messages say the same.
            Content::Patched { .. } => {
                own.fallible = true;
                own.grade.known = own.grade.known.max(Grade::Injective);
            }
            Content::Mask => {}
            // What the wire has there is not kept.
            Content::Ignored => own.grade.known = own.grade.known.max(Grade::Injective),
            Content::Flattened { slots, .. } => {
                // A missing message and an empty one are the same.
                own.grade.known = own.grade.known.max(Grade::Injective);
                add(slots, own);
            }
        }
    }
}
