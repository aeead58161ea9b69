//! What pages look up by name.

use std::collections::HashMap;

use crate::model::errors::Catalogue;
use crate::model::{Enum, Message, Model};

/// All messages, enums and error catalogues of a run by full name.
pub(super) struct Index<'a> {
    messages: HashMap<&'a str, &'a Message>,
    enums: HashMap<&'a str, &'a Enum>,
    catalogues: HashMap<&'a str, &'a Catalogue>,
}

impl<'a> Index<'a> {
    /// Of all packages: a page also shows what its service takes from others.
    pub(super) fn new(model: &'a Model) -> Self {
        let packages = &model.packages;
        let messages = packages.iter().flat_map(|package| &package.messages);
        let enums = packages.iter().flat_map(|package| &package.enums);
        let catalogues = packages.iter().flat_map(|package| &package.catalogues);
        Self {
            messages: messages.map(|m| (m.full_name.as_str(), m)).collect(),
            enums: enums.map(|e| (e.full_name.as_str(), e)).collect(),
            catalogues: catalogues.map(|c| (c.full_name.as_str(), c)).collect(),
        }
    }

    pub(super) fn message(&self, name: &str) -> Option<&'a Message> {
        self.messages.get(name).copied()
    }

    pub(super) fn enumeration(&self, name: &str) -> Option<&'a Enum> {
        self.enums.get(name).copied()
    }

    pub(super) fn catalogue(&self, name: &str) -> Option<&'a Catalogue> {
        self.catalogues.get(name).copied()
    }
}
