//! What every part of the service relies on: the store keeps what it is given.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use apibase::{Change, Page};
use chrono::{DateTime, Utc};
use items::filter::Filter;
use items::item::{Item, UpdateItemRequest};
use items::store::{Place, RedbStore, Store, StoreError};
use proptest::prelude::*;
use tempfile::TempDir;
use uuid::Uuid;

fn temporary() -> (TempDir, RedbStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("items.redb")).unwrap();
    (folder, store)
}

fn moment(seconds: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn item(sku: &str, seconds: u64) -> Item {
    Item {
        id: Uuid::new_v4(),
        name: format!("Item {sku}"),
        description: String::new(),
        sku: sku.to_owned(),
        quantity: 1,
        price: 0.1,
        is_active: true,
        created_at: moment(seconds),
        updated_at: None,
    }
}

/// All pages, as the service makes them: of one item more than a page has, it is known whether
/// another page follows.
fn all_pages(store: &RedbStore, filter: &Filter, limit: usize) -> Vec<Vec<Item>> {
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let found = store.list(filter, after, limit + 1).unwrap();
        let page = Page::cut(found, limit, |last| last.sku.clone());
        after = page.items.last().map(Place::of);
        let last = page.is_last();
        pages.push(page.items);
        if last {
            return pages;
        }
    }
}

#[test]
fn items_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.redb");
    let kept = item("A", 7);
    RedbStore::open(&path).unwrap().insert(&kept).unwrap();

    let store = RedbStore::open(&path).unwrap();
    assert_eq!(store.find(kept.id).unwrap(), kept);
    let clash = store.insert(&item("A", 8)).unwrap_err();
    assert!(matches!(clash, StoreError::SkuTaken(sku) if sku == "A"));
}

#[test]
fn a_store_is_held_open_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.redb");
    let _first = RedbStore::open(&path).unwrap();
    let second = RedbStore::open(&path).unwrap_err();
    assert!(matches!(second, StoreError::Database(_)), "{second}");
}

#[test]
fn a_file_that_isnt_a_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.redb");
    std::fs::write(&path, "not a database, and longer than a magic number").unwrap();
    assert!(matches!(
        RedbStore::open(&path),
        Err(StoreError::Database(_))
    ));
}

#[test]
fn a_refused_item_leaves_nothing_behind() {
    let (_folder, store) = temporary();
    store.insert(&item("A", 1)).unwrap();
    store.insert(&item("A", 2)).unwrap_err();
    let items = store.list(&Filter::default(), None, 10).unwrap();
    assert_eq!(items.len(), 1);
}

#[test]
fn a_deleted_items_sku_is_free_again() {
    let (_folder, store) = temporary();
    let first = item("A", 1);
    store.insert(&first).unwrap();
    store.delete(first.id).unwrap();
    assert!(matches!(store.delete(first.id), Err(StoreError::Missing(id)) if id == first.id));
    store.insert(&item("A", 2)).unwrap();
}

#[test]
fn an_update_sets_its_time_and_keeps_the_rest() {
    let (_folder, store) = temporary();
    let before = item("A", 1);
    store.insert(&before).unwrap();
    let changes = UpdateItemRequest {
        price: Change::Set(2.5),
        ..UpdateItemRequest::default()
    };
    let after = store.update(before.id, changes, moment(9)).unwrap();
    assert_eq!(
        after,
        Item {
            price: 2.5,
            updated_at: Some(moment(9)),
            ..before
        }
    );
    assert_eq!(store.find(after.id).unwrap(), after);
}

#[test]
fn an_upsert_moves_the_sku_and_keeps_the_time_of_creation() {
    let (_folder, store) = temporary();
    let before = item("A", 1);
    store.insert(&before).unwrap();
    let mut replacement = item("B", 5);
    replacement.id = before.id;
    store.upsert(&replacement).unwrap();

    let after = store.find(before.id).unwrap();
    assert_eq!(
        (after.created_at, after.updated_at),
        (moment(1), Some(moment(5)))
    );
    store.insert(&item("A", 6)).unwrap();
    assert!(matches!(
        store.insert(&item("B", 6)),
        Err(StoreError::SkuTaken(_))
    ));
}

#[test]
fn an_exactly_full_page_is_the_last() {
    let (_folder, store) = temporary();
    for number in 0..4 {
        store.insert(&item(&number.to_string(), number)).unwrap();
    }
    let pages = all_pages(&store, &Filter::default(), 2);
    let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 2]);
}

#[test]
fn paging_goes_on_though_the_last_item_was_deleted() {
    let (_folder, store) = temporary();
    for number in 0..3 {
        store.insert(&item(&number.to_string(), number)).unwrap();
    }
    let first = store.list(&Filter::default(), None, 1).unwrap();
    let place = Place::of(&first[0]);
    store.delete(first[0].id).unwrap();
    let second = store.list(&Filter::default(), Some(place), 1).unwrap();
    assert_eq!(second[0].sku, "1");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Each page is within its limit, and together they are what a plain filter gives, in order.
    #[test]
    fn pages_are_complete_and_without_duplicates(
        stock in prop::collection::vec((0_u64..4, 0_i32..6), 0..24),
        limit in 1_usize..7,
        bound in 0_i32..7,
    ) {
        let (_folder, store) = temporary();
        let mut wanted = BTreeSet::new();
        for (number, (seconds, quantity)) in stock.into_iter().enumerate() {
            let mut item = item(&number.to_string(), seconds);
            item.quantity = quantity;
            store.insert(&item).unwrap();
            if quantity < bound {
                wanted.insert((item.created_at, item.id));
            }
        }
        let filter = Filter::parse(&format!("quantity<{bound}")).unwrap();
        let pages = all_pages(&store, &filter, limit);
        prop_assert!(pages.iter().all(|page| page.len() <= limit));
        let found: Vec<_> = pages
            .iter()
            .flatten()
            .map(|item| (item.created_at, item.id))
            .collect();
        prop_assert_eq!(found, wanted.into_iter().collect::<Vec<_>>());
    }
}
