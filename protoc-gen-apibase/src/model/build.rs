//! From descriptors to the model.

use std::collections::{BTreeMap, BTreeSet};

use super::entities::Entities;
use super::entity::Domain;
use super::policies::{Catalogues, Policies, check_throttles};
use super::scope::{Claim, Scope};
use super::types::Externs;
use super::{Model, Package, catalogue, conflicts, fakes, referred, services, tonic};
use crate::descriptors::{Descriptors, File, is_ours, is_well_known, tag};
use crate::error::{Diagnostic, Diagnostics, Error};
use crate::service_config::ServiceConfigs;
use crate::{Imports, Request, names};

impl Model {
    /// Decides everything about a run.
    ///
    /// # Errors
    ///
    /// When a file asked for is not there, or the schema can't be generated for; everything that
    /// is wrong is reported together.
    pub(crate) fn build(descriptors: &Descriptors, request: &Request) -> Result<Self, Error> {
        let mut problems = Diagnostics::new();
        let mut warnings = Diagnostics::new();
        let configs = ServiceConfigs::read(&request.options.service_configs)?;
        warnings.extend(configs.warnings.iter().cloned());
        let asked = asked(descriptors, request, &mut warnings)?;
        let groups = group(descriptors, &asked);
        let externs = Externs::new(&request.options);
        let rules = descriptors.rules();
        let needed = referred::packages(&groups, rules, |file| asked.contains(file.proto.name()));
        let run = Run {
            request,
            descriptors,
            externs,
            asked,
            groups,
            needed,
        };
        run.check_completeness(&mut problems);
        run.check_modules(&mut problems);
        let mut types = BTreeMap::new();
        for (name, files) in &run.groups {
            types.insert(*name, run.types(name, files, &mut problems));
        }
        let apis = types
            .iter()
            .map(|(name, types)| ((*name).to_owned(), free_name("api", types)))
            .collect();
        let entities = Entities::new(descriptors, &run.externs, &request.options, apis);
        let mut parameters = Diagnostics::new();
        let files = run.groups.values().flatten().copied();
        let files: Vec<&File> = files.filter(|file| run.is_asked(file)).collect();
        entities.check_configured(&files, &mut parameters);
        parameters.finish_as(Error::parameter)?;
        let policies = Policies::read(descriptors, run.groups.values().flatten().copied());
        let parts = Parts {
            entities: &entities,
            catalogues: policies.catalogues(),
        };
        let mut packages: Vec<Package> = run
            .groups
            .iter()
            .zip(types.into_values())
            .map(|((name, files), types)| {
                run.package(name, files, types, &parts, &mut problems, &mut warnings)
            })
            .collect();
        policies.apply(
            &mut packages,
            &entities,
            &configs,
            &mut problems,
            &mut warnings,
        );
        problems.finish()?;
        if request.options.emit.service_config {
            check_throttles(&packages, &mut warnings);
        }
        let mut model = Self {
            packages,
            warnings: warnings.into_vec(),
        };
        run.embed_descriptors(&mut model)?;
        Ok(model)
    }
}

/// The files of each package, by name.
pub(super) type Groups<'a> = BTreeMap<&'a str, Vec<&'a File>>;

/// What packages are made of beside their own files.
struct Parts<'a, 'p> {
    entities: &'a Entities<'a>,
    catalogues: &'p Catalogues<'a>,
}

struct Run<'a> {
    request: &'a Request,
    descriptors: &'a Descriptors,
    externs: Externs,
    asked: BTreeSet<&'a str>,
    groups: Groups<'a>,
    /// The packages that those asked for lead to.
    needed: BTreeSet<&'a str>,
}

impl<'a> Run<'a> {
    fn is_asked(&self, file: &File) -> bool {
        self.asked.contains(file.proto.name())
    }

    /// Whether files are written for a package.
    fn is_emitted(&self, package: &str, files: &[&File]) -> bool {
        files.iter().any(|file| self.is_asked(file))
            || (self.request.imports == Imports::Generate
                && self.needed.contains(package)
                && !self.externs.cover(package))
    }

    /// The names that the messages and enums of a package take in its module.
    fn types(&self, name: &'a str, files: &[&'a File], problems: &mut Diagnostics) -> Scope<'a> {
        let mut types = self.subpackages(name);
        // Those of a package that isn't written are of interest, what is wrong with them is not.
        let mut nobody = Diagnostics::new();
        let problems = if self.is_emitted(name, files) {
            problems
        } else {
            &mut nobody
        };
        for file in files {
            conflicts::check_file(file, &self.externs, &mut types, problems);
        }
        types
    }

    fn package<'e>(
        &self,
        name: &'e str,
        files: &[&'e File],
        mut types: Scope<'e>,
        parts: &Parts<'e, '_>,
        problems: &mut Diagnostics,
        warnings: &mut Diagnostics,
    ) -> Package {
        let emit = self.is_emitted(name, files);
        let mut api = Scope::default();
        let mut package = Package {
            proto: name.to_owned(),
            stem: names::stem(name),
            module: names::modules(name),
            api_module: free_name("api", &types),
            sources: files
                .iter()
                .map(|file| file.proto.name().to_owned())
                .collect(),
            emit,
            services: Vec::new(),
            domain: Domain::default(),
            catalogues: parts.catalogues.of_package(name),
            descriptor_set: Vec::new(),
            messages: Vec::new(),
            enums: Vec::new(),
        };
        for file in files {
            let (messages, enums) = catalogue::of_file(file);
            package.messages.extend(messages);
            package.enums.extend(enums);
            if self.is_asked(file) {
                let services =
                    services::of_file(file, &self.externs, parts.entities, &mut api, problems);
                package.services.extend(services);
            }
        }
        if emit {
            package.domain = parts.entities.of_package(name, files, &mut api, problems);
            let catalogues = parts.catalogues;
            catalogues.claim(name, &mut api, problems, warnings);
        }
        if self.request.options.emit.fakes {
            for file in files {
                fakes::claim_names(file, &package.services, &mut api, problems);
            }
        }
        if self.request.options.tonic {
            for file in files {
                tonic::claim_modules(file, &package.services, &mut types, problems);
            }
        }
        package
    }

    /// The modules that packages below this one make in it.
    fn subpackages(&self, package: &str) -> Scope<'a> {
        let own = names::modules(package);
        let mut scope = Scope::default();
        for (other, files) in &self.groups {
            let modules = names::modules(other);
            let below = modules
                .strip_prefix(own.as_slice())
                .and_then(<[String]>::first);
            let (Some(module), Some(file)) = (below, files.first()) else {
                continue;
            };
            if !scope.has(module) {
                let claim = package_claim(other, file);
                scope.take(module, claim, "the module", "", &mut Diagnostics::new());
            }
        }
        scope
    }

    /// One package is one Rust file, and part of a file doesn't compile.
    fn check_completeness(&self, problems: &mut Diagnostics) {
        if self.request.imports == Imports::Generate {
            return;
        }
        for (package, files) in &self.groups {
            let asked = files.iter().find(|file| self.is_asked(file));
            let left_out = files.iter().filter(|file| !self.is_asked(file));
            let Some(asked) = asked else { continue };
            for file in left_out {
                problems.push(
                    package_claim(package, file)
                        .diagnostic(format!(
                            "package `{package}` is asked for in part: {} is, this file is not",
                            asked.proto.name()
                        ))
                        .help(
                            "pass all files of the package in one run, since they make one Rust \
                             file (with buf: `strategy: all`)",
                        ),
                );
            }
        }
    }

    /// Packages such as `shop.v1` and `Shop.v1`, which are one module in Rust.
    fn check_modules(&self, problems: &mut Diagnostics) {
        let mut modules = Scope::default();
        for (package, files) in &self.groups {
            if let Some(file) = files.first() {
                let path = names::modules(package).join("::");
                let claim = package_claim(package, file);
                let help = "rename one of the two, or generate them in two runs";
                modules.take(&path, claim, "the module", help, problems);
            }
        }
    }

    fn embed_descriptors(&self, model: &mut Model) -> Result<(), Error> {
        let mut sets = self.descriptors.canonical_sets();
        for package in &mut model.packages {
            if package.services.is_empty() {
                continue;
            }
            if let Some(files) = self.groups.get(package.proto.as_str()) {
                package.descriptor_set = sets.of(files)?;
            }
        }
        Ok(())
    }
}

/// The files asked for, without those of protobuf itself and ours.
fn asked<'a>(
    descriptors: &'a Descriptors,
    request: &Request,
    warnings: &mut Diagnostics,
) -> Result<BTreeSet<&'a str>, Error> {
    let mut asked = BTreeSet::new();
    let mut missing = Vec::new();
    for name in &request.files {
        match descriptors.file(name) {
            _ if is_well_known(name) => warnings.push(
                Diagnostic::new("skipped: prost-types has the Rust for protobuf's own files")
                    .in_file(name),
            ),
            // buf asks for all files of a folder, and this one may well be among them.
            _ if is_ours(name) => {}
            Some(file) => {
                asked.insert(file.proto.name());
            }
            None => missing.push(
                Diagnostic::new("asked for, but not in the descriptor set")
                    .in_file(name)
                    .help("give the name as `import` has it, relative to an include folder"),
            ),
        }
    }
    if missing.is_empty() {
        Ok(asked)
    } else {
        Err(Error::parameter(missing))
    }
}

/// The files asked for and all they import, by package. What else the set has is no concern.
fn group<'a>(descriptors: &'a Descriptors, asked: &BTreeSet<&'a str>) -> Groups<'a> {
    let mut wanted = asked.clone();
    let mut groups = Groups::new();
    // Every file stands after those it imports, so that one pass backwards finds all.
    for file in descriptors.files().iter().rev() {
        let name = file.proto.name();
        if wanted.contains(name) && !is_well_known(name) && !is_ours(name) {
            wanted.extend(file.proto.dependency.iter().map(String::as_str));
            groups.entry(file.proto.package()).or_default().push(file);
        }
    }
    for files in groups.values_mut() {
        files.sort_by(|a, b| a.proto.name().cmp(b.proto.name()));
    }
    groups
}

fn package_claim<'a>(package: &str, file: &'a File) -> Claim<'a> {
    Claim {
        what: if package.is_empty() {
            "the root package".to_owned()
        } else {
            format!("package `{package}`")
        },
        file,
        path: vec![tag::PACKAGE],
    }
}

fn free_name(name: &str, scope: &Scope<'_>) -> String {
    let mut name = name.to_owned();
    while scope.has(&name) {
        name.push('_');
    }
    name
}
