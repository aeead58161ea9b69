//! [`UpsertItem`]: writes an item, whether there is one with its id or not.

use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Records;
use super::refuse::broken_rules;
use crate::examples;
use crate::examples::api::ItemError;
use crate::item::Item;

/// Writes an item.
#[derive(Debug)]
pub struct UpsertItem(pub Arc<Records>);

impl UpsertItem {
    /// Writes the item, and returns its id, new or not, with how that went.
    pub async fn run(&self, message: examples::Item) -> (String, Result<(), ItemError>) {
        let id = match message.id.as_str() {
            "" => Uuid::new_v4().to_string(),
            id => id.to_owned(),
        };
        match read(message, &id, self.0.now()) {
            Ok(item) => {
                let id = item.id.to_string();
                let result = self.0.blocking(move |store| store.upsert(&item)).await;
                (id, result)
            }
            Err(error) => (id, Err(error)),
        }
    }
}

/// The item that a message is with the server's own fields in it, whatever it says there.
fn read(message: examples::Item, id: &str, now: DateTime<Utc>) -> Result<Item, ItemError> {
    let message = examples::Item {
        id: id.to_owned(),
        created_at: Some(SystemTime::from(now).into()),
        updated_at: None,
        ..message
    };
    let item = Item::try_from(message)?;
    broken_rules(&item.violations())?;
    Ok(item)
}
