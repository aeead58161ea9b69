//! How methods of a service in `shop.v1` are called, by protos and service configs inline.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::fs;
use std::path::Path;

use protoc_gen_apibase::{Error, Options, Output};

use crate::schema::write;

/// What every file here starts with.
pub(crate) const HEAD: &str =
    "syntax = \"proto3\";\npackage shop.v1;\nimport \"apibase/v1/options.proto\";\nmessage M {}\n";

/// Generates for the services in `body`, with what `configs` say, written as `<index>.json`.
pub(crate) fn generate(body: &str, configs: &[&str]) -> Result<Output, Error> {
    let dir = tempfile::tempdir().unwrap();
    let files = configs.iter().enumerate();
    let files = files.map(|(index, text)| {
        let path = dir.path().join(format!("{index}.json"));
        fs::write(&path, text).unwrap();
        path.display().to_string()
    });
    let options = Options {
        service_configs: files.collect(),
        ..Options::default()
    };
    by(dir.path(), body, options)
}

/// Generates for the services in `body`, written to `dir`.
pub(crate) fn by(dir: &Path, body: &str, options: Options) -> Result<Output, Error> {
    write(dir, &[("shop.proto", &format!("{HEAD}{body}"))]);
    protoc_gen_apibase::Builder::from(options).generate(&["shop.proto"], &[dir])
}

/// Without the folder that the files of a test are in.
fn placeless(text: &str) -> String {
    let folders = text.split(['`', ' ', '\n', ':']);
    let mut folders = folders.filter_map(|word| word.strip_suffix("/0.json"));
    match folders.next() {
        Some(folder) => text.replace(&format!("{folder}/"), ""),
        None => text.to_owned(),
    }
}

/// What is said of what was generated all the same.
pub(crate) fn warnings(output: &Output) -> String {
    let warnings = output.warnings.iter().map(ToString::to_string);
    placeless(&warnings.collect::<Vec<_>>().join("\n"))
}

/// What is said about configs that can't be read.
pub(crate) fn refusal(body: &str, configs: &[&str]) -> String {
    let error = generate(body, configs).unwrap_err();
    assert!(error.is_parameter(), "{error}");
    placeless(&error.to_string())
}

/// The constants of all methods.
pub(crate) fn constants(output: &Output) -> String {
    let files = output.files.iter();
    let apis = files.filter(|file| file.name.ends_with(".api.rs"));
    let lines = apis.flat_map(|file| file.content.lines());
    let mut inside = false;
    let constants = lines.filter(|line| {
        inside |= line.starts_with("pub mod ");
        inside &= !line.starts_with('}');
        inside && !line.contains("METHODS") && !line.contains("All of them")
    });
    constants.collect::<Vec<_>>().join("\n")
}
