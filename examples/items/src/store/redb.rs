//! The embedded store: one file, safe against crashes, no server beside it.

use std::ops::Bound;
use std::path::Path;

use chrono::{DateTime, Utc};
use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, WriteTransaction,
};
use uuid::Uuid;

use super::{Place, Store, StoreError, record};
use crate::filter::Filter;
use crate::item::{Item, UpdateItemRequest};

/// The format that this program writes.
const FORMAT: u64 = 1;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// All items, by id.
const ITEMS: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("items");
/// The ids by sku. One sku has one id, so this table is what keeps skus unique.
const BY_SKU: TableDefinition<'_, &str, u128> = TableDefinition::new("items_by_sku");
/// Time of creation and id: the order of lists.
const BY_AGE: TableDefinition<'_, (u64, u128), ()> = TableDefinition::new("items_by_age");

/// Keeps items in a file, which it holds open alone.
#[derive(Debug)]
pub struct RedbStore {
    database: Database,
}

impl RedbStore {
    /// Opens the store in the file at `path`, or makes a new one there.
    ///
    /// # Errors
    ///
    /// When the file can't be opened or isn't a store, when another process has it open, and
    /// [`StoreError::TooNew`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let database = Database::create(path)?;
        let write = database.begin_write()?;
        {
            let mut meta = write.open_table(META)?;
            let found = meta.get("format")?.map(|format| format.value());
            match found {
                Some(found) if found > FORMAT => {
                    return Err(StoreError::TooNew {
                        found,
                        known: FORMAT,
                    });
                }
                Some(_) => {}
                None => {
                    meta.insert("format", FORMAT)?;
                }
            }
            // So that a reader of a new store finds every table.
            write.open_table(ITEMS)?;
            write.open_table(BY_SKU)?;
            write.open_table(BY_AGE)?;
        }
        write.commit()?;
        Ok(Self { database })
    }

    /// Replaces the item with this id by what `change` makes of it, with both indexes, in one
    /// transaction. `None` stands for no item, before and after.
    fn rewrite<F>(&self, id: Uuid, change: F) -> Result<Option<Item>, StoreError>
    where
        F: FnOnce(Option<&Item>) -> Result<Option<Item>, StoreError>,
    {
        let write = self.database.begin_write()?;
        let old = {
            let items = write.open_table(ITEMS)?;
            let bytes = items.get(id.as_u128())?;
            bytes
                .map(|bytes| record::decode(id, bytes.value()))
                .transpose()?
        };
        // An early return drops the transaction, which undoes it.
        let new = change(old.as_ref())?;
        if let Some(old) = &old {
            remove(&write, old)?;
        }
        if let Some(new) = &new {
            insert(&write, new)?;
        }
        write.commit()?;
        Ok(new)
    }
}

impl Store for RedbStore {
    fn find(&self, id: Uuid) -> Result<Item, StoreError> {
        let items = self.database.begin_read()?.open_table(ITEMS)?;
        match items.get(id.as_u128())? {
            Some(bytes) => record::decode(id, bytes.value()),
            None => Err(StoreError::Missing(id)),
        }
    }

    fn insert(&self, item: &Item) -> Result<(), StoreError> {
        self.upsert(item)
    }

    fn update(
        &self,
        id: Uuid,
        changes: UpdateItemRequest,
        now: DateTime<Utc>,
    ) -> Result<Item, StoreError> {
        let updated = self.rewrite(id, |old| {
            let mut item = old.cloned().ok_or(StoreError::Missing(id))?;
            changes.apply(&mut item);
            item.updated_at = Some(now);
            Ok(Some(item))
        })?;
        updated.ok_or(StoreError::Missing(id))
    }

    fn upsert(&self, item: &Item) -> Result<(), StoreError> {
        self.rewrite(item.id, |old| {
            let mut item = item.clone();
            if let Some(old) = old {
                item.updated_at = Some(item.created_at);
                item.created_at = old.created_at;
            }
            Ok(Some(item))
        })?;
        Ok(())
    }

    fn delete(&self, id: Uuid) -> Result<(), StoreError> {
        self.rewrite(id, |old| match old {
            Some(_) => Ok(None),
            None => Err(StoreError::Missing(id)),
        })?;
        Ok(())
    }

    fn list(
        &self,
        filter: &Filter,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let read = self.database.begin_read()?;
        let items = read.open_table(ITEMS)?;
        let by_age = read.open_table(BY_AGE)?;
        let start = after.map_or(Bound::Unbounded, |place| Bound::Excluded(key(place)));

        let mut found = Vec::new();
        for entry in by_age.range::<(u64, u128)>((start, Bound::Unbounded))? {
            if found.len() == limit {
                break;
            }
            let (_, id) = entry?.0.value();
            let stored = items.get(id)?;
            let id = Uuid::from_u128(id);
            let Some(bytes) = stored else {
                let problem = "it is listed, but not stored".to_owned();
                return Err(StoreError::Corrupt { id, problem });
            };
            let item = record::decode(id, bytes.value())?;
            if filter.matches(&item) {
                found.push(item);
            }
        }
        Ok(found)
    }
}

impl Place {
    /// The place of `item`.
    #[must_use]
    pub fn of(item: &Item) -> Self {
        Self {
            created_at: record::nanos(item.created_at),
            id: item.id,
        }
    }
}

fn insert(write: &WriteTransaction, item: &Item) -> Result<(), StoreError> {
    let id = item.id.as_u128();
    let taken = write
        .open_table(BY_SKU)?
        .insert(item.sku.as_str(), id)?
        .is_some();
    if taken {
        return Err(StoreError::SkuTaken(item.sku.clone()));
    }
    write.open_table(BY_AGE)?.insert(key(Place::of(item)), ())?;
    write
        .open_table(ITEMS)?
        .insert(id, record::encode(item).as_slice())?;
    Ok(())
}

fn remove(write: &WriteTransaction, item: &Item) -> Result<(), StoreError> {
    write.open_table(BY_SKU)?.remove(item.sku.as_str())?;
    write.open_table(BY_AGE)?.remove(key(Place::of(item)))?;
    write.open_table(ITEMS)?.remove(item.id.as_u128())?;
    Ok(())
}

fn key(place: Place) -> (u64, u128) {
    (place.created_at, place.id.as_u128())
}

macro_rules! from_redb {
    ($($error:ty),*) => {
        $(
            impl From<$error> for StoreError {
                fn from(error: $error) -> Self {
                    Self::Database(Box::new(error.into()))
                }
            }
        )*
    };
}

from_redb!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError
);
