use std::net::{IpAddr, Ipv6Addr};

use proptest::prelude::{any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::super::parts::itself;
use super::super::{Lawful, Located};
use crate::mapper::IpText;

/// Texts that are wrong in themselves.
fn wrong(texts: &'static [&'static str]) -> Located<String> {
    itself(select(texts).prop_map(String::from).boxed())
}

impl Lawful for IpText {
    fn entities(_depth: u32) -> BoxedStrategy<IpAddr> {
        let edges = [
            IpAddr::from([0, 0, 0, 0]),
            IpAddr::from([255, 255, 255, 255]),
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::LOCALHOST.into(),
            // An IPv4 address in an IPv6 one stays one.
            IpAddr::from([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201]),
        ];
        prop_oneof![select(edges.to_vec()), any::<IpAddr>()].boxed()
    }

    fn protos(depth: u32) -> BoxedStrategy<String> {
        Self::entities(depth)
            .prop_flat_map(|address| {
                let text = address.to_string();
                select(vec![text.to_uppercase(), text])
            })
            .boxed()
    }

    fn corrupted(_depth: u32) -> Option<Located<String>> {
        Some(wrong(&[
            "",
            "host",
            "1.2.3",
            "1.2.3.256",
            "1.2.3.4:80",
            " 1.2.3.4",
            "[::1]",
            "::1%eth0",
            ":::",
        ]))
    }

    fn same(a: &IpAddr, b: &IpAddr) -> bool {
        a == b
    }

    fn same_proto(a: &String, b: &String) -> bool {
        a == b
    }
}

#[cfg(feature = "uuid")]
pub(super) fn uuids(_depth: u32) -> BoxedStrategy<uuid::Uuid> {
    let edges = [uuid::Uuid::nil(), uuid::Uuid::max()];
    let all = any::<u128>().prop_map(uuid::Uuid::from_u128);
    prop_oneof![1 => select(edges.to_vec()), 7 => all].boxed()
}

#[cfg(feature = "uuid")]
impl Lawful for crate::mapper::UuidText {
    fn entities(depth: u32) -> BoxedStrategy<uuid::Uuid> {
        uuids(depth)
    }

    fn protos(depth: u32) -> BoxedStrategy<String> {
        uuids(depth)
            .prop_flat_map(|uuid| {
                select(vec![
                    uuid.hyphenated().to_string(),
                    uuid.hyphenated().to_string().to_uppercase(),
                    uuid.simple().to_string(),
                    uuid.braced().to_string(),
                    uuid.urn().to_string(),
                ])
            })
            .boxed()
    }

    fn corrupted(_depth: u32) -> Option<Located<String>> {
        Some(wrong(&[
            "",
            "not a UUID",
            "67e55044-10b1-426f-9247-bb680e5fe0c",
            "67e55044-10b1-426f-9247-bb680e5fe0c88",
            "67e55044-10b1-426f-9247-bb680e5fe0cg",
            "67e5504410-b1-426f-9247-bb680e5fe0c8",
            " 67e55044-10b1-426f-9247-bb680e5fe0c8",
            "{67e55044-10b1-426f-9247-bb680e5fe0c8",
            "日本語",
        ]))
    }

    fn same(a: &uuid::Uuid, b: &uuid::Uuid) -> bool {
        a == b
    }

    fn same_proto(a: &String, b: &String) -> bool {
        a == b
    }
}

#[cfg(feature = "decimal")]
impl Lawful for crate::mapper::DecimalText {
    fn entities(_depth: u32) -> BoxedStrategy<rust_decimal::Decimal> {
        use rust_decimal::Decimal;

        let edges = [
            Decimal::ZERO,
            Decimal::new(0, 2),
            Decimal::ONE,
            Decimal::MAX,
            Decimal::MIN,
            Decimal::new(100, 2),
            Decimal::new(1, Decimal::MAX_SCALE),
        ];
        let all = (any::<(u32, u32, u32, bool)>(), 0..=Decimal::MAX_SCALE).prop_map(
            |((low, middle, high, negative), scale)| {
                Decimal::from_parts(low, middle, high, negative, scale)
            },
        );
        prop_oneof![select(edges.to_vec()), all].boxed()
    }

    fn protos(depth: u32) -> BoxedStrategy<String> {
        let others = ["+1", "-0", ".5", "5.", "007", "-12.50"];
        prop_oneof![
            Self::entities(depth).prop_map(|number| number.to_string()),
            select(others.to_vec()).prop_map(String::from),
        ]
        .boxed()
    }

    fn corrupted(_depth: u32) -> Option<Located<String>> {
        Some(wrong(&[
            "",
            "-",
            ".",
            "one",
            "1_000",
            "1,5",
            "1.2.3",
            " 1",
            "1e3",
            "NaN",
            // One more than there are, and a digit further than they go.
            "79228162514264337593543950336",
            "0.00000000000000000000000000001",
        ]))
    }

    /// With as many digits after the point: 1.0 is not 1.00. Zero has no sign.
    fn same(a: &rust_decimal::Decimal, b: &rust_decimal::Decimal) -> bool {
        a == b && a.scale() == b.scale()
    }

    fn same_proto(a: &String, b: &String) -> bool {
        a == b
    }
}

#[cfg(feature = "url")]
impl Lawful for crate::mapper::UrlText {
    fn entities(depth: u32) -> BoxedStrategy<url::Url> {
        Self::protos(depth)
            .prop_filter_map("is a URL", |text| url::Url::parse(&text).ok())
            .boxed()
    }

    fn protos(_depth: u32) -> BoxedStrategy<String> {
        const EDGES: [&str; 9] = [
            "https://example.com",
            "HTTP://EXAMPLE.com:80/a/../b?q=ä#é",
            "https://user:pass@[::1]:8443/",
            "https://münchen.example/ ",
            "mailto:a@b.example",
            "urn:isbn:0451450523",
            "file:///etc/hosts",
            "data:text/plain,hi there",
            "web+demo:/.//not-a-host/",
        ];
        let made = "[a-z][a-z0-9+.-]{0,5}://[a-z0-9]{1,9}(:[0-9]{1,4})?(/[ -~ä]{0,9}){0,3}";
        prop_oneof![
            select(EDGES.as_slice()).prop_map(String::from),
            made.prop_filter("is a URL", |text: &String| url::Url::parse(text).is_ok()),
        ]
        .boxed()
    }

    fn corrupted(_depth: u32) -> Option<Located<String>> {
        Some(wrong(&[
            "",
            "/a/path",
            "//example.com",
            "example.com",
            "https://",
            "https://[::1",
            "https://example.com:99999",
            "https://a b/",
        ]))
    }

    fn same(a: &url::Url, b: &url::Url) -> bool {
        a == b
    }

    fn same_proto(a: &String, b: &String) -> bool {
        a == b
    }
}
