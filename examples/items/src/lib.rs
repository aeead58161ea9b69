//! A whole service: items of a shop, over an embedded store.
//!
//! Start with [`service`]: the servicer, one method for each RPC of
//! `protos/examples/items.proto`. [`item`] has the rules of the domain, [`store`] keeps items,
//! [`filter`] and [`token`] are what paging through a list needs, and [`demo`] calls everything.

pub mod demo;
pub mod filter;
pub mod item;
pub mod service;
pub mod store;
pub mod token;

apibase::include_protos!();
