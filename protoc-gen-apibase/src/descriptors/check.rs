//! What must hold before anything else looks at the descriptors: prost-reflect and prost-build
//! panic on some of what is refused here.

use std::collections::BTreeMap;

use prost::Message as _;

use crate::error::{Diagnostic, Diagnostics, Error};

/// The files of a descriptor set, by name, each with its bytes as they came.
pub(super) type RawFiles = BTreeMap<String, RawFile>;

/// A file's bytes, and the little that is read of them at this point.
pub(super) struct RawFile {
    pub(super) bytes: Vec<u8>,
    pub(super) dependencies: Vec<String>,
}

/// A `FileDescriptorSet` whose files stay bytes, so that no field is lost.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SetBytes {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(super) file: Vec<Vec<u8>>,
}

/// Of a `FileDescriptorProto` what is checked; prost-types lacks `edition`.
#[derive(Clone, PartialEq, prost::Message)]
struct Head {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, repeated, tag = "3")]
    dependency: Vec<String>,
    #[prost(string, tag = "12")]
    syntax: String,
    #[prost(int32, optional, tag = "14")]
    edition: Option<i32>,
}

/// Splits a descriptor set into its files.
///
/// # Errors
///
/// When the bytes are no descriptor set, or a file can't be generated for: editions, a missing
/// import, two files of one name.
pub(super) fn split(descriptor_set: &[u8]) -> Result<RawFiles, Error> {
    let set = SetBytes::decode(descriptor_set)
        .map_err(|error| Error::input(format!("the descriptor set can't be read: {error}")))?;
    let mut files = RawFiles::new();
    let mut problems = Diagnostics::new();
    for bytes in set.file {
        let head = Head::decode(bytes.as_slice()).map_err(|error| {
            Error::input(format!(
                "a file of the descriptor set can't be read: {error}"
            ))
        })?;
        problems.extend(refusal(&head));
        let twin = files
            .get(&head.name)
            .is_some_and(|file| file.bytes != bytes);
        if twin {
            problems.push(
                Diagnostic::new("two different files have this name")
                    .in_file(&head.name)
                    .help("give one of them another path, or pass only one of them"),
            );
        }
        let file = RawFile {
            bytes,
            dependencies: head.dependency,
        };
        files.insert(head.name, file);
    }
    problems.extend(missing_imports(&files));
    problems.finish()?;
    Ok(files)
}

/// The files' names with every file after what it imports, the rest in the order of their
/// names, whatever order they came in.
///
/// # Errors
///
/// When files import each other in a circle.
pub(super) fn in_order(files: &RawFiles) -> Result<Vec<String>, Error> {
    let mut done: Vec<String> = Vec::with_capacity(files.len());
    // Depth first without recursion: a chain of imports may be longer than the stack is deep.
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for name in files.keys() {
        if seen.insert(name.as_str()) {
            open.push((name, 0));
        }
        while let Some((name, next)) = open.last_mut() {
            let dependency = files
                .get(*name)
                .and_then(|file| file.dependencies.get(*next));
            *next += 1;
            match dependency {
                None => {
                    done.push((*name).to_owned());
                    open.pop();
                }
                Some(dependency) if seen.insert(dependency) => open.push((dependency, 0)),
                Some(dependency) if open.iter().any(|(open, _)| open == dependency) => {
                    return Err(cycle(dependency).into());
                }
                Some(_) => {}
            }
        }
    }
    Ok(done)
}

fn refusal(head: &Head) -> Option<Diagnostic> {
    if head.name.is_empty() {
        return Some(Diagnostic::new("a file of the descriptor set has no name"));
    }
    match head.syntax.as_str() {
        "editions" => {}
        "" | "proto2" | "proto3" if head.edition.is_none() => return None,
        "" | "proto2" | "proto3" => {}
        other => {
            return Some(
                Diagnostic::new(format!("syntax \"{other}\" is not known"))
                    .in_file(&head.name)
                    .help("use syntax = \"proto3\";"),
            );
        }
    }
    Some(
        Diagnostic::new("editions are not supported yet")
            .in_file(&head.name)
            .help("replace `edition = …;` by syntax = \"proto3\";"),
    )
}

fn missing_imports(files: &RawFiles) -> Vec<Diagnostic> {
    let mut missing = Vec::new();
    for (name, file) in files {
        for dependency in &file.dependencies {
            if !files.contains_key(dependency) {
                missing.push(
                    Diagnostic::new(format!(
                        "imports {dependency}, which the descriptor set lacks"
                    ))
                    .in_file(name)
                    .help("write the descriptor set with its imports (protoc: --include_imports)"),
                );
            }
        }
    }
    missing
}

fn cycle(name: &str) -> Diagnostic {
    Diagnostic::new("imports itself, directly or through others")
        .in_file(name)
        .help("move what both sides need into a third file")
}
