//! One error catalogue: its domain, and an error for each of its values.

use prost_types::{EnumDescriptorProto, EnumValueDescriptorProto};

use super::{Site, limits, template};
use crate::descriptors::rules::{self, Code, Rules};
use crate::descriptors::tag;
use crate::error::Diagnostics;
use crate::model::policy::{Catalogue, CatalogueError, Piece, Public};
use crate::names;
use crate::options::nearest;

/// `google.rpc.ErrorInfo`'s limit for a reason.
const LONGEST_REASON: usize = 63;

/// The domain of the runtime's own errors.
const OWN_DOMAIN: &str = "apibase";

/// Reads one catalogue.
pub(super) struct Reader<'r, 'a> {
    pub(super) rules: &'r Rules,
    pub(super) site: &'r Site<'a>,
    pub(super) descriptor: &'a EnumDescriptorProto,
}

impl Reader<'_, '_> {
    pub(super) fn catalogue(
        &self,
        full_name: &str,
        rule: &rules::ErrorsRule,
        problems: &mut Diagnostics,
    ) -> Catalogue {
        self.check_domain(&rule.domain, problems);
        let mut errors = Vec::new();
        for (index, value) in (0i32..).zip(&self.descriptor.value) {
            let site = value_site(self.site, index, value);
            let rule = self.rules.error(full_name, value.name());
            match (value.number(), rule) {
                (0, None) => {}
                (0, Some(_)) => problems.push(
                    site.wrong(
                        "",
                        "has `(apibase.v1.error)`, and its number is 0: no error",
                    )
                    .help("remove the option, or give the value another number"),
                ),
                (_, None) => problems.push(
                    site.wrong(
                        "",
                        "has no `(apibase.v1.error)`, and its enum is a catalogue",
                    )
                    .help("add one: `[(apibase.v1.error).code = NOT_FOUND]`"),
                ),
                (_, Some(rule)) => errors.push(self.error(&site, value.name(), rule, problems)),
            }
        }
        Catalogue {
            full_name: full_name.to_owned(),
            source: self.site.file.proto.name().to_owned(),
            domain: rule.domain.clone(),
            errors,
        }
    }

    fn check_domain(&self, domain: &str, problems: &mut Diagnostics) {
        let message = if domain.is_empty() {
            "has `(apibase.v1.errors)` without a domain".to_owned()
        } else if domain == OWN_DOMAIN {
            format!("has the domain `{OWN_DOMAIN}`, which the runtime's own errors have")
        } else if is_domain(domain) {
            return;
        } else {
            format!("has the domain {domain:?}, which can't be one")
        };
        problems.push(self.site.wrong("domain", message).help(
            "take a name that the service owns, in lower case: `domain: \"items.example.com\"`",
        ));
    }

    fn error(
        &self,
        site: &Site<'_>,
        value: &str,
        rule: &rules::ErrorRule,
        problems: &mut Diagnostics,
    ) -> CatalogueError {
        let reason = names::reason(self.descriptor.name(), value);
        if !is_reason(reason) {
            problems.push(
                site.wrong(
                    "",
                    format!("gives the reason `{reason}`, which can't be one"),
                )
                .help(
                    "a reason is [A-Z][A-Z0-9_]+[A-Z0-9], of 63 characters at most (AIP-193): \
                         rename the value",
                ),
            );
        }
        if rule.code() == Code::Unspecified {
            problems.push(
                site.wrong("code", "has `(apibase.v1.error)` without a code")
                    .help("add one, `code: NOT_FOUND` for example"),
            );
        }
        check_metadata(site, &rule.metadata, problems);
        if rule.retry_delay.is_some() && !rule.retryable {
            problems.push(
                site.wrong("retry_delay", "has a `retry_delay`, and is not `retryable`")
                    .help("add `retryable: true`, or remove the delay"),
            );
        }
        if rule.redacted && !rule.public_message.is_empty() {
            problems.push(
                site.wrong("redacted", "is `redacted`, and has a `public_message`")
                    .help("remove one of the two: callers of a redacted error are told nothing"),
            );
        }
        let http = u16::try_from(rule.http).unwrap_or(u16::MAX);
        if http != 0 && !(400..=599).contains(&http) {
            problems.push(
                site.wrong("http", "has an `http` that is no status of an error")
                    .help("it is from 400 to 599; without it, the code has its own"),
            );
        }
        let mut text = |field, text| pieces(site, field, text, &rule.metadata, problems);
        let message = text("message", &rule.message);
        let public = text("public_message", &rule.public_message);
        CatalogueError {
            value: value.to_owned(),
            reason: reason.to_owned(),
            code: rule.code(),
            message,
            metadata: rule.metadata.clone(),
            retryable: rule.retryable,
            retry_delay: limits::duration(site, "retry_delay", rule.retry_delay.as_ref(), problems),
            public: match (rule.redacted, public.is_empty()) {
                (true, _) => Public::Redacted,
                (false, true) => Public::Own,
                (false, false) => Public::Other(public),
            },
            http: (http != 0).then_some(http),
        }
    }
}

fn pieces(
    site: &Site<'_>,
    field: &str,
    text: &str,
    keys: &[String],
    problems: &mut Diagnostics,
) -> Vec<Piece> {
    let (message, help) = match template::parse(text, keys) {
        Ok(pieces) => return pieces,
        Err(template::Wrong::Unbalanced) => (
            format!("has a `{field}` with a brace that has no partner"),
            "write `{key}` for a value of the metadata, and `{{` or `}}` for a brace".to_owned(),
        ),
        Err(template::Wrong::UnknownKey(key)) => {
            let known: Vec<&str> = keys.iter().map(String::as_str).collect();
            let help = match nearest(&key, &known) {
                Some(meant) => format!("did you mean `{{{meant}}}`?"),
                None => format!("add it: `metadata: {key:?}`; a brace as such is `{{{{`"),
            };
            let message = format!("has a `{field}` with `{{{key}}}`, which is no metadata of it");
            (message, help)
        }
    };
    problems.push(site.wrong(field, message).help(help));
    Vec::new()
}

fn check_metadata(site: &Site<'_>, keys: &[String], problems: &mut Diagnostics) {
    for (index, key) in keys.iter().enumerate() {
        let field = format!("metadata.{index}");
        if !is_key(key) {
            problems.push(
                site.wrong(&field, format!("has {key:?} as a key of its metadata"))
                    .help("write it in snake case: `item_id`"),
            );
        } else if keys.iter().take(index).any(|earlier| earlier == key) {
            problems.push(
                site.wrong(&field, format!("has `{key}` twice in its metadata"))
                    .help("remove one of the two"),
            );
        }
    }
}

/// Values with a rule in an enum that is no catalogue.
pub(super) fn check_strays(
    rules: &Rules,
    full_name: &str,
    parent: &Site<'_>,
    descriptor: &EnumDescriptorProto,
    problems: &mut Diagnostics,
) {
    for (index, value) in (0i32..).zip(&descriptor.value) {
        if rules.error(full_name, value.name()).is_some() {
            let site = value_site(parent, index, value);
            problems.push(
                site.wrong("", "has `(apibase.v1.error)`, and its enum is no catalogue")
                    .help(format!(
                        "add `option (apibase.v1.errors) = {{ domain: \"items.example.com\" }};` \
                         to {}, or remove the value's option",
                        parent.what
                    )),
            );
        }
    }
}

fn value_site<'a>(parent: &Site<'a>, index: i32, value: &EnumValueDescriptorProto) -> Site<'a> {
    Site {
        what: format!("value `{}`", value.name()),
        file: parent.file,
        path: [parent.path.as_slice(), &[tag::ENUM_VALUE, index]].concat(),
    }
}

/// Names of letters, digits and hyphens, with dots between them.
fn is_domain(domain: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    domain.split('.').all(|label| {
        !label.is_empty()
            && label.bytes().all(is_plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

/// `[A-Z][A-Z0-9_]+[A-Z0-9]` (AIP-193).
fn is_reason(reason: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (3..=LONGEST_REASON).contains(&reason.len())
        && reason.starts_with(|first: char| first.is_ascii_uppercase())
        && !reason.ends_with('_')
        && reason.bytes().all(is_plain)
}

/// `[a-z][a-z0-9_]*`, which AIP-193 allows and Rust has as a field.
fn is_key(key: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    key.starts_with(|first: char| first.is_ascii_lowercase()) && key.bytes().all(is_plain)
}
