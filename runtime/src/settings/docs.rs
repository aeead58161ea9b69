//! The docs of settings are made of their tables.

use std::fmt::Write as _;
use std::path::Path;

use super::{EffectiveSetting, EffectiveSettings, Table};

/// Checks that `file`, in the crate's `src`, has the table of `S`. With `UPDATE_DOCS=1` it writes the
/// file anew.
pub(crate) fn are_the_table_of<S: Table>(file: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    let page = page(&EffectiveSettings::documented::<S>());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(kept, page, "run this test once with UPDATE_DOCS=1");
}

fn page(documented: &EffectiveSettings) -> String {
    // Only where there is one to override.
    let mut all = documented.settings().iter();
    let has_overrides = all.any(EffectiveSetting::is_overridable);
    let mut page = match has_overrides {
        true => "| setting | takes | default | override | what it does |\n|---|---|---|---|---|\n",
        false => "| setting | takes | default | what it does |\n|---|---|---|---|\n",
    }
    .to_owned();
    for setting in documented.settings() {
        let default = match setting.default_value() {
            Some(value) => format!("`{value}`"),
            None => "unset".to_owned(),
        };
        let overrides = match (has_overrides, setting.is_overridable()) {
            (false, _) => "",
            (true, true) => " | yes",
            (true, false) => " | no",
        };
        let (key, takes, doc) = (setting.key(), setting.takes(), setting.doc());
        writeln!(page, "| `{key}` | {takes} | {default}{overrides} | {doc} |").unwrap();
    }
    page
}
