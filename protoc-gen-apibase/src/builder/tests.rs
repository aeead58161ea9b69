//! What protox reports, as ours; names of files; what cargo is told.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::compile::{Compiled, compile};
use super::names::file_name;
use super::watch_lines;
use super::write::{check_names, write};
use crate::GeneratedFile;

fn protos(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn compile_in(dir: &TempDir, files: &[&str]) -> Compiled {
    compile(files, &[dir.path()])
}

fn message(compiled: Compiled) -> String {
    match compiled.result {
        Ok(_) => panic!("it compiled"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn syntax_error_has_line_and_column() {
    let dir = protos(&[(
        "a.proto",
        "syntax = \"proto3\";\nmessage A {\n  strin g = 1\n}\n",
    )]);
    assert_eq!(
        message(compile_in(&dir, &["a.proto"])),
        "a.proto:4:1: expected ';' or '[', but found '}'"
    );
}

#[test]
fn unknown_type_has_line_and_column() {
    let dir = protos(&[(
        "a.proto",
        "syntax = \"proto3\";\nmessage A {\n  B b = 1;\n}\n",
    )]);
    let text = message(compile_in(&dir, &["a.proto"]));
    assert!(
        text.starts_with("a.proto:3:3: name 'B' is not defined"),
        "{text}"
    );
}

#[test]
fn clash_names_both_places() {
    let dir = protos(&[(
        "a.proto",
        "syntax = \"proto3\";\nmessage A {}\nmessage A {}\n",
    )]);
    let text = message(compile_in(&dir, &["a.proto"]));
    assert!(text.starts_with("a.proto:3:9: "), "{text}");
    assert!(
        text.contains("\n  note: a.proto:2:9: first defined here"),
        "{text}"
    );
}

#[test]
fn missing_import_says_where_and_what_to_do() {
    let dir = protos(&[("a.proto", "syntax = \"proto3\";\nimport \"b.proto\";\n")]);
    let text = message(compile_in(&dir, &["a.proto"]));
    assert!(
        text.starts_with("a.proto:2:1: import 'b.proto' not found\n  help: add"),
        "{text}"
    );
}

#[test]
fn errors_of_all_files_come_together() {
    let dir = protos(&[("a.proto", "massage A {}"), ("b.proto", "massage B {}")]);
    let text = message(compile_in(&dir, &["a.proto", "b.proto", "c.proto"]));
    assert!(text.contains("a.proto:1:1: "), "{text}");
    assert!(text.contains("b.proto:1:1: "), "{text}");
    assert!(text.contains("`c.proto` is not found"), "{text}");
}

#[test]
fn editions_file_is_refused_by_a_sentence() {
    let dir = protos(&[
        (
            "a.proto",
            "// one\n/* two */ edition = \"2023\";\nmessage A {}\n",
        ),
        ("b.proto", "syntax = \"proto3\";\nimport \"a.proto\";\n"),
    ]);
    for files in [&["a.proto"][..], &["b.proto"], &["a.proto", "b.proto"]] {
        let text = message(compile_in(&dir, files));
        assert!(
            text.starts_with("a.proto:2:11: editions are not supported yet\n"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}

#[test]
fn missing_and_repeated_includes_are_named() {
    let dir = protos(&[("a.proto", "")]);
    let here = dir.path();
    let twice = here.join("../").join(here.file_name().unwrap());
    let text = message(compile(
        &["a.proto"],
        &[here, &twice, &here.join("no"), &here.join("a.proto")],
    ));
    assert!(text.contains("is given twice"), "{text}");
    assert!(text.contains("no` does not exist"), "{text}");
    assert!(text.contains("a.proto` is not a directory"), "{text}");
}

#[test]
fn nothing_given_is_an_error() {
    let none: [&str; 0] = [];
    let text = message(compile(&none, &none));
    assert!(text.contains("no proto file is given"), "{text}");
    assert!(text.contains("no include directory is given"), "{text}");
}

#[test]
fn read_files_include_imports_but_no_bundled_ones() {
    let dir = protos(&[
        (
            "x/a.proto",
            "syntax = \"proto3\";\nimport \"b.proto\";\nimport \"google/protobuf/empty.proto\";\n",
        ),
        ("b.proto", "syntax = \"proto3\";\n"),
        ("unread.proto", ""),
    ]);
    let expected = [dir.path().join("b.proto"), dir.path().join("x/a.proto")];
    assert_eq!(compile_in(&dir, &["x/a.proto"]).read, expected);
}

#[test]
fn copies_of_bundled_files_are_not_read() {
    let dir = protos(&[
        (
            "a.proto",
            "syntax = \"proto3\";\nimport \"google/protobuf/empty.proto\";\n",
        ),
        ("google/protobuf/empty.proto", "syntax of next year"),
    ]);
    let compiled = compile_in(&dir, &["a.proto"]);
    assert!(compiled.result.is_ok());
    assert_eq!(compiled.read, [dir.path().join("a.proto")]);
}

#[test]
fn read_files_are_known_after_an_error() {
    let dir = protos(&[
        ("a.proto", "syntax = \"proto3\";\nimport \"b.proto\";\n"),
        ("b.proto", "massage"),
    ]);
    let compiled = compile_in(&dir, &["a.proto"]);
    assert!(compiled.result.is_err());
    assert_eq!(
        compiled.read,
        [dir.path().join("a.proto"), dir.path().join("b.proto")]
    );
}

#[test]
fn cargo_watches_only_what_exists() {
    let dir = protos(&[("a.proto", "")]);
    let read = [dir.path().join("a.proto"), PathBuf::from("no/such.proto")];
    let expected = format!("cargo:rerun-if-changed={}", read[0].display());
    assert_eq!(watch_lines(&read), [expected]);
}

#[test]
fn configs_and_templates_are_watched_too() {
    let dir = protos(&[
        ("a.proto", "syntax = \"proto3\";\n"),
        ("apibase.toml", ""),
        ("conf/shop.json", "{}"),
    ]);
    let config = dir.path().join("apibase.toml");
    let calls = dir.path().join("conf/shop.json");
    let builder = crate::configure().config(&config).templates("my");
    let builder = builder.service_config(calls.display().to_string());
    let read = |builder: crate::Builder| builder.run(&["a.proto"], &[dir.path()]).1;
    let all = [
        config.clone(),
        PathBuf::from("my"),
        calls.clone(),
        dir.path().join("a.proto"),
    ];
    assert_eq!(read(builder.clone()), all);
    // Mending a file must bring the build script back.
    fs::write(&calls, "{").unwrap();
    assert_eq!(read(builder.clone()), all);
    assert_eq!(read(builder.include_file("mod")), [config]);
}

#[test]
fn file_is_found_by_path_and_by_name() {
    let dir = protos(&[("one/x/a.proto", ""), ("two/b.proto", ""), ("c.proto", "")]);
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let includes = [one.as_path(), two.as_path()];
    let name = |file: &Path| file_name(file, &includes).map_err(|error| error.to_string());
    assert_eq!(name(Path::new("x/a.proto")).unwrap(), "x/a.proto");
    assert_eq!(name(&one.join("x/a.proto")).unwrap(), "x/a.proto");
    assert_eq!(name(&one.join("./x/../x/a.proto")).unwrap(), "x/a.proto");
    assert_eq!(name(&two.join("b.proto")).unwrap(), "b.proto");
    assert!(
        name(&dir.path().join("c.proto"))
            .unwrap_err()
            .contains("lies in no include")
    );
    assert!(
        name(Path::new("d.proto"))
            .unwrap_err()
            .contains("is not found")
    );
}

#[test]
fn deepest_include_names_the_file() {
    let dir = protos(&[("protos/a.proto", "")]);
    let protos = dir.path().join("protos");
    let includes = [dir.path(), protos.as_path()];
    assert_eq!(
        file_name(&protos.join("a.proto"), &includes).unwrap(),
        "a.proto"
    );
}

#[test]
fn hidden_file_is_an_error() {
    let dir = protos(&[("one/a.proto", ""), ("two/a.proto", "")]);
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let error = file_name(&two.join("a.proto"), &[&one, &two])
        .unwrap_err()
        .to_string();
    assert!(error.contains("is hidden by"), "{error}");
}

fn file(name: &str, content: &str) -> GeneratedFile {
    GeneratedFile {
        name: name.to_owned(),
        content: content.to_owned(),
    }
}

#[test]
fn unchanged_file_keeps_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("gen");
    let written = write(&out, &[file("a.rs", "1"), file("b.rs", "1")]).unwrap();
    assert_eq!((written.changed, written.unchanged), (2, 0));
    let time = fs::metadata(out.join("a.rs")).unwrap().modified().unwrap();
    let written = write(&out, &[file("a.rs", "1"), file("b.rs", "2")]).unwrap();
    assert_eq!((written.changed, written.unchanged), (1, 1));
    assert_eq!(
        fs::metadata(out.join("a.rs")).unwrap().modified().unwrap(),
        time
    );
    assert_eq!(fs::read_to_string(out.join("b.rs")).unwrap(), "2");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 2);
}

#[test]
fn failed_write_leaves_everything_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[file("a.rs", "old")]).unwrap();
    let error = write(dir.path(), &[file("a.rs", "new"), file("no/b.rs", "new")]).unwrap_err();
    assert!(error.is_io(), "{error}");
    assert!(error.to_string().contains("b.rs"), "{error}");
    assert_eq!(fs::read_to_string(dir.path().join("a.rs")).unwrap(), "old");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn two_files_of_one_name_are_refused() {
    let error = check_names(&[file("A.rs", ""), file("a.rs", "")]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("two generated files are called `a.rs`"),
        "{error}"
    );
}
