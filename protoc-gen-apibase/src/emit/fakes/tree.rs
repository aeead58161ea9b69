//! The module tree of the fakes: that of the packages over again, in which everything is that was
//! generated, and the fakes beside it.
//!
//! So the types in a file of fakes are named as they are in the service layer, whatever crate the
//! tree is included in.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;

use crate::GeneratedFile;
use crate::emit::tokens::{doc, ident};
use crate::error::Error;
use crate::layout;
use crate::model::{Model, Package};

/// The file of this name with the tree.
pub(in crate::emit) fn tree(name: &str, model: &Model) -> Result<GeneratedFile, Error> {
    let mut root = Node::default();
    let packages = model.packages.iter().filter(|package| package.emit);
    for package in packages.filter(|package| !package.services.is_empty()) {
        root.insert(&package.module, package);
    }
    let content = root.content(&[]);
    let tokens = quote! {
        #[allow(unused_imports, unreachable_pub, reason = "it depends on where the tree is included")]
        pub use __protos::*;

        #content
    };
    Ok(GeneratedFile {
        name: name.to_owned(),
        content: layout::header(&[]) + &layout::tokens(tokens)?,
    })
}

/// A module: the package that it is, if that has fakes, and those below.
#[derive(Default)]
struct Node<'a> {
    package: Option<&'a Package>,
    children: BTreeMap<&'a str, Node<'a>>,
}

impl<'a> Node<'a> {
    fn insert(&mut self, path: &'a [String], package: &'a Package) {
        match path {
            [] => self.package = Some(package),
            [first, rest @ ..] => {
                let child = self.children.entry(first).or_default();
                child.insert(rest, package);
            }
        }
    }

    /// What is in the module at `path`.
    fn content(&self, path: &[&str]) -> TokenStream {
        let api = self.package.map(|package| {
            let name = package.api_module.as_str();
            let about = match package.proto.as_str() {
                "" => "The fakes of the services without a package.".to_owned(),
                proto => format!("The fakes of the services of package `{proto}`."),
            };
            let file = format!("{}.fakes.rs", package.stem);
            let path = [path, &[name]].concat();
            module(&path, &about, &quote!(include!(#file);))
        });
        let children = self.children.iter().map(|(name, node)| {
            let path = [path, &[*name]].concat();
            let about = match node.package {
                Some(package) => format!("Package `{}`.", package.proto),
                None => "Packages below this name.".to_owned(),
            };
            module(&path, &about, &node.content(&path))
        });
        quote!(#api #(#children)*)
    }
}

/// The module at `path`: what is at the same path of the generated code, and `content`.
fn module(path: &[&str], about: &str, content: &TokenStream) -> TokenStream {
    let about = doc(about);
    let (name, parent) = match path {
        [.., parent, name] => (*name, *parent),
        [name] => (*name, ""),
        [] => ("", ""),
    };
    let inception = (name == parent)
        .then(|| quote!(#[allow(clippy::module_inception, reason = "the packages are named so")]));
    let reach = parent.is_empty().then(|| {
        quote!(#[allow(unused_imports, unreachable_pub, reason = "it depends on where the tree is included")])
    });
    let up = path.iter().map(|_| quote!(super));
    let down = path.iter().map(|module| ident(module));
    let name = ident(name);
    quote! {
        #about
        #inception
        #reach
        pub mod #name {
            pub use #(#up::)* __protos #(::#down)* ::*;

            #content
        }
    }
}
