//! The way in from protoc and buf: a request on stdin, a response on stdout.

use std::path::Path;

use prost::Message;

use crate::error::{Diagnostic, Error};
use crate::options::Given;
use crate::{Imports, Output, Request};

/// What the plugin answers.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The encoded `CodeGeneratorResponse`, for stdout. Errors of the schema and of the
    /// parameters are inside, as the protocol wants it.
    pub(crate) response: Vec<u8>,
    /// For stderr.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// Answers an encoded `google.protobuf.compiler.CodeGeneratorRequest`.
///
/// # Errors
///
/// When `request` is none: the one thing that the protocol reports by a message on stderr and a
/// non-zero exit.
pub(crate) fn answer(request: &[u8]) -> Result<Reply, Error> {
    let request = CodeGeneratorRequest::decode(request).map_err(|error| {
        Error::input(format!(
            "stdin does not hold a CodeGeneratorRequest: {error}"
        ))
    })?;
    if request.file_to_generate.is_empty() {
        return Err(Error::input(
            "stdin does not hold a CodeGeneratorRequest: it names no file to generate",
        ));
    }
    let (response, warnings) = match run(request) {
        Ok(output) => (
            CodeGeneratorResponse::of_files(output.files),
            output.warnings,
        ),
        Err(error) if error.is_input() => return Err(error),
        Err(error) => (CodeGeneratorResponse::of_error(&error), Vec::new()),
    };
    Ok(Reply {
        response: response.encode_to_vec(),
        warnings,
    })
}

fn run(request: CodeGeneratorRequest) -> Result<Output, Error> {
    let given = Given::parse(request.parameter.as_deref().unwrap_or_default());
    let options = given.complete(Path::new("")).result?;
    let descriptor_set = FileDescriptorSet {
        file: with_source_options(request.proto_file, request.source_file_descriptors)?,
    };
    let output = crate::generate(&Request {
        descriptor_set: descriptor_set.encode_to_vec(),
        files: request.file_to_generate,
        imports: Imports::Skip,
        options,
    })?;
    crate::builder::write::check_names(&output.files)?;
    Ok(output)
}

/// The files, of which the ones asked for are taken from `source` where it has them.
///
/// protoc strips options with `RETENTION_SOURCE` from the files asked for (and only from those)
/// and gives the unstripped ones in a field of their own. protox strips nothing, so taking those
/// makes all ways in see the same options.
fn with_source_options(
    mut files: Vec<Vec<u8>>,
    source: Vec<Vec<u8>>,
) -> Result<Vec<Vec<u8>>, Error> {
    let mut names = Vec::new();
    for file in &files {
        names.push(name_of(file)?);
    }
    for unstripped in source {
        let name = name_of(&unstripped)?;
        let place = names.iter().position(|known| *known == name);
        if let Some(file) = place.and_then(|place| files.get_mut(place)) {
            *file = unstripped;
        }
    }
    Ok(files)
}

fn name_of(file: &[u8]) -> Result<String, Error> {
    let named = NamedFile::decode(file)
        .map_err(|error| Error::input(format!("stdin holds a garbled file descriptor: {error}")))?;
    Ok(named.name)
}

// Own structs: prost-types' request lacks `source_file_descriptors`, and its files lose the
// options that it doesn't know, custom ones among them. Files stay encoded here.

/// `google.protobuf.compiler.CodeGeneratorRequest`
#[derive(Clone, PartialEq, Message)]
struct CodeGeneratorRequest {
    #[prost(string, repeated, tag = "1")]
    file_to_generate: Vec<String>,
    #[prost(string, optional, tag = "2")]
    parameter: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "15")]
    proto_file: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "17")]
    source_file_descriptors: Vec<Vec<u8>>,
}

/// `google.protobuf.FileDescriptorSet`
#[derive(Clone, PartialEq, Message)]
struct FileDescriptorSet {
    #[prost(bytes = "vec", repeated, tag = "1")]
    file: Vec<Vec<u8>>,
}

/// The name of a `google.protobuf.FileDescriptorProto`.
#[derive(Clone, PartialEq, Message)]
struct NamedFile {
    #[prost(string, tag = "1")]
    name: String,
}

/// `google.protobuf.compiler.CodeGeneratorResponse`
///
/// Without `minimum_edition` and `maximum_edition`, which only mean something beside
/// `FEATURE_SUPPORTS_EDITIONS`: without that, protoc and buf refuse editions files themselves.
#[derive(Clone, PartialEq, Message)]
struct CodeGeneratorResponse {
    #[prost(string, optional, tag = "1")]
    error: Option<String>,
    #[prost(uint64, optional, tag = "2")]
    supported_features: Option<u64>,
    #[prost(message, repeated, tag = "15")]
    file: Vec<ResponseFile>,
}

/// `google.protobuf.compiler.CodeGeneratorResponse.File`
#[derive(Clone, PartialEq, Message)]
struct ResponseFile {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "15")]
    content: Option<String>,
}

const FEATURE_PROTO3_OPTIONAL: u64 = 1;

impl CodeGeneratorResponse {
    fn of_files(files: Vec<crate::GeneratedFile>) -> Self {
        let file = files
            .into_iter()
            .map(|file| ResponseFile {
                name: Some(file.name),
                content: Some(file.content),
            })
            .collect();
        Self {
            error: None,
            supported_features: Some(FEATURE_PROTO3_OPTIONAL),
            file,
        }
    }

    fn of_error(error: &Error) -> Self {
        Self {
            error: Some(error.to_string()),
            supported_features: Some(FEATURE_PROTO3_OPTIONAL),
            file: Vec::new(),
        }
    }
}
