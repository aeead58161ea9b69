//! Generates the layer of those fixtures whose code could differ between editions.

use std::path::{Path, PathBuf};

use protoc_gen_apibase::Emit;

const FIXTURES: &[(&str, &[&str])] = &[
    ("deprecated", &["deprecated.proto", "file.proto"]),
    ("entity_calls", &["calls.proto"]),
    ("entity_enums", &["enums.proto", "plain.proto"]),
    ("entity_fields", &["fields.proto", "parts.proto"]),
    ("entity_names", &["names.proto"]),
    ("entity_oneofs", &["oneofs.proto"]),
    ("entity_patch", &["patch.proto"]),
    ("errors_basic", &["basic.proto"]),
    ("errors_calls", &["calls.proto"]),
    ("errors_empty", &["alone.proto", "empty.proto"]),
    ("errors_names", &["names.proto"]),
    ("keywords", &["keywords.proto"]),
    ("kinds", &["kinds.proto"]),
    ("no_package", &["root.proto"]),
    ("prelude", &["nested.proto", "prelude.proto"]),
    ("proto2", &["proto2.proto"]),
    ("rpc_types", &["a.proto", "deep.proto"]),
    ("shapes", &["shapes.proto"]),
    ("well_known", &["well_known.proto"]),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    for (fixture, files) in FIXTURES {
        let folder = Path::new("../fixtures").join(fixture);
        protoc_gen_apibase::configure()
            .laws(true)
            .emit(Emit {
                fakes: true,
                ..Emit::default()
            })
            .out_dir(out.join(fixture))
            .compile(files, &[folder])?;
    }
    Ok(())
}
