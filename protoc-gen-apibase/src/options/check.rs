//! What the types of the options alone don't hold.

use syn::parse::Parser as _;

use super::Options;
use super::parameters::bad;
use crate::error::{Diagnostic, Diagnostics};

/// Pushes all that can't be meant.
pub(super) fn check(options: &Options, problems: &mut Diagnostics) {
    if let Some(name) = &options.include_file {
        check_include_file(name, problems);
    }
    for (proto, rust) in &options.extern_paths {
        check_extern_path(proto, rust, problems);
    }
    for (key, attributes) in [
        ("type_attribute", &options.type_attributes),
        ("field_attribute", &options.field_attributes),
        ("entity_attribute", &options.entity_attributes),
    ] {
        for (path, attribute) in attributes {
            check_attribute(key, path, attribute, problems);
        }
    }
    for (key, paths, example) in [
        ("bytes", &options.bytes, ".shop.Item.picture"),
        ("btree_map", &options.btree_map, ".shop.Item.prices"),
        ("ordered", &options.ordered, ".shop.Item.prices"),
    ] {
        if paths.iter().any(String::is_empty) {
            problems.push(bad(key, "", "is empty").help(format!(
                "`{key}=.` means every field, `{key}={example}` one of them"
            )));
        }
    }
    for (key, value) in [
        ("templates", &options.templates),
        ("config", &options.config),
    ] {
        if value
            .as_ref()
            .is_some_and(|path| path.as_os_str().is_empty())
        {
            problems.push(bad(key, "", "is empty").help("write a path, or leave it out"));
        }
    }
    if options.service_configs.iter().any(String::is_empty) {
        problems.push(bad("service_config", "", "is empty").help("write a path, or leave it out"));
    }
    let emit = options.emit;
    if !emit.rust && !emit.docs && !emit.fakes && !emit.service_config {
        problems.push(
            Diagnostic::new("nothing to generate: no output is asked for")
                .help("use `emit=rust`, `emit=docs`, `emit=fakes`, `emit=service_config` or several of them"),
        );
    }
    check_entities(options, problems);
}

fn check_include_file(name: &str, problems: &mut Diagnostics) {
    let plain = name.ends_with(".rs") && name != ".rs" && !name.contains(['/', '\\']);
    if !plain {
        problems.push(
            bad("include_file", name, "is not the plain name of a Rust file").help(
                "use `include_file=mod.rs`: the file lies beside the others, which it includes \
                 by their relative names",
            ),
        );
    }
}

fn check_extern_path(proto: &str, rust: &str, problems: &mut Diagnostics) {
    if !proto.starts_with('.') || (proto.len() > 1 && proto.ends_with('.')) {
        problems.push(
            bad("extern_path", proto, "is not a full protobuf path").help(
                "start it with a dot and end it with a name, as in \
                 `extern_path=.google.type=::google_types`",
            ),
        );
    }
    if syn::parse_str::<syn::Path>(rust).is_err() {
        problems.push(
            bad("extern_path", rust, "is not a Rust path")
                .help("write a path such as `::google_types` or `crate::google_types`"),
        );
    }
}

fn check_attribute(key: &str, path: &str, attribute: &str, problems: &mut Diagnostics) {
    if path.is_empty() {
        problems.push(
            bad(key, path, "has no path").help(format!("`{key}=.=#[…]` is for every one of them")),
        );
    }
    let parsed = syn::Attribute::parse_outer.parse_str(attribute);
    if !parsed.is_ok_and(|list| !list.is_empty()) {
        problems.push(
            bad(key, attribute, "is not an attribute")
                .help(format!("write it as in `{key}=.shop.Item=#[derive(Eq)]`")),
        );
    }
}

fn check_entities(options: &Options, problems: &mut Diagnostics) {
    for (proto, rust) in &options.entities {
        check_proto("entity", proto, problems);
        check_entity_type(rust, problems);
    }
    for (proto, rust) in &options.with {
        check_proto("with", proto, problems);
        check_mapper(rust, problems);
    }
    for (proto, rust) in &options.newtypes {
        check_proto("newtype", proto, problems);
        check_type("newtype", rust, problems);
    }
    for (name, rust) in &options.kinds {
        if name.is_empty() {
            problems.push(bad("kind", name, "has no name").help(
                "write the field's `(apibase.v1.field).kind`, as in \
                 `kind=item-id=crate::domain::ItemId`",
            ));
        }
        check_type("kind", rust, problems);
    }
    for (proto, field, expr) in &options.extras {
        check_proto("extra", proto, problems);
        check_extra(field, expr, problems);
    }
    for (key, pairs) in [
        ("entity", &options.entities),
        ("with", &options.with),
        ("newtype", &options.newtypes),
        ("kind", &options.kinds),
    ] {
        let named = pairs.iter().map(|(name, rust)| (name.clone(), rust));
        check_doubles(key, &named.collect::<Vec<_>>(), problems);
    }
    let extras = options.extras.iter();
    let named = extras.map(|(proto, field, expr)| (format!("{proto}={field}"), expr));
    check_doubles("extra", &named.collect::<Vec<_>>(), problems);
}

fn check_proto(key: &str, proto: &str, problems: &mut Diagnostics) {
    let is_name = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && part
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || char == '_')
    };
    if proto.split('.').all(is_name) {
        return;
    }
    let example = match key {
        "entity" => "entity=shop.Item=crate::domain::Item",
        "with" => "with=shop.Item.price=crate::domain::PriceMapper",
        "newtype" => "newtype=shop.Item.id=crate::domain::ItemId",
        _ => "extra=shop.Item=cache=Default::default()",
    };
    problems.push(
        bad(key, proto, "is not a full protobuf name")
            .help(format!("name it with its package, as in `{example}`")),
    );
}

/// The type is destructured and built field by field, which takes a plain path.
fn check_entity_type(rust: &str, problems: &mut Diagnostics) {
    match syn::Path::parse_mod_style.parse_str(rust) {
        Ok(path) => check_from_root("entity", rust, &path, problems),
        Err(_) => problems.push(bad("entity", rust, "is not the path of a Rust type").help(
            "write it from the crate's root and without parameters (an alias can have them), \
             as in `crate::domain::Item`",
        )),
    }
}

fn check_mapper(rust: &str, problems: &mut Diagnostics) {
    match syn::parse_str::<syn::Path>(rust) {
        Ok(path) => check_from_root("with", rust, &path, problems),
        Err(_) => problems.push(bad("with", rust, "is not the path of a Rust type").help(
            "name the type that implements `ProtobufMapper`, as in `crate::domain::PriceMapper`",
        )),
    }
}

/// Generated code stands in modules of its own, where neighbours of `build.rs`'s author are none.
fn check_from_root(key: &str, rust: &str, path: &syn::Path, problems: &mut Diagnostics) {
    let first = path.segments.first().map(|first| first.ident.to_string());
    let relative = matches!(first.as_deref(), Some("self" | "super" | "Self"));
    let bare = path.segments.len() == 1 && path.leading_colon.is_none();
    if relative || bare {
        problems.push(
            bad(key, rust, "is not a path from the crate's root").help(format!(
                "generated code stands in a module of its own; write `crate::…` or the name of a \
             crate, as in `crate::{}`",
                rust.trim_start_matches("self::")
                    .trim_start_matches("super::"),
            )),
        );
    }
}

fn check_type(key: &str, rust: &str, problems: &mut Diagnostics) {
    let is_nameable = |parsed: &syn::Type| {
        use syn::Type::{Array, Path, Tuple};
        matches!(parsed, Array(_) | Path(_) | Tuple(_))
    };
    if !syn::parse_str::<syn::Type>(rust).is_ok_and(|parsed| is_nameable(&parsed)) {
        problems.push(
            bad(key, rust, "is not a Rust type")
                .help("write it from the crate's root, as in `crate::domain::ItemId`"),
        );
    }
}

fn check_extra(field: &str, expr: &str, problems: &mut Diagnostics) {
    if syn::parse_str::<syn::Ident>(field).is_err() {
        problems.push(bad("extra", field, "is not the name of a Rust field").help(
            "write the field as your own type has it, as in \
             `extra=shop.Item=cache=Default::default()`",
        ));
    }
    if let Err(error) = syn::parse_str::<syn::Expr>(expr) {
        problems.push(
            bad("extra", expr, "is not a Rust expression")
                .note(error.to_string())
                .help("write one that needs nothing around it, such as `Default::default()`"),
        );
    }
}

fn check_doubles(key: &str, named: &[(String, &String)], problems: &mut Diagnostics) {
    for (index, (name, value)) in named.iter().enumerate() {
        let earlier = named.iter().take(index).find(|(other, _)| other == name);
        if let Some((_, other)) = earlier {
            problems.push(
                Diagnostic::new(format!(
                    "parameter `{key}`: `{name}` is given twice, as `{other}` and as `{value}`"
                ))
                .help("remove one of the two"),
            );
        }
    }
}
