//! One emitter per output. They write what the model says and decide nothing.

mod client;
mod descriptors;
mod docs;
mod entities;
mod errors;
mod fakes;
mod laws;
mod messages;
mod methods;
mod policies;
mod server;
mod service_config;
mod servicer;
mod tokens;
mod tonic;
mod tree;

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use crate::GeneratedFile;
use crate::descriptors::Descriptors;
use crate::error::{Diagnostic, Error};
use crate::layout::{self, Banner};
use crate::model::{Model, Package};
use crate::options::Options;

/// The module tree of the fakes. No package's file is named so (rule 1 of NAMING.md).
const FAKES: &str = "fakes.rs";

/// All files of a run, by package.
///
/// # Errors
///
/// When prost-build or a docs template refuses what the model let through.
pub(crate) fn files(
    model: &Model,
    descriptors: &Descriptors,
    options: &Options,
) -> Result<Vec<GeneratedFile>, Error> {
    let mut files = Vec::new();
    if options.emit.rust {
        let mut messages = messages::generate(model, descriptors, options)?;
        for package in model.packages.iter().filter(|package| package.emit) {
            let body = messages.remove(&package.proto).unwrap_or_default();
            files.push(rust(&package.stem, &package.sources, &body));
            if package.has_api() {
                files.extend(service_layer(package, options)?);
            }
        }
        if let Some(name) = &options.include_file {
            files.push(tree::file(name, model, options)?);
        }
    }
    if options.emit.fakes {
        files.extend(fakes(model, options)?);
    }
    if options.emit.service_config {
        let packages = model.packages.iter();
        let with_services = packages.filter(|package| !package.services.is_empty());
        files.extend(with_services.map(service_config::file));
    }
    if options.emit.docs {
        files.extend(docs::pages(model, options.templates.as_deref())?);
    }
    check_include_file(&files, options)?;
    Ok(files)
}

/// The tree's name is the user's, and may be that of another file.
fn check_include_file(files: &[GeneratedFile], options: &Options) -> Result<(), Error> {
    let Some(name) = &options.include_file else {
        return Ok(());
    };
    let mut namesakes = files.iter().filter(|file| file.name == *name);
    match (namesakes.next(), namesakes.next()) {
        (Some(_), Some(_)) => Err(taken(name, "a package's file")),
        _ => Ok(()),
    }
}

/// A file for each package with services, and their tree where there is one of the packages.
fn fakes(model: &Model, options: &Options) -> Result<Vec<GeneratedFile>, Error> {
    let mut files = Vec::new();
    for package in model.packages.iter().filter(|package| package.emit) {
        if !package.services.is_empty() {
            let body = layout::tokens(fakes::file(package))?;
            files.push(rust(
                &format!("{}.fakes", package.stem),
                &sources(package),
                &body,
            ));
        }
    }
    if let Some(name) = &options.include_file {
        if name == FAKES {
            return Err(taken(name, "the module tree of the fakes"));
        }
        files.push(fakes::tree(FAKES, model)?);
    }
    Ok(files)
}

fn taken(include_file: &str, of: &str) -> Error {
    Error::parameter(vec![
        Diagnostic::new(format!(
            "parameter `include_file`: `{include_file}` is the name of {of}"
        ))
        .help("choose another name, such as `mod.rs`"),
    ])
}

fn service_layer(package: &Package, options: &Options) -> Result<Vec<GeneratedFile>, Error> {
    let stem = &package.stem;
    let sources = sources(package);
    let mut files = vec![rust(
        &format!("{stem}.api"),
        &sources,
        &layout::tokens(api(package, options))?,
    )];
    if options.laws && !package.domain.is_empty() {
        let laws = layout::tokens(laws::file(&package.domain))?;
        files.push(rust(&format!("{stem}.laws"), &sources, &laws));
    }
    if package.services.is_empty() {
        return Ok(files);
    }
    files.push(rust(
        &format!("{stem}.descriptors"),
        &package.sources,
        &descriptors::constant(package),
    ));
    if options.tonic {
        let modules = layout::tokens(tonic::modules(package))?;
        files.push(rust(&format!("{stem}.tonic"), &sources, &modules));
    }
    Ok(files)
}

/// Everything inside a package's `api` module.
fn api(package: &Package, options: &Options) -> TokenStream {
    let comment =
        layout::comment("Fails to compile when the runtime is older than this file's surface.");
    let descriptors = (!package.services.is_empty()).then(|| {
        let file = format!("{}.descriptors.rs", package.stem);
        quote!(include!(#file);)
    });
    let runtime = if package.services.is_empty() {
        quote!(
            use ::apibase::codegen as rt;
        )
    } else {
        quote!(
            use ::apibase::codegen::{self as rt, Future};
        )
    };
    let mapper = (!package.domain.is_empty()).then(|| {
        quote! {
            use ::apibase::codegen::map::{self, ProtobufMapper as _};
        }
    });
    let errors = errors::section(&package.catalogues);
    let entities = entities::section(&package.domain);
    let laws = (options.laws && !package.domain.is_empty()).then(|| {
        let file = format!("{}.laws.rs", package.stem);
        quote! {
            #[cfg(test)]
            include!(#file);
        }
    });
    let services = package.services.iter().map(|service| {
        let banner = Banner(format!("Service {}", service.proto_name));
        let servicer = servicer::definition(service, &banner);
        let server = server::definition(service);
        let client = client::definition(service);
        let methods = methods::module(service);
        quote!(#servicer #server #client #methods)
    });
    quote! {
        #runtime
        #mapper

        #comment
        const _: () = rt::surface::R1;

        #descriptors

        #(#services)*

        #errors

        #entities

        #laws
    }
}

/// The files whose services, errors and entities are in the package's `api`.
fn sources(package: &Package) -> Vec<String> {
    let services = package.services.iter().map(|service| &service.source);
    let entities = package.domain.entities.iter().map(|entity| &entity.source);
    let enums = package.domain.enums.iter().map(|found| &found.source);
    let errors = package.catalogues.iter().map(|found| &found.source);
    let all = services.chain(errors).chain(entities).chain(enums);
    let all: BTreeSet<&String> = all.collect();
    all.into_iter().cloned().collect()
}

fn rust(stem: &str, sources: &[String], body: &str) -> GeneratedFile {
    let mut content = layout::header(sources);
    if body.is_empty() {
        // The blank line that would stand between the two.
        content.pop();
    }
    GeneratedFile {
        name: format!("{stem}.rs"),
        content: content + body,
    }
}
