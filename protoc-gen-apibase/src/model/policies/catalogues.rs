//! All error catalogues of a run, and who names them and their errors.

use std::collections::BTreeMap;

use prost_types::{DescriptorProto, EnumDescriptorProto};

use super::Site;
use super::errors::{Reader, check_strays};
use crate::descriptors::rules::Rules;
use crate::descriptors::{File, tag};
use crate::error::Diagnostics;
use crate::model::entities::Entities;
use crate::model::errors::Catalogue;
use crate::model::scope::{Claim, Scope};
use crate::names;
use crate::options::nearest;

const RENAME: &str = "rename one of the two";

/// All catalogues of a run, and the enums that are none.
pub(in crate::model) struct Catalogues<'a> {
    /// By full name.
    found: BTreeMap<String, Found<'a>>,
    others: BTreeMap<String, Site<'a>>,
}

/// A catalogue and where it is.
pub(super) struct Found<'a> {
    pub(super) site: Site<'a>,
    enum_name: &'a str,
    package: &'a str,
    catalogue: Catalogue,
    /// What is odd about it, yet no error.
    warnings: Diagnostics,
}

/// What a service's `errors` comes to.
pub(super) enum Named<'r, 'a> {
    /// It names none.
    None,
    /// It names one that is none, which was reported.
    Wrong,
    /// It names this one.
    Found(&'r Found<'a>),
}

impl<'a> Catalogues<'a> {
    /// Reads and checks those of `files`.
    pub(super) fn read(
        rules: &Rules,
        files: impl Iterator<Item = &'a File>,
        problems: &mut Diagnostics,
    ) -> Self {
        let mut catalogues = Self {
            found: BTreeMap::new(),
            others: BTreeMap::new(),
        };
        for file in files {
            for (full_name, path, descriptor) in enums(file) {
                let site = Site {
                    what: format!("enum `{}`", descriptor.name()),
                    file,
                    path,
                };
                match rules.errors(&full_name) {
                    Some(rule) => {
                        let mut warnings = Diagnostics::new();
                        let reader = Reader {
                            rules,
                            site: &site,
                            descriptor,
                            problems,
                            warnings: &mut warnings,
                        };
                        let package = file.proto.package();
                        let found = Found {
                            catalogue: reader.catalogue(package, &full_name, rule),
                            enum_name: descriptor.name(),
                            package,
                            warnings,
                            site,
                        };
                        catalogues.found.insert(full_name, found);
                    }
                    None => {
                        check_strays(rules, &full_name, &site, descriptor, problems);
                        catalogues.others.insert(full_name, site);
                    }
                }
            }
        }
        catalogues
    }

    /// Those in the files of a package, by name.
    pub(in crate::model) fn of_package(&self, package: &str) -> Vec<Catalogue> {
        let own = self.in_package(package);
        own.map(|found| found.catalogue.clone()).collect()
    }

    /// Takes the names of those that are generated with a package, in its `api`.
    pub(in crate::model) fn claim(
        &self,
        package: &str,
        api: &mut Scope<'a>,
        problems: &mut Diagnostics,
        warnings: &mut Diagnostics,
    ) {
        for found in self.in_package(package) {
            found.claim(api, problems);
            warnings.extend(found.warnings.clone().into_vec());
        }
    }

    fn in_package(&self, package: &str) -> impl Iterator<Item = &Found<'a>> {
        let all = self.found.values();
        all.filter(move |found| found.package == package)
    }

    /// The catalogue of a service.
    pub(super) fn named(
        &self,
        site: &Site<'_>,
        name: &str,
        problems: &mut Diagnostics,
    ) -> Named<'_, 'a> {
        if name.is_empty() {
            return Named::None;
        }
        if let Some(found) = self.found.get(name) {
            return Named::Found(found);
        }
        let diagnostic = if let Some(other) = self.others.get(name) {
            let message = format!("has `errors: {name:?}`, which is an enum and no catalogue");
            let help = format!(
                "add `option (apibase.v1.errors) = {{ domain: \"items.example.com\" }};` to {}",
                other.what
            );
            other.note_on(site.wrong("errors", message).help(help))
        } else {
            let message = format!("has `errors: {name:?}`, and there is no such enum");
            site.wrong("errors", message).help(match self.meant(name) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => "give the full name of an enum that this file has or imports, \
                         \"shop.v1.ItemError\""
                    .to_owned(),
            })
        };
        problems.push(diagnostic);
        Named::Wrong
    }

    /// The catalogue that a wrong name most likely means.
    fn meant(&self, name: &str) -> Option<&str> {
        let names: Vec<&str> = self.found.keys().map(String::as_str).collect();
        let simple = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        let mut same = names.iter().filter(|other| simple(other) == simple(name));
        same.next().copied().or_else(|| nearest(name, &names))
    }
}

impl Named<'_, '_> {
    /// The enum of errors, as written inside the `api` of `package`.
    pub(super) fn ty(&self, package: &str, entities: &Entities<'_>) -> Option<String> {
        let Named::Found(found) = self else {
            return None;
        };
        let api = entities.api_of(package, found.package);
        Some(format!("{api}{}", found.catalogue.ty))
    }

    /// The reasons that a method declares, those that there are.
    pub(super) fn declared(
        &self,
        site: &Site<'_>,
        names: &[String],
        problems: &mut Diagnostics,
    ) -> Vec<String> {
        let found = match self {
            Named::Wrong => return Vec::new(),
            Named::Found(found) => found,
            Named::None => {
                if !names.is_empty() {
                    problems.push(
                        site.wrong(
                            "errors",
                            "declares errors, and its service has no catalogue",
                        )
                        .help(
                            "add `errors` to the service's option: `option \
                                 (apibase.v1.service).errors = \"shop.v1.ItemError\";`",
                        ),
                    );
                }
                return Vec::new();
            }
        };
        let mut declared: Vec<String> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let field = format!("errors.{index}");
            if declared.contains(name) {
                let message = format!("declares `{name}` twice");
                problems.push(site.wrong(&field, message).help("remove one of the two"));
            } else if found.has(name) {
                declared.push(name.clone());
            } else {
                let catalogue = &found.catalogue.full_name;
                let message = format!("declares `{name}`, which `{catalogue}` lacks");
                problems.push(site.wrong(&field, message).help(found.instead_of(name)));
            }
        }
        declared
    }
}

impl<'a> Found<'a> {
    fn claim(&self, api: &mut Scope<'a>, problems: &mut Diagnostics) {
        let Catalogue {
            ty,
            table,
            translator,
            ..
        } = &self.catalogue;
        let claim = |what: String| Claim {
            what,
            file: self.site.file,
            path: self.site.path.clone(),
        };
        let what = &self.site.what;
        // Of two that share all three, one is enough to say.
        if !api.has(ty) {
            let table_of = claim(format!("the table of {what}"));
            api.take(table, table_of, "the constant", RENAME, problems);
            let translator_of = claim(format!("the translator of {what}"));
            api.take(translator, translator_of, "the trait", RENAME, problems);
        }
        api.take(ty, claim(what.clone()), "the type", RENAME, problems);
    }

    fn has(&self, reason: &str) -> bool {
        let mut errors = self.catalogue.errors.iter();
        errors.any(|error| error.reason == reason)
    }

    fn instead_of(&self, name: &str) -> String {
        let reason = names::reason(self.enum_name, name);
        if reason != name && self.has(reason) {
            return format!("drop the enum's prefix: `{reason}`");
        }
        let errors = self.catalogue.errors.iter();
        let reasons: Vec<&str> = errors.map(|error| error.reason.as_str()).collect();
        match nearest(name, &reasons) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if reasons.is_empty() => "add it to the enum".to_owned(),
            None => format!("add it to the enum, which has: {}", reasons.join(", ")),
        }
    }
}

/// The enums of a file with their full names and paths, nested ones after their messages' own.
fn enums(file: &File) -> Vec<(String, Vec<i32>, &EnumDescriptorProto)> {
    let mut found = Vec::new();
    let package = file.proto.package();
    for (index, descriptor) in (0i32..).zip(&file.proto.enum_type) {
        let path = vec![tag::FILE_ENUM, index];
        found.push((join(package, descriptor.name()), path, descriptor));
    }
    for (index, message) in (0i32..).zip(&file.proto.message_type) {
        nested_enums(package, message, &[tag::FILE_MESSAGE, index], &mut found);
    }
    found
}

fn nested_enums<'a>(
    parent: &str,
    message: &'a DescriptorProto,
    path: &[i32],
    found: &mut Vec<(String, Vec<i32>, &'a EnumDescriptorProto)>,
) {
    let full_name = join(parent, message.name());
    for (index, descriptor) in (0i32..).zip(&message.enum_type) {
        let path = [path, &[tag::MESSAGE_ENUM, index]].concat();
        found.push((join(&full_name, descriptor.name()), path, descriptor));
    }
    for (index, nested) in (0i32..).zip(&message.nested_type) {
        let path = [path, &[tag::MESSAGE_NESTED, index]].concat();
        nested_enums(&full_name, nested, &path, found);
    }
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}
