//! From messages to entities.

use std::collections::HashMap;

use bench_mappers_domain as domain;
use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use uuid::Uuid;

use crate::messages as pb;
use crate::wrong::{REQUIRED, Wrong};

#[inline]
pub(crate) fn item(message: pb::Item, wrong: &mut Wrong) -> Option<domain::Item> {
    let pb::Item {
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
    } = message;
    let id = uuid("id", &id, wrong);
    let quantity = u32::try_from(quantity).ok();
    let quantity = wrong.check("quantity", quantity, "must be from 0 to 2147483647");
    let reserved = u16::try_from(reserved).ok();
    let reserved = wrong.check("reserved", reserved, "must be from 0 to 65535");
    let created_at = time("created_at", created_at, wrong);
    let updated_at = optional_time("updated_at", updated_at, wrong);
    let condition = match pb::Condition::try_from(condition) {
        Ok(pb::Condition::New) => Some(domain::Condition::New),
        Ok(pb::Condition::Used) => Some(domain::Condition::Used),
        Ok(pb::Condition::Mended) => Some(domain::Condition::Mended),
        Ok(pb::Condition::Unspecified) => wrong.check("condition", None, REQUIRED),
        Err(_) => wrong.check("condition", None, "is a number that the enum does not have"),
    };
    Some(domain::Item {
        id: id?,
        name,
        sku,
        quantity: quantity?,
        reserved: reserved?,
        price,
        is_active,
        created_at: created_at?,
        updated_at: updated_at?,
        condition: condition?,
    })
}

#[inline]
pub(crate) fn item_list(message: pb::ItemList, wrong: &mut Wrong) -> Option<domain::ItemList> {
    let pb::ItemList { items } = message;
    let items = list("items", items, wrong, item);
    Some(domain::ItemList { items: items? })
}

#[inline]
pub(crate) fn order(message: pb::Order, wrong: &mut Wrong) -> Option<domain::Order> {
    let pb::Order {
        id,
        customer: customer_,
        lines,
        gifts: gifts_,
        note,
        priority,
        placed_at,
        sent_at,
        payment: payment_,
    } = message;
    let id = uuid("id", &id, wrong);
    let customer = required("customer", customer_, wrong, customer);
    let lines = list("lines", lines, wrong, line);
    let gifts = gifts(gifts_, wrong);
    let payment = payment(payment_, wrong);
    let priority = match priority {
        None => Some(None),
        Some(priority) => {
            let priority = u8::try_from(priority).ok();
            let priority = wrong.check("priority", priority, "must be from 0 to 255");
            priority.map(Some)
        }
    };
    let placed_at = time("placed_at", placed_at, wrong);
    let sent_at = optional_time("sent_at", sent_at, wrong);
    Some(domain::Order {
        id: id?,
        customer: customer?,
        lines: lines?,
        gifts: gifts?,
        payment: payment?,
        note,
        priority: priority?,
        placed_at: placed_at?,
        sent_at: sent_at?,
    })
}

#[inline]
fn customer(message: pb::Customer, wrong: &mut Wrong) -> Option<domain::Customer> {
    let pb::Customer {
        id,
        name,
        address: address_,
        office,
    } = message;
    let id = uuid("id", &id, wrong);
    let name = text("name", name, wrong);
    let address = required("address", address_, wrong, address);
    let office = optional("office", office, wrong, self::address);
    Some(domain::Customer {
        id: id?,
        name: name?,
        address: address?,
        office: office?,
    })
}

#[inline]
fn address(message: pb::Address, wrong: &mut Wrong) -> Option<domain::Address> {
    let pb::Address {
        street,
        city,
        country,
    } = message;
    let city = text("city", city, wrong);
    Some(domain::Address {
        street,
        city: city?,
        country,
    })
}

#[inline]
fn gifts(
    messages: HashMap<String, pb::Line>,
    wrong: &mut Wrong,
) -> Option<HashMap<String, domain::Line>> {
    let before = wrong.mark();
    let mut gifts = HashMap::with_capacity(messages.len());
    for (name, message) in messages {
        let mark = wrong.mark();
        match line(message, wrong) {
            Some(line) => {
                gifts.insert(name, line);
            }
            None => wrong.within(mark, format_args!("gifts[{name:?}]")),
        }
    }
    (wrong.mark() == before).then_some(gifts)
}

#[inline]
fn line(message: pb::Line, wrong: &mut Wrong) -> Option<domain::Line> {
    let pb::Line {
        sku,
        quantity,
        price,
        discounts,
    } = message;
    let sku = text("sku", sku, wrong);
    let quantity = u16::try_from(quantity).ok();
    let quantity = wrong.check("quantity", quantity, "must be from 0 to 65535");
    let discounts = list("discounts", discounts, wrong, discount);
    Some(domain::Line {
        sku: sku?,
        quantity: quantity?,
        price,
        discounts: discounts?,
    })
}

#[inline]
fn discount(message: pb::Discount, wrong: &mut Wrong) -> Option<domain::Discount> {
    let pb::Discount { code, share, until } = message;
    let code = text("code", code, wrong);
    let until = optional_time("until", until, wrong);
    Some(domain::Discount {
        code: code?,
        share,
        until: until?,
    })
}

#[inline]
fn payment(message: Option<pb::order::Payment>, wrong: &mut Wrong) -> Option<domain::Payment> {
    match message {
        Some(pb::order::Payment::Card(message)) => {
            let mark = wrong.mark();
            let card = card(message, wrong);
            if card.is_none() {
                wrong.within(mark, "card");
            }
            card.map(domain::Payment::Card)
        }
        Some(pb::order::Payment::Invoice(address)) => Some(domain::Payment::Invoice(address)),
        Some(pb::order::Payment::Voucher(id)) => {
            uuid("voucher", &id, wrong).map(domain::Payment::Voucher)
        }
        None => wrong.check("payment", None, REQUIRED),
    }
}

#[inline]
fn card(message: pb::Card, wrong: &mut Wrong) -> Option<domain::Card> {
    let pb::Card { token, month, year } = message;
    let token = text("token", token, wrong);
    let month = wrong.check("month", u8::try_from(month).ok(), "must be from 0 to 255");
    let year = wrong.check("year", u16::try_from(year).ok(), "must be from 0 to 65535");
    Some(domain::Card {
        token: token?,
        month: month?,
        year: year?,
    })
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "it has the shape of its neighbours"
)]
pub(crate) fn words(message: pb::Words, _: &mut Wrong) -> Option<domain::Words> {
    let pb::Words {
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
    } = message;
    Some(domain::Words {
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

/// All elements, or what is wrong with any of them. `collect` writes the entities over the messages
/// where they fit.
#[inline]
fn list<M, E>(
    field: &str,
    messages: Vec<M>,
    wrong: &mut Wrong,
    element: impl Fn(M, &mut Wrong) -> Option<E>,
) -> Option<Vec<E>> {
    let before = wrong.mark();
    let entities = messages
        .into_iter()
        .enumerate()
        .filter_map(|(index, message)| {
            let mark = wrong.mark();
            let entity = element(message, wrong);
            if entity.is_none() {
                wrong.within(mark, format_args!("{field}[{index}]"));
            }
            entity
        })
        .collect();
    (wrong.mark() == before).then_some(entities)
}

#[inline]
fn required<M, E>(
    field: &str,
    message: Option<M>,
    wrong: &mut Wrong,
    map: impl Fn(M, &mut Wrong) -> Option<E>,
) -> Option<E> {
    match message {
        Some(message) => nested(field, message, wrong, map),
        None => wrong.check(field, None, REQUIRED),
    }
}

#[inline]
fn optional<M, E>(
    field: &str,
    message: Option<M>,
    wrong: &mut Wrong,
    map: impl Fn(M, &mut Wrong) -> Option<E>,
) -> Option<Option<E>> {
    match message {
        Some(message) => nested(field, message, wrong, map).map(Some),
        None => Some(None),
    }
}

#[inline]
fn nested<M, E>(
    field: &str,
    message: M,
    wrong: &mut Wrong,
    map: impl Fn(M, &mut Wrong) -> Option<E>,
) -> Option<E> {
    let mark = wrong.mark();
    let entity = map(message, wrong);
    if entity.is_none() {
        wrong.within(mark, field);
    }
    entity
}

#[inline]
fn text(field: &str, text: String, wrong: &mut Wrong) -> Option<String> {
    wrong.check(field, (!text.is_empty()).then_some(text), REQUIRED)
}

#[inline]
fn uuid(field: &str, text: &str, wrong: &mut Wrong) -> Option<Uuid> {
    wrong.check(field, Uuid::try_parse(text).ok(), "is not a UUID")
}

#[inline]
fn time(field: &str, message: Option<Timestamp>, wrong: &mut Wrong) -> Option<DateTime<Utc>> {
    match message {
        Some(message) => timestamp(field, message, wrong),
        None => wrong.check(field, None, REQUIRED),
    }
}

#[inline]
fn optional_time(
    field: &str,
    message: Option<Timestamp>,
    wrong: &mut Wrong,
) -> Option<Option<DateTime<Utc>>> {
    match message {
        Some(message) => timestamp(field, message, wrong).map(Some),
        None => Some(None),
    }
}

#[inline]
fn timestamp(field: &str, message: Timestamp, wrong: &mut Wrong) -> Option<DateTime<Utc>> {
    let Timestamp { seconds, nanos } = message;
    // The years 1 to 9999; chrono's go on.
    if (-62_135_596_800..=253_402_300_799).contains(&seconds) && (0..1_000_000_000).contains(&nanos)
    {
        DateTime::from_timestamp(seconds, nanos.cast_unsigned())
    } else {
        wrong_timestamp(field, message, wrong);
        None
    }
}

#[cold]
fn wrong_timestamp(field: &str, message: Timestamp, wrong: &mut Wrong) {
    if !(-62_135_596_800..=253_402_300_799).contains(&message.seconds) {
        wrong.add(
            &format!("{field}.seconds"),
            "must be of the years 1 to 9999",
        );
    }
    if !(0..1_000_000_000).contains(&message.nanos) {
        wrong.add(&format!("{field}.nanos"), "must be from 0 to 999999999");
    }
}
