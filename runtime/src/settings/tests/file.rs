//! Settings from a file.

use std::path::{Path, PathBuf};

use super::{Sample, shown};
use crate::settings::{ConfigError, ConfigProblem, SettingOrigin, read};

/// A file that is gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, text: impl AsRef<[u8]>) -> Self {
        let name = format!("apibase-settings-{}-{name}.toml", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn over(file: &Path, variables: &[(&str, &str)]) -> Result<Sample, ConfigError> {
    let variables = variables
        .iter()
        .map(|(key, value)| (key.into(), value.into()));
    read(variables, Some(file))
}

/// What is said of this text, with `FILE` for the path.
fn refusal(name: &str, text: impl AsRef<[u8]>) -> String {
    let file = Scratch::new(name, text);
    let error = over(&file.0, &[]).unwrap_err().to_string();
    error.replace(file.0.to_str().unwrap(), "FILE")
}

const ALL: &str = r#"
[server]
enabled = false
host = "::1"
port = 1
socket = "/0123"
grace = 2.5
max_age = "1m30s"
max_calls = 1_000
max_size = "64KiB"
pin = 2

[client]
whatever = [1, 2]
"#;

#[test]
fn every_setting_can_stand_in_a_file() {
    let file = Scratch::new("all", ALL);
    let settings = over(&file.0, &[]).unwrap();
    assert_eq!(*settings.enabled.get(), Some(false));
    assert_eq!(settings.host.get().to_string(), "::1");
    assert_eq!(*settings.port.get(), 1);
    assert_eq!(settings.socket.get().as_deref(), Some(Path::new("/0123")));
    assert_eq!(settings.grace.get().as_millis(), 2500);
    assert_eq!(settings.max_age.get().unwrap().as_secs(), 90);
    assert_eq!(*settings.max_calls.get(), Some(1000));
    assert_eq!(*settings.max_size.get(), 65536);
    assert_eq!(settings.pin.origin(), SettingOrigin::File);
    assert!(shown(&settings).starts_with(&format!("# from the file {:?}\n[server]\n", file.0)));
}

#[test]
fn the_environment_goes_before_the_file_and_code_before_both() {
    let file = Scratch::new("order", "[server]\nport = 1\nmax_calls = 2\nmax_size = 3\n");
    let variables = [
        ("GRPC__SERVER__MAX_CALLS", "off"),
        ("GRPC__SERVER__MAX_SIZE", ""),
    ];
    let mut settings = over(&file.0, &variables).unwrap();
    settings.port.set(9);
    let origins = (
        settings.port.origin(),
        settings.max_calls.origin(),
        settings.max_size.origin(),
        settings.grace.origin(),
    );
    use SettingOrigin::{Code, Default, Env, File};
    assert_eq!(origins, (Code, Env, File, Default));
    assert_eq!((*settings.port.get(), *settings.max_calls.get()), (9, None));
    assert_eq!(*settings.max_size.get(), 3);
}

#[test]
fn the_environment_can_name_the_file_and_code_goes_before_it() {
    let named = Scratch::new("named", "[server]\nport = 1\n");
    let coded = Scratch::new("coded", "[server]\nport = 2\n");
    let variables = || [("GRPC__CONFIG_FILE".into(), named.0.clone().into())];
    let settings: Sample = read(variables(), None).unwrap();
    assert_eq!(*settings.port.get(), 1);
    let settings: Sample = read(variables(), Some(&coded.0)).unwrap();
    assert_eq!(*settings.port.get(), 2);
}

#[test]
fn what_is_described_is_a_file_that_sets_the_same() {
    // The secret isn't shown.
    let file = Scratch::new("described", ALL.replace("pin = 2", ""));
    let settings = over(&file.0, &[]).unwrap();
    let again = Scratch::new("again", shown(&settings));
    let values = |settings: &Sample| {
        let lines = shown(settings);
        let values = lines.lines().filter_map(|line| line.split(" #").next());
        values
            .skip(1)
            .map(|value| value.trim().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&over(&again.0, &[]).unwrap()), values(&settings));
}

#[test]
fn what_is_wrong_has_its_place() {
    let text = r#"prot = 1
[server]
port = "50051"
host = 127
grace = "soon"
enabled = "true"
hots = "::"
max_calls = true
max_workers = 4
max_age = [1]
pin = 99999
[sever]
"#;
    let expected = "11 settings are wrong:
  FILE:1:1: prot: there is no such table; did you mean `port` below `[server]`?
  FILE:3:8: server.port: a text is not a number from 0 to 65535; write it without quotes
  FILE:4:8: server.host: a number is not an IP address such as `0.0.0.0`, `127.0.0.1` or `[::]`, or `localhost`; write it in quotes
  FILE:5:9: server.grace: `soon` is not a time such as `5s`, `250ms`, `1m30s` or `2.5` (seconds), at most 8760h
  FILE:6:11: server.enabled: a text is not true or false; write it without quotes
  FILE:7:1: server.hots: there is no such setting; did you mean `host`?
  FILE:8:13: server.max_calls: a boolean is not a whole number from 1 to 4294967295, or `off`
  FILE:9:15: server.max_workers: later; unset it
  FILE:10:11: server.max_age: a list is not a time such as `20s`, `250ms`, `1m30s` or `2.5` (seconds), above 0 and at most 8760h, or `off`
  FILE:11:7: server.pin: its value is not a number from 0 to 65535
  FILE:12:2: sever: there is no such setting; did you mean `[server]`?";
    assert_eq!(refusal("places", text), expected);
}

#[test]
fn a_table_that_is_none_and_keys_like_nothing_are_refused() {
    assert_eq!(
        refusal("scalar", "server = 1"),
        "FILE:1:10: server: it is a table; write `[server]`"
    );
    assert_eq!(
        refusal("nothing", "zzzzzzzz = 1"),
        "FILE:1:1: zzzzzzzz: there is no such setting; there are [server], [client]"
    );
    assert_eq!(
        refusal("hyphen", "[server]\nmax-size = 1"),
        "FILE:2:1: server.max-size: there is no such setting; did you mean `max_size`?"
    );
    assert_eq!(
        refusal("empty", "[server]\nhost = \"\""),
        "FILE:2:8: server.host: `` is not an IP address such as `0.0.0.0`, `127.0.0.1` or \
         `[::]`, or `localhost`"
    );
}

#[test]
fn what_is_not_toml_or_not_readable_is_refused() {
    let error = refusal("leading", "[server]\nport = 0123\n");
    assert!(error.starts_with("FILE:2:8: "), "{error}");
    let error = refusal("twice", "[server]\nport = 1\nport = 2\n");
    assert!(error.starts_with("FILE:3:1: "), "{error}");
    let said = |name| refusal(name, vec![b'#'; 2 << 20]);
    assert_eq!(said("large"), "FILE: the file `FILE` is larger than 1 MiB");
    assert_eq!(
        refusal("bytes", b"\xff"),
        "FILE: the file `FILE` is not UTF-8"
    );
    let named = [("GRPC__CONFIG_FILE".into(), "/no/such/file".into())];
    assert_eq!(
        read::<Sample>(named, None).unwrap_err().to_string(),
        "GRPC__CONFIG_FILE: the file `/no/such/file` can't be read: No such file or directory \
         (os error 2)"
    );
}

#[test]
fn a_wrong_file_is_told_together_with_a_wrong_environment() {
    let file = Scratch::new("both", "[server]\nport = -1\n");
    let error = over(&file.0, &[("GRPC__SERVER__PORT", "x"), ("GRPC__X", "")]).unwrap_err();
    let keys: Vec<_> = error.problems().iter().map(ConfigProblem::key).collect();
    assert_eq!(keys, ["server.port", "GRPC__SERVER__PORT", "GRPC__X"]);
    let place = error.problems()[0].place().unwrap();
    assert!(place.ends_with(".toml:2:8"), "{place}");
}
