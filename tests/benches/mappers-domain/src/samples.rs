//! What is mapped: always the same.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    Address, Card, Condition, Customer, Discount, Item, ItemList, Line, Order, Payment, Words,
};

/// An item with all that it can have.
#[must_use]
pub fn item() -> Item {
    numbered(0)
}

/// A page of 100 items, one in three of which never changed.
#[must_use]
pub fn item_list() -> ItemList {
    ItemList {
        items: (0..100).map(numbered).collect(),
    }
}

/// An order of five lines and three gifts.
#[must_use]
pub fn order() -> Order {
    Order {
        id: uuid(1000),
        customer: Customer {
            id: uuid(1001),
            name: "Ada Byron".to_owned(),
            address: address("12 St James's Square", "London"),
            office: Some(address("1 Dorset Street", "London")),
        },
        lines: (0..5).map(line).collect(),
        gifts: ["Anne", "Byron", "Ralph"]
            .into_iter()
            .zip(5..)
            .map(|(name, number)| (name.to_owned(), line(number)))
            .collect(),
        payment: Payment::Card(Card {
            token: "tok_3f1f7ad0a3de".to_owned(),
            month: 11,
            year: 2031,
        }),
        note: Some("Ring twice".to_owned()),
        priority: Some(3),
        placed_at: time(1000),
        sent_at: Some(time(2000)),
    }
}

/// Ten words.
#[must_use]
pub fn words() -> Words {
    let word = |text: &str| format!("the {text} of ten words");
    Words {
        first: word("first"),
        second: word("second"),
        third: word("third"),
        fourth: word("fourth"),
        fifth: word("fifth"),
        sixth: word("sixth"),
        seventh: word("seventh"),
        eighth: word("eighth"),
        ninth: word("ninth"),
        tenth: word("tenth"),
    }
}

fn numbered(number: u16) -> Item {
    Item {
        id: uuid(number),
        name: format!("Hammer of {number} g"),
        sku: format!("HAM-{number:03}"),
        quantity: 100 + u32::from(number),
        reserved: number,
        price: 14.5 + f64::from(number),
        is_active: true,
        created_at: time(number),
        updated_at: (number % 3 != 1).then(|| time(number + 1)),
        condition: match number % 3 {
            0 => Condition::New,
            1 => Condition::Used,
            _ => Condition::Mended,
        },
    }
}

fn line(number: u16) -> Line {
    Line {
        sku: format!("HAM-{number:03}"),
        quantity: 1 + number,
        price: 14.5,
        discounts: (0..number % 3)
            .map(|each| Discount {
                code: format!("SUMMER-{each}"),
                share: 0.1,
                until: Some(time(each)),
            })
            .collect(),
    }
}

fn address(street: &str, city: &str) -> Address {
    Address {
        street: street.to_owned(),
        city: city.to_owned(),
        country: "United Kingdom".to_owned(),
    }
}

fn uuid(number: u16) -> Uuid {
    Uuid::from_u128(0x0f7e_0b1c_8a2e_4a60_9d3b_3f1f_7ad0_0000 + u128::from(number))
}

fn time(number: u16) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
        + TimeDelta::new(1_760_000_000 + i64::from(number), 250_000_000).unwrap_or_default()
}
