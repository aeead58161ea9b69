//! The settings in force, on the page.

use std::fmt::{self, Display as _, Formatter};

use super::sections::{empty, folded};
use super::table::{Cell, Table};
use super::words::Escaped;
use crate::settings::{EffectiveSetting, EffectiveSettings, SettingOrigin};

/// What somebody has set, and behind that what nobody has.
pub(super) fn write(
    settings: &EffectiveSettings,
    whose: &str,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let is_set = |setting: &&EffectiveSetting| setting.origin() != SettingOrigin::Default;
    let (set, unset): (Vec<_>, Vec<_>) = settings.settings().iter().partition(is_set);
    writeln!(f, "<h3>Of {whose}</h3>")?;
    if let Some(file) = settings.file() {
        let file = file.to_string_lossy();
        writeln!(
            f,
            "<p class=\"empty\">Its file is <code>{}</code>.</p>",
            Escaped(&file)
        )?;
    }
    if set.is_empty() {
        empty(f, "All are at their defaults.")?;
    } else {
        let rows = set.into_iter().map(|setting| {
            vec![
                Cell::code(setting.key()),
                value(setting),
                Cell::text(setting.origin()),
                setting.default_value().map(Cell::text).into(),
            ]
        });
        let heads = ["Setting", "Value", "Set by", "Default"];
        Table::new("What is set", &heads, rows).fmt(f)?;
    }
    let rows = unset
        .iter()
        .map(|setting| vec![Cell::code(setting.key()), value(setting)]);
    let count = unset.len();
    let table = Table::new("What nobody has set", &["Setting", "Value"], rows);
    folded(f, &format!("{count} at their defaults"), &table)
}

fn value(setting: &EffectiveSetting) -> Cell {
    match setting.value() {
        Some(value) => Cell::text(value),
        None if setting.is_secret() => Cell::text("set, and secret"),
        None => Cell::Nothing,
    }
}
