//! What service configs say of methods, where their protos say nothing.

use super::times;
use crate::error::Diagnostics;
use crate::model::policy::{MethodPolicy, built_in};
use crate::model::{Idempotency, Kind, Method, Service};
use crate::options::distance;
use crate::service_config::{MethodConfig, Name, Place, Repeats, ServiceConfig, ServiceConfigs};

/// Names that differ by no more than this may be slips of the pen.
const SLIP: usize = 2;

/// Fills the policies of a service's methods. The most exact name counts, and the whole of what is said
/// there: gRPC merges no two entries.
pub(super) fn fill(service: &mut Service, configs: &ServiceConfigs, warnings: &mut Diagnostics) {
    let throttle = configs.throttle(&service.full_name);
    for method in &mut service.methods {
        let policy = &mut method.policy;
        policy.retry_throttle = policy.retry_throttle.or(throttle);
        let Some((name, found)) = lookup(&service.full_name, &method.proto_name, configs) else {
            continue;
        };
        let taken = Taken {
            deadline: take_timeout(found, policy),
            repeats: take_repeats(name, found, method, warnings),
        };
        taken.check(method, warnings);
    }
}

/// Where a config says what was taken from it for a method.
struct Taken<'a> {
    deadline: Option<&'a Place>,
    repeats: Option<&'a Place>,
}

impl Taken<'_> {
    /// Warns of times that can't all be kept. Where the config adds to what the proto says, neither of
    /// the two is wrong by itself; what the proto alone says was checked before.
    fn check(&self, method: &Method, warnings: &mut Diagnostics) {
        // What our clients would do by themselves is no news, and what `emit=service_config` writes.
        let is_usual = method.policy.retry.as_ref() == Some(&built_in::retry());
        for conflict in times::conflicts(&method.policy, "its deadline") {
            let place = match conflict.is_cap {
                false if is_usual => continue,
                true => self.deadline,
                false => self.repeats.or(self.deadline),
            };
            let Some(place) = place else { continue };
            let (name, message) = (&method.proto_name, conflict.message);
            let message = format!("makes a policy of `{name}` that {message}");
            warnings.push(place.says(message).help(conflict.help));
        }
    }
}

/// Warns of names that are nearly those of this run. Others are fine: a config is shared by many.
pub(super) fn check_names(
    services: &[&Service],
    configs: &ServiceConfigs,
    warnings: &mut Diagnostics,
) {
    let names = || configs.files.iter().flat_map(ServiceConfig::names);
    for name in names() {
        let Some(named) = &name.service else { continue };
        let Some(service) = services.iter().find(|other| other.full_name == *named) else {
            let others = services.iter().map(|service| service.full_name.as_str());
            let is_named = |other: &str| names().any(|name| name.service.as_deref() == Some(other));
            if let Some(meant) = slip(named, others, is_named) {
                let message = format!("names the service `{named}`, which isn't here");
                let warning = name.place.says(message);
                warnings.push(warning.help(format!("did you mean `{meant}`?")));
            }
            continue;
        };
        let Some(method) = &name.method else { continue };
        let others = || {
            service
                .methods
                .iter()
                .map(|other| other.proto_name.as_str())
        };
        let is_named = |other: &str| {
            names().any(|name| {
                name.service.as_ref() == Some(named) && name.method.as_deref() == Some(other)
            })
        };
        if others().all(|other| other != method)
            && let Some(meant) = slip(method, others(), is_named)
        {
            let message = format!("names the method `{method}`, which `{named}` hasn't");
            let warning = name.place.says(message);
            warnings.push(warning.help(format!("did you mean `{meant}`?")));
        }
    }
}

/// The one of `known` that `word` most likely means: nearly the same, and named nowhere itself. What
/// differs in a number is another version.
fn slip<'a>(
    word: &str,
    known: impl Iterator<Item = &'a str>,
    is_named: impl Fn(&str) -> bool,
) -> Option<&'a str> {
    let wordy = |text: &str| -> String { text.chars().filter(|c| !c.is_ascii_digit()).collect() };
    let near = known.filter(|other| wordy(other) != wordy(word) && !is_named(other));
    let by_distance = near.map(|other| (distance(word, other), other));
    let nearest = by_distance.filter(|(distance, _)| *distance <= SLIP).min();
    nearest.map(|(_, other)| other)
}

/// What is said of a method: by its own name, else by its service's, else of all.
fn lookup<'a>(
    service: &str,
    method: &str,
    configs: &'a ServiceConfigs,
) -> Option<(&'a Name, &'a MethodConfig)> {
    let by = |service: Option<&str>, method: Option<&str>| {
        let mut all = configs.files.iter().flat_map(|file| &file.methods);
        all.find_map(|config| {
            let mut names = config.names.iter();
            let name = names.find(|name| {
                name.service.as_deref() == service && name.method.as_deref() == method
            });
            Some((name?, config))
        })
    };
    by(Some(service), Some(method))
        .or_else(|| by(Some(service), None))
        .or_else(|| by(None, None))
}

/// Where it is said, if it was taken.
fn take_timeout<'a>(config: &'a MethodConfig, policy: &mut MethodPolicy) -> Option<&'a Place> {
    let (timeout, place) = config.timeout.as_ref()?;
    if policy.deadline.is_some() || policy.no_deadline {
        return None;
    }
    policy.deadline = Some(*timeout);
    Some(place)
}

/// Where it is said, if it was taken.
fn take_repeats<'a>(
    name: &Name,
    config: &'a MethodConfig,
    method: &mut Method,
    warnings: &mut Diagnostics,
) -> Option<&'a Place> {
    let (repeats, place) = config.repeats.as_ref()?;
    if method.policy.retry.is_some() || method.policy.hedging.is_some() {
        return None;
    }
    match repeats {
        Repeats::Retry(retry) => {
            method.policy.retry = Some(retry.clone());
            method.policy.repeated_by_config = method.idempotency == Idempotency::Unknown;
        }
        Repeats::Hedging(hedging) => {
            check_hedged(name, place, method, warnings)?;
            method.policy.hedging = Some(hedging.clone());
        }
    }
    Some(place)
}

/// None where a method can't be hedged, whatever a config says of it.
fn check_hedged(
    name: &Name,
    place: &Place,
    method: &Method,
    warnings: &mut Diagnostics,
) -> Option<()> {
    let passed_over = || place.says(format!("is passed over for `{}`", method.proto_name));
    if matches!(method.kind, Kind::ClientStream | Kind::Bidi) {
        // What is said of a whole service can't be meant for its streams.
        if name.method.is_some() {
            let note = "its requests are a stream, which is not sent to two servers at once";
            warnings.push(passed_over().note(note));
        }
        return None;
    }
    // A retry follows a failure, after which the config's author holds it safe. Of two attempts at once
    // both can be acted upon, whatever he knows.
    if method.idempotency == Idempotency::Unknown {
        let note = "nothing says that a second call does no harm";
        warnings.push(passed_over().note(note).help(
            "where it does none, the proto says so: `option idempotency_level = IDEMPOTENT;` (or \
             NO_SIDE_EFFECTS)",
        ));
        return None;
    }
    Some(())
}
