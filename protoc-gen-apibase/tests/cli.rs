//! The command line, run as a person or CI runs it.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const A: &str = "syntax = \"proto3\";\npackage a;\n// Serves.\nservice AService {\n  // Does.\n  rpc Do(M) returns (M);\n}\n// One.\nmessage M {}\n";

struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn run(dir: &Path, arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_protoc-gen-apibase"))
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output();
    output.unwrap().into()
}

/// `generate -I protos --out gen …`
fn generate(dir: &Path, more: &[&str]) -> Run {
    run(
        dir,
        &[&["generate", "-I", "protos", "--out", "gen"], more].concat(),
    )
}

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("protos")).unwrap();
    fs::write(dir.path().join("protos/a.proto"), A).unwrap();
    dir
}

#[test]
fn version_and_help_answer() {
    let dir = project();
    let version = run(dir.path(), &["--version"]);
    let expected = concat!("protoc-gen-apibase ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!((version.code, version.stdout.as_str()), (Some(0), expected));
    let help = run(dir.path(), &["--help"]);
    assert_eq!(help.code, Some(0));
    for part in [
        "protoc -I",
        "buf ",
        "build.rs",
        "include_file=FILE",
        "tonic[=true|false]",
    ] {
        assert!(help.stdout.contains(part), "{part}: {}", help.stdout);
    }
}

#[test]
fn generate_says_what_it_wrote() {
    let dir = project();
    let first = generate(dir.path(), &["protos/a.proto"]);
    assert_eq!(
        (first.code, first.stderr.as_str()),
        (Some(0), "wrote 3 files to gen/\n")
    );
    let second = generate(dir.path(), &["--opt", "include_file=mod.rs", "a.proto"]);
    assert_eq!(second.stderr, "wrote 1 file to gen/, 3 unchanged\n");
    let third = generate(dir.path(), &["--opt", "include_file=mod.rs", "a.proto"]);
    assert_eq!(third.stderr, "gen/ is up to date (4 files)\n");
    assert_eq!(fs::read_dir(dir.path().join("gen")).unwrap().count(), 4);
}

#[test]
fn check_passes_when_nothing_would_change() {
    let dir = project();
    generate(dir.path(), &["a.proto"]);
    let check = generate(dir.path(), &["--check", "a.proto"]);
    assert_eq!((check.code, check.stdout.as_str()), (Some(0), ""));
    assert_eq!(check.stderr, "gen/ is up to date (3 files)\n");
}

#[test]
fn check_shows_what_is_stale_missing_and_left_over() {
    let dir = project();
    generate(dir.path(), &["--opt", "include_file=mod.rs", "a.proto"]);
    let api = dir.path().join("gen/a.api.rs");
    let edited = fs::read_to_string(&api)
        .unwrap()
        .replace("/// Does.", "/// Did.");
    fs::write(&api, &edited).unwrap();
    fs::remove_file(dir.path().join("gen/a.rs")).unwrap();
    fs::write(dir.path().join("gen/own.rs"), "// Written by hand.\n").unwrap();

    let check = generate(dir.path(), &["--check", "--opt", "tonic=false", "a.proto"]);
    assert_eq!(check.code, Some(1));
    for line in [
        "--- gen/a.api.rs",
        "+++ gen/a.api.rs (generated)",
        "-    /// Did.",
        "+    /// Does.",
        "--- /dev/null",
        "+++ gen/a.rs (generated)",
        "+pub struct M {}",
    ] {
        assert!(
            check.stdout.lines().any(|found| found == line),
            "{line}: {}",
            check.stdout
        );
    }
    assert_eq!(
        check.stderr,
        "error: gen/ is not up to date\n  \
         gen/a.rs: missing\n  \
         gen/a.api.rs: stale\n  \
         gen/mod.rs: no longer generated\n  \
         help: run `protoc-gen-apibase generate -I protos --out gen --opt tonic=false a.proto && \
         rm gen/mod.rs` and commit the result\n"
    );
    // It only looks.
    assert_eq!(fs::read_to_string(&api).unwrap(), edited);
    assert!(!dir.path().join("gen/a.rs").exists());
}

#[test]
fn check_ignores_windows_line_ends() {
    let dir = project();
    generate(dir.path(), &["a.proto"]);
    let api = dir.path().join("gen/a.api.rs");
    let windows = fs::read_to_string(&api).unwrap().replace('\n', "\r\n");
    fs::write(&api, windows).unwrap();
    assert_eq!(generate(dir.path(), &["--check", "a.proto"]).code, Some(0));
}

#[test]
fn error_writes_nothing() {
    let dir = project();
    generate(dir.path(), &["a.proto"]);
    let before = fs::read_to_string(dir.path().join("gen/a.rs")).unwrap();
    fs::write(dir.path().join("protos/a.proto"), A.replace("(M)", "(N)")).unwrap();
    let failed = generate(dir.path(), &["a.proto"]);
    assert_eq!(failed.code, Some(1));
    assert!(
        failed
            .stderr
            .starts_with("a.proto:6:10: name 'N' is not defined"),
        "{}",
        failed.stderr
    );
    assert!(
        failed.stderr.contains("error: nothing was generated"),
        "{}",
        failed.stderr
    );
    assert_eq!(
        fs::read_to_string(dir.path().join("gen/a.rs")).unwrap(),
        before
    );
    assert_eq!(fs::read_dir(dir.path().join("gen")).unwrap().count(), 3);
}

#[test]
fn bad_arguments_are_explained() {
    let dir = project();
    let no_file = generate(dir.path(), &[]);
    assert_eq!(no_file.code, Some(2));
    assert!(no_file.stderr.contains("<FILE>..."), "{}", no_file.stderr);
    for (arguments, part) in [
        (&["nope.proto"][..], "`nope.proto` is not found"),
        (
            &["-I", "nope", "a.proto"],
            "the include directory `nope` does not exist",
        ),
        (&["-I", "./protos", "a.proto"], "`./protos` is given twice"),
        (&["--opt", "tonc", "a.proto"], "did you mean `tonic`?"),
        (
            &["--opt", "templates=nope", "--opt", "emit=docs", "a.proto"],
            "has no `docs/service.md.jinja`",
        ),
    ] {
        let failed = generate(dir.path(), arguments);
        assert_eq!(failed.code, Some(1), "{arguments:?}");
        assert!(failed.stderr.contains(part), "{part}: {}", failed.stderr);
    }
}

#[test]
fn garbage_on_stdin_is_a_message_and_a_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_protoc-gen-apibase"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&[0xFF; 64]).unwrap();
    let failed = Run::from(child.wait_with_output().unwrap());
    assert_eq!((failed.code, failed.stdout.as_str()), (Some(1), ""));
    assert!(
        failed
            .stderr
            .contains("does not hold a CodeGeneratorRequest"),
        "{}",
        failed.stderr
    );
    // Nothing at all is no request either.
    let empty = run(Path::new("."), &[]);
    assert_eq!((empty.code, empty.stdout.as_str()), (Some(1), ""));
    assert!(
        empty.stderr.contains("it names no file"),
        "{}",
        empty.stderr
    );
}
