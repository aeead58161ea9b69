//! [`Said`]: a value and who says so.

use crate::settings::{Setting, SettingOrigin};

/// Who says something of a call; the later one goes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::client) enum SaidBy {
    Default,
    File,
    Env,
    Proto,
    Code,
    Call,
    Override,
}

/// A value and who says so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Said<T> {
    pub(super) value: T,
    pub(super) by: SaidBy,
}

impl<T: Clone> Said<T> {
    pub(super) fn of(setting: &Setting<T>) -> Self {
        Self {
            value: setting.get().clone(),
            by: setting.origin().into(),
        }
    }

    /// The same as if nothing were overridden.
    pub(super) fn beneath(setting: &Setting<T>) -> Self {
        let (value, origin) = setting.beneath();
        Self {
            value: value.clone(),
            by: origin.into(),
        }
    }

    pub(super) fn or_proto(self, value: Option<T>) -> Self {
        self.or(value, SaidBy::Proto)
    }

    pub(super) fn or_call(&self, value: Option<T>) -> Self {
        self.clone().or(value, SaidBy::Call)
    }

    pub(super) fn map<U>(self, map: impl FnOnce(T) -> U) -> Said<U> {
        Said {
            value: map(self.value),
            by: self.by,
        }
    }

    /// `value`, if there is one and who says this doesn't go before.
    fn or(self, value: Option<T>, by: SaidBy) -> Self {
        match value {
            Some(value) if by > self.by => Self { value, by },
            _ => self,
        }
    }
}

impl From<SettingOrigin> for SaidBy {
    fn from(origin: SettingOrigin) -> Self {
        match origin {
            SettingOrigin::Default => Self::Default,
            SettingOrigin::File => Self::File,
            SettingOrigin::Env => Self::Env,
            SettingOrigin::Code => Self::Code,
            SettingOrigin::Override => Self::Override,
        }
    }
}
