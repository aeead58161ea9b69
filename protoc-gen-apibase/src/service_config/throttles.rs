//! Whose throttle a config's is: gRPC has one for a target, and a run can have many.

use super::{Name, ServiceConfig, ServiceConfigs};
use crate::error::Diagnostics;
use crate::model::policy::RetryThrottle;

impl ServiceConfigs {
    /// When clients stop retrying a service: what the config says that names it, else the one that is
    /// for all. One without any names is for all if there is no other.
    pub(crate) fn throttle(&self, service: &str) -> Option<RetryThrottle> {
        let of = |is_about: &dyn Fn(&Name) -> bool| {
            let about = self.files.iter().filter(|file| file.names().any(is_about));
            about.filter_map(|file| file.throttle.as_ref()).next()
        };
        let alone = || match self.files.as_slice() {
            [file] if is_nameless(file) => file.throttle.as_ref(),
            _ => None,
        };
        let found = of(&|name| name.service.as_deref() == Some(service))
            .or_else(|| of(&|name| name.service.is_none()))
            .or_else(alone);
        found.map(|(throttle, _)| *throttle)
    }
}

/// Refuses two throttles of one service, and warns of those of none.
pub(super) fn check(
    files: &[ServiceConfig],
    problems: &mut Diagnostics,
    warnings: &mut Diagnostics,
) {
    for (index, file) in files.iter().enumerate() {
        let Some((throttle, place)) = &file.throttle else {
            continue;
        };
        if is_nameless(file) && files.len() > 1 {
            let warning =
                place.says("is passed over: its config names no service, and isn't alone");
            warnings.push(warning.help(
                "name those that it is for: `\"methodConfig\": [{ \"name\": [{ \"service\": \"…\" }] }]`",
            ));
        }
        for other in files.iter().take(index) {
            let Some((earlier, there)) = &other.throttle else {
                continue;
            };
            if let Some(service) = shared(other, file).filter(|_| earlier != throttle) {
                let problem = place.says(format!("is for `{service}`, which has another one"));
                let problem = there.note_on(problem, "the other one");
                let help = "give both the same values, or name each service in one config alone";
                problems.push(problem.help(help));
            }
        }
    }
}

fn is_nameless(file: &ServiceConfig) -> bool {
    file.names().next().is_none()
}

/// The first service that both name.
fn shared<'a>(one: &'a ServiceConfig, other: &ServiceConfig) -> Option<&'a str> {
    let mut services = one.names().filter_map(|name| name.service.as_deref());
    services.find(|service| {
        let mut others = other.names();
        others.any(|name| name.service.as_deref() == Some(service))
    })
}
