//! The modules that tonic's own code generation adds to a package.

use super::Service;
use super::scope::{Claim, Scope};
use crate::descriptors::{File, tag};
use crate::error::Diagnostics;
use crate::names;

/// Takes the names of the two modules that tonic makes for each service of a file.
pub(super) fn claim_modules<'a>(
    file: &'a File,
    services: &[Service],
    package: &mut Scope<'a>,
    problems: &mut Diagnostics,
) {
    for (index, descriptor) in (0i32..).zip(&file.proto.service) {
        let Some(service) = services.iter().find(|service| {
            service.source == file.proto.name() && service.proto_name == descriptor.name()
        }) else {
            continue;
        };
        for module in modules(service) {
            let claim = Claim {
                what: format!("service `{}` under `tonic=true`", service.proto_name),
                file,
                path: vec![tag::FILE_SERVICE, index],
            };
            let help = "rename one of the two, or generate without `tonic=true`";
            package.take(&module, claim, "the module", help, problems);
        }
    }
}

fn modules(service: &Service) -> [String; 2] {
    let snake = names::tonic_snake(&names::upper_camel(&service.proto_name));
    [format!("{snake}_client"), format!("{snake}_server")]
}
