//! What of policies a service config has no words for.

use crate::error::{Diagnostic, Diagnostics};
use crate::model::{Package, Service};

/// Warns where the services of a package have throttles that differ, or some have none: a service config
/// has one for all.
pub(in crate::model) fn check_throttles(packages: &[Package], warnings: &mut Diagnostics) {
    for package in packages {
        let services = &package.services;
        let Some(first) = services.iter().find(|one| one.throttle().is_some()) else {
            continue;
        };
        let differs = |one: &&Service| {
            one.throttle()
                .is_some_and(|_| one.throttle() != first.throttle())
        };
        if let Some(other) = services.iter().find(differs) {
            warnings.push(different(package, first, other));
            continue;
        }
        let leans = |one: &&Service| one.throttle().is_none() && one.is_repeated();
        for other in services.iter().filter(leans) {
            warnings.push(taken_on(package, first, other));
        }
    }
}

fn different(package: &Package, first: &Service, other: &Service) -> Diagnostic {
    let message = format!(
        "`{}` and `{}` have different throttles, and a service config has one for all: \
         `{}.service_config.json` has none",
        first.full_name, other.full_name, package.stem
    );
    let warning = Diagnostic::new(message).in_file(&other.source);
    warning.help("give both the same `retry_throttle`")
}

fn taken_on(package: &Package, first: &Service, other: &Service) -> Diagnostic {
    let message = format!(
        "`{}` has no throttle, and a service config has one for all: by `{}.service_config.json` its \
         retries have that of `{}`",
        other.full_name, package.stem, first.full_name
    );
    let warning = Diagnostic::new(message).in_file(&other.source);
    warning.help("give both the same `retry_throttle`")
}
