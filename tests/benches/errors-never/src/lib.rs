//! The shop as the generator writes it, but for its errors: there is none, and the compiler knows.

mod fails;
mod never;
#[path = "../../errors-catalogue/src/shop.rs"]
mod shop;

pub use shop::{called, main, served};

/// The generated module tree, with another type in the place of the catalogue.
#[allow(missing_docs, reason = "the other side has the same")]
pub mod bench {
    pub mod errors {
        pub mod api {
            pub use crate::never::{Never as ShopError, TABLE as SHOP_ERROR_TABLE};
        }
    }

    pub mod shop {
        include!(concat!(env!("OUT_DIR"), "/bench.shop.rs"));

        pub mod api {
            include!(concat!(env!("OUT_DIR"), "/bench.shop.api.rs"));
        }
    }
}
