//! JSON of which every value knows its place.
//!
//! `serde_json` parses; a raw value is a slice of the text, and so says where it stands.

use serde_json::Deserializer;
use serde_json::value::RawValue;

/// A value, in the text of its file.
#[derive(Clone)]
pub(super) struct Value<'a> {
    raw: &'a str,
    /// Where it starts in the file, in bytes.
    pub(super) at: usize,
    /// The way to it: `methodConfig[0].timeout`; empty for the whole.
    pub(super) path: String,
}

/// The value that a whole text is.
///
/// # Errors
///
/// When it is no JSON: the reason, with line and column from 1.
pub(super) fn parse(text: &str) -> Result<Value<'_>, (String, u32, u32)> {
    let root: &RawValue = serde_json::from_str(text).map_err(|error| {
        let small = |number| u32::try_from(number).unwrap_or(u32::MAX);
        let (line, column) = (small(error.line()), small(error.column()).max(1));
        let message = error.to_string();
        let reason = message.rsplit_once(" at line ");
        let reason = reason.map_or(message.as_str(), |(reason, _)| reason);
        (reason.to_owned(), line, column)
    })?;
    Ok(Value {
        raw: root.get(),
        at: offset(root.get(), text),
        path: String::new(),
    })
}

impl<'a> Value<'a> {
    /// The members of an object, in the order of the text, one that is there twice included; none when it
    /// is no object.
    pub(super) fn members(&self) -> Option<Vec<(String, Value<'a>)>> {
        let placed = pairs(self.raw)?.into_iter().map(|(name, value)| {
            let path = match self.path.as_str() {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            (name, self.inside(value, path))
        });
        Some(placed.collect())
    }

    /// Whether it is null, which is as good as none.
    pub(super) fn is_null(&self) -> bool {
        self.raw == "null"
    }

    /// The items of a list; none when it is no list.
    pub(super) fn items(&self) -> Option<Vec<Value<'a>>> {
        let items: Vec<&'a RawValue> = serde_json::from_str(self.raw).ok()?;
        let placed = items.into_iter().enumerate();
        let placed =
            placed.map(|(index, item)| self.inside(item, format!("{}[{index}]", self.path)));
        Some(placed.collect())
    }

    /// A string.
    pub(super) fn text(&self) -> Option<String> {
        serde_json::from_str(self.raw).ok()
    }

    /// A number.
    pub(super) fn number(&self) -> Option<f64> {
        serde_json::from_str(self.raw).ok()
    }

    /// As it stands in the file, if that is short.
    pub(super) fn shown(&self) -> &'a str {
        match self.raw.as_bytes().first() {
            Some(b'{') if self.raw.len() > 2 => "{…}",
            Some(b'[') if self.raw.len() > 2 => "[…]",
            Some(b'"') if self.raw.len() > 40 => "\"…\"",
            _ => self.raw,
        }
    }

    fn inside(&self, value: &'a RawValue, path: String) -> Self {
        Self {
            raw: value.get(),
            at: self.at + offset(value.get(), self.raw),
            path,
        }
    }
}

/// The members of an object. A map of `serde_json` would keep the last of two with one name.
fn pairs(object: &str) -> Option<Vec<(String, &RawValue)>> {
    let mut rest = object.strip_prefix('{')?.strip_suffix('}')?.trim_start();
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let mut names = Deserializer::from_str(rest).into_iter();
        let name: String = names.next()?.ok()?;
        let after = rest.get(names.byte_offset()..)?.trim_start();
        let after = after.strip_prefix(':')?;
        let mut values = Deserializer::from_str(after).into_iter();
        let value: &RawValue = values.next()?.ok()?;
        let after = after.get(values.byte_offset()..)?.trim_start();
        // The text is known to be JSON, so that something follows a comma.
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        pairs.push((name, value));
    }
    Some(pairs)
}

/// Where `part`, which is a slice of `whole`, starts in it.
fn offset(part: &str, whole: &str) -> usize {
    let offset = part.as_ptr().addr().checked_sub(whole.as_ptr().addr());
    offset.filter(|at| *at <= whole.len()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = " {\n  \"a\": [1, {\"b\\u0063\": \"x\\n\"}],\n  \"n\": null\n}\n";

    #[test]
    fn every_value_knows_its_place() {
        let root = parse(TEXT).ok().unwrap();
        assert_eq!((root.at, root.path.as_str()), (1, ""));
        let members = root.members().unwrap();
        let [(a, list), (n, null)] = members.as_slice() else {
            panic!("{} members", members.len());
        };
        assert_eq!((a.as_str(), n.as_str()), ("a", "n"));
        assert!(null.is_null() && !list.is_null());
        let items = list.items().unwrap();
        assert_eq!(items[0].number(), Some(1.0));
        let inner = items[1].members().unwrap();
        let (name, value) = &inner[0];
        assert_eq!(name, "bc");
        assert_eq!(value.path, "a[1].bc");
        assert!(TEXT[value.at..].starts_with("\"x"));
        assert_eq!(value.text().as_deref(), Some("x\n"));
    }

    #[test]
    fn members_are_all_that_the_text_has() {
        let names = |text| {
            let members = parse(text).ok().unwrap().members().unwrap();
            let members = members
                .iter()
                .map(|(name, value)| format!("{name}={}", value.raw));
            members.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("{}"), "");
        assert_eq!(names("{ }"), "");
        assert_eq!(
            names("{\"a\":1,\"a\":-2e3 ,\t\"a\" :\n true}"),
            "a=1 a=-2e3 a=true"
        );
        assert_eq!(
            names("{\"}\":{\",\":[]},\"\":\"\\\"}\"}"),
            "}={\",\":[]} =\"\\\"}\""
        );
    }

    #[test]
    fn what_is_no_json_has_its_line() {
        let (reason, line, column) = parse("{\n  \"a\" 1}").err().unwrap();
        assert_eq!((reason.as_str(), line, column), ("expected `:`", 2, 7));
        assert!(parse("").is_err() && parse("{} {}").is_err());
    }

    #[test]
    fn a_value_is_of_one_kind() {
        let root = parse("[\"1\", 1, {}, []]").ok().unwrap();
        assert!(root.members().is_none() && root.text().is_none() && root.number().is_none());
        let items = root.items().unwrap();
        assert!(items[0].number().is_none() && items[1].text().is_none());
        assert!(items[2].items().is_none() && items[3].members().is_none());
    }
}
