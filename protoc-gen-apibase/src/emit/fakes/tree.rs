//! The module tree of the fakes: that of the packages over again, in which everything is that was
//! generated, and the fakes beside it.
//!
//! So the types in a file of fakes are named as they are in the service layer, whatever crate the
//! tree is included in.

use proc_macro2::TokenStream;
use quote::quote;

use crate::GeneratedFile;
use crate::emit::tokens::{doc, ident};
use crate::emit::tree::{Node, allow_inception};
use crate::error::Error;
use crate::layout;
use crate::model::Model;

/// The file of this name with the tree.
pub(in crate::emit) fn tree(name: &str, model: &Model) -> Result<GeneratedFile, Error> {
    let mut root = Node::default();
    let packages = model.packages.iter().filter(|package| package.emit);
    for package in packages.filter(|package| !package.services.is_empty()) {
        root.insert(&package.module, package);
    }
    let content = content(&root, &[]);
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

/// What is in the module at `path`.
fn content(node: &Node<'_>, path: &[&str]) -> TokenStream {
    let api = node.package.map(|package| {
        let name = package.api_module.as_str();
        let about = match package.proto.as_str() {
            "" => "The fakes of the services without a package.".to_owned(),
            proto => format!("The fakes of the services of package `{proto}`."),
        };
        let file = format!("{}.fakes.rs", package.stem);
        let path = [path, &[name]].concat();
        module(&path, &about, &quote!(include!(#file);))
    });
    let children = node.children.iter().map(|(name, node)| {
        let path = [path, &[*name]].concat();
        module(&path, &node.about(), &content(node, &path))
    });
    quote!(#api #(#children)*)
}

/// The module at `path`: what is at the same path of the generated code, and `content`.
fn module(path: &[&str], about: &str, content: &TokenStream) -> TokenStream {
    let about = doc(about);
    let (name, parent) = match path {
        [.., parent, name] => (*name, *parent),
        [name] => (*name, ""),
        [] => ("", ""),
    };
    let inception = allow_inception(name, parent);
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
