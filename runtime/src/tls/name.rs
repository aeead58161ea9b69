//! Names of X.500 as text (RFC 4514).

use std::fmt::Write as _;

use x509_parser::asn1_rs::ToDer as _;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The types that have a short name (RFC 4514, section 3).
const SHORT: [(&str, &str); 9] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// The name as RFC 4514 writes it: the most specific part first, `CN=items,O=Shop`.
///
/// No control character is left in it: a name can't break a line of the log.
pub(super) fn rfc4514(name: &X509Name<'_>) -> String {
    let parts: Vec<_> = name.iter_rdn().collect();
    let mut text = String::new();
    for (index, part) in parts.into_iter().rev().enumerate() {
        if index > 0 {
            text.push(',');
        }
        for (index, attribute) in part.iter().enumerate() {
            if index > 0 {
                text.push('+');
            }
            push_attribute(&mut text, attribute);
        }
    }
    text
}

fn push_attribute(text: &mut String, attribute: &AttributeTypeAndValue<'_>) {
    let kind = attribute.attr_type().to_id_string();
    let short = SHORT.iter().find(|(id, _)| *id == kind);
    match (short, attribute.as_str()) {
        (Some((_, short)), Ok(value)) => {
            text.push_str(short);
            text.push('=');
            push_escaped(text, value);
        }
        // Of another type nobody knows how it compares, so it is written as it is encoded.
        (short, _) => {
            text.push_str(short.map_or(kind.as_str(), |(_, short)| short));
            text.push_str("=#");
            let encoded = attribute.attr_value().to_der_vec().unwrap_or_default();
            encoded.iter().for_each(|byte| push_hex(text, *byte));
        }
    }
}

fn push_escaped(text: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (index, char) in value.chars().enumerate() {
        match char {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => text.extend(['\\', char]),
            '#' if index == 0 => text.push_str("\\#"),
            ' ' if index == 0 || index == last => text.push_str("\\ "),
            char if char.is_control() => {
                for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                    text.push('\\');
                    push_hex(text, byte);
                }
            }
            char => text.push(char),
        }
    }
}

fn push_hex(text: &mut String, byte: u8) {
    // Writing to a text doesn't fail.
    let _ = write!(text, "{byte:02X}");
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::FromDer as _;

    use super::*;

    /// A name of parts, each of types (2.5.4.x) and UTF-8 values.
    fn name(parts: &[&[(u8, &str)]]) -> Vec<u8> {
        let wrap = |tag: u8, content: Vec<u8>| {
            let mut wrapped = vec![tag, u8::try_from(content.len()).unwrap()];
            wrapped.extend(content);
            wrapped
        };
        let parts = parts.iter().flat_map(|part| {
            let attributes = part.iter().flat_map(|(kind, value)| {
                let kind = wrap(0x06, vec![0x55, 0x04, *kind]);
                let value = wrap(0x0c, value.as_bytes().to_vec());
                wrap(0x30, [kind, value].concat())
            });
            wrap(0x31, attributes.collect())
        });
        wrap(0x30, parts.collect())
    }

    fn text(parts: &[&[(u8, &str)]]) -> String {
        let der = name(parts);
        let (rest, name) = X509Name::from_der(&der).unwrap();
        assert!(rest.is_empty());
        rfc4514(&name)
    }

    #[test]
    fn a_name_is_written_from_its_end() {
        let (country, of, named) = ((6, "BR"), (10, "Shop"), (3, "items"));
        assert_eq!(text(&[&[country], &[of], &[named]]), "CN=items,O=Shop,C=BR");
        assert_eq!(
            text(&[&[(11, "Sales"), (3, "J. Smith")]]),
            "OU=Sales+CN=J. Smith"
        );
        assert_eq!(text(&[]), "");
    }

    #[test]
    fn what_means_something_is_escaped() {
        for (value, escaped) in [
            (
                "James \"Jim\" Smith, III",
                "CN=James \\\"Jim\\\" Smith\\, III",
            ),
            ("a+b;c<d>e\\f=g", "CN=a\\+b\\;c\\<d\\>e\\\\f=g"),
            ("#1 #2", "CN=\\#1 #2"),
            (" a b ", "CN=\\ a b\\ "),
            (" ", "CN=\\ "),
            ("a\0b\nc\u{85}d", "CN=a\\00b\\0Ac\\C2\\85d"),
            ("Lučić", "CN=Lučić"),
            ("", "CN="),
        ] {
            assert_eq!(text(&[&[(3, value)]]), escaped);
        }
    }

    #[test]
    fn a_type_without_a_short_name_is_written_in_numbers() {
        assert_eq!(text(&[&[(5, "7")]]), "2.5.4.5=#0C0137");
    }
}
