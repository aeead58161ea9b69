//! Every setting, with every set of those who can say it: the highest of them is heard.

use super::*;

/// Those who can say something, from the lowest to the highest.
const LEVELS: [Level; 5] = [
    Level::Env,
    Level::Proto,
    Level::Code,
    Level::Call,
    Level::Override,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Level {
    Env,
    Proto,
    Code,
    Call,
    Override,
}

/// What each level says of one setting, if it says something: the index of a value.
type Saying = [Option<usize>; 5];

/// One setting.
struct Subject {
    name: &'static str,
    /// As they stand in variables, all different, none the default.
    values: [&'static str; 5],
    /// What a proto says; None where it can't.
    proto: Option<fn(Method, usize) -> Method>,
    code: fn(&mut ClientSettings, usize),
    /// What holds, shown as the value of a variable, for a call that says this.
    holds: fn(&Effective, &ClientSettings, &Method, Option<usize>) -> String,
    /// Whether a call can say it.
    of_call: bool,
    /// What holds where nobody says anything.
    default: &'static str,
}

const TIMES: [Duration; 5] = [
    Duration::from_secs(11),
    Duration::from_secs(12),
    Duration::from_secs(13),
    Duration::from_secs(14),
    Duration::from_secs(15),
];
const TIME_TEXTS: [&str; 5] = ["11s", "12s", "13s", "14s", "15s"];
const MULTIPLIERS: [f64; 5] = [1.1, 1.2, 1.3, 1.4, 1.5];

fn time(at: usize) -> Duration {
    TIMES[at]
}

/// A number of retries that isn't the default's.
fn retries(at: usize) -> u32 {
    [0, 1, 2, 4, 1][at]
}

fn thousandths(at: usize) -> Thousandths {
    Thousandths::of([100_000, 200_000, 300_000, 400_000, 450_000][at])
}

fn ratio(at: usize) -> Thousandths {
    Thousandths::of([200, 300, 400, 600, 700][at])
}

/// The proto's retry policy says no more than one part of it, and the number of attempts.
fn policy() -> RetryPolicy {
    RetryPolicy::up_to(4)
}

fn own(policy: Option<RetryPolicy>, effective: &Effective) -> EffectiveRetry {
    effective.retry(policy)
}

fn shown(time: Duration) -> String {
    format!("{time:?}")
}

const SUBJECTS: &[Subject] = &[
    Subject {
        name: "DEFAULT_TIMEOUT",
        values: TIME_TEXTS,
        proto: Some(|method, at| method.deadline(TIMES[at])),
        code: |settings, at| settings.default_timeout.set(Some(time(at))),
        holds: |effective, _, _, call| {
            let limit = effective.limit(call.map(|at| Some(time(at))));
            shown(limit.unwrap().duration)
        },
        of_call: true,
        default: "30s",
    },
    Subject {
        name: "MAX_RETRIES",
        values: ["0", "1", "2", "4", "1"],
        proto: Some(|method, at| method.retry(RetryPolicy::up_to(retries(at) + 1))),
        code: |settings, at| settings.max_retries.set(retries(at)),
        holds: |effective, _, _, call| {
            let policy = call.map(|at| RetryPolicy::up_to(retries(at) + 1));
            (own(policy, effective).max_attempts - 1).to_string()
        },
        of_call: true,
        default: "3",
    },
    Subject {
        name: "RETRY_BACKOFF_BASE",
        values: TIME_TEXTS,
        proto: Some(|method, at| method.retry(policy().initial_backoff(TIMES[at]))),
        code: |settings, at| settings.retry_backoff_base.set(time(at)),
        holds: |effective, _, _, call| {
            let policy = call.map(|at| policy().initial_backoff(time(at)));
            shown(own(policy, effective).base)
        },
        of_call: true,
        default: "1s",
    },
    Subject {
        name: "RETRY_BACKOFF_MAX",
        values: TIME_TEXTS,
        proto: Some(|method, at| method.retry(policy().max_backoff(TIMES[at]))),
        code: |settings, at| settings.retry_backoff_max.set(time(at)),
        holds: |effective, _, _, call| {
            let policy = call.map(|at| policy().max_backoff(time(at)));
            shown(own(policy, effective).max)
        },
        of_call: true,
        default: "30s",
    },
    Subject {
        name: "RETRY_BACKOFF_MULTIPLIER",
        values: ["1.1", "1.2", "1.3", "1.4", "1.5"],
        proto: Some(|method, at| method.retry(policy().multiplier(MULTIPLIERS[at]))),
        code: |settings, at| {
            let value = Thousandths::of(1_100 + 100 * u32::try_from(at).unwrap());
            settings.retry_backoff_multiplier.set(value);
        },
        holds: |effective, _, _, call| {
            let policy = call.map(|at| policy().multiplier(MULTIPLIERS[at]));
            own(policy, effective).multiplier.to_string()
        },
        of_call: true,
        default: "2",
    },
    Subject {
        name: "RETRY_THROTTLE_TOKENS",
        values: ["100", "200", "300", "400", "450"],
        proto: Some(|method, at| {
            method.retry_throttle(RetryThrottle::of(thousandths(at), Thousandths::of(100)))
        }),
        code: |settings, at| settings.retry_throttle_tokens.set(thousandths(at)),
        holds: |_, settings, method, _| {
            let throttle = settings.throttle_of(method.throttle()).unwrap();
            (throttle.max_millitokens() / 1000).to_string()
        },
        of_call: false,
        default: "500",
    },
    Subject {
        name: "RETRY_THROTTLE_RATIO",
        values: ["0.2", "0.3", "0.4", "0.6", "0.7"],
        proto: Some(|method, at| {
            method.retry_throttle(RetryThrottle::of(Thousandths::of(500_000), ratio(at)))
        }),
        code: |settings, at| settings.retry_throttle_ratio.set(ratio(at)),
        holds: |_, settings, method, _| {
            let throttle = settings.throttle_of(method.throttle()).unwrap();
            (f64::from(throttle.millitokens_a_success()) / 1000.0).to_string()
        },
        of_call: false,
        default: "0.1",
    },
    Subject {
        name: "ADAPTIVE_THROTTLE",
        values: ["1.1", "1.2", "1.3", "1.4", "1.5"],
        proto: None,
        code: |settings, at| {
            let value = Thousandths::new(MULTIPLIERS[at]);
            settings.adaptive_throttle.set(Some(value));
        },
        holds: |_, settings, _, _| {
            let multiplier = settings.adaptive_throttle();
            multiplier.map_or_else(|| "off".to_owned(), |value| value.to_string())
        },
        of_call: false,
        default: "off",
    },
    Subject {
        name: "CIRCUIT_BREAKER_THRESHOLD",
        values: ["11", "12", "13", "14", "15"],
        proto: Some(|method, at| method.breaker(BreakerPolicy::after(11 + at as u32))),
        code: |settings, at| {
            let threshold = NonZero::new(11 + u32::try_from(at).unwrap());
            settings.circuit_breaker_threshold.set(threshold);
        },
        holds: |effective, _, _, _| match effective.breaker.unwrap().mode {
            BreakerMode::Consecutive(threshold) => threshold.to_string(),
            other => format!("{other:?}"),
        },
        of_call: false,
        default: "5",
    },
    Subject {
        name: "CIRCUIT_BREAKER_TIMEOUT",
        values: TIME_TEXTS,
        proto: Some(|method, at| method.breaker(BreakerPolicy::after(5).timeout(TIMES[at]))),
        code: |settings, at| settings.circuit_breaker_timeout.set(time(at)),
        holds: |effective, _, _, _| shown(effective.breaker.unwrap().open_for),
        of_call: false,
        default: "30s",
    },
    Subject {
        name: "MAX_MESSAGE_SIZE",
        values: ["11", "12", "13", "14", "15"],
        proto: None,
        code: |settings, at| settings.max_message_size.set(11 + at),
        holds: |effective, _, _, call| {
            effective
                .max_message_size(call.map(|at| 11 + at))
                .to_string()
        },
        of_call: true,
        default: "4194304",
    },
];

impl Subject {
    /// Whether this level can say it.
    fn can(&self, level: Level) -> bool {
        match level {
            Level::Proto => self.proto.is_some(),
            Level::Call => self.of_call,
            _ => true,
        }
    }

    fn variables(&self, saying: &Saying) -> Vec<(String, &'static str)> {
        let [env, .., over] = saying;
        let env = env.map(|at| (self.name.to_owned(), self.values[at]));
        let over = over.map(|at| (format!("OVERRIDE__{}", self.name), self.values[at]));
        env.into_iter().chain(over).collect()
    }

    fn expected(&self, saying: &Saying) -> &'static str {
        let said = LEVELS.iter().zip(saying).rev();
        let highest = said
            .filter(|(level, _)| self.can(**level))
            .find_map(|(_, at)| *at);
        highest.map_or(self.default, |at| self.values[at])
    }
}

/// Checks that of each of these the highest level is heard, all of them being said together.
fn check(subjects: &[(&Subject, Saying)]) {
    let variables: Vec<_> = subjects
        .iter()
        .flat_map(|(subject, saying)| subject.variables(saying))
        .collect();
    let variables: Vec<_> = variables
        .iter()
        .map(|(key, value)| (key.as_str(), *value))
        .collect();
    let mut settings = settings(&variables);
    let mut method = METHOD;
    for (subject, saying) in subjects {
        let [_, proto, code, ..] = saying;
        if let (Some(say), Some(at)) = (subject.proto, proto) {
            method = say(method, *at);
        }
        if let Some(at) = code {
            (subject.code)(&mut settings, *at);
        }
    }
    let effective = Effective::of(&method, &settings);
    for (subject, saying) in subjects {
        let call = saying[3].filter(|_| subject.of_call);
        let holds = (subject.holds)(&effective, &settings, &method, call);
        assert_eq!(
            holds,
            subject.expected(saying),
            "{}: {saying:?}",
            subject.name
        );
    }
}

#[test]
fn the_highest_of_those_who_say_something_is_heard() {
    for subject in SUBJECTS {
        for set in 0..1 << LEVELS.len() {
            let mut saying = Saying::default();
            for (at, said) in saying.iter_mut().enumerate() {
                *said = (set & (1 << at) != 0).then_some(at);
            }
            check(&[(subject, saying)]);
        }
    }
}

#[cfg(feature = "testing")]
mod properties {
    use proptest::prelude::*;

    use super::*;

    /// Subjects that share no policy of the proto, so that what one says is all that it says.
    fn sayings() -> impl Strategy<Value = Vec<(usize, Saying)>> {
        let saying = || proptest::array::uniform5(proptest::option::of(0..5_usize));
        let subjects: Vec<_> = [
            "DEFAULT_TIMEOUT",
            "MAX_RETRIES",
            "RETRY_THROTTLE_RATIO",
            "CIRCUIT_BREAKER_THRESHOLD",
            "MAX_MESSAGE_SIZE",
        ]
        .iter()
        .map(|name| SUBJECTS.iter().position(|subject| subject.name == *name))
        .map(Option::unwrap)
        .collect();
        proptest::array::uniform5(saying())
            .prop_map(move |sayings| subjects.iter().copied().zip(sayings).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn what_is_said_of_one_setting_changes_no_other(sayings in sayings()) {
            let subjects = sayings.iter().map(|(at, saying)| (&SUBJECTS[*at], *saying));
            check(&subjects.collect::<Vec<_>>());
        }
    }
}
