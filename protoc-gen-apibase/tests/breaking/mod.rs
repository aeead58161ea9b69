//! A shop whose protos are changed, and `breaking` between before and after.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A change of the shop's protos, which are in `shop/` beside this file.
pub(crate) struct Change {
    /// What it is, as a fact.
    pub(crate) name: &'static str,
    pub(crate) edits: &'static [Edit],
}

/// An edit of one file.
pub(crate) enum Edit {
    /// In `shop/items.proto`: what is there once, and what comes in its place.
    Replace(&'static str, &'static str),
    /// The same in `shop/stock.proto`.
    Stock(&'static str, &'static str),
    /// A file that is removed.
    Remove(&'static str),
    /// A file that is given another name.
    Rename(&'static str, &'static str),
    /// A file that is new.
    Add(&'static str, &'static str),
}

/// What a run of the command line came to.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Change {
    /// Whether it breaks anything, compared by the command line.
    pub(crate) fn run(&self) -> Run {
        self.compare("now", "old")
    }

    /// Whether it breaks anything to take it back.
    pub(crate) fn run_in_reverse(&self) -> Run {
        self.compare("old", "now")
    }

    fn compare(&self, new: &str, old: &str) -> Run {
        let dir = before();
        self.apply(&dir.path().join("now"));
        // Whoever names all files doesn't name those that are gone.
        let files = ["shop/items.proto", "shop/stock.proto", "shop/goods.proto"];
        let files = files
            .iter()
            .filter(|file| dir.path().join(new).join(file).exists());
        let arguments = ["-I", new, "-I", "imports", "--against", old];
        let arguments = arguments.into_iter().chain(files.copied());
        breaking(dir.path(), &arguments.collect::<Vec<_>>())
    }

    /// Makes the edits below `folder`.
    pub(crate) fn apply(&self, folder: &Path) {
        for edit in self.edits {
            match edit {
                Edit::Replace(from, to) => self.replace(&folder.join("shop/items.proto"), from, to),
                Edit::Stock(from, to) => self.replace(&folder.join("shop/stock.proto"), from, to),
                Edit::Remove(file) => fs::remove_file(folder.join(file)).unwrap(),
                Edit::Rename(from, to) => fs::rename(folder.join(from), folder.join(to)).unwrap(),
                Edit::Add(file, text) => fs::write(folder.join(file), text).unwrap(),
            }
        }
    }

    fn replace(&self, path: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{}: {from}", self.name);
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// The edits, as a reader of the snapshot wants them.
    pub(crate) fn shown(&self) -> String {
        let lines = self.edits.iter().map(|edit| match edit {
            Edit::Replace(from, to) | Edit::Stock(from, to) => {
                let lines = |sign: &str, text: &str| -> String {
                    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                    lines.map(|line| format!("{sign} {line}\n")).collect()
                };
                lines("-", from) + &lines("+", to)
            }
            Edit::Remove(file) => format!("- {file}\n"),
            Edit::Rename(from, to) => format!("- {from}\n+ {to}\n"),
            Edit::Add(file, _) => format!("+ {file}\n"),
        });
        format!("## {}\n\n{}", self.name, lines.collect::<String>())
    }
}

/// A folder with the shop's protos twice, `old` and `now`, and what they import, `imports`.
pub(crate) fn before() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    for side in ["old", "now"] {
        copy(
            &package.join("tests/breaking/shop"),
            &dir.path().join(side).join("shop"),
        );
    }
    let imports = package.join("../tests/fixtures/entity_required/imports");
    copy(&imports, &dir.path().join("imports"));
    dir
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copied: PathBuf = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            fs::copy(&path, &copied).unwrap();
        }
    }
}

/// `protoc-gen-apibase breaking …`, run in `dir`.
pub(crate) fn breaking(dir: &Path, arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_protoc-gen-apibase"))
        .arg("breaking")
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
