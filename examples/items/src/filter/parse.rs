//! Reads a filter from left to right.

use super::{Comparison, FilterError, NumberField, Term, TextField};

/// Reads all terms.
pub(super) fn filter(text: &str) -> Result<Vec<Term>, FilterError> {
    let mut rest = Scanner { text, at: 0 };
    let mut terms = Vec::new();
    rest.skip_spaces();
    while !rest.is_at_end() {
        terms.push(term(&mut rest)?);
        rest.skip_spaces();
        if rest.is_at_end() {
            break;
        }
        if rest.word() != "AND" {
            return Err(rest.error("expected `AND` before the next term"));
        }
        rest.skip("AND".len());
        rest.skip_spaces();
        if rest.is_at_end() {
            return Err(rest.error("expected a term after `AND`"));
        }
    }
    Ok(terms)
}

fn term(rest: &mut Scanner<'_>) -> Result<Term, FilterError> {
    let name = rest.name();
    let field = match name {
        "name" => Field::Text(TextField::Name),
        "description" => Field::Text(TextField::Description),
        "sku" => Field::Text(TextField::Sku),
        "quantity" => Field::Number(NumberField::Quantity),
        "price" => Field::Number(NumberField::Price),
        "active" => Field::Active,
        _ => {
            return Err(rest.error(
                "expected one of the fields name, description, sku, quantity, price, active",
            ));
        }
    };
    rest.skip(name.len());
    match field {
        Field::Text(field) => text_term(rest, field),
        Field::Number(field) => number_term(rest, field),
        Field::Active => active_term(rest),
    }
}

fn text_term(rest: &mut Scanner<'_>, field: TextField) -> Result<Term, FilterError> {
    let contains = match rest.operator() {
        ":" => true,
        "=" => false,
        _ => return Err(rest.error("expected `:` (contains) or `=` (is)")),
    };
    rest.skip(1);
    let value = value(rest)?;
    Ok(if contains {
        Term::Contains(field, value.to_lowercase())
    } else {
        Term::Is(field, value)
    })
}

fn number_term(rest: &mut Scanner<'_>, field: NumberField) -> Result<Term, FilterError> {
    let operator = rest.operator();
    let comparison = match operator {
        "=" => Comparison::Equal,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return Err(rest.error("expected `=`, `<`, `<=`, `>` or `>=`")),
    };
    rest.skip(operator.len());
    let start = *rest;
    match value(rest)?.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Term::Number(field, comparison, number)),
        _ => Err(start.error("expected a number")),
    }
}

fn active_term(rest: &mut Scanner<'_>) -> Result<Term, FilterError> {
    if rest.operator() != "=" {
        return Err(rest.error("expected `=`"));
    }
    rest.skip(1);
    let start = *rest;
    match value(rest)?.as_str() {
        "true" => Ok(Term::Active(true)),
        "false" => Ok(Term::Active(false)),
        _ => Err(start.error("expected `true` or `false`")),
    }
}

fn value(rest: &mut Scanner<'_>) -> Result<String, FilterError> {
    if rest.left().starts_with('"') {
        return quoted(rest);
    }
    let word = rest.word();
    if word.is_empty() {
        return Err(rest.error("expected a value"));
    }
    rest.skip(word.len());
    Ok(word.to_owned())
}

fn quoted(rest: &mut Scanner<'_>) -> Result<String, FilterError> {
    let start = *rest;
    rest.skip(1);
    let mut value = String::new();
    loop {
        let mut next = rest.left().chars();
        match next.next() {
            None => return Err(start.error("this quote is never closed")),
            Some('"') => {
                rest.skip(1);
                return Ok(value);
            }
            Some('\\') => match next.next() {
                Some(escaped @ ('"' | '\\')) => {
                    value.push(escaped);
                    rest.skip(2);
                }
                _ => return Err(rest.error("expected `\\\"` or `\\\\`")),
            },
            Some(character) => {
                value.push(character);
                rest.skip(character.len_utf8());
            }
        }
    }
}

enum Field {
    Text(TextField),
    Number(NumberField),
    Active,
}

/// A place in the text.
#[derive(Clone, Copy)]
struct Scanner<'a> {
    text: &'a str,
    /// In bytes, always between two characters.
    at: usize,
}

impl<'a> Scanner<'a> {
    fn left(self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn is_at_end(self) -> bool {
        self.left().is_empty()
    }

    fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    fn skip_spaces(&mut self) {
        let left = self.left();
        self.skip(left.len() - left.trim_start().len());
    }

    /// Up to the next space.
    fn word(self) -> &'a str {
        self.up_to(char::is_whitespace)
    }

    /// Up to what isn't a letter.
    fn name(self) -> &'a str {
        self.up_to(|character| !character.is_ascii_alphabetic())
    }

    /// The operator that stands here; one that isn't known is empty.
    fn operator(self) -> &'a str {
        let length = match self.left().as_bytes() {
            [b'<' | b'>', b'=', ..] => 2,
            [b':' | b'=' | b'<' | b'>', ..] => 1,
            _ => 0,
        };
        self.left().get(..length).unwrap_or_default()
    }

    fn up_to(self, end: impl Fn(char) -> bool) -> &'a str {
        let left = self.left();
        let length = left.find(end).unwrap_or(left.len());
        left.get(..length).unwrap_or_default()
    }

    fn error(self, problem: &str) -> FilterError {
        let before = self.text.get(..self.at).unwrap_or_default();
        FilterError {
            position: before.chars().count() + 1,
            problem: problem.to_owned(),
        }
    }
}
