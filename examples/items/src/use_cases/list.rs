//! [`ListItems`]: one page of the items that a filter takes.

use std::sync::Arc;

use apibase::{Page, PageTokens, Paging};
use prost::Message;
use uuid::Uuid;

use super::{Records, refuse};
use crate::examples::ListItemsRequest;
use crate::examples::api::ItemError;
use crate::filter::Filter;
use crate::item::Item;
use crate::store::Place;

const PAGING: Paging = Paging::new(10, 1_000);
const TOKENS: PageTokens = PageTokens::new("examples.ItemService/ListItems");

/// What a page token holds: the place of the last item sent.
#[derive(Clone, PartialEq, Message)]
struct Cursor {
    /// In nanoseconds since the Unix epoch.
    #[prost(fixed64, tag = "1")]
    created_at: u64,
    /// The first half of the id.
    #[prost(fixed64, tag = "2")]
    id_high: u64,
    /// The second half of the id.
    #[prost(fixed64, tag = "3")]
    id_low: u64,
}

/// Returns a page of items.
#[derive(Debug)]
pub struct ListItems(pub Arc<Records>);

impl ListItems {
    /// The page that the request asks for. Its token is bound to the filter: with another one it would
    /// be a place in another list.
    ///
    /// # Errors
    ///
    /// The filter or the token can't be read, or the store failed.
    pub async fn run(&self, request: ListItemsRequest) -> Result<Page<Item>, ItemError> {
        let ListItemsRequest {
            page_size,
            page_token,
            filter,
        } = request;
        let size = PAGING.size(page_size)?;
        let parsed = Filter::parse(&filter).map_err(|error| refuse::filter(&error))?;
        let tokens = TOKENS.bound_to_text(filter.trim());
        let after = tokens.decode(&page_token)?.map(Cursor::place);

        // One more than fits: only so is it sure that a next page isn't empty.
        let found = self
            .0
            .blocking(move |store| store.list(&parsed, after, size + 1))
            .await?;
        Ok(Page::cut(found, size, |last| {
            tokens.encode(&Cursor::of(Place::of(last)))
        }))
    }
}

impl Cursor {
    fn of(place: Place) -> Self {
        let (id_high, id_low) = place.id.as_u64_pair();
        Self {
            created_at: place.created_at,
            id_high,
            id_low,
        }
    }

    fn place(self) -> Place {
        Place {
            created_at: self.created_at,
            id: Uuid::from_u64_pair(self.id_high, self.id_low),
        }
    }
}
