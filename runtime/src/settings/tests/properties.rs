//! What holds for any environment and any file, with a row of each kind.

use std::ffi::OsString;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Sample, shown};
use crate::settings::file::take;
use crate::settings::{EffectiveSettings, Table, read};

const CASES: u32 = 512;

/// A key of the table.
fn name() -> impl Strategy<Value = &'static str> {
    select(Sample::ROWS.iter().map(|row| row.name).collect::<Vec<_>>())
}

/// What somebody could write for some setting, or anything.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec!["true", "False", "off", "[::1]", "localhost", ""]).prop_map(str::to_owned),
        any::<u64>().prop_map(|number| number.to_string()),
        (0..70_000_u32).prop_map(|number| number.to_string()),
        "[0-9]{1,4}(\\.[0-9]{1,3})?(h|m|s|ms|us|ns|KiB|Mi)?",
        any::<std::net::IpAddr>().prop_map(|ip| ip.to_string()),
        "/[ -~é\u{1}\"]{0,20}",
        any::<String>(),
    ]
}

fn variables() -> impl Strategy<Value = Vec<(OsString, OsString)>> {
    let pair = (name(), value());
    let pair = pair.prop_map(|(name, value)| {
        let key = format!("GRPC__SERVER__{}", name.to_uppercase());
        (key.into(), value.into())
    });
    vec(pair, 0..6)
}

/// What stands in a file, with origins but without the secret, which isn't shown.
fn values(settings: &Sample) -> Vec<(&'static str, Option<String>)> {
    let settings = EffectiveSettings::of(settings);
    let values = settings.settings().iter();
    let values = values.map(|setting| (setting.name(), setting.value().map(str::to_owned)));
    values.collect()
}

/// What this text sets, and how many problems it has.
fn from_text(text: &str) -> (Sample, usize) {
    let (mut settings, mut problems) = (Sample::default(), Vec::new());
    take(text, Path::new("x.toml"), &mut settings, &mut problems);
    (settings, problems.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn what_is_described_is_a_file_that_sets_the_same(variables in variables()) {
        let Ok(settings) = read::<Sample>(variables, None) else {
            return Ok(());
        };
        let (again, problems) = from_text(&shown(&settings));
        prop_assert_eq!(problems, 0, "{}", shown(&settings));
        prop_assert_eq!(values(&again), values(&settings));
    }

    #[test]
    fn any_value_of_one_setting_is_taken_and_shown_again_or_refused(
        name in name(),
        value in value(),
    ) {
        let key = format!("GRPC__SERVER__{}", name.to_uppercase());
        match read::<Sample>([(key.clone().into(), value.into())], None) {
            Ok(settings) => {
                let (again, problems) = from_text(&shown(&settings));
                prop_assert_eq!(problems, 0, "{}", shown(&settings));
                prop_assert_eq!(values(&again), values(&settings));
            }
            Err(error) => {
                prop_assert_eq!(error.problems().len(), 1);
                prop_assert_eq!(error.key(), key);
                prop_assert!(!error.to_string().contains(char::is_control));
            }
        }
    }

    #[test]
    fn any_text_is_a_file_or_a_list_of_problems(text in any::<String>()) {
        from_text(&text);
    }

    #[test]
    fn any_lines_below_the_table_are_settings_or_problems(
        lines in vec((name(), "[ -~]{0,12}"), 0..6),
    ) {
        let lines = lines.iter().map(|(name, value)| format!("{name} = {value}\n"));
        from_text(&format!("[server]\n{}", lines.collect::<String>()));
    }
}
