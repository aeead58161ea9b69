//! Who goes before whom, for every setting.

mod levels;
mod rules;

use super::*;
use crate::settings::read;

const METHOD: Method = Method::unary("/examples.ItemService/GetItem");

fn settings(pairs: &[(&str, &str)]) -> ClientSettings {
    let variables = pairs
        .iter()
        .map(|(key, value)| (format!("GRPC__CLIENT__{key}").into(), value.into()));
    read(variables, None).unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
