//! What a page says about a service and all that its methods can carry.

use std::collections::{HashMap, HashSet, VecDeque};

use minijinja::{Value, context};

use super::errors::{self, Errors};
use super::index::Index;
use super::markdown::{Anchors, block, cell};
use super::policies;
use crate::model::{Enum, Field, Idempotency, Kind, Message, Method, Package, Service};

/// The page's variables: `service`, `methods`, `catalogue`, `common`, `messages`, `enums`, `package`,
/// `anchors`.
pub(super) fn of_service(index: &Index<'_>, package: &Package, service: &Service) -> Value {
    let types = Types::reachable_from(index, package, service);
    let methods = service.methods.iter().map(|m| types.method(m));
    context! {
        package => package.proto,
        service => context! {
            name => service.proto_name,
            full_name => service.full_name,
            source => service.source,
            comment => block(&service.comment),
            deprecated => service.deprecated,
            rust => context! {
                servicer => service.servicer,
                server => service.server,
                client => service.client,
                module => rust_module(package),
            },
        },
        methods => methods.collect::<Vec<_>>(),
        catalogue => types.errors.catalogue(),
        common => context! {
            domain => errors::COMMON_DOMAIN,
            errors => errors::common(),
        },
        anchors => context! {
            errors => types.errors_anchor,
            common => types.common_anchor,
        },
        messages => types.messages.iter().map(|m| types.message(m)).collect::<Vec<_>>(),
        enums => types.enums.iter().map(|e| types.enumeration(e)).collect::<Vec<_>>(),
    }
}

/// The messages, enums and errors of a page, in the order in which a reader meets them.
struct Types<'a> {
    package: &'a str,
    messages: Vec<&'a Message>,
    enums: Vec<&'a Enum>,
    errors: Errors<'a>,
    errors_anchor: String,
    common_anchor: String,
    /// Of messages and enums by full name, of methods by path.
    anchors: HashMap<&'a str, String>,
}

impl<'a> Types<'a> {
    fn reachable_from(index: &Index<'a>, package: &'a Package, service: &'a Service) -> Self {
        let mut types = Self {
            package: &package.proto,
            messages: Vec::new(),
            enums: Vec::new(),
            errors: Errors::of_service(index, service),
            errors_anchor: String::new(),
            common_anchor: String::new(),
            anchors: HashMap::new(),
        };
        let mut queue: VecDeque<&str> = service
            .methods
            .iter()
            .flat_map(|method| {
                [
                    method.request.proto.as_str(),
                    method.response.proto.as_str(),
                ]
            })
            .collect();
        let mut seen = HashSet::new();
        while let Some(name) = queue.pop_front() {
            if !seen.insert(name) {
                continue;
            }
            if let Some(message) = index.message(name) {
                types.messages.push(message);
                queue.extend(message.fields.iter().map(|field| value_type(&field.ty).1));
            } else if let Some(found) = index.enumeration(name) {
                types.enums.push(found);
            }
        }
        types.assign_anchors(service);
        types
    }

    /// Follows the headings of the built-in page, those of comments too: renderers number anchors
    /// that repeat.
    fn assign_anchors(&mut self, service: &'a Service) {
        let mut anchors = Anchors::default();
        anchors.next(&service.proto_name);
        anchors.skip_comment(&service.comment);
        anchors.next("Methods");
        for method in &service.methods {
            let anchor = anchors.next(&method.proto_name);
            anchors.skip_comment(&method.comment);
            self.anchors.insert(&method.path, anchor);
        }
        self.errors_anchor = anchors.next("Errors");
        anchors.skip_comment(self.errors.comment());
        self.common_anchor = anchors.next("Errors of all services");
        anchors.next("Messages");
        for message in &self.messages {
            let anchor = anchors.next(self.local(&message.full_name));
            anchors.skip_comment(&message.comment);
            self.anchors.insert(&message.full_name, anchor);
        }
        anchors.next("Enums");
        for found in &self.enums {
            let anchor = anchors.next(self.local(&found.full_name));
            anchors.skip_comment(&found.comment);
            self.anchors.insert(&found.full_name, anchor);
        }
    }

    fn method(&self, method: &Method) -> Value {
        let (client_streams, server_streams) = match method.kind {
            Kind::Unary => (false, false),
            Kind::ServerStream => (false, true),
            Kind::ClientStream => (true, false),
            Kind::Bidi => (true, true),
        };
        context! {
            name => method.proto_name,
            anchor => self.anchors.get(method.path.as_str()),
            path => method.path,
            rust => method.name,
            renamed => method.renamed,
            kind => kind_text(method.kind),
            idempotency => idempotency_text(method.idempotency),
            comment => block(&method.comment),
            deprecated => method.deprecated,
            request => context! {
                name => method.request.proto,
                link => self.link(&method.request.proto),
                streamed => client_streams,
            },
            response => context! {
                name => method.response.proto,
                link => self.link(&method.response.proto),
                streamed => server_streams,
            },
            policy => policies::of_method(&method.policy),
            errors => self.errors.declared(method),
        }
    }

    fn message(&self, message: &Message) -> Value {
        let oneofs = message.oneofs.iter().map(|oneof| {
            context! {
                name => oneof.name,
                fields => oneof.fields,
                comment => cell(&oneof.comment),
            }
        });
        context! {
            name => self.local(&message.full_name),
            full_name => message.full_name,
            comment => block(&message.comment),
            deprecated => message.deprecated,
            fields => message.fields.iter().map(|f| self.field(f)).collect::<Vec<_>>(),
            oneofs => oneofs.collect::<Vec<_>>(),
        }
    }

    fn field(&self, field: &Field) -> Value {
        let (key, name) = value_type(&field.ty);
        let linked = match key {
            Some(key) => format!("map of `{key}` to {}", self.link(name)),
            None => self.link(name),
        };
        let linked = match field.label.strip_prefix("oneof ") {
            Some(oneof) => format!("{linked}, in `{oneof}`"),
            None => format!("{} {linked}", field.label).trim_start().to_owned(),
        };
        context! {
            name => field.name,
            number => field.number,
            type => linked,
            type_name => field.ty,
            label => field.label,
            comment => cell(&field.comment),
            deprecated => field.deprecated,
        }
    }

    fn enumeration(&self, found: &Enum) -> Value {
        let values = found.values.iter().map(|value| {
            context! {
                name => value.name,
                number => value.number,
                comment => cell(&value.comment),
                deprecated => value.deprecated,
            }
        });
        context! {
            name => self.local(&found.full_name),
            full_name => found.full_name,
            comment => block(&found.comment),
            deprecated => found.deprecated,
            values => values.collect::<Vec<_>>(),
        }
    }

    /// A type's name as code; a link where the page or protobuf's own reference describes it.
    fn link(&self, name: &str) -> String {
        let local = self.local(name);
        if let Some(anchor) = self.anchors.get(name) {
            return format!("[`{local}`](#{anchor})");
        }
        match name.strip_prefix("google.protobuf.") {
            Some(known) => format!(
                "[`{name}`](https://protobuf.dev/reference/protobuf/google.protobuf/#{})",
                kebab(known)
            ),
            None => format!("`{local}`"),
        }
    }

    /// The name as the package itself writes it.
    fn local<'n>(&self, name: &'n str) -> &'n str {
        name.strip_prefix(self.package)
            .and_then(|rest| rest.strip_prefix('.'))
            .unwrap_or(name)
    }
}

/// The key of a map's type, and the type of its values; or no key, and the type itself.
fn value_type(ty: &str) -> (Option<&str>, &str) {
    let inner = ty
        .strip_prefix("map<")
        .and_then(|inner| inner.strip_suffix('>'));
    match inner.and_then(|inner| inner.split_once(',')) {
        Some((key, value)) => (Some(key.trim()), value.trim()),
        None => (None, ty),
    }
}

fn kind_text(kind: Kind) -> &'static str {
    match kind {
        Kind::Unary => "unary",
        Kind::ServerStream => "server stream",
        Kind::ClientStream => "client stream",
        Kind::Bidi => "two-way stream",
    }
}

fn idempotency_text(idempotency: Idempotency) -> &'static str {
    match idempotency {
        Idempotency::Unknown => "not declared",
        Idempotency::Idempotent => "idempotent",
        Idempotency::NoSideEffects => "no side effects",
    }
}

fn rust_module(package: &Package) -> String {
    let mut path = package.module.join("::");
    if !path.is_empty() {
        path.push_str("::");
    }
    path + &package.api_module
}

/// `FieldMask` as protobuf's reference writes it in its anchors: `field-mask`.
fn kebab(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for char in name.chars() {
        if char.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(char.to_ascii_lowercase());
    }
    text
}
