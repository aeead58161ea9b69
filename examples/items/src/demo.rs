//! The demo: a server on a free port, and every RPC called through the generated client.

mod print;

use std::error::Error;
use std::io::Write;

use apibase::{CallError, Change, Context, DomainError, NEXT_PAGE_TOKEN, Server};
use chrono::Utc;
use futures_util::stream;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use self::print::{Page, line};
use crate::examples::api::{ItemError, ItemServiceClient, ItemServiceServer, UpdateItemRequest};
use crate::examples::item_sync_request::Action;
use crate::examples::{
    self, CreateItemRequest, DeleteItemRequest, GetItemRequest, ItemSyncRequest, ListItemsRequest,
};
use crate::item::Item;
use crate::service::Items;
use crate::store::RedbStore;
use crate::use_cases::Clock;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Runs the demo and writes to `out` what a newcomer would want to see.
///
/// # Errors
///
/// When the server can't be started, when a call doesn't do what it should, and when `out` can't
/// be written.
pub async fn run(out: &mut impl Write) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("items.redb");
    let items = Items::over(RedbStore::open(&path)?, Clock(Utc::now))?;
    let server = Server::new()
        .host([127, 0, 0, 1])
        .port(0)
        .add_servicer(ItemServiceServer::new(items))
        .bind()
        .await?;
    let address = server.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve_until(async {
        let _ = stopped.await;
    }));

    let mut page = Page::new(out);
    page.start(&address.to_string(), &path.display().to_string())?;
    let client = ItemServiceClient::connect(format!("http://{address}")).await?;
    call_everything(&client, &mut page).await?;
    page.finish()?;

    drop(client);
    let _ = stop.send(());
    serving.await?;
    Ok(())
}

async fn call_everything(
    client: &ItemServiceClient,
    page: &mut Page<'_, impl Write>,
) -> Result<()> {
    let ctx = Context::background();
    let lamp = create(client, &ctx, page).await?;
    let id = lamp.id.to_string();
    get(client, &ctx, page, &id).await?;
    update(client, &ctx, page, &id).await?;
    create_batch(client, &ctx, page).await?;
    list(client, &ctx, page).await?;
    sync(client, &ctx, page, &lamp).await?;
    delete(client, &ctx, page, &id).await
}

async fn create(
    client: &ItemServiceClient,
    ctx: &Context,
    page: &mut Page<'_, impl Write>,
) -> Result<Item> {
    page.rpc("CreateItem", "one request, one response")?;
    let request = new_item("Desk lamp", "LAMP-1", 12, 39.9);
    page.sent("name `Desk lamp`, sku LAMP-1, quantity 12, price 39.90")?;
    let lamp = client.create_item(ctx, request).await?;
    page.came(&line(&lamp))?;
    page.remark("the server gave it the id")?;

    page.sent("another lamp, without a name and with price -1")?;
    let bad = new_item("", "LAMP-2", 1, -1.0);
    match client.create_item(ctx, bad).await {
        Err(CallError::Service(ItemError::Domain(DomainError::Validation(fault)))) => {
            page.came(
                "Err(CallError::Service(ItemError::Domain(Validation))), with every broken rule:",
            )?;
            for violation in fault.violations() {
                page.came(&format!("  {} {}", violation.field, violation.description))?;
            }
        }
        other => return Err(unexpected("CreateItem", &other)),
    }
    Ok(lamp)
}

async fn get(
    client: &ItemServiceClient,
    ctx: &Context,
    page: &mut Page<'_, impl Write>,
    id: &str,
) -> Result<()> {
    page.rpc("GetItem", "one request, one response")?;
    page.sent(&format!("id {id}"))?;
    let item = client
        .get_item(ctx, GetItemRequest { id: id.to_owned() })
        .await?;
    page.came(&line(&item))?;

    page.sent("id nobody-has-this")?;
    let request = GetItemRequest {
        id: "nobody-has-this".to_owned(),
    };
    match client.get_item(ctx, request).await {
        Err(CallError::Service(ItemError::ItemNotFound { item_id })) => {
            page.came("Err(CallError::Service(ItemError::ItemNotFound)):")?;
            page.came(&format!("  item_id {item_id}"))?;
            page.remark("decoded by domain and reason into the error the servicer returned")?;
            Ok(())
        }
        other => Err(unexpected("GetItem", &other)),
    }
}

async fn update(
    client: &ItemServiceClient,
    ctx: &Context,
    page: &mut Page<'_, impl Write>,
    id: &str,
) -> Result<()> {
    page.rpc("UpdateItem", "one request, one response")?;
    page.sent("quantity: Change::Set(0), and nothing else: the other fields are Change::Keep")?;
    let request = UpdateItemRequest {
        id: id.to_owned(),
        quantity: Change::Set(0),
        ..UpdateItemRequest::default()
    };
    let item = client.update_item(ctx, request).await?;
    page.came(&line(&item))?;
    Ok(())
}

async fn create_batch(
    client: &ItemServiceClient,
    ctx: &Context,
    page: &mut Page<'_, impl Write>,
) -> Result<()> {
    page.rpc("BatchCreateItems", "a stream of requests, one response")?;
    let requests = vec![
        new_item("Kitchen chair", "CHAIR-1", 4, 89.0),
        new_item("Office chair", "CHAIR-2", 7, 249.0),
        new_item("", "CHAIR-3", 1, 10.0),
        new_item("Another lamp", "LAMP-1", 1, 10.0),
        new_item("Bar stool", "STOOL-1", 9, 65.5),
    ];
    for request in &requests {
        page.sent(&format!("name `{}`, sku {}", request.name, request.sku))?;
    }
    let response = client
        .batch_create_items(ctx, stream::iter(requests))
        .await?;
    page.came(&format!("{} created", response.created_count))?;
    for error in &response.errors {
        page.came(&format!(
            "{}: {}: {}",
            error.field, error.code, error.message
        ))?;
    }
    page.remark("a bad request doesn't stop the others")?;
    Ok(())
}

async fn list(
    client: &ItemServiceClient,
    ctx: &Context,
    page: &mut Page<'_, impl Write>,
) -> Result<()> {
    page.rpc("ListItems", "one request, a stream of responses")?;
    let mut request = ListItemsRequest {
        page_size: 1,
        filter: "quantity>0 AND price<100".to_owned(),
        ..ListItemsRequest::default()
    };
    loop {
        let token = match request.page_token.as_str() {
            "" => String::new(),
            _ => ", page_token as above".to_owned(),
        };
        page.sent(&format!(
            "filter `{}`, page_size {}{token}",
            request.filter, request.page_size
        ))?;
        let mut items = client.list_items(ctx, request.clone()).await?;
        while let Some(item) = items.message().await? {
            page.came(&line(&item))?;
        }
        match items.next_page_token() {
            Some(token) => {
                page.came(&format!("trailer {NEXT_PAGE_TOKEN}: {token}"))?;
                request.page_token = token.to_owned();
            }
            None => {
                page.remark("no such trailer: that was the last page")?;
                return Ok(());
            }
        }
    }
}

async fn sync(
    client: &ItemServiceClient,
    ctx: &Context,
    page: &mut Page<'_, impl Write>,
    lamp: &Item,
) -> Result<()> {
    page.rpc("SyncItems", "a stream of requests, a stream of responses")?;
    let relamp = Item {
        name: "Desk lamp, brass".to_owned(),
        quantity: 5,
        ..lamp.clone()
    };
    // A message, for an item has an id.
    let shelf = examples::Item {
        name: "Shelf".to_owned(),
        sku: "SHELF-1".to_owned(),
        quantity: 2,
        price: 120.0,
        is_active: true,
        ..examples::Item::default()
    };
    let actions = [
        (
            "upsert: the lamp, now `Desk lamp, brass`",
            Action::Upsert(relamp.try_into()?),
        ),
        ("upsert: a shelf, without an id", Action::Upsert(shelf)),
        (
            "delete_id: nobody-has-this",
            Action::DeleteId("nobody-has-this".to_owned()),
        ),
    ];
    let (requests, receiver) = mpsc::channel(1);
    let mut answers = client
        .sync_items(ctx, ReceiverStream::new(receiver))
        .await?;
    for (text, action) in actions {
        page.sent(text)?;
        requests
            .send(ItemSyncRequest {
                action: Some(action),
            })
            .await?;
        let Some(answer) = answers.message().await? else {
            return Err("SyncItems ended before the last action was answered".into());
        };
        match answer.error {
            None => page.came(&format!("success, id {}", answer.id))?,
            Some(error) => page.came(&format!("{}: {}", error.code, error.message))?,
        }
    }
    page.remark("each action is answered in its turn, and a bad one doesn't end the stream")?;
    Ok(())
}

async fn delete(
    client: &ItemServiceClient,
    ctx: &Context,
    page: &mut Page<'_, impl Write>,
    id: &str,
) -> Result<()> {
    page.rpc("DeleteItem", "one request, an empty response")?;
    page.sent(&format!("id {id}"))?;
    client
        .delete_item(ctx, DeleteItemRequest { id: id.to_owned() })
        .await?;
    page.came("()")?;
    Ok(())
}

fn new_item(name: &str, sku: &str, quantity: i32, price: f64) -> CreateItemRequest {
    CreateItemRequest {
        name: name.to_owned(),
        sku: sku.to_owned(),
        quantity,
        price,
        ..CreateItemRequest::default()
    }
}

fn unexpected(rpc: &str, got: &impl std::fmt::Debug) -> Box<dyn Error> {
    format!("{rpc} should have failed otherwise, and gave {got:?}").into()
}
