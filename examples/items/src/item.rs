//! What an item is, and the rules that its fields keep.

use std::time::SystemTime;

use uuid::Uuid;

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
    /// What is said about it.
    pub details: Details,
    /// When it was created.
    pub created_at: SystemTime,
    /// When it was last changed, if it ever was.
    pub updated_at: Option<SystemTime>,
}

/// What a caller says about an item; all but the id and the times, which are the server's.
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
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
}

/// What to change in an item; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// The new name.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The new quantity.
    pub quantity: Option<i32>,
    /// The new price.
    pub price: Option<f64>,
}

/// One rule that a field breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, as the proto names it.
    pub field: &'static str,
    /// The rule, as a phrase that follows the field's name: `must not be empty`.
    pub rule: String,
}

impl Details {
    /// Every rule that is broken; empty when all is well.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        [
            check_length("name", &self.name, 1, MAX_NAME),
            check_length("description", &self.description, 0, MAX_DESCRIPTION),
            check_length("sku", &self.sku, 1, MAX_SKU),
            check_quantity(self.quantity),
            check_price(self.price),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Patch {
    /// Every rule that is broken; empty when all is well.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let description = self.description.as_deref();
        [
            self.name
                .as_deref()
                .and_then(|name| check_length("name", name, 1, MAX_NAME)),
            description.and_then(|text| check_length("description", text, 0, MAX_DESCRIPTION)),
            self.quantity.and_then(check_quantity),
            self.price.and_then(check_price),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Sets what is given, and nothing else.
    pub fn apply(self, details: &mut Details) {
        let Self {
            name,
            description,
            quantity,
            price,
        } = self;
        details.name = name.unwrap_or_else(|| std::mem::take(&mut details.name));
        details.description =
            description.unwrap_or_else(|| std::mem::take(&mut details.description));
        details.quantity = quantity.unwrap_or(details.quantity);
        details.price = price.unwrap_or(details.price);
    }
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
    use super::*;

    fn lamp() -> Details {
        Details {
            name: "Lamp".into(),
            description: String::new(),
            sku: "L-1".into(),
            quantity: 3,
            price: 9.5,
            is_active: true,
        }
    }

    #[test]
    fn good_details_break_no_rule() {
        assert_eq!(lamp().violations(), []);
    }

    #[test]
    fn all_broken_rules_are_gathered() {
        let bad = Details {
            name: String::new(),
            description: "x".repeat(MAX_DESCRIPTION + 1),
            sku: String::new(),
            quantity: -1,
            price: f64::NAN,
            is_active: true,
        };
        let fields: Vec<_> = bad.violations().iter().map(|v| v.field).collect();
        assert_eq!(fields, ["name", "description", "sku", "quantity", "price"]);
    }

    #[test]
    fn length_is_counted_in_characters() {
        let name = "é".repeat(MAX_NAME);
        assert_eq!(Details { name, ..lamp() }.violations(), []);
    }

    #[test]
    fn infinite_and_negative_prices_are_refused() {
        for price in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -0.01] {
            assert_eq!(Details { price, ..lamp() }.violations().len(), 1, "{price}");
        }
    }

    #[test]
    fn a_patch_changes_what_is_given_and_nothing_else() {
        let mut details = lamp();
        let patch = Patch {
            quantity: Some(0),
            description: Some("Bright".into()),
            ..Patch::default()
        };
        patch.apply(&mut details);
        assert_eq!(
            details,
            Details {
                quantity: 0,
                description: "Bright".into(),
                ..lamp()
            }
        );
    }

    #[test]
    fn a_patch_is_checked_only_where_it_says_something() {
        assert_eq!(Patch::default().violations(), []);
        let patch = Patch {
            name: Some(String::new()),
            ..Patch::default()
        };
        assert_eq!(patch.violations().len(), 1);
    }
}
