//! Comments of protos were written for everyone: rustdoc must make no tests of them.
//!
//! That it accepts them without a warning shows where the crate is documented, `cargo doc` with
//! `-D warnings`, since its library has all fixtures in it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Words after a fence that make rustdoc take what follows for Rust.
const RUST: &[&str] = &[
    "rust",
    "should_panic",
    "no_run",
    "compile_fail",
    "ignore",
    "edition",
];

#[test]
fn no_comment_is_a_doctest() {
    let mut blocks = 0;
    for file in generated(Path::new(env!("OUT_DIR"))) {
        let content = fs::read_to_string(&file).unwrap();
        for docs in comments(&content) {
            blocks += check(&docs, &file);
        }
    }
    // The fixture of comments alone has more.
    assert!(blocks > 10, "only {blocks} code blocks were looked at");
}

/// Checks one doc comment; gives the number of its code blocks.
fn check(docs: &[&str], file: &Path) -> usize {
    let mut blocks = 0;
    let mut fence: Option<&str> = None;
    let mut blank_before = true;
    for line in docs {
        let text = line.trim_start();
        let ticks = text.len() - text.trim_start_matches('`').len();
        match fence {
            Some(open) if ticks >= open.len() => fence = None,
            Some(_) => {}
            None if ticks >= 3 => {
                fence = text.get(..ticks);
                let info = text.get(ticks..).unwrap_or_default();
                let first = info.split([',', ' ', '{']).next().unwrap_or_default();
                let rust = first.is_empty() || RUST.iter().any(|word| first.starts_with(word));
                assert!(!rust, "{}: {line:?} opens a doctest", file.display());
                blocks += 1;
            }
            // Behind text it goes on with the paragraph, wherever it starts.
            None if blank_before => {
                let indented = line.starts_with("     ") && !text.is_empty();
                assert!(!indented, "{}: {line:?} is a doctest", file.display());
            }
            None => {}
        }
        blank_before = text.is_empty();
    }
    assert!(
        fence.is_none(),
        "{}: a fence is left open in {docs:?}",
        file.display()
    );
    blocks
}

/// The doc comments of a file, each as its lines without the slashes.
fn comments(content: &str) -> Vec<Vec<&str>> {
    let mut comments = vec![Vec::new()];
    for line in content.lines() {
        match (line.trim_start().strip_prefix("///"), comments.last_mut()) {
            (Some(text), Some(comment)) => comment.push(text),
            _ => comments.push(Vec::new()),
        }
    }
    comments
}

fn generated(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(generated(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
