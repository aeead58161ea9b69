//! The parameters: names, shapes, and what the help says of them.

use super::nearest;
use crate::error::Diagnostic;

/// A parameter as the help and the errors show it.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) usage: &'static str,
    pub(super) about: &'static str,
    pub(super) shape: Shape,
}

/// What a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Yes or no.
    Switch,
    /// One value.
    Single,
    /// Any number of values.
    List,
    /// One value for each of any number of names.
    Pairs,
    /// Any number of values for each of any number of names.
    Attributes,
    /// One value for each of any number of names below any number of names.
    Triples,
}

const fn parameter(
    name: &'static str,
    shape: Shape,
    usage: &'static str,
    about: &'static str,
) -> Parameter {
    Parameter {
        name,
        usage,
        about,
        shape,
    }
}

/// All of them, in the order of the help.
pub(super) const PARAMETERS: &[Parameter] = &[
    parameter(
        "emit",
        Shape::List,
        "emit=rust|docs|fakes|service_config",
        "what to generate; may repeat; rust unless given",
    ),
    parameter(
        "include_file",
        Shape::Single,
        "include_file=FILE",
        "also write the module tree, as FILE (mod.rs)",
    ),
    parameter(
        "tonic",
        Shape::Switch,
        "tonic[=true|false]",
        "also generate tonic's own client and server modules",
    ),
    parameter(
        "extern_path",
        Shape::Pairs,
        "extern_path=.PROTO=RUST",
        "use the Rust path for what is below the proto path; may repeat",
    ),
    parameter(
        "bytes",
        Shape::List,
        "bytes=PATH",
        "use Bytes for the bytes fields below PATH (. for all); may repeat",
    ),
    parameter(
        "btree_map",
        Shape::List,
        "btree_map=PATH",
        "use BTreeMap for the map fields below PATH (. for all; needs prost too); may repeat",
    ),
    parameter(
        "type_attribute",
        Shape::Attributes,
        "type_attribute=PATH=ATTR",
        "put ATTR on the types below PATH; may repeat",
    ),
    parameter(
        "field_attribute",
        Shape::Attributes,
        "field_attribute=PATH=ATTR",
        "put ATTR on the fields below PATH; may repeat",
    ),
    parameter(
        "templates",
        Shape::Single,
        "templates=DIR",
        "take templates from DIR where it has them (docs/service.md.jinja)",
    ),
    parameter(
        "entity",
        Shape::Pairs,
        "entity=PROTO=RUST",
        "use your own type for a message, an enum or a oneof (shop.Order.payment); may repeat",
    ),
    parameter(
        "with",
        Shape::Pairs,
        "with=PROTO=RUST",
        "use your own mapper for a field, or for a whole message; may repeat",
    ),
    parameter(
        "newtype",
        Shape::Pairs,
        "newtype=PROTO=RUST",
        "use your own type for a field, by From and TryFrom what it would be; may repeat",
    ),
    parameter(
        "kind",
        Shape::Pairs,
        "kind=NAME=RUST",
        "the same for every field with (apibase.v1.field).kind = NAME; may repeat",
    ),
    parameter(
        "extra",
        Shape::Triples,
        "extra=PROTO=FIELD=EXPR",
        "fill FIELD, which your own type has and the message hasn't, with EXPR; may repeat",
    ),
    parameter(
        "time",
        Shape::Single,
        "time=chrono|time|jiff|system",
        "what timestamps are in entities; chrono's unless given",
    ),
    parameter(
        "duration",
        Shape::Single,
        "duration=std|chrono|time|jiff",
        "what durations are in entities; as `time` unless given (std with system)",
    ),
    parameter(
        "ordered",
        Shape::List,
        "ordered=PATH",
        "use BTreeMap and BTreeSet in the entities below PATH (. for all); may repeat",
    ),
    parameter(
        "laws",
        Shape::Switch,
        "laws[=true|false]",
        "also generate property tests of the entities",
    ),
    parameter(
        "entity_attribute",
        Shape::Attributes,
        "entity_attribute=PATH=ATTR",
        "put ATTR on the generated entities below PATH; may repeat",
    ),
    parameter(
        "service_config",
        Shape::List,
        "service_config=FILE",
        "take policies from a gRPC service config where protos have none; may repeat",
    ),
    parameter(
        "config",
        Shape::Single,
        "config=FILE",
        "read parameters from FILE instead of apibase.toml; what is given here beats it",
    ),
];

/// The one called `name`.
pub(super) fn find(name: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|p| p.name == name)
}

/// How to write the one called `name`.
pub(super) fn usage_of(name: &str) -> &'static str {
    find(name).map_or("", |p| p.usage)
}

/// What is said of a name that none has.
pub(super) fn unknown(name: &str) -> Diagnostic {
    let known: Vec<&str> = PARAMETERS.iter().map(|p| p.name).collect();
    let diagnostic = Diagnostic::new(format!("unknown parameter `{name}`"))
        .note(format!("the known ones are: {}", known.join(", ")));
    match nearest(name, &known) {
        Some(name) => diagnostic.help(format!("did you mean `{name}`?")),
        None => diagnostic
            .help("remove it, or see `protoc-gen-apibase --help` for what each of them does"),
    }
}

/// What is said of a value that won't do.
pub(super) fn bad(name: &str, value: &str, what: &str) -> Diagnostic {
    Diagnostic::new(format!("parameter `{name}`: `{value}` {what}"))
}
