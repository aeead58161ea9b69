//! Of what stays: texts and lists are copied.

use std::collections::HashMap;

use bench_mappers_domain as domain;

use super::{condition_of, optional_time, quantity_of, time, uuid, within};
use crate::messages as pb;
use crate::wrong::{REQUIRED, Wrong};

#[inline]
pub(crate) fn item_to(entity: &domain::Item) -> Result<pb::Item, Wrong> {
    let domain::Item {
        id,
        name,
        sku,
        quantity,
        reserved,
        price,
        is_active,
        created_at,
        updated_at,
        condition,
    } = entity;
    Ok(pb::Item {
        id: uuid(id),
        name: name.clone(),
        sku: sku.clone(),
        quantity: quantity_of(*quantity)?,
        reserved: u32::from(*reserved),
        price: *price,
        is_active: *is_active,
        created_at: Some(time("created_at", created_at)?),
        updated_at: optional_time("updated_at", updated_at)?,
        condition: condition_of(*condition),
    })
}

#[inline]
pub(crate) fn item_list_to(entity: &domain::ItemList) -> Result<pb::ItemList, Wrong> {
    let domain::ItemList { items } = entity;
    Ok(pb::ItemList {
        items: list_to("items", items, item_to)?,
    })
}

#[inline]
pub(crate) fn order_to(entity: &domain::Order) -> Result<pb::Order, Wrong> {
    let domain::Order {
        id,
        customer,
        lines,
        gifts,
        payment,
        note,
        priority,
        placed_at,
        sent_at,
    } = entity;
    Ok(pb::Order {
        id: uuid(id),
        customer: Some(within("customer", customer_to(customer))?),
        lines: list_to("lines", lines, line_to)?,
        gifts: gifts_to(gifts)?,
        payment: Some(payment_to(payment)?),
        note: note.clone(),
        priority: priority.map(u32::from),
        placed_at: Some(time("placed_at", placed_at)?),
        sent_at: optional_time("sent_at", sent_at)?,
    })
}

#[inline]
fn customer_to(entity: &domain::Customer) -> Result<pb::Customer, Wrong> {
    let domain::Customer {
        id,
        name,
        address,
        office,
    } = entity;
    Ok(pb::Customer {
        id: uuid(id),
        name: text_to("name", name)?,
        address: Some(within("address", address_to(address))?),
        office: match office {
            Some(office) => Some(within("office", address_to(office))?),
            None => None,
        },
    })
}

#[inline]
fn address_to(entity: &domain::Address) -> Result<pb::Address, Wrong> {
    let domain::Address {
        street,
        city,
        country,
    } = entity;
    Ok(pb::Address {
        street: street.clone(),
        city: text_to("city", city)?,
        country: country.clone(),
    })
}

#[inline]
fn gifts_to(entities: &HashMap<String, domain::Line>) -> Result<HashMap<String, pb::Line>, Wrong> {
    let mut gifts = HashMap::with_capacity(entities.len());
    for (name, entity) in entities {
        match line_to(entity) {
            Ok(line) => {
                gifts.insert(name.clone(), line);
            }
            Err(wrong) => return Err(wrong.all_within(format_args!("gifts[{name:?}]"))),
        }
    }
    Ok(gifts)
}

#[inline]
fn line_to(entity: &domain::Line) -> Result<pb::Line, Wrong> {
    let domain::Line {
        sku,
        quantity,
        price,
        discounts,
    } = entity;
    Ok(pb::Line {
        sku: text_to("sku", sku)?,
        quantity: i32::from(*quantity),
        price: *price,
        discounts: list_to("discounts", discounts, discount_to)?,
    })
}

#[inline]
fn discount_to(entity: &domain::Discount) -> Result<pb::Discount, Wrong> {
    let domain::Discount { code, share, until } = entity;
    Ok(pb::Discount {
        code: text_to("code", code)?,
        share: *share,
        until: optional_time("until", until)?,
    })
}

#[inline]
fn payment_to(entity: &domain::Payment) -> Result<pb::order::Payment, Wrong> {
    Ok(match entity {
        domain::Payment::Card(card) => pb::order::Payment::Card(within("card", card_to(card))?),
        domain::Payment::Invoice(address) => pb::order::Payment::Invoice(address.clone()),
        domain::Payment::Voucher(id) => pb::order::Payment::Voucher(uuid(id)),
    })
}

#[inline]
fn card_to(entity: &domain::Card) -> Result<pb::Card, Wrong> {
    let domain::Card { token, month, year } = entity;
    Ok(pb::Card {
        token: text_to("token", token)?,
        month: u32::from(*month),
        year: u32::from(*year),
    })
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "it has the shape of its neighbours"
)]
#[inline]
pub(crate) fn words_to(entity: &domain::Words) -> Result<pb::Words, Wrong> {
    let domain::Words {
        first,
        second,
        third,
        fourth,
        fifth,
        sixth,
        seventh,
        eighth,
        ninth,
        tenth,
    } = entity;
    Ok(pb::Words {
        first: first.clone(),
        second: second.clone(),
        third: third.clone(),
        fourth: fourth.clone(),
        fifth: fifth.clone(),
        sixth: sixth.clone(),
        seventh: seventh.clone(),
        eighth: eighth.clone(),
        ninth: ninth.clone(),
        tenth: tenth.clone(),
    })
}

#[inline]
fn list_to<E, M>(
    field: &str,
    entities: &[E],
    element: impl Fn(&E) -> Result<M, Wrong>,
) -> Result<Vec<M>, Wrong> {
    let mut messages = Vec::with_capacity(entities.len());
    for (index, entity) in entities.iter().enumerate() {
        match element(entity) {
            Ok(message) => messages.push(message),
            Err(wrong) => return Err(wrong.all_within(format_args!("{field}[{index}]"))),
        }
    }
    Ok(messages)
}

#[inline]
fn text_to(field: &str, text: &str) -> Result<String, Wrong> {
    if text.is_empty() {
        return Err(Wrong::one(field, REQUIRED));
    }
    Ok(text.to_owned())
}
