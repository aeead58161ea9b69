//! What of policies a service config has no words for.

use crate::error::{Diagnostic, Diagnostics};
use crate::model::{Package, Service};

/// Warns where the services of a package have throttles that differ: a service config has one.
pub(in crate::model) fn check_throttles(packages: &[Package], warnings: &mut Diagnostics) {
    for package in packages {
        if package.throttle().is_some() {
            continue;
        }
        let services = package.services.iter();
        let mut throttled = services.filter(|service| service.throttle().is_some());
        let Some(first) = throttled.next() else {
            continue;
        };
        let differs = |other: &&Service| other.throttle() != first.throttle();
        if let Some(other) = throttled.find(differs) {
            let message = format!(
                "`{}` and `{}` have different throttles, and a service config has one for all: \
                 `{}.service_config.json` has none",
                first.full_name, other.full_name, package.stem
            );
            let warning = Diagnostic::new(message).in_file(&other.source);
            warnings.push(warning.help("give both the same `retry_throttle`"));
        }
    }
}
