//! Of what goes: texts are moved, and lists written over where they fit.

use std::collections::HashMap;

use bench_mappers_domain as domain;

use super::{condition_of, optional_time, quantity_of, time, uuid, within};
use crate::messages as pb;
use crate::wrong::{REQUIRED, Wrong};

#[inline]
pub(crate) fn item_into(entity: domain::Item) -> Result<pb::Item, Wrong> {
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
        id: uuid(&id),
        name,
        sku,
        quantity: quantity_of(quantity)?,
        reserved: u32::from(reserved),
        price,
        is_active,
        created_at: Some(time("created_at", &created_at)?),
        updated_at: optional_time("updated_at", &updated_at)?,
        condition: condition_of(condition),
    })
}

#[inline]
pub(crate) fn item_list_into(entity: domain::ItemList) -> Result<pb::ItemList, Wrong> {
    let domain::ItemList { items } = entity;
    Ok(pb::ItemList {
        items: list_into("items", items, item_into)?,
    })
}

#[inline]
pub(crate) fn order_into(entity: domain::Order) -> Result<pb::Order, Wrong> {
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
        id: uuid(&id),
        customer: Some(within("customer", customer_into(customer))?),
        lines: list_over("lines", lines, line_into)?,
        gifts: gifts_into(gifts)?,
        payment: Some(payment_into(payment)?),
        note,
        priority: priority.map(u32::from),
        placed_at: Some(time("placed_at", &placed_at)?),
        sent_at: optional_time("sent_at", &sent_at)?,
    })
}

#[inline]
fn customer_into(entity: domain::Customer) -> Result<pb::Customer, Wrong> {
    let domain::Customer {
        id,
        name,
        address,
        office,
    } = entity;
    Ok(pb::Customer {
        id: uuid(&id),
        name: text_into("name", name)?,
        address: Some(within("address", address_into(address))?),
        office: match office {
            Some(office) => Some(within("office", address_into(office))?),
            None => None,
        },
    })
}

#[inline]
fn address_into(entity: domain::Address) -> Result<pb::Address, Wrong> {
    let domain::Address {
        street,
        city,
        country,
    } = entity;
    Ok(pb::Address {
        street,
        city: text_into("city", city)?,
        country,
    })
}

#[inline]
fn gifts_into(entities: HashMap<String, domain::Line>) -> Result<HashMap<String, pb::Line>, Wrong> {
    let mut gifts = HashMap::with_capacity(entities.len());
    for (name, entity) in entities {
        match line_into(entity) {
            Ok(line) => {
                gifts.insert(name, line);
            }
            Err(wrong) => return Err(wrong.all_within(format_args!("gifts[{name:?}]"))),
        }
    }
    Ok(gifts)
}

#[inline]
fn line_into(entity: domain::Line) -> Result<pb::Line, Wrong> {
    let domain::Line {
        sku,
        quantity,
        price,
        discounts,
    } = entity;
    Ok(pb::Line {
        sku: text_into("sku", sku)?,
        quantity: i32::from(quantity),
        price,
        discounts: list_into("discounts", discounts, discount_into)?,
    })
}

#[inline]
fn discount_into(entity: domain::Discount) -> Result<pb::Discount, Wrong> {
    let domain::Discount { code, share, until } = entity;
    Ok(pb::Discount {
        code: text_into("code", code)?,
        share,
        until: optional_time("until", &until)?,
    })
}

#[inline]
fn payment_into(entity: domain::Payment) -> Result<pb::order::Payment, Wrong> {
    Ok(match entity {
        domain::Payment::Card(card) => pb::order::Payment::Card(within("card", card_into(card))?),
        domain::Payment::Invoice(address) => pb::order::Payment::Invoice(address),
        domain::Payment::Voucher(id) => pb::order::Payment::Voucher(uuid(&id)),
    })
}

#[inline]
fn card_into(entity: domain::Card) -> Result<pb::Card, Wrong> {
    let domain::Card { token, month, year } = entity;
    Ok(pb::Card {
        token: text_into("token", token)?,
        month: u32::from(month),
        year: u32::from(year),
    })
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "it has the shape of its neighbours"
)]
#[inline]
pub(crate) fn words_into(entity: domain::Words) -> Result<pb::Words, Wrong> {
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
    })
}

#[inline]
fn list_into<E, M>(
    field: &str,
    entities: Vec<E>,
    element: impl Fn(E) -> Result<M, Wrong>,
) -> Result<Vec<M>, Wrong> {
    let mut messages = Vec::with_capacity(entities.len());
    for (index, entity) in entities.into_iter().enumerate() {
        match element(entity) {
            Ok(message) => messages.push(message),
            Err(wrong) => return Err(wrong.all_within(format_args!("{field}[{index}]"))),
        }
    }
    Ok(messages)
}

/// For messages that are as large as their entities: `collect` writes them over each other.
#[inline]
fn list_over<E, M>(
    field: &str,
    entities: Vec<E>,
    element: impl Fn(E) -> Result<M, Wrong>,
) -> Result<Vec<M>, Wrong> {
    let mut failed = None;
    let messages = entities
        .into_iter()
        .enumerate()
        .map_while(|(index, entity)| match element(entity) {
            Ok(message) => Some(message),
            Err(wrong) => {
                failed = Some(wrong.all_within(format_args!("{field}[{index}]")));
                None
            }
        })
        .collect();
    match failed {
        None => Ok(messages),
        Some(wrong) => Err(wrong),
    }
}

#[inline]
fn text_into(field: &str, text: String) -> Result<String, Wrong> {
    if text.is_empty() {
        return Err(Wrong::one(field, REQUIRED));
    }
    Ok(text)
}
