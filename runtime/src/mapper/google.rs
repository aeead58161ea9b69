//! `google.type`'s `Date`, `Decimal`, `Money` and `LatLng`.
//!
//! Their messages are generated into the user's crate, so the generated mappers take them apart
//! and ask here about what is in them.

mod date;
#[cfg(feature = "decimal")]
mod decimal;
mod lat_lng;
mod money;
#[cfg(feature = "testing")]
pub mod samples;

#[cfg(feature = "chrono")]
pub use self::date::{chrono_date, chrono_date_parts};
#[cfg(feature = "jiff")]
pub use self::date::{jiff_date, jiff_date_parts};
#[cfg(feature = "time")]
pub use self::date::{time_date, time_date_parts};
#[cfg(feature = "decimal")]
pub use self::decimal::decimal_text;
pub use self::lat_lng::{LatLng, lat_lng, lat_lng_parts};
pub use self::money::{Money, money, money_parts};
