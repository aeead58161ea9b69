//! Which rules of a field can stand beside each other, and which are for fields of what type: a
//! rule that would do nothing is an error, since somebody relies on it.

use prost_types::field_descriptor_proto::Type;

use super::refusal::{Refusal, tags};
use crate::descriptors::rules::{FieldRule, Format, Unknown};

/// A rule that is given, by its name in the proto, and its number.
type Given = (&'static str, i32);

/// What contradicts itself, whatever the field is.
pub(super) fn check_together(rule: &FieldRule) -> Result<(), Refusal> {
    // Those that say who sets an ignored field are for the readers of the proto too.
    const BESIDE_IGNORE: &[i32] = &[
        tags::IGNORE,
        tags::OUTPUT_ONLY,
        tags::IMMUTABLE,
        tags::IDENTIFIER,
    ];
    if rule.ignore
        && let Some((other, tag)) = first_beside(rule, BESIDE_IGNORE)
    {
        return Err(Refusal {
            what: format!(
                "`ignore` and `{other}` contradict each other: an ignored field is not in the \
                 entity"
            ),
            fix: "remove one of the two".to_owned(),
            rule: tag,
        });
    }
    if !rule.mask.is_empty()
        && let Some((other, tag)) = first_beside(rule, &[tags::MASK, tags::RENAME, tags::SENSITIVE])
    {
        return Err(Refusal {
            what: format!("`{other}` does nothing beside `mask`: the entity has the patch"),
            fix: "remove one of the two".to_owned(),
            rule: tag,
        });
    }
    if rule.flatten
        && let Some((other, tag)) = first_beside(rule, &[tags::FLATTEN])
    {
        return Err(Refusal {
            what: format!(
                "`{other}` does nothing beside `flatten`: the entity has the fields of the \
                 message, and not the message"
            ),
            fix: "remove one of the two".to_owned(),
            rule: tag,
        });
    }
    for (first, other, names, tag) in [
        (
            rule.empty_is_absent,
            rule.required == Some(true),
            "`empty_is_absent` and `required`",
            tags::EMPTY_IS_ABSENT,
        ),
        (
            rule.output_only,
            rule.identifier,
            "`output_only` and `identifier`",
            tags::OUTPUT_ONLY,
        ),
        (
            rule.output_only,
            rule.immutable,
            "`output_only` and `immutable`",
            tags::OUTPUT_ONLY,
        ),
    ] {
        if first && other {
            return Err(Refusal {
                what: format!("{names} contradict each other"),
                fix: "remove one of the two".to_owned(),
                rule: tag,
            });
        }
    }
    Ok(())
}

/// What a member of a oneof can't have: it is set, or another one is.
pub(super) fn check_member(rule: &FieldRule) -> Result<(), Refusal> {
    const OTHERS: &[i32] = &[
        tags::FORMAT,
        tags::SENSITIVE,
        tags::LOSSY_OK,
        tags::KIND,
        tags::UNKNOWN,
        tags::FALLBACK,
        tags::NONZERO,
        tags::LENGTH,
    ];
    let Some((name, tag)) = first_beside(rule, OTHERS) else {
        return Ok(());
    };
    let fix = match tag {
        tags::REQUIRED => {
            "remove it; `option (apibase.v1.oneof).required = true;` requires one of the fields"
        }
        tags::RENAME => "remove it; `option (apibase.v1.oneof).rename = \"…\";` renames the oneof",
        _ => "remove it, or move the field out of the oneof",
    };
    Err(Refusal {
        what: format!("`{name}` is not for fields of a oneof"),
        fix: fix.to_owned(),
        rule: tag,
    })
}

/// Rules that are for one type alone, on a field of another one, which is called `name`.
pub(super) fn check_type(rule: &FieldRule, ty: Type, name: &str) -> Result<(), Refusal> {
    let unknown = rule.unknown() != Unknown::Unspecified;
    for (given, fits, rule_name, home, tag) in [
        (
            rule.nonzero,
            is_integer(ty),
            "nonzero",
            "integers",
            tags::NONZERO,
        ),
        (
            rule.length > 0,
            ty == Type::Bytes,
            "length",
            "bytes",
            tags::LENGTH,
        ),
        (unknown, ty == Type::Enum, "unknown", "enums", tags::UNKNOWN),
        (
            !rule.fallback.is_empty(),
            ty == Type::Enum,
            "fallback",
            "enums",
            tags::FALLBACK,
        ),
    ] {
        if given && !fits {
            return Err(Refusal {
                what: format!("`{rule_name}` is for {home}, and this is `{name}`"),
                fix: "remove it".to_owned(),
                rule: tag,
            });
        }
    }
    Ok(())
}

/// Whether a word can be a name in most languages, whose case is then theirs.
pub(super) fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_alphabetic())
        && word
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '_')
}

/// The first rule that is given and not among `others`.
fn first_beside(rule: &FieldRule, others: &[i32]) -> Option<Given> {
    given(rule)
        .into_iter()
        .find(|(_, tag)| !others.contains(tag))
}

/// Those that do something, in the order of their numbers.
fn given(rule: &FieldRule) -> Vec<Given> {
    let unknown = rule.unknown() != Unknown::Unspecified;
    let all = [
        (rule.format() != Format::Unspecified, "format", tags::FORMAT),
        (rule.required == Some(true), "required", tags::REQUIRED),
        (!rule.rename.is_empty(), "rename", tags::RENAME),
        (rule.ignore, "ignore", tags::IGNORE),
        (rule.sensitive, "sensitive", tags::SENSITIVE),
        (rule.lossy_ok, "lossy_ok", tags::LOSSY_OK),
        (!rule.kind.is_empty(), "kind", tags::KIND),
        (
            rule.empty_is_absent,
            "empty_is_absent",
            tags::EMPTY_IS_ABSENT,
        ),
        (unknown, "unknown", tags::UNKNOWN),
        (!rule.fallback.is_empty(), "fallback", tags::FALLBACK),
        (rule.nonzero, "nonzero", tags::NONZERO),
        (rule.length > 0, "length", tags::LENGTH),
        (rule.set, "set", tags::SET),
        (rule.flatten, "flatten", tags::FLATTEN),
        (!rule.mask.is_empty(), "mask", tags::MASK),
        (rule.output_only, "output_only", tags::OUTPUT_ONLY),
        (rule.immutable, "immutable", tags::IMMUTABLE),
        (rule.identifier, "identifier", tags::IDENTIFIER),
    ];
    let set = all.into_iter().filter(|(given, ..)| *given);
    set.map(|(_, name, tag)| (name, tag)).collect()
}

fn is_integer(ty: Type) -> bool {
    !matches!(
        ty,
        Type::String
            | Type::Bytes
            | Type::Bool
            | Type::Double
            | Type::Float
            | Type::Message
            | Type::Group
            | Type::Enum
    )
}
