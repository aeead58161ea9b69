//! The docs of the settings are made of the table.

use super::ServerSettings;
use crate::settings::are_the_table_of;

/// With `UPDATE_DOCS=1` it writes the file anew.
#[test]
fn the_docs_are_the_table() {
    are_the_table_of::<ServerSettings>("server/config/settings.md");
}
