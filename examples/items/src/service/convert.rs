//! Between the messages on the wire and the types of the domain.

use crate::examples::{CreateItemRequest, Item, UpdateItemRequest};
use crate::item::{Details, Item as Stored, Patch};

impl From<Stored> for Item {
    fn from(item: Stored) -> Self {
        let Details {
            name,
            description,
            sku,
            quantity,
            price,
            is_active,
        } = item.details;
        Self {
            id: item.id.to_string(),
            name,
            description,
            sku,
            quantity,
            price,
            is_active,
            created_at: Some(item.created_at.into()),
            updated_at: item.updated_at.map(Into::into),
        }
    }
}

impl From<CreateItemRequest> for Details {
    fn from(request: CreateItemRequest) -> Self {
        let CreateItemRequest {
            name,
            description,
            sku,
            quantity,
            price,
        } = request;
        Self {
            name,
            description,
            sku,
            quantity,
            price,
            is_active: true,
        }
    }
}

/// The id and the times of the message are left out: they are the server's.
impl From<Item> for Details {
    fn from(item: Item) -> Self {
        let Item {
            name,
            description,
            sku,
            quantity,
            price,
            is_active,
            ..
        } = item;
        Self {
            name,
            description,
            sku,
            quantity,
            price,
            is_active,
        }
    }
}

impl From<UpdateItemRequest> for Patch {
    fn from(request: UpdateItemRequest) -> Self {
        let UpdateItemRequest {
            id: _,
            name,
            description,
            quantity,
            price,
        } = request;
        Self {
            name,
            description,
            quantity,
            price,
        }
    }
}
