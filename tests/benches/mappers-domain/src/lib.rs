//! What both sides of the bench of mappers share: the types of the domain, a sample of each, and
//! the driver that runs one operation at a time.
//!
//! Each side is a binary of its own, built alone. `scripts/bench-mappers` runs them under callgrind.

mod count;
mod driver;
pub mod samples;
mod types;

use std::fmt::{Debug, Display};

pub use count::{Counting, allocations};
pub use driver::main;
pub use types::{
    Address, Card, Condition, Customer, Discount, Item, ItemList, Line, Order, Payment, Words,
};

/// What a side of the comparison can do.
pub trait Side: Maps<Item> + Maps<ItemList> + Maps<Order> + Maps<Words> {}

impl<S: Maps<Item> + Maps<ItemList> + Maps<Order> + Maps<Words>> Side for S {}

/// The three ways of a mapper.
pub trait Maps<E> {
    /// The message.
    type Message: Clone + Debug + PartialEq;

    /// Why an entity is no message.
    type EncodeError: Debug + Display;

    /// Why a message is no entity: every violation, `path description`, joined by `; `.
    type DecodeError: Debug + Display;

    /// The message of an entity that stays.
    ///
    /// # Errors
    ///
    /// When a message can't say the entity.
    fn to_message(entity: &E) -> Result<Self::Message, Self::EncodeError>;

    /// The message of an entity that goes.
    ///
    /// # Errors
    ///
    /// When a message can't say the entity.
    fn into_message(entity: E) -> Result<Self::Message, Self::EncodeError>;

    /// The entity of a message.
    ///
    /// # Errors
    ///
    /// All that is wrong with the message.
    fn from_message(message: Self::Message) -> Result<E, Self::DecodeError>;
}
