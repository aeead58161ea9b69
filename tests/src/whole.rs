//! A user's type and its message can't drift apart: what one has and the other hasn't, doesn't
//! compile until it is mapped or ignored. Each of these differs in one line from the first, which
//! does.
//!
//! The generated code names the types as `crate::whole::…`, here as in these examples.
//!
//! These are whole:
//!
//! ```standalone_crate
//! mod whole {
//!     pub struct Parcel {
//!         pub label: String,
//!         pub grams: u32,
//!         pub size: Size,
//!         pub content: Option<Content>,
//!     }
//!
//!     pub enum Size {
//!         Small,
//!         Large,
//!     }
//!
//!     pub enum Content {
//!         Book(String),
//!         Cents(u64),
//!     }
//! }
//!
//! include!(concat!(env!("OUT_DIR"), "/entity_whole/mod.rs"));
//!
//! fn main() {}
//! ```
//!
//! A field that the message doesn't have:
//!
//! ```compile_fail,E0027,E0063
//! mod whole {
//!     pub struct Parcel {
//!         pub label: String,
//!         pub grams: u32,
//!         pub size: Size,
//!         pub content: Option<Content>,
//!         pub stamps: u32,
//!     }
//!
//!     pub enum Size {
//!         Small,
//!         Large,
//!     }
//!
//!     pub enum Content {
//!         Book(String),
//!         Cents(u64),
//!     }
//! }
//!
//! include!(concat!(env!("OUT_DIR"), "/entity_whole/mod.rs"));
//!
//! fn main() {}
//! ```
//!
//! A field fewer than the message has:
//!
//! ```compile_fail,E0026,E0560
//! mod whole {
//!     pub struct Parcel {
//!         pub grams: u32,
//!         pub size: Size,
//!         pub content: Option<Content>,
//!     }
//!
//!     pub enum Size {
//!         Small,
//!         Large,
//!     }
//!
//!     pub enum Content {
//!         Book(String),
//!         Cents(u64),
//!     }
//! }
//!
//! include!(concat!(env!("OUT_DIR"), "/entity_whole/mod.rs"));
//!
//! fn main() {}
//! ```
//!
//! A variant that the enum doesn't have:
//!
//! ```compile_fail,E0004
//! mod whole {
//!     pub struct Parcel {
//!         pub label: String,
//!         pub grams: u32,
//!         pub size: Size,
//!         pub content: Option<Content>,
//!     }
//!
//!     pub enum Size {
//!         Small,
//!         Large,
//!         Huge,
//!     }
//!
//!     pub enum Content {
//!         Book(String),
//!         Cents(u64),
//!     }
//! }
//!
//! include!(concat!(env!("OUT_DIR"), "/entity_whole/mod.rs"));
//!
//! fn main() {}
//! ```
//!
//! A variant fewer than the enum has:
//!
//! ```compile_fail,E0599
//! mod whole {
//!     pub struct Parcel {
//!         pub label: String,
//!         pub grams: u32,
//!         pub size: Size,
//!         pub content: Option<Content>,
//!     }
//!
//!     pub enum Size {
//!         Large,
//!     }
//!
//!     pub enum Content {
//!         Book(String),
//!         Cents(u64),
//!     }
//! }
//!
//! include!(concat!(env!("OUT_DIR"), "/entity_whole/mod.rs"));
//!
//! fn main() {}
//! ```
//!
//! A variant that the oneof doesn't have:
//!
//! ```compile_fail,E0004
//! mod whole {
//!     pub struct Parcel {
//!         pub label: String,
//!         pub grams: u32,
//!         pub size: Size,
//!         pub content: Option<Content>,
//!     }
//!
//!     pub enum Size {
//!         Small,
//!         Large,
//!     }
//!
//!     pub enum Content {
//!         Book(String),
//!         Cents(u64),
//!         Nothing,
//!     }
//! }
//!
//! include!(concat!(env!("OUT_DIR"), "/entity_whole/mod.rs"));
//!
//! fn main() {}
//! ```
//!
//! A variant fewer than the oneof has:
//!
//! ```compile_fail,E0599
//! mod whole {
//!     pub struct Parcel {
//!         pub label: String,
//!         pub grams: u32,
//!         pub size: Size,
//!         pub content: Option<Content>,
//!     }
//!
//!     pub enum Size {
//!         Small,
//!         Large,
//!     }
//!
//!     pub enum Content {
//!         Cents(u64),
//!     }
//! }
//!
//! include!(concat!(env!("OUT_DIR"), "/entity_whole/mod.rs"));
//!
//! fn main() {}
//! ```

/// What the fixture `entity_whole` has for its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// What is written on it.
    pub label: String,
    /// How heavy it is.
    pub grams: u32,
    /// How big it is.
    pub size: Size,
    /// What is in it.
    pub content: Option<Content>,
}

/// What it has for its enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A letter.
    Small,
    /// A box.
    Large,
}

/// What it has for its oneof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A book.
    Book(String),
    /// Money.
    Cents(u64),
}
