//! What the application does, whoever asks for it: one type for each use case.

mod list;
mod refuse;
mod upsert;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use self::list::ListItems;
pub(crate) use self::refuse::field;
use self::refuse::{broken_rules, no_such_item};
pub use self::upsert::UpsertItem;
use crate::examples::api::{ItemError, UpdateItemRequest};
use crate::examples::{CreateItemRequest, GetItemRequest};
use crate::item::Item;
use crate::store::{Store, StoreError};

/// Tells the time. Tests have one of their own.
#[derive(Clone, Copy, Debug)]
pub struct Clock(pub fn() -> DateTime<Utc>);

/// What every use case works on: the store, and the time.
pub struct Records {
    store: Arc<dyn Store>,
    clock: Arc<Clock>,
}

impl Records {
    /// What is in `store`, at the time of `clock`.
    pub fn new(store: Arc<dyn Store>, clock: Arc<Clock>) -> Self {
        Self { store, clock }
    }

    fn now(&self) -> DateTime<Utc> {
        (self.clock.0)()
    }

    /// Runs `work` off the async threads, because the store blocks.
    async fn blocking<T, F>(&self, work: F) -> Result<T, ItemError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || work(&*store)).await;
        let result = done.map_err(refuse::store_failed)?;
        Ok(result?)
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}

/// Returns one item.
#[derive(Debug)]
pub struct GetItem(pub Arc<Records>);

impl GetItem {
    /// # Errors
    ///
    /// No item has this id, or the store failed.
    pub async fn run(&self, request: GetItemRequest) -> Result<Item, ItemError> {
        let id = existing_id(&request.id)?;
        self.0.blocking(move |store| store.find(id)).await
    }
}

/// Keeps a new item.
#[derive(Debug)]
pub struct CreateItem(pub Arc<Records>);

impl CreateItem {
    /// # Errors
    ///
    /// What it asks for breaks rules, another item has its sku, or the store failed.
    pub async fn run(&self, request: CreateItemRequest) -> Result<Item, ItemError> {
        let CreateItemRequest {
            name,
            description,
            sku,
            quantity,
            price,
        } = request;
        let item = Item {
            id: Uuid::new_v4(),
            name,
            description,
            sku,
            quantity,
            price,
            is_active: true,
            created_at: self.0.now(),
            updated_at: None,
        };
        broken_rules(&item.violations())?;
        self.0
            .blocking(move |store| store.insert(&item).map(|()| item))
            .await
    }
}

/// Changes an item.
#[derive(Debug)]
pub struct UpdateItem(pub Arc<Records>);

impl UpdateItem {
    /// # Errors
    ///
    /// No item has this id, what it would become breaks rules, or the store failed.
    pub async fn run(&self, request: UpdateItemRequest) -> Result<Item, ItemError> {
        let id = existing_id(&request.id)?;
        broken_rules(&request.violations())?;
        let now = self.0.now();
        self.0
            .blocking(move |store| store.update(id, request, now))
            .await
    }
}

/// Deletes an item.
#[derive(Debug)]
pub struct DeleteItem(pub Arc<Records>);

impl DeleteItem {
    /// # Errors
    ///
    /// No item has this id, or the store failed.
    pub async fn run(&self, id: &str) -> Result<(), ItemError> {
        let id = existing_id(id)?;
        self.0.blocking(move |store| store.delete(id)).await
    }
}

/// An id that isn't a UUID is the id of no item.
fn existing_id(id: &str) -> Result<Uuid, ItemError> {
    Uuid::parse_str(id).map_err(|_| no_such_item(id))
}
