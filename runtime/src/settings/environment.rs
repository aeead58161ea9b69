//! Settings from the environment, over those of the file.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::error::{ConfigError, ConfigProblem, shown};
use super::nearest::unknown_variable;
use super::table::{Row, SettingOrigin, Table};
use super::{CONFIG_FILE, OVERRIDE_KEY, PREFIX, SECTIONS};

/// Reads the settings of one section: the file that `file` or the environment names, then the
/// environment. A file that is named by `file`, which is code, goes before one of the environment.
///
/// # Errors
///
/// With all that is wrong.
pub(crate) fn read<S: Table>(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    file: Option<&Path>,
) -> Result<S, ConfigError> {
    let mut settings = S::default();
    let mut problems = Vec::new();
    let ours = Variables::of(variables);
    let named = ours.file();
    // What is wrong with the file itself is said of whoever names it.
    let file = match (file, named) {
        (Some(path), _) => Some((path.to_owned(), shown(&path.to_string_lossy()))),
        (None, Some(path)) => Some((path, format!("{PREFIX}{CONFIG_FILE}"))),
        (None, None) => None,
    };
    if let Some((path, key)) = file {
        read_file(&path, &key, &mut settings, &mut problems);
        settings.set_file(path);
    }
    ours.take(&mut settings, &mut problems);
    let lacking = S::ROWS.iter().filter_map(|row| row.lacks(&settings));
    problems.extend(lacking.map(|(key, problem)| ConfigProblem::new(key, problem)));
    ConfigError::or(problems, settings)
}

/// The variables that start as ours do, by name: errors come in an order that doesn't change.
struct Variables(BTreeMap<String, OsString>);

impl Variables {
    fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let ours = |(key, value): (OsString, OsString)| {
            // A key that isn't UTF-8 is unknown in any spelling.
            let key = key.to_string_lossy().into_owned();
            let start = key.get(..PREFIX.len())?;
            // In another case it would be a setting that is silently not one.
            start.eq_ignore_ascii_case(PREFIX).then_some((key, value))
        };
        Self(variables.into_iter().filter_map(ours).collect())
    }

    /// The file that the environment names.
    fn file(&self) -> Option<PathBuf> {
        let value = self.0.get(&format!("{PREFIX}{CONFIG_FILE}"))?;
        let value = value
            .to_str()
            .map_or(value.as_os_str(), |text| OsStr::new(text.trim()));
        (!value.is_empty()).then(|| PathBuf::from(value))
    }

    fn take<S: Table>(&self, settings: &mut S, problems: &mut Vec<ConfigProblem>) {
        for (key, value) in &self.0 {
            if let Err(problem) = take_one(settings, key, value) {
                problems.push(ConfigProblem::new(shown(key), problem));
            }
        }
    }
}

fn take_one<S: Table>(settings: &mut S, key: &str, value: &OsStr) -> Result<(), String> {
    let name = key.get(PREFIX.len()..).unwrap_or_default();
    if key.starts_with(PREFIX) {
        match name.split_once("__") {
            None if name == CONFIG_FILE => return Ok(()),
            Some((section, _)) if section != S::SECTION && SECTIONS.contains(&section) => {
                return Ok(());
            }
            Some((section, name)) if section == S::SECTION => {
                let (name, origin) = match name.strip_prefix(OVERRIDE_KEY) {
                    Some(name) => (name, SettingOrigin::Override),
                    None => (name, SettingOrigin::Env),
                };
                if let Some(row) = row::<S>(name, origin) {
                    return take_value(row, settings, value, origin);
                }
            }
            _ => {}
        }
    }
    Err(unknown_variable::<S>(&shown(&name.to_ascii_uppercase())))
}

/// The row of this key, if this origin may set it.
fn row<S: Table>(key: &str, origin: SettingOrigin) -> Option<&'static Row<S>> {
    let mut rows = S::ROWS.iter();
    rows.find(|row| row.key() == key && (origin != SettingOrigin::Override || row.is_overridable()))
}

fn take_value<S: Table>(
    row: &Row<S>,
    settings: &mut S,
    value: &OsStr,
    origin: SettingOrigin,
) -> Result<(), String> {
    match value.to_str().map(str::trim) {
        Some("") => Ok(()),
        Some(text) => row.take(settings, text, origin),
        None => Err(format!(
            "its value is not UTF-8; it takes {}",
            (row.takes)()
        )),
    }
}

#[cfg(feature = "config")]
fn read_file<S: Table>(
    path: &Path,
    key: &str,
    settings: &mut S,
    problems: &mut Vec<ConfigProblem>,
) {
    match super::file::load(path) {
        Ok(text) => super::file::take(&text, path, settings, problems),
        Err(problem) => problems.push(ConfigProblem::new(key, problem)),
    }
}

#[cfg(not(feature = "config"))]
fn read_file<S: Table>(_: &Path, key: &str, _: &mut S, problems: &mut Vec<ConfigProblem>) {
    let problem = "a file of settings takes the feature `config` of the crate apibase";
    problems.push(ConfigProblem::new(key, problem));
}
