//! One error catalogue: its domain, and an error for each of its values.

use std::collections::BTreeMap;

use prost_types::{EnumDescriptorProto, EnumOptions, EnumValueDescriptorProto, EnumValueOptions};

use super::{Site, checks, limits, template};
use crate::comments;
use crate::descriptors::rules::{self, Rules};
use crate::descriptors::tag;
use crate::error::Diagnostics;
use crate::model::errors::{Catalogue, CatalogueError, Metadata, Piece, Public};
use crate::model::scope::{Claim, Scope};
use crate::model::services;
use crate::names::{self, CatalogueNames};
use crate::options::nearest;

const RENAME: &str = "rename one of the two";

/// Reads one catalogue.
pub(super) struct Reader<'r, 'a> {
    pub(super) rules: &'r Rules,
    pub(super) site: &'r Site<'a>,
    pub(super) descriptor: &'a EnumDescriptorProto,
    pub(super) problems: &'r mut Diagnostics,
    pub(super) warnings: &'r mut Diagnostics,
}

impl<'a> Reader<'_, 'a> {
    pub(super) fn catalogue(
        mut self,
        package: &str,
        full_name: &str,
        rule: &rules::ErrorsRule,
    ) -> Catalogue {
        checks::domain(self.site, &rule.domain, self.problems);
        let names = CatalogueNames::new(package, full_name);
        let errors = self.errors(full_name, &rule.domain, &names);
        let file = self.site.file;
        let docs = services::docs(
            &file.source.comment(&self.site.path),
            || format!("The errors of `{}`.", rule.domain),
            self.descriptor
                .options
                .as_ref()
                .is_some_and(EnumOptions::deprecated),
        );
        Catalogue {
            full_name: full_name.to_owned(),
            source: file.proto.name().to_owned(),
            domain: rule.domain.clone(),
            docs,
            ty: names.ty,
            table: names.table,
            translator: names.translator,
            translate: names.translate,
            errors,
        }
    }

    fn errors(
        &mut self,
        full_name: &str,
        domain: &str,
        names: &CatalogueNames,
    ) -> Vec<CatalogueError> {
        let mut errors = Vec::new();
        let mut taken = Taken::default();
        for (index, value) in (0i32..).zip(&self.descriptor.value) {
            let site = value_site(self.site, index, value);
            let rule = self.rules.error(full_name, value.name());
            match (value.number(), rule) {
                (0, None) => {}
                (0, Some(_)) => self.problems.push(
                    site.wrong(
                        "",
                        "has `(apibase.v1.error)`, and its number is 0: no error",
                    )
                    .help("remove the option, or give the value another number"),
                ),
                (_, None) => self.problems.push(
                    site.wrong(
                        "",
                        "has no `(apibase.v1.error)`, and its enum is a catalogue",
                    )
                    .help("add one: `[(apibase.v1.error).code = NOT_FOUND]`"),
                ),
                (_, Some(rule)) => {
                    let error = self.error(&site, value, rule, names);
                    checks::size(&site, domain, &error, self.warnings);
                    taken.take(site, &error, self.problems);
                    errors.push(error);
                }
            }
        }
        errors
    }

    fn error(
        &mut self,
        site: &Site<'_>,
        value: &EnumValueDescriptorProto,
        rule: &rules::ErrorRule,
        names: &CatalogueNames,
    ) -> CatalogueError {
        let reason = names::reason(self.descriptor.name(), value.name());
        checks::error(site, reason, rule, self.problems);
        let metadata: Vec<Metadata> = rule.metadata.iter().map(|key| metadata(key)).collect();
        let mut text = |field, text| pieces(site, field, text, &metadata, self.problems);
        let mut message = text("message", &rule.message);
        let public = text("public_message", &rule.public_message);
        if message.is_empty() {
            message.push(Piece::Text(names::words(reason)));
        }
        let delay = rule.retry_delay.as_ref();
        CatalogueError {
            value: value.name().to_owned(),
            reason: reason.to_owned(),
            variant: CatalogueNames::variant(reason),
            function: names.function(reason),
            docs: docs(site, reason),
            deprecated: value
                .options
                .as_ref()
                .is_some_and(EnumValueOptions::deprecated),
            code: rule.code(),
            message,
            metadata,
            retryable: rule.retryable,
            retry_delay: limits::duration(site, "retry_delay", delay, self.problems),
            public: match (rule.redacted, public.is_empty()) {
                (true, _) => Public::Redacted,
                (false, true) => Public::Own,
                (false, false) => Public::Other(public),
            },
            http: u16::try_from(rule.http).ok().filter(|http| *http != 0),
        }
    }
}

/// What the errors of a catalogue have for themselves.
#[derive(Default)]
struct Taken<'a> {
    reasons: BTreeMap<String, Site<'a>>,
    variants: Scope<'a>,
}

impl<'a> Taken<'a> {
    fn take(&mut self, site: Site<'a>, error: &CatalogueError, problems: &mut Diagnostics) {
        if let Some(first) = self.reasons.get(&error.reason) {
            let message = format!(
                "gives the reason `{}`, as {} does",
                error.reason, first.what
            );
            let diagnostic = site.wrong("", message).help(RENAME);
            // They have one variant too, which needs no saying.
            return problems.push(first.note_on(diagnostic));
        }
        let claim = Claim {
            what: site.what.clone(),
            file: site.file,
            path: site.path.clone(),
        };
        let variant = &error.variant;
        self.variants
            .take(variant, claim, "the variant", RENAME, problems);
        self.reasons.insert(error.reason.clone(), site);
    }
}

fn docs(site: &Site<'_>, reason: &str) -> Vec<String> {
    let docs = comments::rustdoc(&site.file.source.comment(&site.path));
    if docs.is_empty() {
        vec![format!("`{reason}`.")]
    } else {
        docs
    }
}

fn metadata(key: &str) -> Metadata {
    let field = names::snake(key);
    Metadata {
        key: key.to_owned(),
        binding: names::binding(&field),
        field,
    }
}

fn pieces(
    site: &Site<'_>,
    field: &str,
    text: &str,
    metadata: &[Metadata],
    problems: &mut Diagnostics,
) -> Vec<Piece> {
    let (message, help) = match template::parse(text, metadata) {
        Ok(pieces) => return pieces,
        Err(template::Wrong::Unbalanced) => (
            format!("has a `{field}` with a brace that has no partner"),
            "write `{key}` for a value of the metadata, and `{{` or `}}` for a brace".to_owned(),
        ),
        Err(template::Wrong::UnknownKey(key)) => {
            let known: Vec<&str> = metadata.iter().map(|known| known.key.as_str()).collect();
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
