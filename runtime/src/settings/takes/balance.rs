//! How calls are spread.

use std::borrow::Cow;

use super::{Form, Takes};
use crate::client::Balance;

/// How calls are spread over the endpoints of a target.
pub(crate) struct BalanceName;

impl Takes for BalanceName {
    type Value = Balance;
    const FORM: Form = Form::Text;

    fn takes() -> Cow<'static, str> {
        "`round_robin`, `pick_first` or `least_loaded`".into()
    }

    fn read(text: &str) -> Option<Balance> {
        let all = [
            Balance::RoundRobin,
            Balance::PickFirst,
            Balance::LeastLoaded,
        ];
        all.into_iter()
            .find(|balance| text.eq_ignore_ascii_case(name(*balance)))
    }

    fn show(value: &Balance) -> Option<String> {
        Some(name(*value).to_owned())
    }
}

/// Its name: that of gRPC, where it has one.
fn name(balance: Balance) -> &'static str {
    match balance {
        Balance::RoundRobin => "round_robin",
        Balance::PickFirst => "pick_first",
        Balance::LeastLoaded => "least_loaded",
    }
}
