//! The filter of `ListItems`: a small language that is parsed before the store is asked.
//!
//! ```text
//! filter = [ term { "AND" term } ]
//! term   = field operator value        no spaces between the three
//! value  = word | '"' text '"'         in quotes, \" is a quote and \\ a backslash
//! ```

use std::fmt;

use crate::item::Item;

mod parse;

/// Which items to take: those that meet every term.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// Why a filter can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Where, in characters, the first being 1.
    pub position: usize,
    /// What is wrong there, and what is allowed.
    pub problem: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Contains(TextField, String),
    Is(TextField, String),
    Active(bool),
    Number(NumberField, Comparison, f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextField {
    Name,
    Description,
    Sku,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberField {
    Quantity,
    Price,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    /// Reads a filter; an empty text takes every item.
    ///
    /// # Errors
    ///
    /// When the text isn't a filter: where, and what would be.
    ///
    /// ```
    /// use items::filter::Filter;
    ///
    /// assert!(Filter::parse("name:lamp AND quantity<10").is_ok());
    /// assert_eq!(Filter::parse("colour=red").unwrap_err().position, 1);
    /// ```
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::filter(text).map(|terms| Self { terms })
    }

    /// Whether `item` meets every term.
    #[must_use]
    pub fn matches(&self, item: &Item) -> bool {
        self.terms.iter().all(|term| term.matches(item))
    }
}

impl Term {
    fn matches(&self, item: &Item) -> bool {
        match self {
            Self::Contains(field, part) => field.of(item).to_lowercase().contains(part.as_str()),
            Self::Is(field, whole) => field.of(item) == whole,
            Self::Active(active) => item.is_active == *active,
            Self::Number(field, comparison, number) => comparison.holds(field.of(item), *number),
        }
    }
}

impl TextField {
    fn of(self, item: &Item) -> &str {
        match self {
            Self::Name => &item.name,
            Self::Description => &item.description,
            Self::Sku => &item.sku,
        }
    }
}

impl NumberField {
    fn of(self, item: &Item) -> f64 {
        match self {
            Self::Quantity => f64::from(item.quantity),
            Self::Price => item.price,
        }
    }
}

impl Comparison {
    #[allow(
        clippy::float_cmp,
        reason = "`price=9.5` asks for exactly the number that was stored"
    )]
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {}: {}", self.position, self.problem)
    }
}

impl std::error::Error for FilterError {}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn lamp() -> Item {
        Item {
            id: uuid::Uuid::nil(),
            name: "Desk Lamp".into(),
            description: "say \"hi\"".into(),
            sku: "L-1".into(),
            quantity: 3,
            price: 9.5,
            is_active: true,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: None,
        }
    }

    #[test]
    fn terms_that_hold_match() {
        for text in [
            "",
            "  ",
            "name:LAMP",
            "name=\"Desk Lamp\"",
            "sku=L-1",
            "sku:l",
            "active=true",
            "quantity=3",
            "quantity<4 AND quantity<=3 AND quantity>2 AND quantity>=3",
            "price=9.5",
            "description:\"\\\"hi\\\"\"",
            "name:desk   AND   active=true",
        ] {
            let filter = Filter::parse(text).unwrap();
            assert!(filter.matches(&lamp()), "{text}");
        }
    }

    #[test]
    fn terms_that_dont_hold_dont_match() {
        for text in [
            "name:chair",
            "name=lamp",
            "active=false",
            "quantity<3",
            "price>9.5",
            "name:lamp AND quantity>3",
        ] {
            let filter = Filter::parse(text).unwrap();
            assert!(!filter.matches(&lamp()), "{text}");
        }
    }

    #[test]
    fn an_error_says_where() {
        for (text, position) in [
            ("colour=red", 1),
            ("name", 5),
            ("name<x", 5),
            ("active:true", 7),
            ("active=yes", 8),
            ("quantity=few", 10),
            ("quantity<NaN", 10),
            ("name:", 6),
            ("name:lamp sku=1", 11),
            ("name:lamp AND", 14),
            ("name:lamp and sku=1", 11),
            ("AND name:lamp", 1),
            ("é=1", 1),
            ("name:\"é", 6),
            ("name:\"a\\n\"", 8),
        ] {
            let error = Filter::parse(text).unwrap_err();
            assert_eq!(error.position, position, "{text}: {error}");
        }
    }
}
