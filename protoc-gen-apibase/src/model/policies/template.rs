//! Messages of errors: `item {item_id} not found`.

use crate::model::errors::{Metadata, Piece};

/// What is wrong with a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A brace that opens or closes nothing.
    Unbalanced,
    /// There is no metadata of this name.
    UnknownKey(String),
}

/// Takes a template apart. `{key}` is the value of the metadata with this key, `{{` and `}}` are
/// braces.
pub(super) fn parse(template: &str, metadata: &[Metadata]) -> Result<Vec<Piece>, Wrong> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        if let Some(after) = from.strip_prefix("{{") {
            text.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            text.push('}');
            rest = after;
        } else {
            let inside = from.strip_prefix('{').ok_or(Wrong::Unbalanced)?;
            let (key, after) = inside.split_once('}').ok_or(Wrong::Unbalanced)?;
            if key.contains('{') {
                return Err(Wrong::Unbalanced);
            }
            let value = metadata.iter().find(|known| known.key == key);
            let value = value.ok_or_else(|| Wrong::UnknownKey(key.to_owned()))?;
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::Value(value.clone()));
            rest = after;
        }
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn metadata(key: &str) -> Metadata {
        Metadata {
            key: key.to_owned(),
            field: key.to_owned(),
            binding: key.to_owned(),
        }
    }

    fn keys() -> Vec<Metadata> {
        vec![metadata("id"), metadata("sku")]
    }

    #[test]
    fn keys_stand_between_texts() {
        let pieces = parse("item {id}{sku} is gone", &keys()).unwrap();
        let value = |key: &str| Piece::Value(metadata(key));
        let expected = [text("item "), value("id"), value("sku"), text(" is gone")];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn two_braces_are_one() {
        assert_eq!(parse("a {{b}} c", &keys()), Ok(vec![text("a {b} c")]));
    }

    #[test]
    fn a_lone_brace_is_unbalanced() {
        for template in ["{", "}", "a {id", "a id}", "{{id}", "{i{d}", "{}}"] {
            let found = parse(template, &keys());
            assert!(found.is_err(), "{template} gives {found:?}");
        }
    }

    #[test]
    fn an_unknown_key_is_named() {
        assert_eq!(parse("{nr}", &keys()), Err(Wrong::UnknownKey("nr".into())));
        assert_eq!(parse("{}", &keys()), Err(Wrong::UnknownKey(String::new())));
    }

    #[test]
    fn an_empty_template_has_no_pieces() {
        assert_eq!(parse("", &keys()), Ok(Vec::new()));
    }
}
