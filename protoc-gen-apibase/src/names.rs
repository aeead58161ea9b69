//! How proto names become Rust names. `NAMING.md` is the specification; nothing else changes
//! the case of a name or escapes one.

use heck::{ToShoutySnakeCase as _, ToSnakeCase as _, ToUpperCamelCase as _};

/// Function names that the stubs, the prelude's traits or `Arc` already use; an RPC with such
/// a name gets a trailing underscore.
const RESERVED_FUNCTIONS: &[&str] = &[
    "as_mut",
    "as_ref",
    "clone",
    "connect",
    "connect_lazy",
    "drop",
    "in_process",
    "into",
    "new",
    "to_owned",
    "try_into",
    "with",
];

/// Further names that the client of tonic's own code generation has for itself.
const RESERVED_BY_TONIC: &[&str] = &[
    "accept_compressed",
    "max_decoding_message_size",
    "max_encoding_message_size",
    "send_compressed",
    "with_interceptor",
    "with_origin",
];

/// Types and traits that generated code names without a path.
const HIDING: &[&str] = &[
    "Box",
    "Clone",
    "Debug",
    "Default",
    "From",
    "Future",
    "Option",
    "PartialEq",
    "Result",
    "Send",
    "Sized",
    "String",
    "Sync",
    "TryFrom",
    "Vec",
];

/// What an error's trait for translation has beside a function for each reason.
const RESERVED_TRANSLATIONS: &[&str] = &["domain", "failed", "from"];

/// The variant of every error enum that is none of its catalogue.
const DOMAIN: &str = "Domain";

/// What generated code calls the formatter beside the values of an error.
const FORMATTER: &str = "f";

/// All Rust names of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceNames {
    pub(crate) servicer: String,
    pub(crate) server: String,
    pub(crate) client: String,
    pub(crate) module: String,
    pub(crate) fake: String,
    pub(crate) in_process: String,
}

/// All Rust names of a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MethodNames {
    pub(crate) function: String,
    pub(crate) constant: String,
    /// The function's name under tonic's own code generation.
    pub(crate) tonic: String,
    /// Whether the function's name got an underscore because the plain one is reserved.
    pub(crate) renamed: bool,
}

impl ServiceNames {
    pub(crate) fn new(proto_name: &str) -> Self {
        let base = upper_camel_unescaped(proto_name);
        let servicer = if base.ends_with("Service") {
            format!("{base}r")
        } else {
            format!("{base}Servicer")
        };
        let module = match snake(proto_name) {
            // What the files call the runtime, its mappers and its testing kit.
            module if ["rt", "map", "rt_testing"].contains(&module.as_str()) => module + "_",
            module => module,
        };
        Self {
            servicer: escape(&servicer),
            server: escape(&format!("{base}Server")),
            client: escape(&format!("{base}Client")),
            module,
            fake: format!("Fake{base}"),
            in_process: format!("InProcess{base}"),
        }
    }
}

impl MethodNames {
    pub(crate) fn new(proto_name: &str) -> Self {
        let plain = snake(proto_name);
        let renamed = RESERVED_FUNCTIONS.contains(&plain.as_str());
        let function = if renamed {
            format!("{plain}_")
        } else {
            plain.clone()
        };
        let tonic = if RESERVED_BY_TONIC.contains(&plain.as_str()) {
            format!("{plain}_")
        } else {
            function.clone()
        };
        let constant = match proto_name.to_shouty_snake_case() {
            constant if constant == "METHODS" => "METHODS_".to_owned(),
            constant => escape(&constant),
        };
        Self {
            function,
            constant,
            tonic,
            renamed,
        }
    }
}

/// All Rust names of an error catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CatalogueNames {
    pub(crate) ty: String,
    pub(crate) table: String,
    pub(crate) translator: String,
    pub(crate) translate: String,
}

impl CatalogueNames {
    /// Of the enum with this full name.
    pub(crate) fn new(package: &str, full_name: &str) -> Self {
        let ty = domain_type(package, full_name);
        Self {
            table: format!("{}_TABLE", ty.to_shouty_snake_case()),
            translator: format!("From{}", ty.trim_end_matches('_')),
            translate: format!("from_{}", ty.to_snake_case()),
            ty,
        }
    }

    /// The variant for a reason.
    pub(crate) fn variant(reason: &str) -> String {
        match upper_camel(reason) {
            variant if variant == DOMAIN => variant + "_",
            variant => variant,
        }
    }

    /// The translator's function for a reason.
    pub(crate) fn function(&self, reason: &str) -> String {
        let name = snake(reason);
        if RESERVED_TRANSLATIONS.contains(&name.as_str()) || name == self.translate {
            name + "_"
        } else {
            name
        }
    }
}

/// What the value of a field is called where it stands beside the formatter, or in a format string,
/// which has no raw names. No field ends so, but for those that can't be raw.
pub(crate) fn binding(field: &str) -> String {
    match field.strip_prefix("r#") {
        Some(plain) => format!("{plain}_"),
        None if field == FORMATTER => format!("{field}_"),
        None => field.to_owned(),
    }
}

/// A reason as words, for an error without a message: `item not found`.
pub(crate) fn words(reason: &str) -> String {
    reason.to_ascii_lowercase().replace('_', " ")
}

/// A package's name in its files' names: the package itself, `_` for none, and one more
/// underscore where `foo.api` would otherwise write the file that belongs to `foo`'s `api`.
pub(crate) fn stem(package: &str) -> String {
    let last = package.rsplit('.').next().unwrap_or_default();
    match last.trim_end_matches('_') {
        "" | "api" | "descriptors" | "fakes" | "laws" | "tonic" => format!("{package}_"),
        _ => package.to_owned(),
    }
}

/// The Rust modules of a package, outermost first.
pub(crate) fn modules(package: &str) -> Vec<String> {
    package
        .split('.')
        .filter(|segment| !segment.is_empty())
        .map(snake)
        .collect()
}

/// A module, function or field: `snake_case`, escaped, as prost does it.
pub(crate) fn snake(name: &str) -> String {
    escape(&name.to_snake_case())
}

/// A type: `UpperCamelCase`, escaped, as prost does it.
pub(crate) fn upper_camel(name: &str) -> String {
    escape(&upper_camel_unescaped(name))
}

/// A type of the service layer itself: an entity, an enum or a oneof. One that would hide what the
/// layer uses of the prelude gets an underscore.
pub(crate) fn entity(name: &str) -> String {
    let name = upper_camel(name);
    if HIDING.contains(&name.as_str()) {
        name + "_"
    } else {
        name
    }
}

/// The type of a message or an enum in the service layer, where all of a package stand beside each
/// other: a nested one has the names around it in front, `OrderStatus` for `Order.Status`.
pub(crate) fn domain_type(package: &str, full_name: &str) -> String {
    let inside = full_name
        .strip_prefix(package)
        .map_or(full_name, |rest| rest.trim_start_matches('.'));
    entity(&inside.replace('.', "_"))
}

/// The static with what a mask can name in a patch: `ITEM_PATCH_FIELDS`.
pub(crate) fn patch_fields(entity: &str) -> String {
    format!("{}_PATCH_FIELDS", entity.to_shouty_snake_case())
}

/// A further type for one of the service layer: its mapper or its patch. It hides nothing, so it needs
/// no underscore.
pub(crate) fn beside(name: &str, what: &str) -> String {
    match name.trim_end_matches('_') {
        "" => format!("{name}{what}"),
        plain => format!("{plain}{what}"),
    }
}

/// An enum's variant: the value's name without the enum's, as prost does it.
pub(crate) fn variant(enum_name: &str, value: &str) -> String {
    let value = upper_camel(value);
    let stripped = value
        .strip_prefix(&upper_camel(enum_name))
        .filter(|rest| rest.starts_with(char::is_uppercase));
    escape(stripped.unwrap_or(&value))
}

/// The reason of an error on the wire: the value's name without the enum's, as buf's lint wants
/// it: `ITEM_NOT_FOUND` of `ITEM_ERROR_ITEM_NOT_FOUND`.
pub(crate) fn reason<'a>(enum_name: &str, value: &'a str) -> &'a str {
    let prefix = enum_name.to_shouty_snake_case();
    value
        .strip_prefix(prefix.as_str())
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(value)
}

/// The type of a oneof: suffixed where a nested type has the plain name, as prost does it.
pub(crate) fn oneof_type<'a>(name: &str, mut nested: impl Iterator<Item = &'a str>) -> String {
    let plain = upper_camel(name);
    if nested.any(|nested| upper_camel(nested) == plain) {
        format!("{plain}OneOf")
    } else {
        plain
    }
}

/// A field's name in JSON where the descriptor lacks it, as protoc derives it.
pub(crate) fn json(name: &str) -> String {
    let mut json = String::with_capacity(name.len());
    let mut upper = false;
    for char in name.chars() {
        if char == '_' {
            upper = true;
        } else if upper {
            json.push(char.to_ascii_uppercase());
            upper = false;
        } else {
            json.push(char);
        }
    }
    json
}

/// Tonic's own, naive, snake case, of which it makes its modules' names.
pub(crate) fn tonic_snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    while let Some(char) = chars.next() {
        snake.push(char.to_ascii_lowercase());
        if chars.peek().is_some_and(|next| next.is_uppercase()) {
            snake.push('_');
        }
    }
    snake
}

fn upper_camel_unescaped(name: &str) -> String {
    name.to_upper_camel_case()
}

/// Makes an identifier of what may be a keyword or start with a digit.
fn escape(name: &str) -> String {
    match name {
        // Keywords of the editions 2015 to 2024, used or reserved.
        "abstract" | "as" | "async" | "await" | "become" | "box" | "break" | "const"
        | "continue" | "do" | "dyn" | "else" | "enum" | "false" | "final" | "fn" | "for"
        | "gen" | "if" | "impl" | "in" | "let" | "loop" | "macro" | "match" | "mod" | "move"
        | "mut" | "override" | "priv" | "pub" | "ref" | "return" | "static" | "struct"
        | "trait" | "true" | "try" | "type" | "typeof" | "unsafe" | "unsized" | "use"
        | "virtual" | "where" | "while" | "yield" => format!("r#{name}"),
        // Those that can't be raw.
        "_" | "super" | "self" | "Self" | "extern" | "crate" => format!("{name}_"),
        // A name of underscores alone has no letters to keep.
        "" => "__".to_owned(),
        _ if name.starts_with(char::is_numeric) => format!("_{name}"),
        _ => name.to_owned(),
    }
}
