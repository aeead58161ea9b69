//! What the errors of a shop are to the callers of a service of parcels that asks it, and how a reason
//! that is added later doesn't compile until somebody has thought of it.
//!
//! This handles all reasons of a library's service:
//!
//! ```standalone_crate
//! include!(concat!(env!("OUT_DIR"), "/errors_older/mod.rs"));
//!
//! use apibase::{DomainError, Failure};
//! use errors_versions::api::FromLibraryError;
//!
//! struct Sorry(String);
//!
//! impl FromLibraryError for Sorry {
//!     fn lent(title: String) -> Self { Self(title) }
//!     fn closed() -> Self { Self("closed".to_owned()) }
//!     fn misplaced(title: String) -> Self { Self(title) }
//!     fn damaged(title: String, page: String) -> Self { Self(title + &page) }
//!     fn burnt(title: String) -> Self { Self(title) }
//!     fn domain(error: DomainError) -> Self { Self(error.to_string()) }
//!     fn failed(failure: Failure) -> Self { Self(failure.to_string()) }
//! }
//!
//! fn main() {}
//! ```
//!
//! The library's next version has a reason more, `RESERVED`. Else this is the same, with what has
//! changed in other ways:
//!
//! ```compile_fail,E0046
//! include!(concat!(env!("OUT_DIR"), "/errors_newer/mod.rs"));
//!
//! use apibase::{DomainError, Failure};
//! use errors_versions::api::FromLibraryError;
//!
//! struct Sorry(String);
//!
//! impl FromLibraryError for Sorry {
//!     fn lent(title: String) -> Self { Self(title) }
//!     fn closed() -> Self { Self("closed".to_owned()) }
//!     fn misplaced(title: String, room: String) -> Self { Self(title + &room) }
//!     fn damaged(title: String) -> Self { Self(title) }
//!     fn domain(error: DomainError) -> Self { Self(error.to_string()) }
//!     fn failed(failure: Failure) -> Self { Self(failure.to_string()) }
//! }
//!
//! fn main() {}
//! ```
//!
//! With it, it compiles:
//!
//! ```standalone_crate
//! include!(concat!(env!("OUT_DIR"), "/errors_newer/mod.rs"));
//!
//! use apibase::{DomainError, Failure};
//! use errors_versions::api::FromLibraryError;
//!
//! struct Sorry(String);
//!
//! impl FromLibraryError for Sorry {
//!     fn lent(title: String) -> Self { Self(title) }
//!     fn closed() -> Self { Self("closed".to_owned()) }
//!     fn misplaced(title: String, room: String) -> Self { Self(title + &room) }
//!     fn damaged(title: String) -> Self { Self(title) }
//!     fn reserved(title: String, reader: String) -> Self { Self(title + &reader) }
//!     fn domain(error: DomainError) -> Self { Self(error.to_string()) }
//!     fn failed(failure: Failure) -> Self { Self(failure.to_string()) }
//! }
//!
//! fn main() {}
//! ```
//!
//! A reason that is gone, `BURNT`, doesn't compile either:
//!
//! ```compile_fail,E0407
//! include!(concat!(env!("OUT_DIR"), "/errors_newer/mod.rs"));
//!
//! use apibase::{DomainError, Failure};
//! use errors_versions::api::FromLibraryError;
//!
//! struct Sorry(String);
//!
//! impl FromLibraryError for Sorry {
//!     fn lent(title: String) -> Self { Self(title) }
//!     fn closed() -> Self { Self("closed".to_owned()) }
//!     fn misplaced(title: String, room: String) -> Self { Self(title + &room) }
//!     fn damaged(title: String) -> Self { Self(title) }
//!     fn reserved(title: String, reader: String) -> Self { Self(title + &reader) }
//!     fn burnt(title: String) -> Self { Self(title) }
//!     fn domain(error: DomainError) -> Self { Self(error.to_string()) }
//!     fn failed(failure: Failure) -> Self { Self(failure.to_string()) }
//! }
//!
//! fn main() {}
//! ```
//!
//! Neither does a key of metadata that nobody has asked for yet:
//!
//! ```compile_fail,E0050
//! include!(concat!(env!("OUT_DIR"), "/errors_newer/mod.rs"));
//!
//! use apibase::{DomainError, Failure};
//! use errors_versions::api::FromLibraryError;
//!
//! struct Sorry(String);
//!
//! impl FromLibraryError for Sorry {
//!     fn lent(title: String) -> Self { Self(title) }
//!     fn closed() -> Self { Self("closed".to_owned()) }
//!     fn misplaced(title: String) -> Self { Self(title) }
//!     fn damaged(title: String) -> Self { Self(title) }
//!     fn reserved(title: String, reader: String) -> Self { Self(title + &reader) }
//!     fn domain(error: DomainError) -> Self { Self(error.to_string()) }
//!     fn failed(failure: Failure) -> Self { Self(failure.to_string()) }
//! }
//!
//! fn main() {}
//! ```
//!
//! And a client's error is no server's by itself:
//!
//! ```compile_fail,E0277
//! include!(concat!(env!("OUT_DIR"), "/errors_older/mod.rs"));
//!
//! use apibase::Context;
//! use errors_versions::Book;
//! use errors_versions::api::{LibraryError, LibraryServiceClient};
//!
//! async fn lend(library: &LibraryServiceClient, ctx: &Context) -> Result<Book, LibraryError> {
//!     Ok(library.lend(ctx, Book::default()).await?)
//! }
//!
//! fn main() {}
//! ```

use apibase::{DomainError, Failure};

use crate::errors_basic::errors_basic::api::FromShopError;
use crate::errors_calls::errors_calls::api::ParcelError;

impl FromShopError for ParcelError {
    fn item_not_found(item_id: String) -> Self {
        Self::ParcelLost { id: item_id }
    }

    fn shop_closed() -> Self {
        Self::VanFull
    }

    fn sold_out(item_id: String, price: String, _buyer: String) -> Self {
        Self::TooHeavy {
            weight: price,
            limit: item_id,
        }
    }

    fn till_jammed(till: String) -> Self {
        Self::VanBroken { plate: till }
    }

    fn banned(since: String) -> Self {
        Self::Seized { officer: since }
    }

    fn crowded() -> Self {
        DomainError::rate_limit("the shop is crowded").into()
    }

    fn till_taken(till: String) -> Self {
        DomainError::conflict(till).into()
    }

    fn moved(address: String) -> Self {
        DomainError::not_found(address).into()
    }

    fn domain(error: DomainError) -> Self {
        Self::Domain(error)
    }

    fn failed(failure: Failure) -> Self {
        DomainError::upstream(failure).into()
    }
}
