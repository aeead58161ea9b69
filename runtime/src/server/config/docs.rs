//! The docs of the settings are made of the table.

use std::fmt::Write as _;
use std::path::Path;

use super::ServerSettings;
use crate::settings::EffectiveSettings;

/// With `UPDATE_DOCS=1` it writes the file anew.
#[test]
fn the_docs_are_the_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/config/settings.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(kept, page, "run this test once with UPDATE_DOCS=1");
}

fn page() -> String {
    let mut page =
        String::from("| setting | takes | default | what it does |\n|---|---|---|---|\n");
    for setting in EffectiveSettings::documented::<ServerSettings>().settings() {
        let default = match setting.default_value() {
            Some(value) => format!("`{value}`"),
            None => "unset".to_owned(),
        };
        let (key, takes, doc) = (setting.key(), setting.takes(), setting.doc());
        writeln!(page, "| `{key}` | {takes} | {default} | {doc} |").unwrap();
    }
    page
}
