//! Where items are kept.
//!
//! The trait stands between the servicer and the database, so that another database changes one
//! file. All its methods block: the servicer calls them off the async threads.

mod record;
mod redb;

use std::error::Error;
use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use self::redb::RedbStore;
use crate::filter::Filter;
use crate::item::{Item, UpdateItemRequest};

/// Keeps items. Each method is one transaction: it happens whole or not at all.
pub trait Store: Send + Sync + 'static {
    /// Returns the item with this id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], or when the database fails.
    fn find(&self, id: Uuid) -> Result<Item, StoreError>;

    /// Keeps a new item.
    ///
    /// # Errors
    ///
    /// [`StoreError::SkuTaken`], or when the database fails.
    fn insert(&self, item: &Item) -> Result<(), StoreError>;

    /// Makes the changes to the item with this id, and returns it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], or when the database fails.
    fn update(
        &self,
        id: Uuid,
        changes: UpdateItemRequest,
        now: DateTime<Utc>,
    ) -> Result<Item, StoreError>;

    /// Keeps `item` in place of the one with its id, whose time of creation stays; or as a new one.
    ///
    /// # Errors
    ///
    /// [`StoreError::SkuTaken`], or when the database fails.
    fn upsert(&self, item: &Item) -> Result<(), StoreError>;

    /// Deletes the item with this id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], or when the database fails.
    fn delete(&self, id: Uuid) -> Result<(), StoreError>;

    /// Returns the first `limit` items after a place that `filter` takes, oldest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn list(
        &self,
        filter: &Filter,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError>;
}

/// The place of an item in the list of all. Places are ordered by age, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When the item was created, in nanoseconds since the Unix epoch.
    pub created_at: u64,
    /// The item.
    pub id: Uuid,
}

/// Why the store can't do what it was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// No item has this id.
    Missing(Uuid),
    /// Another item has this sku.
    SkuTaken(String),
    /// The database can't be read or written.
    Database(Box<::redb::Error>),
    /// What the database holds isn't an item.
    Corrupt {
        /// The item.
        id: Uuid,
        /// What is wrong with it.
        problem: String,
    },
    /// The database was written by a later version of this program.
    TooNew {
        /// The format found.
        found: u64,
        /// The latest format that this program knows.
        known: u64,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(id) => write!(f, "no item has the id {id}"),
            Self::SkuTaken(sku) => write!(f, "another item has the sku `{sku}`"),
            Self::Database(error) => write!(f, "the item store failed: {error}"),
            Self::Corrupt { id, problem } => {
                write!(f, "the stored item {id} is damaged: {problem}")
            }
            Self::TooNew { found, known } => write!(
                f,
                "the item store has format {found}, and this program knows formats up to {known}: \
                 use the program that wrote it, or a later one"
            ),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }
}
