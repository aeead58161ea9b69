//! The bench's mappers, as somebody writes them by hand who wants them fast: the bar that the
//! generated ones are measured by.
//!
//! The contract is the same. Everything that is wrong with a message is found, with its path, and an
//! entity that a message can't say is an error. What is right costs nothing for it: what is wrong is
//! gathered in a list that isn't allocated before there is something, and paths are put together
//! then.

mod decode;
mod encode;
mod wrong;

/// prost's messages.
pub mod messages {
    #![allow(missing_docs, reason = "prost's code")]
    include!(concat!(env!("OUT_DIR"), "/bench.rs"));
}

use std::process::ExitCode;

use bench_mappers_domain::{Item, ItemList, Maps, Order, Words};

pub use wrong::{Violation, Wrong};

/// The mappers that were written by hand.
#[derive(Clone, Copy, Debug)]
pub struct ByHand;

macro_rules! maps {
    ($($entity:ident: $to:path, $into:path, $from:path;)*) => {$(
        impl Maps<$entity> for ByHand {
            type Message = messages::$entity;
            type EncodeError = Wrong;
            type DecodeError = Wrong;

            #[inline]
            fn to_message(entity: &$entity) -> Result<messages::$entity, Wrong> {
                $to(entity)
            }

            #[inline]
            fn into_message(entity: $entity) -> Result<messages::$entity, Wrong> {
                $into(entity)
            }

            #[inline]
            fn from_message(message: messages::$entity) -> Result<$entity, Wrong> {
                let mut wrong = Wrong::default();
                match $from(message, &mut wrong) {
                    Some(entity) => Ok(entity),
                    None => Err(wrong),
                }
            }
        }
    )*};
}

maps! {
    Item: encode::item_to, encode::item_into, decode::item;
    ItemList: encode::item_list_to, encode::item_list_into, decode::item_list;
    Order: encode::order_to, encode::order_into, decode::order;
    Words: encode::words_to, encode::words_into, decode::words;
}

/// Runs one operation again and again, as [`bench_mappers_domain::main`] says.
///
/// It is here and not in the binary so that all of it is compiled with the mappers, as in the crate of
/// a service: split over two crates, what is inlined where is a matter of luck.
#[must_use]
pub fn main() -> ExitCode {
    bench_mappers_domain::main::<ByHand>()
}
