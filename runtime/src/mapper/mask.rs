//! [`Mask`]: what a request to change an entity says about each of its fields (AIP-134, AIP-161).
//!
//! - Without a mask, or with an empty one, the fields that are populated change: those that aren't
//!   at their default.
//! - `*` alone replaces the entity: fields that aren't populated are cleared.
//! - Else the fields that are named change, to their default or to nothing where they aren't
//!   populated.
//!
//! A message or a list that is named is **replaced** by what the request has, as AIP-134 says, and
//! not merged or appended to, as `field_mask.proto` says (aip-dev/google.aip.dev#673). Who wants to
//! change one field of a message names that field: `address.city`. And where no mask names anything,
//! the same holds for each field of a message that is populated.

mod builder;
mod changes;
mod check;

use prost_types::FieldMask;

pub use self::builder::MaskBuilder;
pub use self::check::MaskField;

/// So many paths a mask may have. A message of a few megabytes can have a million.
const MAX_PATHS: usize = 1_000;

/// So many names a path may have: as deep as messages are read.
const MAX_DEPTH: usize = 100;

/// What a request says about which fields of an entity change.
#[derive(Clone, Debug)]
pub struct Mask<'a> {
    scope: Scope<'a>,
    /// In how many messages the entity stands, from that of the request on.
    depth: usize,
}

#[derive(Clone, Debug)]
enum Scope<'a> {
    /// There is no mask.
    Populated,
    /// `*`
    All,
    /// These paths.
    Paths(Vec<&'a str>),
}

/// What a [`Mask`] says about one field.
#[derive(Clone, Debug)]
pub enum Selection<'a> {
    /// It changes if it is populated: there is no mask.
    Populated,
    /// It changes, and is cleared when it isn't populated: all of the entity is replaced.
    Replace,
    /// As `Replace`, and the mask names it.
    Named,
    /// Only fields of it are named.
    Nested(Mask<'a>),
    /// It stays.
    None,
}

impl<'a> Mask<'a> {
    /// Reads a mask. Whether it is right is asked with [`check`](Self::check).
    #[must_use]
    pub fn new(mask: Option<&'a FieldMask>) -> Self {
        let paths = mask.map_or(&[][..], |mask| &mask.paths);
        let scope = match paths {
            [] => Scope::Populated,
            [all] if all == "*" => Scope::All,
            // One more than there may be, for `check` to see.
            paths => Scope::Paths(
                paths
                    .iter()
                    .take(MAX_PATHS + 1)
                    .map(String::as_str)
                    .collect(),
            ),
        };
        Self { scope, depth: 0 }
    }

    /// What it says about the field of this name in the proto.
    #[must_use]
    pub fn field(&self, name: &str) -> Selection<'a> {
        let paths = match &self.scope {
            Scope::Populated => return Selection::Populated,
            Scope::All => return Selection::Replace,
            Scope::Paths(paths) => paths,
        };
        let within = |path: &&'a str| path.strip_prefix(name)?.strip_prefix('.');
        if paths.contains(&name) {
            Selection::Named
        } else if self.depth < MAX_DEPTH && paths.iter().any(|path| within(path).is_some()) {
            Selection::Nested(Self {
                scope: Scope::Paths(paths.iter().filter_map(within).collect()),
                depth: self.depth + 1,
            })
        } else {
            Selection::None
        }
    }

    /// What it says about a oneof with fields of these names, which change as one: the most that it
    /// says about any.
    #[must_use]
    pub fn oneof(&self, names: &[&str]) -> Selection<'a> {
        match &self.scope {
            Scope::Populated => Selection::Populated,
            Scope::All => Selection::Replace,
            Scope::Paths(paths) if paths.iter().any(|path| names.contains(path)) => {
                Selection::Named
            }
            Scope::Paths(_) => Selection::None,
        }
    }

    /// The mask for an entity inside of this one, none of whose fields is named.
    fn inside(&self) -> Self {
        Self {
            scope: Scope::Populated,
            depth: self.depth + 1,
        }
    }
}

#[cfg(test)]
mod tests;
