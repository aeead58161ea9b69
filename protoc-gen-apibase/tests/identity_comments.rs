//! Comments belong to the same declarations by every way in, wherever they stand: protoc's rules
//! are followed where protox has others.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod corpus;

use std::fs;
use std::process::Command;

use corpus::{Random, assert_same, contents, protoc, succeed};

const BINARY: &str = env!("CARGO_BIN_EXE_protoc-gen-apibase");

/// A schema with a `~` wherever comments can stand.
const SCHEMA: &str = "~syntax = \"proto2\";~package NAME;~
    message M {~
      optional int32 a = 1;~optional int32 b = 2 [deprecated = true];~
      optional~int32 c = 3~[deprecated~= true]~;~
      optional group G = 4 {~optional int32 z = 1;~}~
      oneof o {~int32 d = 5;~int32 e = 6;~}~
      reserved 9;~
      message N {~}~
      enum E {~A = 0;~B = 1 [deprecated = true];~reserved 5;~C = 2;~}~
      ;~map<string, M> f = 7;~extensions 100 to 200;~
    }~extend M {~optional int32 g = 100;~}~
    enum Top {~T_A = 0;~option deprecated = false;~T_B = 1;~}~
    service S {~
      rpc One(M) returns (M);~rpc Two(M) returns (M) {~option deprecated = false;~}~
      rpc Three(M) returns (M) {}~rpc Four(M)~returns (M)~;~
    }~";

/// What can stand between two tokens; `#` is a number that tells one from the other.
const PIECES: &[&str] = &[
    "// line #\n",
    "// line #\n// and another\n",
    "/// three slashes #\n",
    "//tight #\n",
    "//\n",
    "/* block # */",
    "/* block # */\n",
    "/* lines #\n * with stars\n *\n *   indented\n */\n",
    "/* lines #\n\n   without\n\n */ ",
    "/** two stars #\n  * and two to close\n **/",
    "/**/",
    "\n",
    "\n\n",
    " \t",
];

#[test]
fn comments_anywhere_belong_to_the_same_declarations() {
    let mut random = Random::seeded();
    let dir = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for number in 0..30 {
        let mut source = commented(&mut random).replace("NAME", &format!("p{number}"));
        if number % 3 == 0 {
            source = source.replace('\n', "\r\n");
        }
        if number % 4 == 0 {
            source.insert(0, '\u{FEFF}');
        }
        let name = format!("p{number}.proto");
        fs::write(dir.path().join(&name), source).unwrap();
        names.push(name);
    }
    for folder in ["protoc", "generate"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    succeed(
        protoc()
            .current_dir(dir.path())
            .arg(format!("--plugin=protoc-gen-apibase={BINARY}"))
            .args([
                "-I",
                ".",
                "--apibase_out=protoc",
                "--apibase_opt=emit=rust,emit=docs",
            ])
            .args(&names),
    );
    succeed(
        Command::new(BINARY)
            .current_dir(dir.path())
            .args(["generate", "-I", ".", "--out", "generate"])
            .args(["--opt", "emit=rust", "--opt", "emit=docs"])
            .args(&names),
    );
    let what = format!("seed {}", random.seed);
    let by = |folder: &str| contents(&dir.path().join(folder));
    assert_same(&what, &by("protoc"), &by("generate"));
}

fn commented(random: &mut Random) -> String {
    let mut source = String::new();
    for (number, part) in SCHEMA.split('~').enumerate() {
        if number > 0 {
            for piece in 0..random.below(4) {
                let text = PIECES[random.below(PIECES.len())];
                source.push_str(&text.replace('#', &format!("{number}.{piece}")));
            }
            source.push(if random.below(2) == 0 { ' ' } else { '\n' });
        }
        source.push_str(part);
    }
    source
}
