//! How messages are compressed.

use std::borrow::Cow;

use super::{Form, Takes};
use crate::wire::compression::{Compression, Encodings};

/// Encodings by their names, the preferred one first.
pub(crate) struct EncodingList;

impl Takes for EncodingList {
    type Value = Encodings;
    const FORM: Form = Form::Text;

    fn takes() -> Cow<'static, str> {
        "`gzip`, `zstd` or both with a comma between them, each built in by the feature of its name"
            .into()
    }

    fn read(text: &str) -> Option<Encodings> {
        let names = text.split(',').map(|name| Compression::named(name.trim()));
        let list: Vec<_> = names.collect::<Option<_>>()?;
        let encodings = Encodings::new(list.iter().copied());
        // One that is there twice was meant to be another one.
        (encodings.iter().count() == list.len()).then_some(encodings)
    }

    fn show(value: &Encodings) -> Option<String> {
        let names: Vec<_> = value.iter().map(Compression::as_str).collect();
        Some(names.join(","))
    }
}
