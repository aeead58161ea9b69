//! What an item is, and the rules that its fields keep.
//!
//! [`Item`] is written by hand, and `build.rs` names it for the message `examples.Item`: what maps
//! one to the other is generated, and takes both apart whole, so a field that only one of the two
//! has doesn't compile. [`UpdateItemRequest`] is generated from the proto; what it means here is a
//! matter of this module.

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use crate::examples::api::UpdateItemRequest;

/// The most characters that a name has.
pub const MAX_NAME: usize = 200;
/// The most characters that a sku has.
pub const MAX_SKU: usize = 64;
/// The most characters that a description has.
pub const MAX_DESCRIPTION: usize = 2_000;

/// One thing that the shop sells.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Identifies the item.
    pub id: Uuid,
    /// What customers call it: 1 to [`MAX_NAME`] characters.
    pub name: String,
    /// What it is: at most [`MAX_DESCRIPTION`] characters.
    pub description: String,
    /// The shop's own number for it, unique: 1 to [`MAX_SKU`] characters.
    pub sku: String,
    /// How many are in stock; never negative.
    pub quantity: i32,
    /// The price of one; finite, never negative.
    pub price: f64,
    /// Whether it is for sale.
    pub is_active: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed, if it ever was.
    pub updated_at: Option<DateTime<Utc>>,
}

/// One rule that a field breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, as the proto names it.
    pub field: &'static str,
    /// The rule, as a phrase that follows the field's name: `must not be empty`.
    pub rule: String,
}

impl Item {
    /// Every rule that is broken; empty when all is well.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let checks = [
            check_name(&self.name),
            check_description(&self.description),
            check_length("sku", &self.sku, 1, MAX_SKU),
            check_quantity(self.quantity),
            check_price(self.price),
        ];
        checks.into_iter().flatten().collect()
    }
}

/// The rules of the fields are those of [`Item`]; they hold for what is set, and for nothing else.
impl UpdateItemRequest {
    /// Every rule that is broken; empty when all is well.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let name = self.name.as_ref().set();
        let description = self.description.as_ref().set();
        let checks = [
            name.and_then(|name| check_name(name)),
            description.and_then(|text| check_description(text)),
            self.quantity.set().and_then(check_quantity),
            self.price.set().and_then(check_price),
        ];
        checks.into_iter().flatten().collect()
    }

    /// Changes `item`, whichever the id says.
    pub fn apply(self, item: &mut Item) {
        let Self {
            id: _,
            name,
            description,
            quantity,
            price,
        } = self;
        // A name can't be cleared: there is always one.
        name.apply_required(&mut item.name);
        description.apply(&mut item.description);
        quantity.apply(&mut item.quantity);
        price.apply(&mut item.price);
    }
}

fn check_name(name: &str) -> Option<Violation> {
    check_length("name", name, 1, MAX_NAME)
}

fn check_description(text: &str) -> Option<Violation> {
    check_length("description", text, 0, MAX_DESCRIPTION)
}

fn check_length(field: &'static str, text: &str, least: usize, most: usize) -> Option<Violation> {
    let length = text.chars().count();
    let rule = if length < least {
        "must not be empty".to_owned()
    } else if length > most {
        format!("must have at most {most} characters, not {length}")
    } else {
        return None;
    };
    Some(Violation { field, rule })
}

fn check_quantity(quantity: i32) -> Option<Violation> {
    (quantity < 0).then(|| Violation {
        field: "quantity",
        rule: format!("must not be negative, and is {quantity}"),
    })
}

fn check_price(price: f64) -> Option<Violation> {
    let well = price.is_finite() && price >= 0.0;
    (!well).then(|| Violation {
        field: "price",
        rule: format!("must be a number and not negative, and is {price}"),
    })
}

#[cfg(test)]
mod tests {
    use apibase::Change;

    use super::*;

    fn lamp() -> Item {
        Item {
            id: Uuid::nil(),
            name: "Lamp".into(),
            description: String::new(),
            sku: "L-1".into(),
            quantity: 3,
            price: 9.5,
            is_active: true,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: None,
        }
    }

    #[test]
    fn a_good_item_breaks_no_rule() {
        assert_eq!(lamp().violations(), []);
    }

    #[test]
    fn all_broken_rules_are_gathered() {
        let bad = Item {
            name: String::new(),
            description: "x".repeat(MAX_DESCRIPTION + 1),
            sku: String::new(),
            quantity: -1,
            price: f64::NAN,
            ..lamp()
        };
        let fields: Vec<_> = bad.violations().iter().map(|v| v.field).collect();
        assert_eq!(fields, ["name", "description", "sku", "quantity", "price"]);
    }

    #[test]
    fn length_is_counted_in_characters() {
        let name = "é".repeat(MAX_NAME);
        assert_eq!(Item { name, ..lamp() }.violations(), []);
    }

    #[test]
    fn infinite_and_negative_prices_are_refused() {
        for price in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -0.01] {
            assert_eq!(Item { price, ..lamp() }.violations().len(), 1, "{price}");
        }
    }

    #[test]
    fn an_update_changes_what_is_given_and_nothing_else() {
        let mut item = lamp();
        let update = UpdateItemRequest {
            quantity: Change::Set(0),
            description: Change::Set("Bright".into()),
            ..UpdateItemRequest::default()
        };
        update.apply(&mut item);
        let expected = Item {
            quantity: 0,
            description: "Bright".into(),
            ..lamp()
        };
        assert_eq!(item, expected);
    }

    #[test]
    fn an_update_is_checked_only_where_it_says_something() {
        assert_eq!(UpdateItemRequest::default().violations(), []);
        let update = UpdateItemRequest {
            name: Change::Set(String::new()),
            ..UpdateItemRequest::default()
        };
        assert_eq!(update.violations().len(), 1);
    }
}
