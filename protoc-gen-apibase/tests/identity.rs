//! Three ways in, the same bytes: protoc and buf with the plugin, the command `generate`, and a
//! build script, over all protos that the workspace has. Names, comments, descriptors and docs.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod corpus;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use corpus::{Corpus, Files, Random, assert_same, contents, protoc, succeed};
use protoc_gen_apibase::{Builder, Imports, Options, Request};

const BINARY: &str = env!("CARGO_BIN_EXE_protoc-gen-apibase");

/// What every way in is asked for beside a corpus's own parameters.
const PARAMETERS: [&str; 5] = [
    "include_file=mod.rs",
    "emit=rust",
    "emit=docs",
    "emit=fakes",
    "emit=service_config",
];

#[test]
fn protoc_generate_and_build_script_write_the_same_bytes() {
    for corpus in Corpus::all() {
        let dir = tempfile::tempdir().unwrap();
        let protoc = by_protoc(&corpus, dir.path());
        let command = by_generate(&corpus, dir.path());
        let script = by_build_script(&corpus, dir.path());
        assert!(protoc.len() > 2, "{} gives files", corpus.name);
        let services = protoc
            .keys()
            .filter(|name| name.ends_with(".descriptors.rs"));
        let fakes = protoc.keys().filter(|name| name.ends_with(".fakes.rs"));
        assert_eq!(services.count(), fakes.count(), "{}", corpus.name);
        assert_same(
            &format!("{}: protoc, generate", corpus.name),
            &protoc,
            &command,
        );
        assert_same(
            &format!("{}: protoc, build script", corpus.name),
            &protoc,
            &script,
        );
    }
}

#[test]
fn buf_writes_the_same_bytes_by_directory_and_all_at_once() {
    let Some(buf) = buf() else {
        // Not by a macro, whose output nobody sees when a test passes.
        let skipped = b"SKIPPED: buf is not installed, nothing is known about its output\n";
        std::io::stderr().write_all(skipped).unwrap();
        return;
    };
    for corpus in Corpus::all() {
        let dir = tempfile::tempdir().unwrap();
        let mut expected = by_generate(&corpus, dir.path());
        // One tree for all directories: asked for by name, with `strategy: all`.
        for tree in ["mod.rs", "fakes.rs"] {
            expected.remove(tree);
        }
        for strategy in ["directory", "all"] {
            let mut written = by_buf(&buf, &corpus, strategy, dir.path());
            // For buf, what is only imported here is a module like any other.
            written.retain(|name, _| expected.contains_key(name));
            assert_same(
                &format!("{}: generate, buf {strategy}", corpus.name),
                &expected,
                &written,
            );
        }
    }
}

#[test]
fn neither_order_nor_repetition_changes_a_byte() {
    let mut random = Random::seeded();
    for corpus in Corpus::all() {
        let (set, options) = (descriptors(&corpus), options(&corpus, &PARAMETERS));
        let expected = generated(&set, &corpus.files, &options);
        assert_same(
            &corpus.name,
            &expected,
            &generated(&set, &corpus.files, &options),
        );
        for _ in 0..3 {
            let (mut set, mut files) = (set.clone(), corpus.files.clone());
            random.shuffle(&mut set.file);
            random.shuffle(&mut files);
            let what = format!("{}, seed {}", corpus.name, random.seed);
            assert_same(&what, &expected, &generated(&set, &files, &options));
        }
    }
}

fn by_protoc(corpus: &Corpus, dir: &Path) -> Files {
    let out = dir.join("protoc");
    fs::create_dir(&out).unwrap();
    let mut command = protoc();
    command
        .arg(format!("--plugin=protoc-gen-apibase={BINARY}"))
        .arg(format!("--apibase_out={}", out.display()));
    for include in corpus.includes() {
        command.arg("-I").arg(include);
    }
    for parameter in parameters(corpus, &PARAMETERS) {
        command.arg(format!("--apibase_opt={parameter}"));
    }
    succeed(command.args(&corpus.files));
    contents(&out)
}

fn by_generate(corpus: &Corpus, dir: &Path) -> Files {
    let out = dir.join("generate");
    let mut command = Command::new(BINARY);
    command.arg("generate").arg("--out").arg(&out);
    for include in corpus.includes() {
        command.arg("-I").arg(include);
    }
    for parameter in parameters(corpus, &PARAMETERS) {
        command.args(["--opt", parameter]);
    }
    succeed(command.args(&corpus.files));
    contents(&out)
}

fn by_build_script(corpus: &Corpus, dir: &Path) -> Files {
    let out = dir.join("script");
    Builder::from(options(corpus, &PARAMETERS))
        .out_dir(&out)
        .compile(&corpus.files, &corpus.includes())
        .unwrap();
    contents(&out)
}

/// buf wants its modules below one folder, which none of the others needs: they are copied there.
fn by_buf(buf: &Path, corpus: &Corpus, strategy: &str, dir: &Path) -> Files {
    let workspace = dir.join(strategy);
    let out = workspace.join("out");
    let mut modules = String::new();
    for (index, include) in corpus.includes().iter().enumerate() {
        let module = format!("module{index}");
        copy_protos(include, &workspace.join(&module));
        modules.push_str(&format!("  - path: {module}\n"));
    }
    fs::write(
        workspace.join("buf.yaml"),
        format!("version: v2\nmodules:\n{modules}"),
    )
    .unwrap();
    let quoted = parameters(corpus, &PARAMETERS[1..]).map(|parameter| {
        // The others run in this package's folder, from which the fixture's path leads.
        match parameter.strip_prefix("service_config=") {
            Some(path) => {
                let path = fs::canonicalize(path).unwrap();
                format!("'service_config={}'", path.display())
            }
            None => format!("'{parameter}'"),
        }
    });
    let template = format!(
        "version: v2\nplugins:\n  - local: {BINARY}\n    out: {}\n    strategy: {strategy}\n    \
         opt: [{}]\n",
        out.display(),
        quoted.collect::<Vec<_>>().join(", ")
    );
    fs::write(workspace.join("buf.gen.yaml"), template).unwrap();
    succeed(Command::new(buf).current_dir(&workspace).arg("generate"));
    contents(&out)
}

fn copy_protos(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() && !path.ends_with("imports") {
            copy_protos(&path, &target);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// `buf` from the environment's BUF, or from the PATH.
fn buf() -> Option<PathBuf> {
    let named = std::env::var_os("BUF").map(PathBuf::from);
    let candidate = named.unwrap_or_else(|| PathBuf::from("buf"));
    let version = Command::new(&candidate).arg("--version").output();
    version
        .is_ok_and(|output| output.status.success())
        .then_some(candidate)
}

fn parameters<'a>(corpus: &'a Corpus, more: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let own = corpus.parameters.iter().map(String::as_str);
    own.chain(more.iter().copied())
}

fn options(corpus: &Corpus, more: &[&str]) -> Options {
    Options::from_pairs(parameters(corpus, more)).unwrap()
}

/// A `FileDescriptorSet` whose files stay bytes, so that they can be shuffled and lose nothing.
#[derive(Clone, PartialEq, prost::Message)]
struct Set {
    #[prost(bytes = "vec", repeated, tag = "1")]
    file: Vec<Vec<u8>>,
}

fn descriptors(corpus: &Corpus) -> Set {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("set");
    let mut command = protoc();
    command
        .args(["--include_imports", "--include_source_info"])
        .arg(format!("--descriptor_set_out={}", out.display()));
    for include in corpus.includes() {
        command.arg("-I").arg(include);
    }
    succeed(command.args(&corpus.files));
    prost::Message::decode(fs::read(out).unwrap().as_slice()).unwrap()
}

fn generated(set: &Set, files: &[String], options: &Options) -> Files {
    let output = protoc_gen_apibase::generate(&Request {
        descriptor_set: prost::Message::encode_to_vec(set),
        files: files.to_vec(),
        imports: Imports::Generate,
        options: options.clone(),
    });
    let files = output.unwrap().files.into_iter();
    files.map(|file| (file.name, file.content)).collect()
}
