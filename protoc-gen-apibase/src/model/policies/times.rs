//! Times that can't all be kept: what takes longer than the call may.

use std::time::Duration;

use crate::model::policy::{MethodPolicy, shown};

/// Two times of a policy of which one leaves no room for the other.
pub(super) struct Conflict {
    /// The field of the rule that the message is about: `retry.initial_backoff`.
    pub(super) field: &'static str,
    /// Goes on where the method is named.
    pub(super) message: String,
    pub(super) help: String,
    /// Whether it is about the server's cap.
    pub(super) is_cap: bool,
}

/// What of `policy` doesn't fit into its deadline, which is said by `whose`.
pub(super) fn conflicts(policy: &MethodPolicy, whose: &str) -> Vec<Conflict> {
    let Some(deadline) = policy.deadline else {
        return Vec::new();
    };
    let of_cap = cap(policy, deadline, whose);
    let of_retry = retry(policy, deadline, whose);
    let of_attempts = attempts(policy, deadline, whose);
    let of_hedging = hedging(policy, deadline, whose);
    let all = of_cap.into_iter().chain(of_retry);
    all.chain(of_attempts).chain(of_hedging).collect()
}

fn cap(policy: &MethodPolicy, deadline: Duration, whose: &str) -> Option<Conflict> {
    let is_shorter = policy.deadline_cap.is_some_and(|cap| deadline > cap);
    is_shorter.then(|| Conflict {
        field: "deadline_cap",
        message: format!("has a `deadline_cap` that is shorter than {whose}"),
        help: "the server would end calls that the client still waits for: lengthen the cap, or \
               shorten the deadline"
            .to_owned(),
        is_cap: true,
    })
}

fn retry(policy: &MethodPolicy, deadline: Duration, whose: &str) -> Option<Conflict> {
    let retry = policy.retry.as_ref()?;
    if retry.initial_backoff? >= deadline {
        return Some(no_second("retry.initial_backoff", whose));
    }
    let waits = retry.longest_waits().filter(|waits| *waits >= deadline)?;
    Some(Conflict {
        field: "retry",
        message: format!(
            "has a `retry` whose waits alone can take {}, and {whose} is {}",
            shown(waits),
            shown(deadline)
        ),
        help: "there would be no time for its last attempt: take fewer attempts, a shorter \
               `initial_backoff` or `max_backoff`, a lower `backoff_multiplier` (2 when unset), or a \
               longer deadline; chance makes each wait up to a fifth longer"
            .to_owned(),
        is_cap: false,
    })
}

fn attempts(policy: &MethodPolicy, deadline: Duration, whose: &str) -> Option<Conflict> {
    let timeout = policy.retry.as_ref()?.attempt_timeout?;
    (timeout >= deadline).then(|| Conflict {
        field: "retry.attempt_timeout",
        message: format!("has a `retry.attempt_timeout` that is not shorter than {whose}"),
        help: "no attempt would be given up for the next one: shorten it, or lengthen the deadline"
            .to_owned(),
        is_cap: false,
    })
}

fn hedging(policy: &MethodPolicy, deadline: Duration, whose: &str) -> Option<Conflict> {
    let hedging = policy.hedging.as_ref()?;
    if hedging.delay? >= deadline {
        return Some(no_second("hedging.delay", whose));
    }
    let delays = hedging.all_delays();
    (delays >= deadline).then(|| Conflict {
        field: "hedging.delay",
        message: format!(
            "has a `hedging` that makes its last attempt after {}, and {whose} is {}",
            shown(delays),
            shown(deadline)
        ),
        help: "take fewer attempts or a shorter `delay`, or lengthen the deadline".to_owned(),
        is_cap: false,
    })
}

fn no_second(field: &'static str, whose: &str) -> Conflict {
    Conflict {
        field,
        message: format!("has a `{field}` that is not shorter than {whose}"),
        help: "there would never be a second attempt: shorten the wait, or lengthen the deadline"
            .to_owned(),
        is_cap: false,
    }
}
