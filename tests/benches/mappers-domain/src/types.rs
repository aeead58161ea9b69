//! The types of the domain: a user's own, which both sides map to and from their messages.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// One thing that is sold.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Which one it is.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// What the stock calls it.
    pub sku: String,
    /// How many there are.
    pub quantity: u32,
    /// How many of them are promised.
    pub reserved: u16,
    /// What one of it costs.
    pub price: f64,
    /// Whether it is sold at all.
    pub is_active: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// What state it is in.
    pub condition: Condition,
}

/// What state a thing is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nobody had it before.
    New,
    /// Somebody had it before.
    Used,
    /// It came back and was mended.
    Mended,
}

/// A page of things.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemList {
    /// The things.
    pub items: Vec<Item>,
}

/// An order, four levels deep.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Its number.
    pub id: Uuid,
    /// Who ordered.
    pub customer: Customer,
    /// What is ordered.
    pub lines: Vec<Line>,
    /// What comes on its own, by the names of those who get it.
    pub gifts: HashMap<String, Line>,
    /// How it is paid.
    pub payment: Payment,
    /// What the customer says.
    pub note: Option<String>,
    /// How urgent it is.
    pub priority: Option<u8>,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
}

/// How an order is paid.
#[derive(Clone, Debug, PartialEq)]
pub enum Payment {
    /// With a card.
    Card(Card),
    /// By invoice, to this address.
    Invoice(String),
    /// With a voucher.
    Voucher(Uuid),
}

/// Who orders.
#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    /// Which one it is.
    pub id: Uuid,
    /// Their name.
    pub name: String,
    /// Where they live.
    pub address: Address,
    /// Where they work.
    pub office: Option<Address>,
}

/// A place.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    /// The street with its number.
    pub street: String,
    /// The town.
    pub city: String,
    /// The country.
    pub country: String,
}

/// So much of one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What the stock calls it.
    pub sku: String,
    /// How many.
    pub quantity: u16,
    /// What one of it costs.
    pub price: f64,
    /// What is taken off.
    pub discounts: Vec<Discount>,
}

/// What is taken off a price.
#[derive(Clone, Debug, PartialEq)]
pub struct Discount {
    /// What made it so.
    pub code: String,
    /// How much of the price.
    pub share: f64,
    /// Until when.
    pub until: Option<DateTime<Utc>>,
}

/// A card.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// What stands for its number.
    pub token: String,
    /// The month in which it ends.
    pub month: u8,
    /// The year in which it ends.
    pub year: u16,
}

/// Text and nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    /// A word.
    pub first: String,
    /// A word.
    pub second: String,
    /// A word.
    pub third: String,
    /// A word.
    pub fourth: String,
    /// A word.
    pub fifth: String,
    /// A word.
    pub sixth: String,
    /// A word.
    pub seventh: String,
    /// A word.
    pub eighth: String,
    /// A word.
    pub ninth: String,
    /// A word.
    pub tenth: String,
}
