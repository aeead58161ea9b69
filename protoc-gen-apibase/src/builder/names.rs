//! From the path of a proto to the name by which others import it.

use std::path::Path;

use crate::error::Diagnostic;

/// The name by which an `import` would name `file`.
///
/// As protoc: a path from the working directory that lies below an include, or else a name below
/// one. Of two includes that have the name, the first is meant, and a path that means the second
/// is an error.
pub(super) fn file_name(file: &Path, includes: &[&Path]) -> Result<String, Diagnostic> {
    let shown = file.display();
    if file.is_file() {
        let Some((include, name)) = name_below(file, includes) else {
            return found_below(file, includes).ok_or_else(|| {
                Diagnostic::new(format!("`{shown}` lies in no include directory")).help(format!(
                    "add the directory from which it is imported; they are: {}",
                    list(includes)
                ))
            });
        };
        let shadow = includes
            .iter()
            .take_while(|earlier| **earlier != include)
            .find(|earlier| earlier.join(&name).is_file() && !same(&earlier.join(&name), file));
        return match shadow {
            None => Ok(name),
            Some(earlier) => Err(Diagnostic::new(format!(
                "`{shown}` is hidden by `{}`, whose include directory comes first",
                earlier.join(&name).display()
            ))
            .help(format!(
                "put `{}` before `{}`, or give the other file",
                include.display(),
                earlier.display()
            ))),
        };
    }
    found_below(file, includes).ok_or_else(|| {
        Diagnostic::new(format!("`{shown}` is not found")).help(format!(
            "it is looked up from {} and in the include directories: {}",
            working_directory(),
            list(includes)
        ))
    })
}

/// The include that `file` lies in, the deepest one, and its name from there.
fn name_below<'a>(file: &Path, includes: &[&'a Path]) -> Option<(&'a Path, String)> {
    let real = file.canonicalize().ok()?;
    // Symlinked files are named where they are linked, so the given spelling comes first.
    let absolute = std::path::absolute(file).ok()?;
    let mut found: Option<(&Path, String)> = None;
    for include in includes {
        let spelled = std::path::absolute(include).ok();
        let resolved = include.canonicalize().ok();
        let below = spelled
            .and_then(|include| slashed(absolute.strip_prefix(include).ok()?))
            .or_else(|| slashed(real.strip_prefix(resolved?).ok()?));
        if let Some(name) = below
            && found
                .as_ref()
                .is_none_or(|(_, best)| name.len() < best.len())
        {
            found = Some((include, name));
        }
    }
    found
}

/// The name of `file` where it is one already.
fn found_below(file: &Path, includes: &[&Path]) -> Option<String> {
    let name = slashed(file)?;
    includes
        .iter()
        .any(|include| include.join(&name).is_file())
        .then_some(name)
}

/// `path` with slashes between its parts, as proto names have; none when it leaves its start.
fn slashed(path: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::Normal(part) => parts.push(part.to_str()?),
            std::path::Component::CurDir => {}
            _ => return None,
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn list(includes: &[&Path]) -> String {
    let shown: Vec<String> = includes
        .iter()
        .map(|include| format!("`{}`", include.display()))
        .collect();
    shown.join(", ")
}

/// Where relative paths start, for messages.
pub(super) fn working_directory() -> String {
    std::env::current_dir().map_or_else(
        |_| "the working directory".to_owned(),
        |dir| format!("`{}`", dir.display()),
    )
}
