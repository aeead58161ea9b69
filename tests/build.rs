//! Generates the layer of every fixture: `fixtures/<name>/` into `OUT_DIR/<name>/`.

use std::fs;
use std::path::{Path, PathBuf};

use protoc_gen_apibase::Error;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=fixtures");
    for entry in fs::read_dir("fixtures")? {
        let folder = entry?.path();
        let Some(name) = folder.file_name().filter(|_| folder.is_dir()) else {
            continue;
        };
        compile(&folder, &out.join(name))?;
    }
    compile(Path::new("../protos"), &out.join("protos"))?;
    Ok(())
}

/// Generates all of `folder` into `out`. What stands in folders named `tonic…` gets tonic's modules
/// beside ours.
fn compile(folder: &Path, out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    fs::create_dir_all(out)?;
    let with_tonic = folder
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("tonic"));
    protoc_gen_apibase::configure()
        .out_dir(out)
        .tonic(with_tonic)
        .compile(&files, &[folder])
        .map_err(|error: Error| format!("{}:\n{error}", folder.display()))?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
