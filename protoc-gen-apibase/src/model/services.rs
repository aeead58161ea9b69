//! Services with all their Rust names.

use prost_types::method_options::IdempotencyLevel;
use prost_types::{MethodDescriptorProto, MethodOptions, ServiceDescriptorProto, ServiceOptions};

use super::entities::Entities;
use super::policy::{MethodPolicy, ServicePolicy};
use super::scope::{Claim, Scope};
use super::types::Externs;
use super::{Idempotency, Kind, Method, Service, Type};
use crate::comments;
use crate::descriptors::{File, tag};
use crate::error::Diagnostics;
use crate::names::{MethodNames, ServiceNames};

const RENAME_SERVICE: &str = "rename one of the two, or move it to another package";
const RENAME_METHOD: &str = "rename one of the two";

/// The errors of services without a catalogue.
const DOMAIN_ERROR: &str = "rt::DomainError";

/// The services of a file. `api` has the names that are taken in the package's `api` module.
pub(super) fn of_file<'a>(
    file: &'a File,
    externs: &Externs,
    entities: &Entities<'_>,
    api: &mut Scope<'a>,
    problems: &mut Diagnostics,
) -> Vec<Service> {
    (0i32..)
        .zip(&file.proto.service)
        .map(|(index, descriptor)| {
            let path = vec![tag::FILE_SERVICE, index];
            let types = Types { externs, entities };
            let service = service(file, descriptor, &path, &types, problems);
            claim_names(file, &service, path, api, problems);
            service
        })
        .collect()
}

/// What the types of RPCs are.
struct Types<'a> {
    externs: &'a Externs,
    entities: &'a Entities<'a>,
}

impl Types<'_> {
    fn of_rpc(&self, package: &str, message: &str) -> Type {
        let plain = self.externs.resolve(package, message);
        match self.entities.of_rpc(package, message) {
            Some(mapped) => Type {
                rust: mapped.ty,
                mapper: Some(mapped.mapper),
                ..plain
            },
            None => plain,
        }
    }
}

fn service(
    file: &File,
    descriptor: &ServiceDescriptorProto,
    path: &[i32],
    types: &Types<'_>,
    problems: &mut Diagnostics,
) -> Service {
    let full_name = match file.proto.package() {
        "" => descriptor.name().to_owned(),
        package => format!("{package}.{}", descriptor.name()),
    };
    let comment = file.source.comment(path);
    let deprecated = descriptor
        .options
        .as_ref()
        .is_some_and(ServiceOptions::deprecated);
    let names = ServiceNames::new(descriptor.name());
    let mut functions = Scope::default();
    let mut methods = Vec::with_capacity(descriptor.method.len());
    for (index, method) in (0i32..).zip(&descriptor.method) {
        let path = [path, &[tag::SERVICE_METHOD, index]].concat();
        let method = self::method(file, method, &full_name, &path, types);
        let claim = Claim {
            what: format!("rpc `{}`", method.proto_name),
            file,
            path,
        };
        functions.take(&method.name, claim, "the function", RENAME_METHOD, problems);
        methods.push(method);
    }
    Service {
        docs: docs(
            &comment,
            || format!("The service `{full_name}`."),
            deprecated,
        ),
        proto_name: descriptor.name().to_owned(),
        full_name,
        comment,
        deprecated,
        source: file.proto.name().to_owned(),
        servicer: names.servicer,
        server: names.server,
        client: names.client,
        module: names.module,
        fake: names.fake,
        in_process: names.in_process,
        error: DOMAIN_ERROR.to_owned(),
        policy: ServicePolicy::default(),
        methods,
    }
}

fn method(
    file: &File,
    descriptor: &MethodDescriptorProto,
    service: &str,
    path: &[i32],
    types: &Types<'_>,
) -> Method {
    let name = descriptor.name();
    let names = MethodNames::new(name);
    let comment = file.source.comment(path);
    let options = descriptor.options.as_ref();
    let deprecated = options.is_some_and(MethodOptions::deprecated);
    let mut docs = docs(&comment, || format!("The RPC `{name}`."), deprecated);
    if names.renamed {
        docs.push(String::new());
        docs.push(format!(
            "The RPC is `{name}`; the underscore is only here, where the plain name is taken."
        ));
    }
    let package = file.proto.package();
    Method {
        path: format!("/{service}/{name}"),
        proto_name: name.to_owned(),
        name: names.function,
        constant: names.constant,
        tonic_name: names.tonic,
        kind: match (descriptor.client_streaming(), descriptor.server_streaming()) {
            (false, false) => Kind::Unary,
            (false, true) => Kind::ServerStream,
            (true, false) => Kind::ClientStream,
            (true, true) => Kind::Bidi,
        },
        idempotency: match options.map(MethodOptions::idempotency_level) {
            Some(IdempotencyLevel::NoSideEffects) => Idempotency::NoSideEffects,
            Some(IdempotencyLevel::Idempotent) => Idempotency::Idempotent,
            Some(IdempotencyLevel::IdempotencyUnknown) | None => Idempotency::Unknown,
        },
        policy: MethodPolicy::default(),
        request: types.of_rpc(package, descriptor.input_type()),
        response: types.of_rpc(package, descriptor.output_type()),
        docs,
        comment,
        deprecated,
        renamed: names.renamed,
    }
}

/// The comment as rustdoc; a sentence where there is none, since users deny missing docs.
pub(super) fn docs(comment: &str, default: impl Fn() -> String, deprecated: bool) -> Vec<String> {
    let mut docs = comments::rustdoc(comment);
    if docs.is_empty() {
        docs.push(default());
    }
    if deprecated {
        docs.push(String::new());
        docs.push("Deprecated.".to_owned());
    }
    docs
}

fn claim_names<'a>(
    file: &'a File,
    service: &Service,
    path: Vec<i32>,
    api: &mut Scope<'a>,
    problems: &mut Diagnostics,
) {
    let claim = Claim {
        what: format!("service `{}`", service.proto_name),
        file,
        path,
    };
    // Of two services that share several names, one is enough to say.
    for (name, used_for) in [
        (&service.servicer, "the trait"),
        (&service.server, "the type"),
        (&service.client, "the type"),
        (&service.module, "the module"),
    ] {
        if api.has(name) {
            api.take(name, claim, used_for, RENAME_SERVICE, problems);
            return;
        }
    }
    for name in [
        &service.servicer,
        &service.server,
        &service.client,
        &service.module,
    ] {
        api.take(name, claim.clone(), "the name", RENAME_SERVICE, problems);
    }
}
