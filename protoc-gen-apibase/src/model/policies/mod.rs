//! From the rules of services, methods and errors to policies, and whether they make sense: what
//! can't work is an error here, and not a surprise in production.

mod calls;
mod catalogues;
mod enforced;
mod errors;
mod limits;
mod template;

use std::collections::BTreeMap;

use self::catalogues::Catalogues;
use super::{Package, Service};
use crate::descriptors::rules::Rules;
use crate::descriptors::{Descriptors, File, tag};
use crate::error::{Diagnostic, Diagnostics};

/// Puts their policies into packages. `groups` has the files of each package.
pub(super) fn apply<'a>(
    packages: &mut [Package],
    descriptors: &'a Descriptors,
    groups: &BTreeMap<&'a str, Vec<&'a File>>,
    problems: &mut Diagnostics,
    warnings: &mut Diagnostics,
) {
    let rules = descriptors.rules();
    let mut found = Diagnostics::new();
    let files = || groups.values().flatten().copied();
    for file in files() {
        found.extend(rules.problems(file.proto.name()).iter().cloned());
    }
    let catalogues = Catalogues::read(rules, files(), &mut found);
    let mut enforcement = enforced::Findings::default();
    for package in packages.iter_mut() {
        package.catalogues = catalogues.of_package(&package.proto);
        for service in &mut package.services {
            let Some(file) = descriptors.file(&service.source) else {
                continue;
            };
            let mut policies = Policies {
                rules,
                catalogues: &catalogues,
                file,
                problems: &mut found,
                enforcement: &mut enforcement,
            };
            policies.service(service);
        }
    }
    for catalogue in catalogues.all() {
        enforcement.catalogue(&catalogue.site);
    }
    // What makes no sense is mended first: whether it would be enforced is a later question.
    if found.is_empty() {
        found.extend(enforcement.errors());
        warnings.extend(enforcement.warnings());
    }
    problems.extend(found.into_vec());
}

/// A thing of the schema that has a rule.
#[derive(Clone)]
struct Site<'a> {
    /// What it is, as an error says it: ``rpc `GetItem` ``.
    what: String,
    file: &'a File,
    /// Where it is in its file.
    path: Vec<i32>,
}

impl Site<'_> {
    /// An error about a field of its rule: `retry.max_attempts`, `errors.1`; about all of the
    /// rule when empty.
    fn wrong(&self, field: &str, message: impl std::fmt::Display) -> Diagnostic {
        let message = format!("{} {message}", self.what);
        self.file.diagnostic_at_rule(message, &self.path, field)
    }
}

/// The policies of one service.
struct Policies<'a, 'r> {
    rules: &'a Rules,
    catalogues: &'r Catalogues<'a>,
    file: &'a File,
    problems: &'r mut Diagnostics,
    enforcement: &'r mut enforced::Findings<'a>,
}

impl<'a> Policies<'a, '_> {
    fn service(&mut self, service: &mut Service) {
        let mut declared = (0i32..).zip(&self.file.proto.service);
        let Some((index, _)) = declared.find(|(_, other)| other.name() == service.proto_name)
        else {
            return;
        };
        let path = vec![tag::FILE_SERVICE, index];
        let site = self.site(format!("service `{}`", service.proto_name), path.clone());
        let mut catalogue = catalogues::Named::None;
        if let Some(rule) = self.rules.service(&service.full_name) {
            self.enforcement.service(rule, &site);
            catalogue = self.catalogues.named(&site, &rule.errors, self.problems);
            service.policy = limits::service(&site, rule, self.problems);
        }
        for (index, method) in (0i32..).zip(&mut service.methods) {
            let Some(rule) = self.rules.method(&service.full_name, &method.proto_name) else {
                continue;
            };
            let path = [path.as_slice(), &[tag::SERVICE_METHOD, index]].concat();
            let site = self.site(format!("rpc `{}`", method.proto_name), path);
            self.enforcement.method(rule, &site);
            let mut policy = calls::method(&site, rule, method, &service.policy, self.problems);
            policy.errors = catalogue.declared(&site, &rule.errors, self.problems);
            method.policy = policy;
        }
    }

    fn site(&self, what: String, path: Vec<i32>) -> Site<'a> {
        Site {
            what,
            file: self.file,
            path,
        }
    }
}
