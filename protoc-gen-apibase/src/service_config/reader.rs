//! The values of a service config, each with what must hold for it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use super::Place;
use super::json::Value;
use crate::error::Diagnostics;
use crate::model::policy::{Code, MOST_ATTEMPTS, proto_name};
use crate::options::nearest;

/// The longest time of a call or a wait.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// The members of an object, by name.
pub(super) type Members<'a> = BTreeMap<String, Value<'a>>;

/// Takes values, and says what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) problems: &'a mut Diagnostics,
    pub(super) warnings: &'a mut Diagnostics,
}

impl Reader<'_> {
    /// How often a request is sent, the first time included.
    pub(super) fn attempts(&mut self, value: &Value<'_>) -> Option<u32> {
        let number = value.number().filter(|n| *n >= 2.0 && n.fract() == 0.0);
        let Some(number) = number else {
            let what = format!("is {}, and no whole number from 2", value.shown());
            let help = "the first time is included: 2 is one retry; for none, remove the policy";
            self.wrong(value, &what, help);
            return None;
        };
        if number > f64::from(MOST_ATTEMPTS) {
            let what = format!("is {}: {MOST_ATTEMPTS} attempts are made", value.shown());
            let warning = self.place(value).says(what);
            self.warnings.push(warning.note(format!(
                "all clients of gRPC stop at {MOST_ATTEMPTS} (gRFC A6)"
            )));
            return Some(MOST_ATTEMPTS);
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is whole and from 2 to 5"
        )]
        Some(number as u32)
    }

    /// How much longer each wait is than the one before.
    pub(super) fn multiplier(&mut self, value: &Value<'_>) -> Option<f64> {
        let number = value.number().filter(|n| *n > 0.0 && *n <= 100.0);
        let Some(number) = number else {
            let what = format!("is {}, and no number up to 100", value.shown());
            let help =
                "with 1 all waits are equally long, with 2 each is twice as long as the last";
            self.wrong(value, &what, help);
            return None;
        };
        if number < 1.0 {
            let warning = self.place(value).says("is less than 1, and taken for 1");
            let note = "our clients never wait less long than the time before";
            self.warnings.push(warning.note(note));
        }
        Some(number.max(1.0))
    }

    /// A time longer than 0.
    pub(super) fn duration(&mut self, value: &Value<'_>) -> Option<Duration> {
        let duration = value.text().and_then(|text| seconds(&text));
        let what = match duration {
            None => format!("is {}, and no duration", value.shown()),
            Some(Duration::ZERO) => "is not longer than 0".to_owned(),
            Some(duration) if duration > YEAR => "is longer than a year".to_owned(),
            Some(duration) => return Some(duration),
        };
        let help = "write seconds with an `s` behind them: \"60s\", \"0.250s\"";
        self.wrong(value, &what, help);
        None
    }

    /// Codes, each once.
    pub(super) fn codes(&mut self, value: &Value<'_>) -> Vec<Code> {
        let mut codes = Vec::new();
        for item in self.items(value) {
            match code(&item) {
                Some(code) if codes.contains(&code) => {}
                Some(code) => codes.push(code),
                None => {
                    let what = format!("is {}, and no code of an error", item.shown());
                    let help = "write it as gRPC does: \"UNAVAILABLE\", \"RESOURCE_EXHAUSTED\"";
                    self.wrong(&item, &what, help);
                }
            }
        }
        codes
    }

    /// The members of what must be an object, but for those that are null; warns of those that gRPC
    /// doesn't know.
    pub(super) fn object<'v>(&mut self, value: &Value<'v>, known: &[&str]) -> Option<Members<'v>> {
        let Some(written) = value.members() else {
            let what = format!("is {}, and no object", value.shown());
            self.wrong(value, &what, "write it as { … }");
            return None;
        };
        let mut members = Members::new();
        for (name, value) in written {
            match members.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(earlier) => {
                    let problem = self.place(&value).says("is there twice");
                    let earlier = self.place(earlier.get());
                    let problem = earlier.note_on(problem, "the other one");
                    let help = "remove one of the two: protobuf's JSON has each member once";
                    self.problems.push(problem.help(help));
                }
            }
        }
        members.retain(|_, value| !value.is_null());
        for (name, value) in &members {
            if known.contains(&name.as_str()) {
                continue;
            }
            let warning = self.place(value).says("is not known, and passed over");
            self.warnings.push(match nearest(name, known) {
                Some(meant) => warning.help(format!("did you mean `{meant}`?")),
                None => warning,
            });
        }
        Some(members)
    }

    /// Warns of members that are said to our clients `elsewhere`.
    pub(super) fn pass_over(&mut self, members: &Members<'_>, elsewhere: &[(&str, &str)]) {
        for (name, help) in elsewhere {
            if let Some(value) = members.get(*name).filter(|value| value.shown() != "false") {
                let warning = self.place(value).says("is passed over");
                self.warnings.push(warning.help(*help));
            }
        }
    }

    /// The items of what must be a list.
    pub(super) fn items<'v>(&mut self, value: &Value<'v>) -> Vec<Value<'v>> {
        value.items().unwrap_or_else(|| {
            let what = format!("is {}, and no list", value.shown());
            self.wrong(value, &what, "write it as [ … ]");
            Vec::new()
        })
    }

    /// What must be a string.
    pub(super) fn text(&mut self, value: &Value<'_>) -> Option<String> {
        let text = value.text();
        if text.is_none() {
            let what = format!("is {}, and no text", value.shown());
            self.wrong(value, &what, "write it in quotes");
        }
        text
    }

    /// A member that gRPC needs.
    pub(super) fn needed<'m, 'v>(
        &mut self,
        value: &Value<'v>,
        members: &'m Members<'v>,
        key: &str,
        example: &str,
    ) -> Option<&'m Value<'v>> {
        let member = members.get(key);
        if member.is_none() {
            let help = format!("add it, `\"{key}\": {example}` for example (gRFC A6)");
            self.wrong(value, &format!("has no `{key}`"), &help);
        }
        member
    }

    /// Says what is wrong with a value.
    pub(super) fn wrong(&mut self, value: &Value<'_>, what: &str, help: &str) {
        let problem = self.place(value).says(what);
        self.problems.push(problem.help(help));
    }

    /// Where a value starts.
    pub(super) fn place(&self, value: &Value<'_>) -> Place {
        let before = self.text.get(..value.at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        let small = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Place {
            file: self.file.to_owned(),
            line: small(line),
            column: small(column),
            path: value.path.clone(),
        }
    }
}

/// A code by its name or its number, OK excepted.
fn code(value: &Value<'_>) -> Option<Code> {
    let all = (1..=16).filter_map(|number| Code::try_from(number).ok());
    let mut all = all.zip(1u32..);
    let (text, number) = (value.text(), value.number());
    let found = all.find(|(code, of)| {
        text.as_ref().is_some_and(|text| *text == proto_name(*code))
            || number.is_some_and(|number| number == f64::from(*of))
    });
    found.map(|(code, _)| code)
}

/// `1.5s`, as JSON has durations; none for what is negative or has more than nine decimals.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // `.5s` is one, `.s` and `1.s` are not.
    let has_digits = !number.is_empty() && !number.ends_with('.');
    if !has_digits || !is_digits(whole) || !is_digits(decimals) || decimals.len() > 9 {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    let nanos: u32 = format!("{decimals:0<9}").parse().ok()?;
    Some(Duration::new(whole.parse().ok()?, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_json() {
        let of = |text| seconds(text).map(|duration| duration.as_nanos());
        assert_eq!(of("60s"), Some(60_000_000_000));
        assert_eq!(of("0.100s"), Some(100_000_000));
        assert_eq!(of(".25s"), Some(250_000_000));
        assert_eq!(of("1.000000001s"), Some(1_000_000_001));
        for wrong in [
            "",
            "s",
            ".s",
            "1",
            "1.s",
            "-1s",
            "+1s",
            "1.0000000001s",
            "1 s",
            "1e3s",
            "1ms",
            "99999999999999999999s",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
