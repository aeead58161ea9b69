//! The module tree that includes all other files.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;

use super::tokens::{doc, ident};
use crate::GeneratedFile;
use crate::error::Error;
use crate::layout;
use crate::model::{Model, Package};
use crate::options::Options;

/// The file with the tree, under the name that the user gave.
pub(super) fn file(name: &str, model: &Model, options: &Options) -> Result<GeneratedFile, Error> {
    let mut root = Node::default();
    for package in model.packages.iter().filter(|package| package.emit) {
        root.insert(&package.module, package);
    }
    let tokens = root.content("", options);
    Ok(GeneratedFile {
        name: name.to_owned(),
        content: layout::header(&[]) + &layout::tokens(tokens)?,
    })
}

/// A module: the package that it is, if it is one, and those below.
#[derive(Default)]
pub(super) struct Node<'a> {
    pub(super) package: Option<&'a Package>,
    pub(super) children: BTreeMap<&'a str, Node<'a>>,
}

impl<'a> Node<'a> {
    pub(super) fn insert(&mut self, path: &'a [String], package: &'a Package) {
        match path {
            [] => self.package = Some(package),
            [first, rest @ ..] => self
                .children
                .entry(first)
                .or_default()
                .insert(rest, package),
        }
    }

    /// What is said of it.
    pub(super) fn about(&self) -> String {
        match self.package {
            Some(package) => format!("Package `{}`.", package.proto),
            None => "Packages below this name.".to_owned(),
        }
    }

    fn content(&self, parent: &str, options: &Options) -> TokenStream {
        let own = self.package.map(|package| own(package, parent, options));
        let children = self
            .children
            .iter()
            .map(|(name, node)| node.module(name, parent, options));
        quote!(#own #(#children)*)
    }

    fn module(&self, name: &str, parent: &str, options: &Options) -> TokenStream {
        let about = doc(&self.about());
        let inception = allow_inception(name, parent);
        let reach = if parent.is_empty() {
            allow_reach()
        } else {
            TokenStream::new()
        };
        let content = self.content(name, options);
        let name = ident(name);
        quote! {
            #about
            #inception
            #reach
            pub mod #name {
                #content
            }
        }
    }
}

/// What a package's module has of its own; `parent` is the module's name.
fn own(package: &Package, parent: &str, options: &Options) -> TokenStream {
    let stem = &package.stem;
    let messages = format!("{stem}.rs");
    let services = if !package.has_api() {
        TokenStream::new()
    } else {
        let tonic = options.tonic && !package.services.is_empty();
        let tonic = tonic.then(|| format!("{stem}.tonic.rs"));
        let tonic = tonic.iter();
        let what = contents(package);
        let about = doc(&match package.proto.as_str() {
            "" => format!("The {what} without a package."),
            name => format!("The {what} of package `{name}`."),
        });
        let inception = allow_inception(&package.api_module, parent);
        let name = ident(&package.api_module);
        let api = format!("{stem}.api.rs");
        quote! {
            #(include!(#tonic);)*
            #about
            #inception
            pub mod #name {
                include!(#api);
            }
        }
    };
    quote! {
        include!(#messages);
        #services
    }
}

/// What is in a package's `api`: `services, errors and entities`.
fn contents(package: &Package) -> String {
    let all = [
        (!package.services.is_empty(), "services"),
        (!package.catalogues.is_empty(), "errors"),
        (!package.domain.is_empty(), "entities"),
    ];
    let there = all.iter().filter(|(is_there, _)| *is_there);
    let names: Vec<&str> = there.map(|(_, name)| *name).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.concat(),
    }
}

/// For a module with its parent's name, as package `shop.shop` makes one.
pub(super) fn allow_inception(name: &str, parent: &str) -> TokenStream {
    if name != parent {
        return TokenStream::new();
    }
    quote!(#[allow(clippy::module_inception, reason = "the packages are named so")])
}

/// For outermost modules: lints may ask that what can't be reached from outside is not `pub`.
fn allow_reach() -> TokenStream {
    quote!(#[allow(unreachable_pub, reason = "it depends on where the tree is included")])
}
