//! Settings of an operator that go before code.

use super::super::{ConfigError, Count, EffectiveSettings, Port, SettingOrigin, read, settings};

settings! {
    /// What may be overridden, and what not.
    struct Gate = "CLIENT";

    /// Not this.
    port: Port = 1;
    /// This.
    speed: Count = 2, overridable();
    /// And this.
    width: Count = 3, overridable();
}

fn from(pairs: &[(&str, &str)]) -> Result<Gate, ConfigError> {
    let variables = pairs
        .iter()
        .map(|(key, value)| (format!("GRPC__CLIENT__{key}").into(), value.into()));
    read(variables, None)
}

#[test]
fn an_override_goes_before_code_and_the_environment() {
    // `O` sorts between `A` and `Z`, and neither order may matter.
    let mut gate = from(&[
        ("OVERRIDE__SPEED", "7"),
        ("SPEED", "5"),
        ("WIDTH", "6"),
        ("OVERRIDE__WIDTH", ""),
    ])
    .unwrap();
    gate.speed.set(8);
    gate.width.set(9);
    assert_eq!(
        (*gate.speed.get(), gate.speed.origin()),
        (7, SettingOrigin::Override)
    );
    assert_eq!(
        (*gate.width.get(), gate.width.origin()),
        (9, SettingOrigin::Code)
    );
    assert!(SettingOrigin::Override > SettingOrigin::Code);
    assert_eq!(gate.speed.beneath(), (&8, SettingOrigin::Code));
    assert_eq!(
        (gate.speed.overridden(), gate.width.overridden()),
        (Some(&7), None)
    );
}

#[test]
fn what_may_not_be_overridden_is_refused() {
    let error = from(&[("OVERRIDE__PORT", "7")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "GRPC__CLIENT__OVERRIDE__PORT: it can't be overridden; set `GRPC__CLIENT__PORT`, or unset it"
    );
    let error = from(&[("OVERRIDE__SPEDE", "7")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "GRPC__CLIENT__OVERRIDE__SPEDE: there is no such setting; did you mean \
         `GRPC__CLIENT__OVERRIDE__SPEED`?"
    );
    let error = from(&[("OVERRIDE__COLOUR", "7")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "GRPC__CLIENT__OVERRIDE__COLOUR: there is no such setting; there are \
         GRPC__CLIENT__OVERRIDE__SPEED, GRPC__CLIENT__OVERRIDE__WIDTH"
    );
}

#[test]
fn overrides_are_described_in_a_table_of_their_own() {
    let gate = from(&[("OVERRIDE__SPEED", "7"), ("WIDTH", "6")]).unwrap();
    let shown = EffectiveSettings::of(&gate);
    let expected = "[client]\nport = 1   # default\nwidth = 6  # env\n\n[client.override]\nspeed = 7  # override";
    assert_eq!(shown.to_string(), expected);
    let overridable = |name| shown.get(name).unwrap().is_overridable();
    assert!(overridable("speed") && !overridable("port"));
}

#[cfg(feature = "config")]
mod file {
    use super::*;
    use crate::settings::file::take;

    /// What a file says, and what is wrong with it.
    fn taken(text: &str) -> (Gate, String) {
        let (mut gate, mut problems) = (Gate::default(), Vec::new());
        take(text, "FILE".as_ref(), &mut gate, &mut problems);
        let problems = problems.iter().map(ToString::to_string);
        (gate, problems.collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_file_has_them_below_its_section() {
        let (mut gate, problems) = taken("[client]\nspeed = 5\n[client.override]\nspeed = 7");
        assert_eq!(problems, "");
        gate.speed.set(8);
        assert_eq!(
            (*gate.speed.get(), gate.speed.origin()),
            (7, SettingOrigin::Override)
        );
        let (mut again, problems) = taken(&EffectiveSettings::of(&gate).to_string());
        assert_eq!(problems, "");
        again.speed.set(9);
        assert_eq!(*again.speed.get(), 7);
    }

    #[test]
    fn what_is_wrong_there_is_said_with_its_place() {
        let (_, problems) = taken("[client.override]\nport = 7\nspeeed = 1\nwidth = 0");
        assert_eq!(
            problems,
            "FILE:2:1: client.override.port: there is no such setting; there are speed, width\n\
             FILE:3:1: client.override.speeed: there is no such setting; did you mean `speed`?\n\
             FILE:4:9: client.override.width: `0` is not a whole number from 1 to 4294967295"
        );
        let (_, problems) = taken("[client]\noverride = 7");
        assert_eq!(
            problems,
            "FILE:2:12: client.override: it is a table; write `[client.override]`"
        );
    }
}
