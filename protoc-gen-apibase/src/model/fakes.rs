//! The names that fakes add to a package's `api`.

use super::Service;
use super::scope::{Claim, Scope};
use crate::descriptors::{File, tag};
use crate::error::Diagnostics;

/// Takes the names of the fake of each service of a file, and of the trait beside it.
pub(super) fn claim_names<'a>(
    file: &'a File,
    services: &[Service],
    api: &mut Scope<'a>,
    problems: &mut Diagnostics,
) {
    for (index, descriptor) in (0i32..).zip(&file.proto.service) {
        let Some(service) = services.iter().find(|service| {
            service.source == file.proto.name() && service.proto_name == descriptor.name()
        }) else {
            continue;
        };
        for (name, used_for) in [
            (&service.fake, "the type"),
            (&service.in_process, "the trait"),
        ] {
            let claim = Claim {
                what: format!("service `{}` under `emit=fakes`", service.proto_name),
                file,
                path: vec![tag::FILE_SERVICE, index],
            };
            let help = "rename one of the two, or generate without `emit=fakes`";
            api.take(name, claim, used_for, help, problems);
        }
    }
}
