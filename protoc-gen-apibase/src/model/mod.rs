//! What is generated, as plain data. Every Rust name is final here and every error has been
//! raised; nothing later decides anything.

mod build;
mod catalogue;
mod conflicts;
mod entities;
pub(crate) mod entity;
pub(crate) mod errors;
mod fakes;
mod policies;
pub(crate) mod policy;
mod referred;
mod scope;
mod services;
mod tonic;
mod types;

use crate::error::Diagnostic;

pub(crate) use self::types::{Externs, PROST};

/// All packages of a run, those that only docs need included.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// In the order of their names.
    pub(crate) packages: Vec<Package>,
    /// What is odd about the schema, yet no error.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// A protobuf package: one Rust module.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// The name in protobuf; empty for files without a package.
    pub(crate) proto: String,
    /// What its files' names start with.
    pub(crate) stem: String,
    /// The Rust modules it lies in, outermost first; empty for the root.
    pub(crate) module: Vec<String>,
    /// The module of the service layer inside it: `api`, unless the schema has one itself.
    pub(crate) api_module: String,
    /// Its files, in the order of their names.
    pub(crate) sources: Vec<String>,
    /// Whether files are written for it. Those of which none are written are here for the docs
    /// of others, which may name their messages.
    pub(crate) emit: bool,
    /// The services of the files asked for: in the order of the files, then of the proto.
    pub(crate) services: Vec<Service>,
    /// What its messages are in the domain.
    pub(crate) domain: entity::Domain,
    /// The error catalogues of its files, by name.
    pub(crate) catalogues: Vec<errors::Catalogue>,
    /// The canonical descriptor set; empty without services.
    pub(crate) descriptor_set: Vec<u8>,
    /// All messages, nested ones after the one they are nested in.
    pub(crate) messages: Vec<Message>,
    /// All enums, nested ones included.
    pub(crate) enums: Vec<Enum>,
}

impl Package {
    /// Whether it has a module `api`: services, errors, or entities. Only of packages that files are
    /// written for.
    pub(crate) fn has_api(&self) -> bool {
        !self.services.is_empty() || !self.catalogues.is_empty() || !self.domain.is_empty()
    }
}

impl Package {
    /// When clients that have one throttle for all of its services stop retrying: what those say that
    /// say something, our clients' own where none does and there is something to retry. None where
    /// they don't agree.
    pub(crate) fn throttle(&self) -> Option<policy::RetryThrottle> {
        let mut throttles = self.services.iter().filter_map(Service::throttle);
        let Some(first) = throttles.next() else {
            let is_repeated = self.services.iter().any(Service::is_repeated);
            return is_repeated.then_some(policy::built_in::THROTTLE);
        };
        throttles.all(|other| other == first).then_some(first)
    }
}

/// A service and all its Rust names.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// `ItemService`
    pub(crate) proto_name: String,
    /// `examples.ItemService`
    pub(crate) full_name: String,
    /// The lines of its rustdoc.
    pub(crate) docs: Vec<String>,
    /// The proto's comment as it is.
    pub(crate) comment: String,
    /// Whether the proto says so.
    pub(crate) deprecated: bool,
    /// The file it is in.
    pub(crate) source: String,
    /// The trait a user implements: `ItemServicer`.
    pub(crate) servicer: String,
    /// The type that serves it: `ItemServiceServer`.
    pub(crate) server: String,
    /// The type that calls it: `ItemServiceClient`.
    pub(crate) client: String,
    /// The module of its methods' constants: `item_service`.
    pub(crate) module: String,
    /// The type that tests tell what to answer: `FakeItemService`.
    pub(crate) fake: String,
    /// The trait that calls a servicer without a socket: `InProcessItemService`.
    pub(crate) in_process: String,
    /// What its methods fail with, as written inside the package's `api`: the errors of its
    /// catalogue, or those that every service has.
    pub(crate) error: String,
    /// What it says for all its methods.
    pub(crate) policy: policy::ServicePolicy,
    /// In the order of the proto.
    pub(crate) methods: Vec<Method>,
}

impl Service {
    /// When clients stop retrying its methods.
    pub(crate) fn throttle(&self) -> Option<policy::RetryThrottle> {
        let first = self.methods.first()?;
        first.policy.retry_throttle
    }

    /// Whether clients send any of its requests again, by themselves or because they are told to.
    pub(crate) fn is_repeated(&self) -> bool {
        let mut methods = self.methods.iter();
        methods.any(|method| method.retry().is_some() || method.policy.hedging.is_some())
    }
}

/// An RPC and all its Rust names.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    /// `GetItem`
    pub(crate) proto_name: String,
    /// `/examples.ItemService/GetItem`
    pub(crate) path: String,
    /// The function: `get_item`.
    pub(crate) name: String,
    /// The constant: `GET_ITEM`.
    pub(crate) constant: String,
    /// The function in tonic's own client and server.
    pub(crate) tonic_name: String,
    /// Which sides stream.
    pub(crate) kind: Kind,
    /// The proto's `idempotency_level`.
    pub(crate) idempotency: Idempotency,
    /// What else the proto says about its calls.
    pub(crate) policy: policy::MethodPolicy,
    /// What the client sends.
    pub(crate) request: Type,
    /// What the server sends.
    pub(crate) response: Type,
    /// The lines of its rustdoc.
    pub(crate) docs: Vec<String>,
    /// The proto's comment as it is.
    pub(crate) comment: String,
    /// Whether the proto says so.
    pub(crate) deprecated: bool,
    /// Whether the function's plain name is reserved, so that it has an underscore.
    pub(crate) renamed: bool,
}

impl Method {
    /// When clients send its request again after a failure: what is said, else what ours do by
    /// themselves.
    pub(crate) fn retry(&self) -> Option<policy::Retry> {
        let said = self.policy.retry.clone();
        let by_itself = self.idempotency != Idempotency::Unknown && self.policy.hedging.is_none();
        said.or_else(|| by_itself.then(policy::built_in::retry))
    }
}

/// Which sides of an RPC stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One request, one response.
    Unary,
    /// One request, many responses.
    ServerStream,
    /// Many requests, one response.
    ClientStream,
    /// Many of both.
    Bidi,
}

/// What a second call of the same RPC does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idempotency {
    /// Nothing is known.
    Unknown,
    /// The same as the first.
    Idempotent,
    /// Nothing at all, as the first.
    NoSideEffects,
}

/// A message type of an RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Type {
    /// The full name, without a leading dot.
    pub(crate) proto: String,
    /// As it is written inside the package's `api` module: the message, or the entity that stands
    /// for it.
    pub(crate) rust: String,
    /// The mapper of the entity; none for a message as it is.
    pub(crate) mapper: Option<String>,
}

/// A message, for the docs.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// `examples.Item`
    pub(crate) full_name: String,
    /// The proto's comment as it is.
    pub(crate) comment: String,
    /// Whether the proto says so.
    pub(crate) deprecated: bool,
    /// In the order of the proto, those of oneofs included.
    pub(crate) fields: Vec<Field>,
    /// Those that the proto declares.
    pub(crate) oneofs: Vec<Oneof>,
}

/// A field, for the docs.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// As in the proto.
    pub(crate) name: String,
    /// Its tag.
    pub(crate) number: i32,
    /// As in the proto, full names for messages and enums: `map<string, examples.Item>`.
    pub(crate) ty: String,
    /// `optional`, `required`, `repeated`, `oneof <name>`, or empty.
    pub(crate) label: String,
    /// The proto's comment as it is.
    pub(crate) comment: String,
    /// Whether the proto says so.
    pub(crate) deprecated: bool,
}

/// A oneof, for the docs.
#[derive(Clone, Debug)]
pub(crate) struct Oneof {
    /// As in the proto.
    pub(crate) name: String,
    /// The proto's comment as it is.
    pub(crate) comment: String,
    /// The names of its fields.
    pub(crate) fields: Vec<String>,
}

/// An enum, for the docs.
#[derive(Clone, Debug)]
pub(crate) struct Enum {
    /// `examples.ItemError`
    pub(crate) full_name: String,
    /// The proto's comment as it is.
    pub(crate) comment: String,
    /// Whether the proto says so.
    pub(crate) deprecated: bool,
    /// In the order of the proto, aliases included.
    pub(crate) values: Vec<EnumValue>,
}

/// A value of an enum, for the docs.
#[derive(Clone, Debug)]
pub(crate) struct EnumValue {
    /// As in the proto.
    pub(crate) name: String,
    /// What stands on the wire.
    pub(crate) number: i32,
    /// The proto's comment as it is.
    pub(crate) comment: String,
    /// Whether the proto says so.
    pub(crate) deprecated: bool,
}
