//! [`EffectiveSettings`]: what is set, and by whom.

use std::fmt;
use std::path::{Path, PathBuf};

use super::table::{Row, SettingOrigin, Table};
use super::takes::Form;
use super::{OVERRIDE_TABLE, PREFIX};

/// What is set, to what, and where that comes from. No secrets.
///
/// It shows as a file of settings that would set the same, with origins as comments:
///
/// ```
/// let settings = apibase::Server::new().port(50052).describe();
/// assert!(settings.to_string().contains("port = 50052"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveSettings {
    section: &'static str,
    file: Option<PathBuf>,
    settings: Vec<EffectiveSetting>,
}

/// One setting, its value and where that comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveSetting {
    key: String,
    name: &'static str,
    doc: String,
    takes: String,
    form: Form,
    secret: bool,
    value: Option<String>,
    default: Option<String>,
    origin: SettingOrigin,
    overridable: bool,
}

impl EffectiveSettings {
    pub(crate) fn of<S: Table>(settings: &S) -> Self {
        let defaults = S::default();
        let rows = S::ROWS.iter().filter(|row| row.is_enforced());
        Self {
            section: S::SECTION,
            file: settings.file().map(Path::to_owned),
            settings: rows
                .map(|row| EffectiveSetting::of(row, settings, &defaults))
                .collect(),
        }
    }

    /// What there is to set with all features, at its default, for the docs.
    #[cfg(test)]
    pub(crate) fn documented<S: Table>() -> Self {
        let defaults = S::default();
        let rows = S::ROWS.iter().filter(|row| row.is_documented());
        Self {
            section: S::SECTION,
            file: None,
            settings: rows
                .map(|row| EffectiveSetting::of(row, &defaults, &defaults))
                .collect(),
        }
    }

    /// The file that was read, if one was.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Every setting that this version enforces, in the order of the docs.
    #[must_use]
    pub fn settings(&self) -> &[EffectiveSetting] {
        &self.settings
    }

    /// The setting of this name, `max_concurrent_rpcs` for example.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&EffectiveSetting> {
        self.settings.iter().find(|setting| setting.name == name)
    }
}

impl EffectiveSetting {
    fn of<S: Table>(row: &Row<S>, settings: &S, defaults: &S) -> Self {
        let (value, origin) = row.show(settings);
        Self {
            key: format!("{PREFIX}{}__{}", S::SECTION, row.key()),
            name: row.name,
            doc: row.doc.join("").trim().to_owned(),
            takes: (row.takes)().into_owned(),
            form: row.form,
            secret: row.secret,
            value: value.filter(|_| !row.secret),
            default: row.show(defaults).0.filter(|_| !row.secret),
            origin,
            overridable: row.is_overridable(),
        }
    }

    /// Its name in the environment, `GRPC__SERVER__PORT`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its name in a file and in code, `port`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it does, in a line or two of Markdown.
    #[must_use]
    pub fn doc(&self) -> &str {
        &self.doc
    }

    /// What it takes, `a number from 0 to 65535`.
    #[must_use]
    pub fn takes(&self) -> &str {
        &self.takes
    }

    /// Its value, as the environment has it: `50051`, `5s`, `4MiB`. None where it is unset, or a
    /// secret.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Its default, as [`value`](Self::value).
    #[must_use]
    pub fn default_value(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// Where its value comes from.
    #[must_use]
    pub fn origin(&self) -> SettingOrigin {
        self.origin
    }

    /// Whether an operator may override what code says: `GRPC__CLIENT__OVERRIDE__…`.
    #[must_use]
    pub fn is_overridable(&self) -> bool {
        self.overridable
    }

    /// Whether its value is never shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// `port = 50051`, or a comment where there is nothing to show.
    fn line(&self) -> String {
        let name = self.name;
        match &self.value {
            Some(value) if self.is_bare(value) => format!("{name} = {value}"),
            Some(value) => format!("{name} = {}", quoted(value)),
            None if self.secret && self.origin != SettingOrigin::Default => {
                format!("# {name} is set, and secret")
            }
            None => format!("# {name} is not set"),
        }
    }

    fn is_bare(&self, value: &str) -> bool {
        match self.form {
            Form::Switch | Form::Number => true,
            Form::Text => false,
            Form::TextOrNumber => value.bytes().all(|byte| byte.is_ascii_digit()),
        }
    }
}

impl fmt::Display for EffectiveSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            writeln!(f, "# from the file {file:?}")?;
        }
        let section = self.section.to_lowercase();
        let lines = self
            .settings
            .iter()
            .map(|setting| (setting, setting.line()));
        let lines: Vec<_> = lines.collect();
        let width = lines.iter().map(|(_, line)| line.chars().count()).max();
        let width = width.unwrap_or_default();
        let is_override = |setting: &EffectiveSetting| setting.origin == SettingOrigin::Override;
        write!(f, "[{section}]")?;
        for (setting, line) in lines.iter().filter(|(setting, _)| !is_override(setting)) {
            write!(f, "\n{line:width$}  # {}", setting.origin)?;
        }
        let mut overrides = lines
            .iter()
            .filter(|(setting, _)| is_override(setting))
            .peekable();
        if overrides.peek().is_some() {
            write!(f, "\n\n[{section}.{OVERRIDE_TABLE}]")?;
        }
        for (setting, line) in overrides {
            write!(f, "\n{line:width$}  # {}", setting.origin)?;
        }
        Ok(())
    }
}

/// A text of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            _ if char.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(char))),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}
