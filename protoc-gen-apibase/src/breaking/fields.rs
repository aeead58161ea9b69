//! A field of an entity that takes less than it did.

use super::takes::{Field, Presence, Values};
use crate::descriptors::rules::{Format, value_name};
use crate::error::Diagnostic;

/// What becomes of a message that isn't taken any more.
pub(super) const REFUSED: &str = "requests with INVALID_ARGUMENT, replies by clients that are \
                                  generated anew";

/// What a field says about its values that says nothing.
const NONE: &str = "none";

/// All that a field no longer takes; `was` is none where it is new.
pub(super) fn compare(was: Option<&Field<'_>>, is: &Field<'_>, message: &str) -> Vec<Diagnostic> {
    let Some(was) = was else {
        return new_field(is, message).into_iter().collect();
    };
    let change = Change { was, is, message };
    let mut found: Vec<Diagnostic> = [change.values(), change.nonzero(), change.unknown()]
        .into_iter()
        .flatten()
        .collect();
    // An empty value is often refused for what has been said of the others.
    let required = is.required && !was.required;
    if found.is_empty() || required {
        found.extend(change.unset());
    }
    found
}

/// A field of an entity with a patch that masks may no longer name.
pub(super) fn compare_masks(was: &Field<'_>, is: &Field<'_>, message: &str) -> Option<Diagnostic> {
    if !was.mask || is.mask {
        return None;
    }
    let rule = [
        (is.rule.ignore, "ignore"),
        (is.rule.identifier, "identifier"),
        (is.rule.immutable, "immutable"),
    ];
    let rule = rule.into_iter().find(|(given, _)| *given);
    let text = match rule {
        Some((_, rule)) => format!("{} has `{rule}`, and had not", is.what(message)),
        None => format!(
            "{} never changes any more (`google.api.field_behavior`)",
            is.what(message)
        ),
    };
    let diagnostic = match rule {
        Some((_, rule)) => is.site.diagnostic_at_rule(text, rule),
        None => is.site.diagnostic(text),
    };
    Some(
        diagnostic
            .note("updates whose mask names it, which were well, end with INVALID_ARGUMENT")
            .help("leave it changeable, and let the servicer say who may change it"),
    )
}

/// A field that messages of before don't have.
fn new_field(is: &Field<'_>, message: &str) -> Option<Diagnostic> {
    if is.unset {
        return None;
    }
    let what = is.what(message);
    let (text, rule, fix) = is.why_needed();
    let diagnostic = is
        .at(format!("{what} is new, and {text}"), rule)
        .note(format!(
            "what clients of before send lacks it, and is refused: {REFUSED}"
        ));
    Some(diagnostic.help(fix))
}

struct Change<'a, 'f> {
    was: &'a Field<'f>,
    is: &'a Field<'f>,
    /// The name of the message.
    message: &'a str,
}

impl Change<'_, '_> {
    /// Another format, or another length.
    fn values(&self) -> Option<Diagnostic> {
        let [was, is] = [self.was, self.is].map(Field::says);
        // Another type is another thing on the wire.
        if is == NONE || self.is.values.cover(self.was.values) {
            return None;
        }
        let rule = if self.is.rule.length > 0 {
            "length"
        } else {
            "format"
        };
        let text = format!("{} has {is}, and had {was}", self.is.what(self.message));
        let fix = match was.as_str() {
            NONE => format!("remove `{rule}`, and let the servicer say which values it wants"),
            _ => format!("keep {was}"),
        };
        Some(
            self.is
                .site
                .diagnostic_at_rule(text, rule)
                .note(format!(
                    "other values, which were taken, are refused: {REFUSED}"
                ))
                .help(fix),
        )
    }

    fn nonzero(&self) -> Option<Diagnostic> {
        let refused = self.was.empty && !self.is.empty;
        if !self.is.rule.nonzero || self.was.rule.nonzero || !refused {
            return None;
        }
        let text = format!("{} has `nonzero`, and had not", self.is.what(self.message));
        Some(
            self.is
                .site
                .diagnostic_at_rule(text, "nonzero")
                .note(format!("0, which was taken, is refused: {REFUSED}"))
                .help(
                    if self.is.presence == Presence::Implicit && !self.is.is_list() {
                        "remove it, or add `empty_is_absent: true`, which takes 0 for none"
                    } else {
                        "remove it, and let the servicer say which requests need another value"
                    },
                ),
        )
    }

    fn unknown(&self) -> Option<Diagnostic> {
        // What an enum lacked before, no client of before sends: only where it was said that such
        // numbers are well, somebody relies on it.
        let policy = value_name("FieldRule.Unknown", self.was.rule.unknown);
        if self.is.unknown || !self.was.unknown || !matches!(policy.as_str(), "KEEP" | "FALLBACK") {
            return None;
        }
        let text = format!(
            "{} rejects unknown numbers, and had `unknown: {policy}`",
            self.is.what(self.message)
        );
        Some(
            self.is
                .at(text, "unknown")
                .note(format!(
                    "numbers of newer clients, which were taken, are refused: {REFUSED}"
                ))
                .help(format!("keep `unknown: {policy}`")),
        )
    }

    /// A field that can't be left out, or empty, any more.
    fn unset(&self) -> Option<Diagnostic> {
        let (was, is) = (self.was, self.is);
        let (could, refused) = if was.unset && !is.unset {
            (
                "left out",
                "messages without it, which were taken, are refused",
            )
        } else if was.empty && !is.empty {
            ("empty", "its empty value, which was taken, is refused")
        } else {
            return None;
        };
        let (why, rule, fix) = self.lost().unwrap_or_else(|| is.why_needed());
        let what = is.what(self.message);
        let diagnostic = is.at(format!("{what} {why}, and could be {could} before"), rule);
        Some(diagnostic.note(format!("{refused}: {REFUSED}")).help(fix))
    }

    /// What let the field be empty, where it is that which has gone.
    fn lost(&self) -> Option<Why> {
        let (was, is) = (self.was, self.is);
        if is.required && !was.required {
            return None;
        }
        if was.rule.empty_is_absent && !is.rule.empty_is_absent {
            let text = "has no `empty_is_absent` any more".to_owned();
            return Some((text, "format", "put it back".to_owned()));
        }
        if was.presence == Presence::Explicit && is.presence == Presence::Implicit {
            let text = "is no longer `optional`".to_owned();
            return Some((text, "", "put `optional` back".to_owned()));
        }
        None
    }
}

/// Why a field must have a value, at which rule that stands, and how to mend it.
type Why = (String, &'static str, String);

impl Field<'_> {
    /// ``field `id` of `Item` ``
    fn what(&self, message: &str) -> String {
        format!("field `{}` of `{message}`", self.proto.name())
    }

    /// An error at one of its rules, or at the field where that isn't given.
    fn at(&self, text: String, rule: &str) -> Diagnostic {
        match rule {
            "" => self.site.diagnostic(text),
            rule => self.site.diagnostic_at_rule(text, rule),
        }
    }

    fn why_needed(&self) -> Why {
        let servicer = "and let the servicer say which requests need it";
        if self.rule.required == Some(true) {
            let fix = format!("remove `required`, {servicer}");
            return ("is required".to_owned(), "required", fix);
        }
        if let Some(whose) = self.inherited.filter(|_| self.required) {
            let fix = format!("add `(apibase.v1.field).required = false`, {servicer}");
            return (format!("is required (by `{whose}`)"), "", fix);
        }
        if self.rule.flatten {
            let text = "is flattened, with a field that is required";
            let fix = "remove `flatten`, or what requires a field of that message";
            return (text.to_owned(), "flatten", fix.to_owned());
        }
        let text = match self.values {
            _ if self.rule.nonzero => "can't be 0".to_owned(),
            _ => format!("can't be empty, since it has {}", self.says()),
        };
        let rule = match self.values {
            _ if self.rule.nonzero => "nonzero",
            Values::Bytes(_) if self.rule.length > 0 => "length",
            _ => "format",
        };
        let fix = "declare it `optional`, or add `empty_is_absent: true`";
        (text, rule, fix.to_owned())
    }

    /// What is said about its values.
    fn says(&self) -> String {
        match self.rule.format() {
            _ if self.values == Values::All => NONE.to_owned(),
            _ if self.rule.length > 0 => format!("the length {}", self.rule.length),
            Format::Unspecified => NONE.to_owned(),
            _ => format!(
                "the format {}",
                value_name("FieldRule.Format", self.rule.format)
            ),
        }
    }
}
