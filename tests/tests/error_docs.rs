//! The docs know the errors that all services have, though the generator doesn't know the runtime.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

use std::fs;
use std::path::Path;

use apibase::{Code, ERROR_STATUS_TABLE};

#[test]
fn a_page_has_the_nine_errors_as_the_runtime_has_them() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../protoc-gen-apibase/tests/snapshots");
    let page = fs::read_to_string(folder.join("docs__page_says_everything.snap")).unwrap();
    let (_, section) = page.split_once("\n### Errors of all services\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let domain = format!("domain is `{}`", ERROR_STATUS_TABLE.domain());
    assert!(section.contains(&domain), "{section}");

    let shown: Vec<&str> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert_eq!(shown.len(), ERROR_STATUS_TABLE.rows().len());
    for (line, row) in shown.iter().zip(ERROR_STATUS_TABLE.rows()) {
        let retry = if row.retryable { "yes" } else { "no" };
        let code = name(row.code);
        let start = format!("| `{}` | `{code}` | {} | {retry} | ", row.reason, row.http);
        assert!(line.starts_with(&start), "{line}\nis not\n{start}");
        assert_eq!(line.contains("Redacted"), row.redacted, "{line}");
    }
}

/// `NOT_FOUND` of [`Code::NotFound`].
fn name(code: Code) -> String {
    let mut name = String::new();
    for char in format!("{code:?}").chars() {
        if char.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(char.to_ascii_uppercase());
    }
    name
}
