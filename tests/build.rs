//! Generates the layer of every fixture: `fixtures/<name>/` into `OUT_DIR/<name>/`.
//!
//! All protos of a fixture are asked for, but for those in its folder `imports`. A file
//! `options.txt` in it holds parameters of the generator, one a line.

use std::fs;
use std::path::{Path, PathBuf};

use protoc_gen_apibase::{Builder, Error, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    // What is there is compared with what is expected: nothing may be left of an earlier run.
    fs::remove_dir_all(&out)?;
    println!("cargo:rerun-if-changed=fixtures");
    for entry in fs::read_dir("fixtures")? {
        let folder = entry?.path();
        if let Some(name) = folder.file_name().filter(|_| folder.is_dir()) {
            compile(&folder, &out.join(name))?;
        }
    }
    // What `extern_path` takes from elsewhere has to be somewhere.
    compile(
        Path::new("fixtures/extern_path/imports"),
        &out.join("money"),
    )?;
    compile(Path::new("../protos"), &out.join("protos"))?;
    Ok(())
}

/// Generates all of `folder` into `out`.
fn compile(folder: &Path, out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    fs::create_dir_all(out)?;
    let imports = folder.join("imports");
    let includes = [folder, &imports];
    let includes = if imports.exists() {
        &includes[..]
    } else {
        &includes[..1]
    };
    Builder::from(options(folder)?)
        .include_file("mod.rs")
        .out_dir(out)
        .compile(&files, includes)
        .map_err(|error: Error| format!("{}:\n{error}", folder.display()))?;
    Ok(())
}

fn options(folder: &Path) -> Result<Options, Box<dyn std::error::Error>> {
    let path = folder.join("options.txt");
    let text = if path.exists() {
        fs::read_to_string(path)?
    } else {
        String::new()
    };
    let mut options = Options::from_pairs(text.lines())?;
    options.emit.fakes = true;
    Ok(options)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("imports") {
            collect(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    Ok(())
}
