//! Settings that need another one.

use super::super::{ConfigError, EffectiveSettings, FilePath, Maybe, SettingOrigin, Switch};
use super::super::{read, settings};

settings! {
    /// A door and its key.
    struct Pair = "SERVER";

    /// A door.
    door: Maybe<FilePath> = None, needs("key");
    /// Its key.
    key: Maybe<FilePath> = None, needs("door");
    /// Not there.
    lock: Maybe<Switch> = None, built(false, "", "later; unset it"), needs("door");
}

fn from(pairs: &[(&str, &str)]) -> Result<Pair, ConfigError> {
    let variables = pairs.iter();
    let variables =
        variables.map(|(key, value)| (format!("GRPC__SERVER__{key}").into(), value.into()));
    read(variables, None)
}

#[test]
fn a_setting_without_the_one_that_it_needs_is_refused_by_the_name_of_that() {
    let error = from(&[("DOOR", "/a")]).unwrap_err();
    assert_eq!(error.key(), "GRPC__SERVER__KEY");
    assert_eq!(
        error.to_string(),
        "GRPC__SERVER__KEY: it is not set, and `GRPC__SERVER__DOOR` needs it"
    );
    let error = from(&[("KEY", "/a"), ("DOOR", "")]).unwrap_err();
    assert_eq!(error.key(), "GRPC__SERVER__DOOR");
}

#[test]
fn together_they_are_taken() {
    let settings = from(&[("DOOR", "a"), ("KEY", "/b")]).unwrap();
    assert_eq!(settings.door.get().as_deref(), Some("a".as_ref()));
    assert_eq!(settings.key.origin(), SettingOrigin::Env);
    assert!(from(&[]).is_ok());
}

#[test]
fn one_that_is_not_built_needs_nothing_but_to_be_unset() {
    let error = from(&[("LOCK", "true")]).unwrap_err();
    assert_eq!(error.to_string(), "GRPC__SERVER__LOCK: later; unset it");
    let documented = EffectiveSettings::documented::<Pair>();
    assert!(documented.get("lock").is_some());
}

#[test]
#[cfg(feature = "config")]
fn in_a_file_it_is_refused_by_the_name_that_it_has_there() {
    let name = format!("apibase-needs-{}.toml", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, "[server]\ndoor = \"/a\"\n").unwrap();
    let error = read::<Pair>([], Some(&path)).map(drop).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(
        error.to_string(),
        "server.key: it is not set, and `server.door` needs it"
    );
}
