//! Error catalogues, and the services that name them.

use std::collections::BTreeMap;

use prost_types::{EnumDescriptorProto, EnumValueDescriptorProto};

use super::contract::{Contract, Part, Site};
use super::listed;
use crate::descriptors::rules::{Code, ErrorRule, value_name};
use crate::descriptors::tag;
use crate::error::{Diagnostic, Diagnostics};
use crate::names;

const UNKNOWN: &str = "clients tell errors by domain and reason: those of before don't know what is \
                       sent in its place";

/// A catalogue of one of the two schemas.
struct Catalogue<'a> {
    full_name: &'a str,
    part: &'a Part<'a, EnumDescriptorProto>,
    domain: &'a str,
    reasons: BTreeMap<&'a str, Reason<'a>>,
}

/// An error of a catalogue.
struct Reason<'a> {
    value: &'a str,
    number: i32,
    rule: &'a ErrorRule,
    site: Site<'a>,
}

pub(super) fn compare(old: &Contract<'_>, new: &Contract<'_>, breaks: &mut Diagnostics) {
    for (full_name, was) in catalogues(old) {
        match (new.find_enum(full_name), Catalogue::of(new, full_name)) {
            (_, Some(is)) => Change { old, was, is }.find(breaks),
            (Some(left), None) => breaks.push(no_catalogue(&was, &left.site)),
            (None, None) => breaks.push(no_enum(&was, new)),
        }
    }
    compare_services(old, new, breaks);
}

fn catalogues<'a>(contract: &'a Contract<'a>) -> impl Iterator<Item = (&'a str, Catalogue<'a>)> {
    let names = contract.enums.keys();
    names.filter_map(|name| Some((name.as_str(), Catalogue::of(contract, name)?)))
}

fn no_enum(was: &Catalogue<'_>, new: &Contract<'_>) -> Diagnostic {
    let name = was.full_name;
    let message = format!("error catalogue `{name}` is gone");
    new.gone(name, &was.part.site, message).note(UNKNOWN).help(
        "put it back, by its name and in its package; where its file has moved, give that file too",
    )
}

fn no_catalogue(was: &Catalogue<'_>, left: &Site<'_>) -> Diagnostic {
    let message = format!(
        "enum `{}` is no error catalogue any more: it has lost `(apibase.v1.errors)`",
        was.name()
    );
    left.diagnostic(message).note(UNKNOWN).help(format!(
        "put it back: `option (apibase.v1.errors) = {{ domain: {:?} }};`",
        was.domain
    ))
}

impl<'a> Catalogue<'a> {
    /// The catalogue that an enum is; none when it is none.
    fn of(contract: &'a Contract<'a>, full_name: &str) -> Option<Self> {
        let (full_name, part) = contract.enums.get_key_value(full_name)?;
        let domain = &contract.rules.errors(full_name)?.domain;
        let values = part.site.parts(tag::ENUM_VALUE, &part.proto.value);
        let reasons = values.filter_map(|(value, site)| {
            let rule = contract.rules.error(full_name, value.name())?;
            let reason = Reason {
                value: value.name(),
                number: value.number(),
                rule,
                site,
            };
            Some((names::reason(part.proto.name(), value.name()), reason))
        });
        Some(Self {
            reasons: reasons.collect(),
            full_name,
            part,
            domain,
        })
    }

    fn name(&self) -> &'a str {
        self.part.proto.name()
    }
}

/// A catalogue that is in both schemas.
struct Change<'a> {
    old: &'a Contract<'a>,
    was: Catalogue<'a>,
    is: Catalogue<'a>,
}

impl Change<'_> {
    fn find(&self, breaks: &mut Diagnostics) {
        breaks.extend(self.domain());
        for (reason, was) in &self.was.reasons {
            match self.is.reasons.get(reason) {
                None => breaks.push(self.gone(reason, was)),
                Some(is) => {
                    breaks.extend(code(reason, was, is));
                    breaks.extend(metadata(reason, was, is));
                    breaks.extend(redacted(reason, was, is));
                }
            }
        }
    }

    fn domain(&self) -> Option<Diagnostic> {
        let (was, is) = (self.was.domain, self.is.domain);
        let message = format!(
            "error catalogue `{}` has the domain `{is}`, and had `{was}`",
            self.is.name()
        );
        let diagnostic = self.is.part.site.diagnostic_at_rule(message, "domain");
        (was != is).then(|| {
            diagnostic
                .note(
                    "clients tell errors by domain and reason: those of before know none of these \
                     any more",
                )
                .help(format!(
                    "keep `domain: {was:?}`, whatever the service is called now"
                ))
        })
    }

    /// A reason that is no longer there.
    fn gone(&self, reason: &str, was: &Reason<'_>) -> Diagnostic {
        let mut diagnostic = self.left_of(reason, was).unwrap_or_else(|| {
            let message = format!("reason `{reason}` of `{}` is gone", self.is.name());
            self.is.part.site.diagnostic(message)
        });
        diagnostic = was.site.note(diagnostic, "it was here");
        let methods = self.declaring(reason);
        if !methods.is_empty() {
            let methods = listed(methods.iter().map(String::as_str));
            diagnostic = diagnostic.note(format!("{methods} declared it"));
        }
        diagnostic.note(UNKNOWN).help(
            "put it back; a reason that is no longer sent can stay, with `deprecated = true`, and \
             what is new gets a value of its own",
        )
    }

    /// What the value of a reason that is gone has become, where it is still there.
    fn left_of(&self, reason: &str, was: &Reason<'_>) -> Option<Diagnostic> {
        let part = self.is.part;
        let find = |matches: &dyn Fn(&EnumValueDescriptorProto) -> bool| {
            let mut values = part.site.parts(tag::ENUM_VALUE, &part.proto.value);
            values.find(|(value, _)| matches(value))
        };
        if let Some((_, site)) = find(&|value| value.name() == was.value) {
            let message =
                format!("reason `{reason}` is gone: its value has lost `(apibase.v1.error)`");
            return Some(site.diagnostic(message));
        }
        // Of a value that was renamed the number is the same.
        let (value, site) = find(&|value| {
            let is_new = !self.was.reasons.contains_key(self.reason(value.name()));
            value.number() == was.number && is_new
        })?;
        let now = self.reason(value.name());
        Some(site.diagnostic(format!(
            "reason `{reason}` is gone: its value gives `{now}` now"
        )))
    }

    fn reason<'v>(&self, value: &'v str) -> &'v str {
        names::reason(self.is.name(), value)
    }

    /// The methods of before that declared a reason.
    fn declaring(&self, reason: &str) -> Vec<String> {
        let mut methods = Vec::new();
        for (service, part) in &self.old.services {
            let rule = self.old.rules.service(service);
            if rule.is_none_or(|rule| rule.errors != self.was.full_name) {
                continue;
            }
            for method in &part.proto.method {
                let rule = self.old.rules.method(service, method.name());
                if rule.is_some_and(|rule| rule.errors.iter().any(|name| name == reason)) {
                    methods.push(format!("{}.{}", part.proto.name(), method.name()));
                }
            }
        }
        methods
    }
}

fn code(reason: &str, was: &Reason<'_>, is: &Reason<'_>) -> Option<Diagnostic> {
    if was.rule.code == is.rule.code {
        return None;
    }
    let [was, now] = [was, is].map(|reason| value_name("ErrorRule.Code", reason.rule.code));
    let message = format!("reason `{reason}` has the code {now}, and had {was}");
    Some(
        is.site
            .diagnostic_at_rule(message, "code")
            .note(
                "what a client does about an error hangs on its code, above all whether it calls \
                 again, and so does the HTTP status",
            )
            .help(format!(
                "keep {was}, and give what is {now} a reason of its own"
            )),
    )
}

fn metadata(reason: &str, was: &Reason<'_>, is: &Reason<'_>) -> Option<Diagnostic> {
    let keys = was.rule.metadata.iter();
    let lost: Vec<&str> = keys
        .filter(|key| !is.rule.metadata.contains(key))
        .map(String::as_str)
        .collect();
    if lost.is_empty() {
        return None;
    }
    let message = format!("reason `{reason}` has lost the metadata {}", listed(lost));
    Some(
        is.site
            .diagnostic_at_rule(message, "metadata")
            .note("clients of before have an empty text in its place")
            .help("keep it; a new key can stand beside it"),
    )
}

/// An error that no longer says what it had to say. Without metadata that is no more than other
/// words.
fn redacted(reason: &str, was: &Reason<'_>, is: &Reason<'_>) -> Option<Diagnostic> {
    let keys = was.rule.metadata.iter();
    let kept: Vec<&str> = keys
        .filter(|key| is.rule.metadata.contains(key))
        .map(String::as_str)
        .collect();
    if was.is_redacted() || !is.rule.redacted || kept.is_empty() {
        return None;
    }
    let kept = listed(kept);
    let message = format!("reason `{reason}` is redacted, and was sent with {kept}");
    Some(
        is.site
            .diagnostic_at_rule(message, "redacted")
            .note("clients of before have an empty text in its place")
            .help(
                "send it as before, without what is secret; or leave this one as it is, and send \
                 one that is new and redacted",
            ),
    )
}

impl Reason<'_> {
    /// Whether callers are told no more than code and reason: errors with these codes never say
    /// more.
    fn is_redacted(&self) -> bool {
        self.rule.redacted || matches!(self.rule.code(), Code::Internal | Code::Unknown)
    }
}

fn compare_services(old: &Contract<'_>, new: &Contract<'_>, breaks: &mut Diagnostics) {
    for (full_name, service) in &new.services {
        let catalogue = |contract: &Contract<'_>| {
            let rule = contract.rules.service(full_name);
            rule.map(|rule| rule.errors.clone()).unwrap_or_default()
        };
        let (was, is) = (catalogue(old), catalogue(new));
        if was == is || was.is_empty() {
            continue;
        }
        let name = service.proto.name();
        let diagnostic = if is.is_empty() {
            let message = format!("service `{name}` names no error catalogue, and named `{was}`");
            service.site.diagnostic(message)
        } else {
            let message =
                format!("service `{name}` names the error catalogue `{is}`, and named `{was}`");
            service.site.diagnostic_at_rule(message, "errors")
        };
        breaks.push(
            diagnostic
                .note("clients of before know the reasons of the one that it named, and no others")
                .help(format!(
                    "keep `errors: {was:?}`; reasons can be added to it"
                )),
        );
    }
}
