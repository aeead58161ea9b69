//! [`SpiffeId`]: the name of a workload.

use std::fmt;

/// How long an id may be, in bytes.
const MAX: usize = 2048;

/// How long a trust domain may be, in bytes.
const MAX_TRUST_DOMAIN: usize = 255;

/// The name of a workload: `spiffe://example.org/ns/shop/sa/items`.
///
/// The rules are those of the
/// [SPIFFE ID specification](https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md),
/// section 2: a trust domain of `a-z 0-9 . - _`, and a path of none or more segments of
/// `A-Z a-z 0-9 . - _`, none of them empty, `.` or `..`; 2048 bytes at most.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpiffeId {
    text: Box<str>,
    /// How long the scheme and the trust domain are together.
    authority: usize,
}

const SCHEME: &str = "spiffe://";

impl SpiffeId {
    /// The id that `text` is; None where it breaks a rule.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(SCHEME)?;
        let (trust_domain, path) = match rest.split_once('/') {
            Some((trust_domain, path)) => (trust_domain, Some(path)),
            None => (rest, None),
        };
        let is_domain = (1..=MAX_TRUST_DOMAIN).contains(&trust_domain.len())
            && trust_domain.bytes().all(is_of_domain);
        let is_path = path.is_none_or(|path| path.split('/').all(is_segment));
        (is_domain && is_path && text.len() <= MAX).then(|| Self {
            authority: SCHEME.len() + trust_domain.len(),
            text: text.into(),
        })
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Who vouches for the name: `example.org`.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        self.text
            .get(SCHEME.len()..self.authority)
            .unwrap_or_default()
    }

    /// What is named, with its first slash: `/ns/shop/sa/items`; empty where the trust domain itself is.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.get(self.authority..).unwrap_or_default()
    }
}

fn is_of_domain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_')
}

fn is_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
        && segment
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || is_of_domain(byte))
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpiffeId({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_trust_domain_and_a_path() {
        for (text, trust_domain, path) in [
            ("spiffe://example.org", "example.org", ""),
            ("spiffe://example.org/items", "example.org", "/items"),
            (
                "spiffe://a/ns/Shop/sa/it.em-s_1",
                "a",
                "/ns/Shop/sa/it.em-s_1",
            ),
            ("spiffe://1.2.3.4/...", "1.2.3.4", "/..."),
            ("spiffe://a-b_c/.a", "a-b_c", "/.a"),
        ] {
            let id = SpiffeId::parse(text).expect(text);
            assert_eq!((id.trust_domain(), id.path()), (trust_domain, path));
            assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
        }
    }

    #[test]
    fn what_breaks_a_rule_is_none() {
        for text in [
            "",
            "spiffe",
            "spiffe:/a/b",
            "spiffe://",
            "spiffe:///a",
            "SPIFFE://a/b",
            "https://a/b",
            " spiffe://a/b",
            "spiffe://a/b ",
            "spiffe://A/b",
            "spiffe://a:443/b",
            "spiffe://user@a/b",
            "spiffe://[::1]/b",
            "spiffe://ä/b",
            "spiffe://a%20/b",
            "spiffe://a/",
            "spiffe://a/b/",
            "spiffe://a//b",
            "spiffe://a/.",
            "spiffe://a/../b",
            "spiffe://a/b/.",
            "spiffe://a/b?c",
            "spiffe://a/b#c",
            "spiffe://a/%62",
            "spiffe://a/ö",
            "spiffe://a/b\0",
            "spiffe://a/b\n",
        ] {
            assert_eq!(SpiffeId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_lengths_are_bounded() {
        let domain = |length| SpiffeId::parse(&format!("spiffe://{}", "a".repeat(length)));
        assert!(domain(255).is_some() && domain(256).is_none());
        let whole =
            |length: usize| SpiffeId::parse(&format!("spiffe://a/{}", "b".repeat(length - 11)));
        assert!(whole(2048).is_some() && whole(2049).is_none());
    }

    #[cfg(feature = "testing")]
    proptest::proptest! {
        #[test]
        fn what_is_made_by_the_rules_is_taken_apart_again(
            domain in "[a-z0-9._-]{1,40}",
            segments in proptest::collection::vec("[A-Za-z0-9_-][A-Za-z0-9._-]{0,9}", 0..5),
        ) {
            let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
            let id = SpiffeId::parse(&format!("spiffe://{domain}{path}"));
            let id = id.expect("it keeps to the rules");
            proptest::prop_assert_eq!(id.trust_domain(), domain);
            proptest::prop_assert_eq!(id.path(), path);
        }

        /// Near the rules, where slips are: against what another reading of them says.
        #[test]
        fn what_is_taken_keeps_to_the_rules(text in "spiffe://[a-z.%A/]{0,6}[a-zA-Z0-9./_%?# -]{0,12}") {
            let mut parts = text["spiffe://".len()..].split('/');
            let domain = parts.next().unwrap_or_default();
            let segments: Vec<_> = parts.collect();
            let is_id = !domain.is_empty()
                && domain.chars().all(|c| "abcdefghijklmnopqrstuvwxyz0123456789.-_".contains(c))
                && segments.iter().all(|segment| {
                    !segment.is_empty() && *segment != "." && *segment != ".."
                        && segment.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
                });
            proptest::prop_assert_eq!(SpiffeId::parse(&text).is_some(), is_id, "{}", text);
        }
    }
}
