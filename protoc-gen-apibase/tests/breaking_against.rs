//! What protos are compared with: a revision, a folder, a descriptor set; and what can't be.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod breaking;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use breaking::{Run, before, breaking};

const FILES: [&str; 2] = ["shop/items.proto", "shop/stock.proto"];

/// `-I now -I imports` with the two files of the shop.
fn compare(dir: &Path, against: &str) -> Run {
    let arguments = ["-I", "now", "-I", "imports", "--against", against];
    breaking(dir, &[&arguments[..], &FILES].concat())
}

fn passes(run: &Run) {
    let said = (run.code, run.stdout.as_str());
    assert_eq!(said, (Some(0), ""), "{}", run.stderr);
}

/// Whether one thing was found, and it starts so.
fn refused(run: &Run, start: &str) {
    assert!(
        run.stdout.starts_with(start),
        "{}{}",
        run.stdout,
        run.stderr
    );
    let said = (run.code, run.stderr.as_str());
    assert_eq!(
        said,
        (Some(1), "error: 1 breaking change\n"),
        "{}",
        run.stdout
    );
}

/// Whether nothing was compared, and why.
fn fails(run: &Run, parts: &[&str]) {
    let said = (run.code, run.stdout.as_str());
    assert_eq!(said, (Some(1), ""), "{}", run.stderr);
    for part in parts {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// The change that all of these tests make: an error has another code now.
fn change(dir: &Path) {
    edit(
        &dir.join("now/shop/stock.proto"),
        "FAILED_PRECONDITION",
        "ABORTED",
    );
}

const CHANGED: &str =
    "shop/stock.proto:11:26: reason `EMPTY` has the code ABORTED, and had FAILED_PRECONDITION\n";

/// A folder like [`before`]'s whose `now` and `imports` are committed; none where there is no git.
fn repository() -> Option<tempfile::TempDir> {
    if Command::new("git").arg("--version").output().is_err() {
        eprintln!("\n!!! SKIPPED: the tests that compare with a revision: there is no git\n");
        return None;
    }
    let dir = before();
    fs::remove_dir_all(dir.path().join("old")).unwrap();
    git(
        dir.path(),
        &["init", "--quiet", "--initial-branch", "trunk"],
    );
    commit(dir.path());
    Some(dir)
}

fn git(dir: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=A", "-c", "user.email=a@example.com"])
        .args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"]);
    let output = command
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
}

fn commit(dir: &Path) {
    git(dir, &["add", "--all"]);
    git(dir, &["commit", "--quiet", "--message", "A commit"]);
}

#[test]
fn a_folder_stands_for_the_include_directories() {
    let dir = before();
    passes(&compare(dir.path(), "old"));
    change(dir.path());
    refused(&compare(dir.path(), "old"), CHANGED);
    refused(&compare(dir.path(), "./old/"), CHANGED);
}

#[test]
fn findings_come_in_the_order_of_the_files() {
    let dir = before();
    change(dir.path());
    edit(
        &dir.path().join("now/shop/items.proto"),
        "code: UNAVAILABLE",
        "code: ABORTED",
    );
    edit(
        &dir.path().join("now/shop/items.proto"),
        "string name = 2;",
        "string name = 2 [(apibase.v1.field).required = true];",
    );
    edit(
        &dir.path().join("now/shop/items.proto"),
        "      detached: true\n",
        "",
    );
    let run = compare(dir.path(), "old");
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (Some(1), "error: 4 breaking changes\n")
    );
    let places = run.stdout.lines().filter(|line| line.starts_with("shop/"));
    let places: Vec<&str> = places
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "shop/items.proto:19:7",
            "shop/items.proto:59:26",
            "shop/items.proto:66:20",
            "shop/stock.proto:11:26"
        ]
    );
}

#[test]
fn a_revision_is_read_where_it_is() {
    let Some(dir) = repository() else { return };
    passes(&compare(dir.path(), "trunk"));
    change(dir.path());
    let written = contents(dir.path());
    for name in ["trunk", "HEAD", "git:trunk", "git:HEAD"] {
        refused(&compare(dir.path(), name), CHANGED);
    }
    assert_eq!(contents(dir.path()), written, "nothing is written");
    commit(dir.path());
    git(dir.path(), &["tag", "v2"]);
    passes(&compare(dir.path(), "v2"));
    refused(&compare(dir.path(), "HEAD~1"), CHANGED);
    refused(&compare(dir.path(), "trunk~1"), CHANGED);
}

#[test]
fn a_revision_is_read_from_within_a_folder_of_the_repository() {
    let Some(dir) = repository() else { return };
    change(dir.path());
    let within = dir.path().join("now/shop");
    let arguments = [
        "-I",
        "..",
        "-I",
        "../../imports",
        "--against",
        "trunk",
        "stock.proto",
    ];
    refused(&breaking(&within, &arguments), CHANGED);
    // By paths from elsewhere, too.
    let now = dir.path().join("now");
    let arguments = [
        "-I",
        now.to_str().unwrap(),
        "--against",
        "trunk",
        "shop/stock.proto",
    ];
    refused(&breaking(&within, &arguments), CHANGED);
}

#[test]
fn an_include_at_the_top_of_the_repository_works() {
    let Some(dir) = repository() else { return };
    let proto = dir.path().join("top.proto");
    fs::write(
        &proto,
        fs::read_to_string(dir.path().join("now/shop/stock.proto")).unwrap(),
    )
    .unwrap();
    commit(dir.path());
    edit(&proto, "FAILED_PRECONDITION", "ABORTED");
    let run = breaking(dir.path(), &["-I", ".", "--against", "HEAD", "top.proto"]);
    refused(&run, &CHANGED.replace("shop/stock.proto", "top.proto"));
}

#[test]
fn imports_that_no_revision_has_are_read_as_they_are() {
    let Some(dir) = repository() else { return };
    git(dir.path(), &["rm", "--quiet", "-r", "--cached", "imports"]);
    fs::write(dir.path().join(".gitignore"), "imports\n").unwrap();
    commit(dir.path());
    change(dir.path());
    refused(&compare(dir.path(), "HEAD"), CHANGED);
}

#[test]
fn links_in_a_revision_are_followed() {
    #[cfg(unix)]
    {
        let Some(dir) = repository() else { return };
        let shop = dir.path().join("now/shop");
        fs::rename(shop.join("stock.proto"), dir.path().join("real.proto")).unwrap();
        std::os::unix::fs::symlink("../../real.proto", shop.join("stock.proto")).unwrap();
        commit(dir.path());
        edit(
            &dir.path().join("real.proto"),
            "FAILED_PRECONDITION",
            "ABORTED",
        );
        refused(&compare(dir.path(), "HEAD"), CHANGED);
    }
}

#[test]
fn files_that_are_new_have_nothing_to_break() {
    let Some(dir) = repository() else { return };
    fs::create_dir(dir.path().join("fresh")).unwrap();
    fs::write(dir.path().join("fresh/a.proto"), "syntax = \"proto3\";\n").unwrap();
    let run = breaking(dir.path(), &["-I", "fresh", "--against", "HEAD", "a.proto"]);
    passes(&run);
    assert_eq!(
        run.stderr,
        "no breaking changes against HEAD, which has none of the files\n"
    );
    let arguments = [
        "-I",
        "now",
        "-I",
        "imports",
        "-I",
        "fresh",
        "--against",
        "HEAD",
    ];
    passes(&breaking(
        dir.path(),
        &[&arguments[..], &FILES, &["a.proto"]].concat(),
    ));
}

#[test]
fn a_file_that_is_gone_took_its_errors_along() {
    let Some(dir) = repository() else { return };
    let items = dir.path().join("now/shop/items.proto");
    edit(&items, "import \"shop/stock.proto\";\n", "");
    edit(&items, "errors: \"shop.StockError\" ", "");
    fs::remove_file(dir.path().join("now/shop/stock.proto")).unwrap();
    let arguments = ["-I", "now", "-I", "imports", "--against", "HEAD", FILES[0]];
    let run = breaking(dir.path(), &arguments);
    assert_eq!(run.stderr, "error: 2 breaking changes\n", "{}", run.stdout);
    for part in [
        "shop/stock.proto: error catalogue `shop.StockError` is gone\n  note: shop/stock.proto:8:6: it was here\n",
        "service `Stocks` names no error catalogue, and named `shop.StockError`",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
}

#[test]
fn a_file_that_is_gone_from_another_package_is_no_concern() {
    let Some(dir) = repository() else { return };
    let stock = fs::read_to_string(dir.path().join("now/shop/stock.proto")).unwrap();
    fs::create_dir(dir.path().join("now/other")).unwrap();
    let other = dir.path().join("now/other/stock.proto");
    fs::write(&other, stock.replace("package shop;", "package other;")).unwrap();
    commit(dir.path());
    fs::remove_file(&other).unwrap();
    passes(&compare(dir.path(), "HEAD"));
}

#[test]
fn a_file_that_is_gone_and_did_not_compile_is_said() {
    let Some(dir) = repository() else { return };
    let broken = dir.path().join("now/shop/broken.proto");
    fs::write(&broken, "syntax = \"proto3\"; package shop; message").unwrap();
    commit(dir.path());
    fs::remove_file(&broken).unwrap();
    let run = compare(dir.path(), "HEAD");
    passes(&run);
    assert_eq!(
        run.stderr,
        "warning: shop/broken.proto: can't be compiled as it was in `HEAD`\n  \
         note: it is gone now, and whether that breaks anything is not known\n\
         no breaking changes against HEAD\n"
    );
}

#[test]
fn what_is_not_imported_any_more_is_still_there() {
    let dir = before();
    let items = dir.path().join("now/shop/items.proto");
    edit(&items, "import \"shop/stock.proto\";\n", "");
    edit(&items, "errors: \"shop.StockError\" ", "");
    let arguments = ["-I", "now", "-I", "imports", "--against", "old", FILES[0]];
    refused(
        &breaking(dir.path(), &arguments),
        "shop/items.proto:44:9: service `Stocks` names no",
    );
}

#[test]
fn protos_with_a_byte_order_mark_and_windows_line_ends_are_the_same() {
    let Some(dir) = repository() else { return };
    let stock = dir.path().join("now/shop/stock.proto");
    let text = fs::read_to_string(&stock).unwrap();
    fs::write(&stock, format!("\u{FEFF}{}", text.replace('\n', "\r\n"))).unwrap();
    commit(dir.path());
    passes(&compare(dir.path(), "HEAD"));
    passes(&compare(dir.path(), "HEAD~1"));
    change(dir.path());
    refused(&compare(dir.path(), "HEAD"), CHANGED);
}

#[test]
fn a_descriptor_set_of_any_compiler_will_do() {
    let dir = before();
    sets(dir.path(), "old");
    change(dir.path());
    sets(dir.path(), "now");
    for set in ["old.protox.binpb", "old.protoc.binpb", "old.bare.binpb"] {
        refused(&compare(dir.path(), set), CHANGED);
    }
    for set in ["now.protox.binpb", "now.protoc.binpb", "now.bare.binpb"] {
        passes(&compare(dir.path(), set));
        let arguments = ["--descriptor-set", set, "--against", "old.protoc.binpb"];
        let run = breaking(dir.path(), &arguments);
        let place = CHANGED.split_once(": ").unwrap().1;
        assert!(run.stdout.contains(place), "{}{}", run.stdout, run.stderr);
        assert_eq!(run.code, Some(1));
    }
    let same = [
        "--descriptor-set",
        "now.protoc.binpb",
        "--against",
        "now.protox.binpb",
    ];
    passes(&breaking(dir.path(), &same));
}

#[test]
fn all_files_of_a_descriptor_set_count() {
    let dir = before();
    sets(dir.path(), "old");
    change(dir.path());
    // What changed is not imported any more, and not asked for.
    let items = dir.path().join("now/shop/items.proto");
    edit(&items, "import \"shop/stock.proto\";\n", "");
    edit(&items, "errors: \"shop.StockError\" ", "");
    let arguments = [
        "-I",
        "now",
        "-I",
        "imports",
        "--against",
        "old.protoc.binpb",
        FILES[0],
    ];
    let run = breaking(dir.path(), &arguments);
    assert!(run.stdout.contains(CHANGED), "{}", run.stdout);
    assert_eq!(run.stderr, "error: 2 breaking changes\n");
}

/// `<side>.protox.binpb`, `<side>.protoc.binpb`, and `<side>.bare.binpb` without places.
fn sets(dir: &Path, side: &str) {
    let includes = [dir.join(side), dir.join("imports"), options()];
    let mut compiler = protox::Compiler::new(includes.clone()).unwrap();
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(FILES).unwrap();
    let set = compiler.encode_file_descriptor_set();
    fs::write(dir.join(format!("{side}.protox.binpb")), set).unwrap();
    for (name, more) in [("protoc", Some("--include_source_info")), ("bare", None)] {
        let mut protoc = Command::new(protoc_bin_vendored::protoc_bin_path().unwrap());
        for include in &includes {
            protoc.arg("-I").arg(include);
        }
        protoc.arg("--include_imports").args(more).arg("-o");
        protoc
            .arg(dir.join(format!("{side}.{name}.binpb")))
            .args(FILES);
        let output = protoc.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Where the options file is, which we bring ourselves and protoc doesn't.
fn options() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("protos")
}

#[test]
fn what_is_no_descriptor_set_is_said() {
    let dir = before();
    for (name, content, part) in [
        (
            "garbage.binpb",
            "garbage",
            "garbage.binpb: the descriptor set can't be read",
        ),
        ("empty.binpb", "", "empty.binpb has no files"),
    ] {
        fs::write(dir.path().join(name), content).unwrap();
        fails(
            &compare(dir.path(), name),
            &[part, "help: write it with `protoc --include_imports"],
        );
    }
    let run = breaking(
        dir.path(),
        &["--descriptor-set", "empty.binpb", "--against", "old"],
    );
    fails(
        &run,
        &["`old` is no descriptor set, and `--descriptor-set` is given"],
    );
    let run = breaking(
        dir.path(),
        &["--descriptor-set", "nope.binpb", "--against", "empty.binpb"],
    );
    fails(&run, &["reading nope.binpb: "]);
}

#[test]
fn what_is_no_revision_is_said() {
    let Some(dir) = repository() else { return };
    fails(
        &compare(dir.path(), "nope"),
        &[
            "`nope` is neither a file nor a folder, and git knows no such revision",
            "git fetch origin main",
            "error: nothing was compared",
        ],
    );
    fails(
        &compare(dir.path(), "git:nope"),
        &["`nope` is to be a git revision, and git knows no such revision"],
    );
    for option in ["--output=written", "-h"] {
        let against = format!("--against={option}");
        let run = breaking(dir.path(), &["-I", "now", &against, FILES[1]]);
        fails(&run, &[&format!("`{option}` can't be a git revision")]);
        let against = format!("--against=git:{option}");
        let run = breaking(dir.path(), &["-I", "now", &against, FILES[1]]);
        fails(&run, &[&format!("`{option}` can't be a git revision")]);
    }
    assert!(!dir.path().join("written").exists());
    for strange in [
        "",
        "git:",
        "trunk..HEAD",
        "$(touch written)",
        "trunk; touch written",
    ] {
        let against = format!("--against={strange}");
        let run = breaking(dir.path(), &["-I", "now", &against, FILES[1]]);
        fails(
            &run,
            &["git revision"].map(|part| {
                if strange.len() > 4 {
                    "no such revision"
                } else {
                    part
                }
            }),
        );
    }
    assert!(!dir.path().join("written").exists());
}

#[test]
fn a_name_that_is_two_things_is_refused() {
    let Some(dir) = repository() else { return };
    git(dir.path(), &["branch", "now"]);
    change(dir.path());
    fails(
        &compare(dir.path(), "now"),
        &[
            "`now` is a folder, and a git revision too",
            "say `./now` for the folder, or `git:now` for the revision",
        ],
    );
    passes(&compare(dir.path(), "./now"));
    refused(&compare(dir.path(), "git:now"), CHANGED);
}

#[test]
fn outside_of_a_repository_there_are_no_revisions() {
    let dir = before();
    fails(
        &compare(dir.path(), "trunk"),
        &[
            "`trunk` is neither a file nor a folder, and git finds no repository here",
            "note: git says: fatal: not a git",
        ],
    );
}

#[test]
fn without_git_there_are_no_revisions() {
    let dir = before();
    let run = |against| {
        let output = Command::new(env!("CARGO_BIN_EXE_protoc-gen-apibase"))
            .args([
                "breaking",
                "-I",
                "now",
                "-I",
                "imports",
                "--against",
                against,
            ])
            .args(FILES)
            .current_dir(dir.path())
            .env("PATH", dir.path())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), stderr)
    };
    let (code, stderr) = run("trunk");
    assert_eq!(code, Some(1));
    assert!(stderr.contains("git can't be run"), "{stderr}");
    // Nothing else needs it.
    assert_eq!(
        run("old"),
        (Some(0), "no breaking changes against old\n".to_owned())
    );
}

#[test]
fn a_folder_without_the_files_is_most_likely_another_one() {
    let dir = before();
    let run = compare(dir.path(), "old/shop");
    fails(
        &run,
        &[
            "`old/shop` has none of the files: shop/items.proto, shop/stock.proto",
            "as `-I` does",
        ],
    );
}

#[test]
fn errors_say_which_of_the_two_sides_they_are_about() {
    let dir = before();
    let side = |side: &str| dir.path().join(side).join("shop/stock.proto");
    edit(&side("old"), "package shop;", "package shop");
    fails(
        &compare(dir.path(), "old"),
        &[
            "shop/stock.proto:5:1: ",
            "note: this is as it was in `old`",
            "error: nothing was compared",
        ],
    );
    edit(&side("now"), "package shop;", "package shop");
    let run = compare(dir.path(), "old");
    fails(&run, &["shop/stock.proto:5:1: "]);
    assert!(!run.stderr.contains("as it was"), "{}", run.stderr);
}

#[test]
fn options_of_a_newer_version_are_not_passed_over() {
    let dir = before();
    for side in ["now", "old"] {
        let folder = dir.path().join(side).join("apibase/v1");
        fs::create_dir_all(&folder).unwrap();
        let text = fs::read_to_string(options().join("apibase/v1/options.proto")).unwrap();
        let newer = text.replace("uint32 http = 8;", "uint32 http = 8;\n  bool loud = 9;");
        fs::write(folder.join("options.proto"), newer).unwrap();
    }
    passes(&compare(dir.path(), "old"));
    let stock = |side: &str| dir.path().join(side).join("shop/stock.proto");
    let (from, to) = (
        "code: FAILED_PRECONDITION",
        "code: FAILED_PRECONDITION loud: true",
    );
    edit(&stock("old"), from, to);
    fails(
        &compare(dir.path(), "old"),
        &[
            "`(apibase.v1.error)` has `loud`, which is not known",
            "as it was in `old`",
        ],
    );
    edit(&stock("now"), from, to);
    fails(
        &compare(dir.path(), "old"),
        &["`(apibase.v1.error)` has `loud`, which is not known"],
    );
}

#[test]
fn arguments_that_make_no_sense_are_explained() {
    let dir = before();
    for (arguments, part) in [
        (&["-I", "now", FILES[0]][..], "--against <OLD>"),
        (&["-I", "now", "--against", "old"], "<FILE>..."),
        (&["--against", "old", FILES[0]], "--include <DIR>"),
        (
            &["-I", "now", "--descriptor-set", "a", "--against", "b"],
            "cannot be used with",
        ),
    ] {
        let run = breaking(dir.path(), arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    let help = breaking(dir.path(), &["--help"]);
    for part in [
        "What breaks clients:",
        "buf",
        "--against main",
        "is always a revision",
    ] {
        assert!(help.stdout.contains(part), "{part}: {}", help.stdout);
    }
}

/// All files below `dir` and what is in them.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.clone(), fs::read(path).unwrap());
            }
        }
    }
    found
}
