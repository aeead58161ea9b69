//! The table of what can be set.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use super::PREFIX;
use super::error::shown;
use super::takes::Form;

/// Where the value of a setting comes from; the later one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SettingOrigin {
    /// Nobody set it.
    Default,
    /// The file.
    File,
    /// The environment.
    Env,
    /// The program itself.
    Code,
    /// An operator who overrides the program: `GRPC__CLIENT__OVERRIDE__…`.
    Override,
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Env => "env",
            Self::Code => "code",
            Self::Override => "override",
        })
    }
}

/// A value and where it comes from. It has no `Debug`: it may be a secret.
#[derive(Clone)]
pub(crate) struct Setting<T> {
    value: T,
    origin: SettingOrigin,
    /// What an operator says, in place of that.
    over: Option<T>,
}

impl<T> Setting<T> {
    pub(crate) fn new(value: T, origin: SettingOrigin) -> Self {
        Self {
            value,
            origin,
            over: None,
        }
    }

    pub(crate) fn get(&self) -> &T {
        self.over.as_ref().unwrap_or(&self.value)
    }

    pub(crate) fn origin(&self) -> SettingOrigin {
        match self.over {
            Some(_) => SettingOrigin::Override,
            None => self.origin,
        }
    }

    /// What it would be, and who says so, if nothing were overridden.
    pub(crate) fn beneath(&self) -> (&T, SettingOrigin) {
        (&self.value, self.origin)
    }

    /// What it is overridden with.
    pub(crate) fn overridden(&self) -> Option<&T> {
        self.over.as_ref()
    }

    /// Sets it by code.
    pub(crate) fn set(&mut self, value: T) {
        self.set_from(value, SettingOrigin::Code);
    }

    /// Sets it, unless who has set it goes before `origin`.
    pub(crate) fn set_from(&mut self, value: T, origin: SettingOrigin) {
        if origin == SettingOrigin::Override {
            self.over = Some(value);
        } else if origin >= self.origin {
            (self.value, self.origin) = (value, origin);
        }
    }
}

/// All settings of one section.
pub(crate) trait Table: Default + 'static {
    /// Its name, as it stands in variables: `SERVER`.
    const SECTION: &'static str;
    /// What can be set.
    const ROWS: &'static [Row<Self>];

    /// The file that was read, if one was.
    fn file(&self) -> Option<&Path>;
    /// Remembers the file.
    fn set_file(&mut self, file: PathBuf);
}

/// One setting.
pub(crate) struct Row<S> {
    /// Its name in code and files: `max_workers`.
    pub(super) name: &'static str,
    pub(super) doc: &'static [&'static str],
    pub(super) takes: fn() -> Cow<'static, str>,
    pub(super) form: Form,
    pub(super) secret: bool,
    not_yet: Option<NotYet>,
    needs: Option<&'static str>,
    overridable: bool,
    set: fn(&mut S, &str, SettingOrigin) -> Option<()>,
    show: fn(&S) -> (Option<String>, SettingOrigin),
}

/// Nothing enforces the setting, so it is refused: a limit that is ignored is worse than none.
struct NotYet {
    why: &'static str,
    /// The value that asks for nothing, which is let be.
    unless: Option<&'static str>,
}

impl<S> Row<S> {
    pub(crate) const fn new(
        name: &'static str,
        doc: &'static [&'static str],
        takes: (fn() -> Cow<'static, str>, Form),
        set: fn(&mut S, &str, SettingOrigin) -> Option<()>,
        show: fn(&S) -> (Option<String>, SettingOrigin),
    ) -> Self {
        Self {
            name,
            doc,
            takes: takes.0,
            form: takes.1,
            secret: false,
            not_yet: None,
            needs: None,
            overridable: false,
            set,
            show,
        }
    }

    /// Its value is never shown.
    #[allow(dead_code, reason = "no setting is a secret so far")]
    pub(crate) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Nothing enforces it; `why` says what to do instead.
    #[allow(dead_code, reason = "all settings are enforced so far")]
    pub(crate) const fn not_yet(mut self, why: &'static str) -> Self {
        self.not_yet = Some(NotYet { why, unless: None });
        self
    }

    /// Nothing enforces it unless it is `built`, and `value` asks for nothing.
    pub(crate) const fn built(
        mut self,
        built: bool,
        value: &'static str,
        why: &'static str,
    ) -> Self {
        if !built {
            let unless = Some(value);
            self.not_yet = Some(NotYet { why, unless });
        }
        self
    }

    /// Where it is set, the setting of this name has to be set too.
    pub(crate) const fn needs(mut self, other: &'static str) -> Self {
        self.needs = Some(other);
        self
    }

    /// An operator may override what the program says.
    pub(crate) const fn overridable(mut self) -> Self {
        self.overridable = true;
        self
    }

    pub(super) fn is_enforced(&self) -> bool {
        self.not_yet.is_none()
    }

    pub(super) fn is_overridable(&self) -> bool {
        self.overridable
    }

    /// Whether the docs have it: they are of all features.
    #[cfg(test)]
    pub(super) fn is_documented(&self) -> bool {
        let not_yet = self.not_yet.as_ref();
        not_yet.is_none_or(|not_yet| not_yet.unless.is_some())
    }

    /// Its name in variables, without what all begin with: `MAX_WORKERS`.
    pub(super) fn key(&self) -> String {
        self.name.to_ascii_uppercase()
    }

    /// The value as it can be read again, and None where it is unset.
    pub(super) fn show(&self, settings: &S) -> (Option<String>, SettingOrigin) {
        (self.show)(settings)
    }

    /// Sets it to what `text` says, or says what is wrong with that.
    pub(super) fn take(
        &self,
        settings: &mut S,
        text: &str,
        origin: SettingOrigin,
    ) -> Result<(), String> {
        let takes = (self.takes)();
        if (self.set)(settings, text, origin).is_none() {
            return Err(match self.secret {
                true => format!("its value is not {takes}"),
                false => format!("`{}` is not {takes}", shown(text)),
            });
        }
        match &self.not_yet {
            Some(not_yet) if self.show(settings).0.as_deref() != not_yet.unless => {
                Err(not_yet.why.to_owned())
            }
            _ => Ok(()),
        }
    }
}

impl<S: Table> Row<S> {
    /// What it needs and what isn't set, with what to say of that.
    pub(super) fn lacks(&self, settings: &S) -> Option<(String, String)> {
        let (value, origin) = self.show(settings);
        let other = S::ROWS.iter().find(|row| Some(row.name) == self.needs)?;
        let is_whole = value.is_none() || other.show(settings).0.is_some();
        if is_whole || !self.is_enforced() {
            return None;
        }
        let name = |row: &Self| match origin {
            SettingOrigin::File => format!("{}.{}", S::SECTION.to_lowercase(), row.name),
            _ => format!("{PREFIX}{}__{}", S::SECTION, row.key()),
        };
        let problem = format!("it is not set, and `{}` needs it", name(self));
        Some((name(other), problem))
    }
}

/// A struct with one field per setting, and its [`Table`].
///
/// A row is `name: What = default;`, below a line for people, where `What` is one of [`Takes`]. Flags
/// stand behind the default: `, secret()`, `, not_yet("why")`, `, built(cfg!(…), "false", "why")`,
/// `, needs("other")`, `, overridable()`.
///
/// [`Takes`]: super::Takes
macro_rules! settings {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $table:ident = $section:literal;
        $(
            $(#[doc = $doc:literal])+
            $name:ident: $takes:ty = $default:expr $(, $flag:ident($($argument:expr),*))*;
        )+
    ) => {
        $(#[$attribute])*
        #[derive(Clone)]
        $visibility struct $table {
            file: Option<std::path::PathBuf>,
            $(
                $(#[doc = $doc])+
                $visibility $name: $crate::settings::Setting<
                    <$takes as $crate::settings::Takes>::Value
                >,
            )+
        }

        impl Default for $table {
            fn default() -> Self {
                use $crate::settings::{Setting, SettingOrigin};
                Self {
                    file: None,
                    $($name: Setting::new($default, SettingOrigin::Default),)+
                }
            }
        }

        impl $crate::settings::Table for $table {
            const SECTION: &'static str = $section;
            const ROWS: &'static [$crate::settings::Row<Self>] = {
                use $crate::settings::{Row, Takes};
                &[$(
                    Row::new(
                        stringify!($name),
                        &[$($doc),+],
                        (<$takes as Takes>::takes, <$takes as Takes>::FORM),
                        |settings: &mut Self, text, origin| {
                            let value = <$takes as Takes>::read(text)?;
                            settings.$name.set_from(value, origin);
                            Some(())
                        },
                        |settings: &Self| {
                            let setting = &settings.$name;
                            (<$takes as Takes>::show(setting.get()), setting.origin())
                        },
                    )
                    $(.$flag($($argument),*))*
                ),+]
            };

            fn file(&self) -> Option<&std::path::Path> {
                self.file.as_deref()
            }

            fn set_file(&mut self, file: std::path::PathBuf) {
                self.file = Some(file);
            }
        }

        impl std::fmt::Debug for $table {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::settings::EffectiveSettings::of(self).fmt(f)
            }
        }
    };
}
pub(crate) use settings;
