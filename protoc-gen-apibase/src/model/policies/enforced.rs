//! Rules that are read and checked, and that nothing acts upon yet: the service would be open where
//! the proto says that it isn't, so each of them is an error.
//!
//! Whoever makes them work removes this file.

use super::Site;
use crate::descriptors::rules::Auth;
use crate::error::Diagnostics;

/// Refuses the `auth` of a service or a method, `option` by its full name. What says `public` is so
/// without anybody's doing.
pub(super) fn auth(site: &Site<'_>, option: &str, rule: Option<&Auth>, problems: &mut Diagnostics) {
    if rule.is_none_or(|auth| auth.public) {
        return;
    }
    let message =
        format!("has `({option}).auth`, which is not enforced by this version: anybody could call");
    problems.push(
        site.wrong("auth", message)
            .help("remove it and guard the service by other means, or update protoc-gen-apibase"),
    );
}
