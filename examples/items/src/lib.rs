//! A whole service: items of a shop, over an embedded store.
//!
//! Start with [`service`]: the servicer, one method for each RPC of
//! `protos/examples/items.proto`, each by one of the [`use_cases`]. [`item`] has the domain: the type
//! that services and clients speak in place of the message `Item`, and its rules. [`store`] keeps
//! items, [`filter`] says which of them a list has, and [`demo`] calls everything.

pub mod demo;
pub mod filter;
pub mod item;
pub mod service;
pub mod store;
pub mod use_cases;

apibase::include_protos!();
