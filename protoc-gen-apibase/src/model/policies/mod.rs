//! From the rules of services, methods and errors to policies, and whether they make sense: what
//! can't work is an error here, and not a surprise in production.

mod breakers;
mod calls;
mod catalogues;
mod checks;
mod configured;
mod errors;
mod exported;
mod limits;
mod repeats;
mod template;
mod times;

pub(super) use self::catalogues::Catalogues;
pub(super) use self::exported::check_throttles;
use super::entities::Entities;
use super::{Package, Service};
use crate::descriptors::rules::{MethodRule, Rules};
use crate::descriptors::{Descriptors, File, tag};
use crate::error::{Diagnostic, Diagnostics};
use crate::service_config::ServiceConfigs;

/// The policies of a run.
pub(super) struct Policies<'a> {
    descriptors: &'a Descriptors,
    catalogues: Catalogues<'a>,
    /// What makes no sense in them.
    problems: Diagnostics,
}

impl<'a> Policies<'a> {
    /// Reads the error catalogues of `files`, and what can't be read in them.
    pub(super) fn read(
        descriptors: &'a Descriptors,
        files: impl Iterator<Item = &'a File> + Clone,
    ) -> Self {
        let rules = descriptors.rules();
        let mut problems = Diagnostics::new();
        for file in files.clone() {
            problems.extend(rules.problems(file.proto.name()).iter().cloned());
        }
        Self {
            descriptors,
            catalogues: Catalogues::read(rules, files, &mut problems),
            problems,
        }
    }

    /// The error catalogues.
    pub(super) fn catalogues(&self) -> &Catalogues<'a> {
        &self.catalogues
    }

    /// Puts their policies into the services of packages: what the protos say, then what service
    /// configs do.
    pub(super) fn apply(
        mut self,
        packages: &mut [Package],
        entities: &Entities<'_>,
        configs: &ServiceConfigs,
        problems: &mut Diagnostics,
        warnings: &mut Diagnostics,
    ) {
        for package in packages.iter_mut() {
            for service in &mut package.services {
                let Some(file) = self.descriptors.file(&service.source) else {
                    continue;
                };
                let mut policies = OfService {
                    rules: self.descriptors.rules(),
                    catalogues: &self.catalogues,
                    entities,
                    file,
                    problems: &mut self.problems,
                };
                policies.put(service);
                configured::fill(service, configs, warnings);
            }
        }
        let services = packages.iter().flat_map(|package| &package.services);
        configured::check_names(&services.collect::<Vec<_>>(), configs, warnings);
        problems.extend(self.problems.into_vec());
    }
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

    /// A note on an error about something else, which says where this is.
    fn note_on(&self, diagnostic: Diagnostic) -> Diagnostic {
        let (file, text) = (self.file.proto.name(), format!("{} is here", self.what));
        match self.file.source.position(&self.path) {
            Some((line, column)) => diagnostic.note_at(file, line, column, text),
            None => diagnostic.note(format!("{file}: {text}")),
        }
    }
}

/// The policies of one service.
struct OfService<'a, 'r> {
    rules: &'a Rules,
    catalogues: &'r Catalogues<'a>,
    entities: &'r Entities<'r>,
    file: &'a File,
    problems: &'r mut Diagnostics,
}

impl<'a> OfService<'a, '_> {
    fn put(&mut self, service: &mut Service) {
        let mut declared = (0i32..).zip(&self.file.proto.service);
        let Some((index, _)) = declared.find(|(_, other)| other.name() == service.proto_name)
        else {
            return;
        };
        let path = vec![tag::FILE_SERVICE, index];
        let site = self.site(format!("service `{}`", service.proto_name), path.clone());
        let mut catalogue = catalogues::Named::None;
        if let Some(rule) = self.rules.service(&service.full_name) {
            catalogue = self.catalogues.named(&site, &rule.errors, self.problems);
            service.policy = limits::service(&site, rule, self.problems);
            if let Some(ty) = catalogue.ty(self.file.proto.package(), self.entities) {
                service.error = ty;
            }
        }
        let nothing = MethodRule::default();
        for (index, method) in (0i32..).zip(&mut service.methods) {
            let rule = self.rules.method(&service.full_name, &method.proto_name);
            let rule = rule.unwrap_or(&nothing);
            let path = [path.as_slice(), &[tag::SERVICE_METHOD, index]].concat();
            let site = self.site(format!("rpc `{}`", method.proto_name), path);
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
