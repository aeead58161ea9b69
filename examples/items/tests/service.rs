//! The service as its callers see it: over the wire, through the generated client.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use apibase::{
    BoundServer, CallError, Change, Code, Context, DomainError, Server, ServiceError as _,
};
use chrono::{DateTime, Utc};
use futures_util::stream;
use items::common::ErrorDetail;
use items::examples::api::{ItemError, ItemServiceClient, ItemServiceServer, UpdateItemRequest};
use items::examples::item_sync_request::Action;
use items::examples::{
    self, CreateItemRequest, DeleteItemRequest, GetItemRequest, ItemSyncRequest, ItemSyncResponse,
    ListItemsRequest,
};
use items::item::Item;
use items::service::Items;
use items::store::RedbStore;
use items::use_cases::Clock;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server over a store of its own, and a client of it.
struct Shop {
    client: ItemServiceClient,
    ctx: Context,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    folder: TempDir,
}

impl Shop {
    async fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap()).await
    }

    async fn open_in(folder: TempDir) -> Self {
        let server = bind(&file(folder.path())).await;
        let target = format!("http://{}", server.local_addr());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve_until(async {
            let _ = stopped.await;
        }));
        let client = ItemServiceClient::connect(target).await.unwrap();
        Self {
            client,
            ctx: Context::background(),
            stop,
            serving,
            folder,
        }
    }

    async fn close(self) -> TempDir {
        drop(self.client);
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
        self.folder
    }

    async fn create(&self, request: CreateItemRequest) -> Result<Item, CallError<ItemError>> {
        self.client.create_item(&self.ctx, request).await
    }

    async fn get(&self, id: impl ToString) -> Result<Item, CallError<ItemError>> {
        let id = id.to_string();
        self.client.get_item(&self.ctx, GetItemRequest { id }).await
    }

    async fn stock(&self, number: usize) {
        for index in 0..number {
            self.create(request(&format!("SKU-{index:03}")))
                .await
                .unwrap();
        }
    }

    /// One page: the skus and the next page's token.
    async fn list(
        &self,
        page_size: i32,
        page_token: &str,
        filter: &str,
    ) -> Result<(Vec<String>, Option<String>), CallError<ItemError>> {
        let request = ListItemsRequest {
            page_size,
            page_token: page_token.to_owned(),
            filter: filter.to_owned(),
        };
        let mut replies = self.client.list_items(&self.ctx, request).await?;
        let mut skus = Vec::new();
        while let Some(item) = replies.message().await? {
            skus.push(item.sku);
        }
        Ok((skus, replies.next_page_token().map(str::to_owned)))
    }

    async fn sync(&self, actions: Vec<Option<Action>>) -> Vec<ItemSyncResponse> {
        let requests = actions.into_iter().map(|action| ItemSyncRequest { action });
        let requests = stream::iter(requests.collect::<Vec<_>>());
        let mut replies = self.client.sync_items(&self.ctx, requests).await.unwrap();
        let mut answers = Vec::new();
        while let Some(answer) = replies.message().await.unwrap() {
            answers.push(answer);
        }
        answers
    }
}

async fn bind(path: &Path) -> BoundServer {
    let items = Items::over(RedbStore::open(path).unwrap(), Clock(ticking)).unwrap();
    Server::new()
        .host([127, 0, 0, 1])
        .port(0)
        .add_servicer(ItemServiceServer::new(items))
        .bind()
        .await
        .unwrap()
}

/// One second later each time, so that items have an order.
fn ticking() -> DateTime<Utc> {
    static SECONDS: AtomicU64 = AtomicU64::new(1);
    let seconds = SECONDS.fetch_add(1, Ordering::Relaxed);
    DateTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn file(folder: &Path) -> PathBuf {
    folder.join("items.redb")
}

fn request(sku: &str) -> CreateItemRequest {
    CreateItemRequest {
        name: format!("Item {sku}"),
        description: "plain".to_owned(),
        sku: sku.to_owned(),
        quantity: 3,
        price: 9.5,
    }
}

fn fields(error: &DomainError) -> Vec<&str> {
    let violations = error.fault().unwrap().violations();
    violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect()
}

/// The error that a call failed with, one of the service's own or not.
fn refusal<T: std::fmt::Debug>(result: Result<T, CallError<ItemError>>) -> ItemError {
    match result.unwrap_err() {
        CallError::Service(error) => error,
        other => DomainError::external_service(other.to_string()).into(),
    }
}

/// The same, where it is one that every service has.
fn domain<T: std::fmt::Debug>(result: Result<T, CallError<ItemError>>) -> DomainError {
    match refusal(result) {
        ItemError::Domain(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_created_item_has_what_was_asked_for_and_can_be_got() {
    let shop = Shop::open().await;
    let created = shop.create(request("A")).await.unwrap();
    assert_eq!(
        (created.name.as_str(), created.sku.as_str()),
        ("Item A", "A")
    );
    assert!(created.is_active && created.updated_at.is_none());
    assert_eq!(shop.get(created.id).await.unwrap(), created);
}

#[tokio::test]
async fn items_outlive_the_server() {
    let shop = Shop::open().await;
    let created = shop.create(request("A")).await.unwrap();
    let shop = Shop::open_in(shop.close().await).await;
    assert_eq!(shop.get(created.id).await.unwrap(), created);
}

#[tokio::test]
async fn all_broken_rules_are_reported_together() {
    let shop = Shop::open().await;
    let bad = CreateItemRequest {
        quantity: -1,
        price: f64::NAN,
        ..CreateItemRequest::default()
    };
    let error = domain(shop.create(bad).await);
    assert!(matches!(error, DomainError::Validation(_)), "{error:?}");
    assert_eq!(fields(&error), ["name", "sku", "quantity", "price"]);
}

#[tokio::test]
async fn a_taken_sku_is_said_to_be() {
    let shop = Shop::open().await;
    shop.create(request("A")).await.unwrap();
    let error = refusal(shop.create(request("A")).await);
    assert!(
        matches!(&error, ItemError::SkuTaken { sku } if sku == "A"),
        "{error:?}"
    );
    assert_eq!(error.code(), Code::AlreadyExists);
}

#[tokio::test]
async fn a_missing_item_is_not_found() {
    let shop = Shop::open().await;
    for id in ["", "not-a-uuid", "00000000-0000-4000-8000-000000000000"] {
        let id = id.to_owned();
        let got = refusal(shop.get(&id).await);
        let update = UpdateItemRequest {
            id: id.clone(),
            ..UpdateItemRequest::default()
        };
        let updated = refusal(shop.client.update_item(&shop.ctx, update).await);
        let deleted = refusal(
            shop.client
                .delete_item(&shop.ctx, DeleteItemRequest { id })
                .await,
        );
        for error in [got, updated, deleted] {
            assert!(matches!(error, ItemError::ItemNotFound { .. }), "{error:?}");
            assert_eq!(error.code(), Code::NotFound);
        }
    }
}

#[tokio::test]
async fn a_long_id_comes_back_shortened() {
    let shop = Shop::open().await;
    let error = refusal(shop.get(&"é".repeat(100_000)).await);
    assert_eq!(
        error.to_string(),
        format!("no item has the id {}…", "é".repeat(64))
    );
}

#[tokio::test]
async fn an_update_changes_what_is_present_even_to_nothing() {
    let shop = Shop::open().await;
    let before = shop.create(request("A")).await.unwrap();
    let update = UpdateItemRequest {
        id: before.id.to_string(),
        description: Change::Set(String::new()),
        quantity: Change::Set(0),
        ..UpdateItemRequest::default()
    };
    let after = shop.client.update_item(&shop.ctx, update).await.unwrap();
    assert!(Some(after.created_at) < after.updated_at, "{after:?}");
    let expected = Item {
        description: String::new(),
        quantity: 0,
        updated_at: after.updated_at,
        ..before
    };
    assert_eq!(after, expected);
}

#[tokio::test]
async fn a_bad_update_changes_nothing() {
    let shop = Shop::open().await;
    let before = shop.create(request("A")).await.unwrap();
    let update = UpdateItemRequest {
        id: before.id.to_string(),
        name: Change::Set("New".to_owned()),
        price: Change::Set(-1.0),
        ..UpdateItemRequest::default()
    };
    let error = domain(shop.client.update_item(&shop.ctx, update).await);
    assert_eq!(fields(&error), ["price"]);
    assert_eq!(shop.get(before.id).await.unwrap(), before);
}

#[tokio::test]
async fn an_update_that_the_message_cant_say_is_not_sent() {
    let shop = Shop::open().await;
    let item = shop.create(request("A")).await.unwrap();
    let update = UpdateItemRequest {
        id: item.id.to_string(),
        description: Change::Clear,
        ..UpdateItemRequest::default()
    };
    let error = shop.client.update_item(&shop.ctx, update).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("description can't be cleared"), "{error}");
    assert_eq!(shop.get(item.id).await.unwrap(), item);
}

#[tokio::test]
async fn a_deleted_item_is_gone() {
    let shop = Shop::open().await;
    let id = shop.create(request("A")).await.unwrap().id;
    let delete = DeleteItemRequest { id: id.to_string() };
    shop.client.delete_item(&shop.ctx, delete).await.unwrap();
    assert!(matches!(
        refusal(shop.get(id).await),
        ItemError::ItemNotFound { .. }
    ));
}

#[tokio::test]
async fn pages_follow_each_other_by_the_token() {
    let shop = Shop::open().await;
    shop.stock(5).await;
    let (first, token) = shop.list(2, "", "").await.unwrap();
    let (second, token) = shop.list(2, &token.unwrap(), "").await.unwrap();
    let (third, none) = shop.list(2, &token.unwrap(), "").await.unwrap();
    let all: Vec<_> = [first, second, third].concat();
    assert_eq!(all, ["SKU-000", "SKU-001", "SKU-002", "SKU-003", "SKU-004"]);
    assert_eq!(none, None);
}

#[tokio::test]
async fn a_page_has_ten_items_unless_asked_otherwise() {
    let shop = Shop::open().await;
    shop.stock(11).await;
    let (ten, token) = shop.list(0, "", "").await.unwrap();
    assert_eq!((ten.len(), token.is_some()), (10, true));
    let (all, token) = shop.list(i32::MAX, "", "").await.unwrap();
    assert_eq!((all.len(), token), (11, None));
    assert_eq!(fields(&domain(shop.list(-1, "", "").await)), ["page_size"]);
}

#[tokio::test]
async fn an_empty_shop_has_one_empty_page() {
    let shop = Shop::open().await;
    assert_eq!(shop.list(5, "", "").await.unwrap(), (vec![], None));
}

#[tokio::test]
async fn a_filter_says_which_items() {
    let shop = Shop::open().await;
    shop.stock(3).await;
    let (skus, _) = shop.list(0, "", "sku:1 AND active=true").await.unwrap();
    assert_eq!(skus, ["SKU-001"]);
    let error = domain(shop.list(0, "", "name:x OR sku=1").await);
    assert_eq!(fields(&error), ["filter"]);
    assert!(error.message().contains("character 8"), "{error}");
}

#[tokio::test]
async fn a_token_for_another_list_is_refused() {
    let shop = Shop::open().await;
    shop.stock(2).await;
    let (_, token) = shop.list(1, "", "active=true").await.unwrap();
    let token = token.unwrap();
    let cut = &token[..token.len() - 1];
    for (token, filter) in [(token.as_str(), ""), (cut, "active=true"), ("x", "")] {
        let error = domain(shop.list(1, token, filter).await);
        assert!(matches!(error, DomainError::Validation(_)), "{error:?}");
        assert_eq!(fields(&error), ["page_token"]);
    }
}

#[tokio::test]
async fn a_batch_reports_errors_by_entry_and_creates_the_rest() {
    let shop = Shop::open().await;
    let nameless = CreateItemRequest {
        name: String::new(),
        price: -1.0,
        ..request("B")
    };
    let requests = vec![request("A"), nameless, request("A"), request("C")];
    let response = shop
        .client
        .batch_create_items(&shop.ctx, stream::iter(requests))
        .await
        .unwrap();

    assert_eq!((response.created_count, response.created_ids.len()), (2, 2));
    assert_eq!(shop.get(&response.created_ids[1]).await.unwrap().sku, "C");
    let errors: Vec<_> = response.errors.iter().map(summary).collect();
    assert_eq!(
        errors,
        [
            ("requests[1].name", "ValidationError", "1"),
            ("requests[1].price", "ValidationError", "1"),
            ("requests[2].sku", "SKU_TAKEN", "2"),
        ]
    );
}

#[tokio::test]
async fn an_empty_batch_creates_nothing() {
    let shop = Shop::open().await;
    let response = shop
        .client
        .batch_create_items(&shop.ctx, stream::empty())
        .await
        .unwrap();
    assert_eq!((response.created_count, response.errors.len()), (0, 0));
}

#[tokio::test]
async fn sync_answers_each_action_in_its_order() {
    let shop = Shop::open().await;
    let existing = examples::Item::try_from(shop.create(request("A")).await.unwrap()).unwrap();
    let renamed = examples::Item {
        name: "Renamed".to_owned(),
        ..existing.clone()
    };
    let id = "00000000-0000-4000-8000-000000000001";
    let given = examples::Item {
        id: id.to_owned(),
        sku: "B".to_owned(),
        ..existing.clone()
    };
    let nameless = examples::Item {
        id: String::new(),
        name: String::new(),
        ..existing.clone()
    };
    let unreadable = examples::Item {
        id: "seven".to_owned(),
        ..existing.clone()
    };
    let answers = shop
        .sync(vec![
            Some(Action::Upsert(renamed)),
            Some(Action::Upsert(given)),
            Some(Action::Upsert(nameless)),
            Some(Action::Upsert(unreadable)),
            None,
            Some(Action::DeleteId(existing.id.clone())),
            Some(Action::DeleteId(existing.id.clone())),
        ])
        .await;

    let outcome: Vec<_> = answers
        .iter()
        .map(|answer| {
            answer
                .error
                .as_ref()
                .map(|error| (error.field.as_str(), error.code.as_str()))
        })
        .collect();
    let invalid = "ValidationError";
    assert_eq!(
        outcome,
        [
            None,
            None,
            Some(("name", invalid)),
            Some(("id", invalid)),
            Some(("action", invalid)),
            None,
            Some(("", "ITEM_NOT_FOUND")),
        ]
    );
    assert!(
        answers
            .iter()
            .all(|answer| answer.success == answer.error.is_none())
    );
    assert_eq!(
        (answers[0].id.as_str(), answers[1].id.as_str()),
        (existing.id.as_str(), id)
    );
    assert_eq!(shop.get(id).await.unwrap().sku, "B");
}

#[tokio::test]
async fn sync_gives_an_item_without_an_id_a_new_one() {
    let shop = Shop::open().await;
    let item = examples::Item {
        name: "New".to_owned(),
        sku: "N".to_owned(),
        ..examples::Item::default()
    };
    let answers = shop.sync(vec![Some(Action::Upsert(item))]).await;
    assert_eq!(shop.get(&answers[0].id).await.unwrap().name, "New");
}

#[tokio::test]
async fn sync_keeps_the_times_of_the_server() {
    let shop = Shop::open().await;
    let before = shop.create(request("A")).await.unwrap();
    let claimed = Item {
        created_at: DateTime::UNIX_EPOCH - Duration::from_secs(1),
        updated_at: None,
        ..before.clone()
    };
    let upper = examples::Item {
        id: before.id.to_string().to_uppercase(),
        ..claimed.try_into().unwrap()
    };
    let answers = shop.sync(vec![Some(Action::Upsert(upper))]).await;
    assert_eq!(answers[0].id, before.id.to_string());
    let after = shop.get(before.id).await.unwrap();
    assert_eq!(after.created_at, before.created_at);
    assert!(after.updated_at > Some(before.created_at), "{after:?}");
}

#[tokio::test]
async fn an_empty_sync_has_no_answers() {
    let shop = Shop::open().await;
    assert_eq!(shop.sync(vec![]).await, []);
}

#[tokio::test]
async fn the_demo_calls_every_rpc() {
    let mut out = Vec::new();
    items::demo::run(&mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    for rpc in [
        "GetItem",
        "CreateItem",
        "UpdateItem",
        "DeleteItem",
        "ListItems",
        "BatchCreateItems",
        "SyncItems",
    ] {
        assert!(
            out.contains(&format!("\n{rpc}: ")),
            "{rpc} isn't called:\n{out}"
        );
    }
    assert!(out.contains("Where to look next"), "{out}");
}

fn summary(error: &ErrorDetail) -> (&str, &str, &str) {
    (&error.field, &error.code, &error.metadata["index"])
}
