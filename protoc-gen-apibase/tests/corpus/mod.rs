//! The protos that the workspace has, those of the specification and the fixtures of its tests, and
//! what it takes to compare what is generated for them.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Generated files by their names.
pub(crate) type Files = BTreeMap<String, String>;

/// A folder of protos that are generated together.
pub(crate) struct Corpus {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// What is asked for, relative to the folder.
    pub(crate) files: Vec<String>,
    /// Parameters of the generator, from the folder's `options.txt`.
    pub(crate) parameters: Vec<String>,
}

impl Corpus {
    /// All of them.
    pub(crate) fn all() -> Vec<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let fixtures = fs::read_dir(workspace.join("tests/fixtures")).unwrap();
        let mut folders: Vec<PathBuf> = fixtures.map(|entry| entry.unwrap().path()).collect();
        folders.push(workspace.join("protos"));
        folders.sort();
        folders.into_iter().map(Self::of).collect()
    }

    fn of(folder: PathBuf) -> Self {
        let mut files = Vec::new();
        collect(&folder, &folder, &mut files);
        files.sort();
        assert!(!files.is_empty(), "{} has no protos", folder.display());
        let options = fs::read_to_string(folder.join("options.txt")).unwrap_or_default();
        Self {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            parameters: options.lines().map(str::to_owned).collect(),
            folder,
            files,
        }
    }

    /// Where imports are looked up: the folder, the one in it whose files aren't asked for, and
    /// where the options file is, which we bring ourselves and protoc and buf don't.
    pub(crate) fn includes(&self) -> Vec<PathBuf> {
        let imports = self.folder.join("imports");
        let options = Path::new(env!("CARGO_MANIFEST_DIR")).join("protos");
        let brings = self.folder.join("apibase").exists();
        let all = [
            Some(self.folder.clone()),
            Some(imports),
            (!brings).then_some(options),
        ];
        let all = all.into_iter().flatten();
        all.filter(|path| path.exists()).collect()
    }
}

/// The real protoc.
pub(crate) fn protoc() -> Command {
    Command::new(protoc_bin_vendored::protoc_bin_path().unwrap())
}

/// Runs a command that must succeed.
pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    output
}

/// What a folder holds.
pub(crate) fn contents(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// Asserts that two ways in wrote the same files, and says where the first difference is.
pub(crate) fn assert_same(what: &str, one: &Files, other: &Files) {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(one), names(other), "{what}");
    for (name, content) in one {
        assert_same_text(&format!("{what}: {name}"), content, &other[name]);
    }
}

fn assert_same_text(what: &str, one: &str, other: &str) {
    let lines = one.lines().zip(other.lines());
    for (index, (one, other)) in lines.enumerate() {
        assert_eq!(one, other, "{what}, line {}", index + 1);
    }
    assert_eq!(one, other, "{what}");
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("imports") {
            collect(root, &path, files);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            files.push(name);
        }
    }
}

/// A small generator of numbers (xorshift64), since all it has to be is different every time.
pub(crate) struct Random {
    pub(crate) seed: u64,
    state: u64,
}

impl Random {
    /// The environment's SEED repeats a run.
    pub(crate) fn seeded() -> Self {
        let given = std::env::var("SEED").ok().map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or_else(|| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            u64::try_from(now.unwrap().as_nanos() & u128::from(u64::MAX)).unwrap() | 1
        });
        println!("SEED={seed}");
        Self { seed, state: seed }
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}
