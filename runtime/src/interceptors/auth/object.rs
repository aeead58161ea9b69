//! [`Object`]: a JSON object as tokens have it.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A JSON object in which no name stands twice: readers differ in which of the two they take, and two
/// of them must not understand one token differently (RFC 7515, section 4).
pub(super) struct Object(Map<String, Value>);

impl Object {
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The text of this name; an error if it is something else.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, NoText> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(NoText),
        }
    }

    /// The texts of this name: one, or a list of them; an error if it is something else.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<&str>, NoText> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(all)) => all.iter().map(|one| one.as_str().ok_or(NoText)).collect(),
            Some(_) => Err(NoText),
        }
    }
}

/// What should be a text is none.
pub(super) struct NoText;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Object, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Object(object))
    }
}
