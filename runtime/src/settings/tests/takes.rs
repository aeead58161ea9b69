//! How values are written.

use std::fmt::Debug;
use std::net::IpAddr;
use std::num::NonZero;
use std::time::Duration;

use crate::client::Balance;
use crate::policy::Thousandths;

use crate::settings::{
    BalanceName, ClientAuth, Count, FilePath, Host, Maybe, Multiplier, OrOff, Port, Ratio, Size,
    SocketPath, Switch, Takes, Threshold, Time, Timeout, Tokens, Whole, Workers,
};

/// Each text, the value that it is, and how that is shown.
fn reads<T: Takes>(cases: &[(&str, T::Value, &str)])
where
    T::Value: Debug + PartialEq,
{
    for (text, value, shown) in cases {
        assert_eq!(T::read(text).as_ref(), Some(value), "{text}");
        assert_eq!(T::show(value).as_deref(), Some(*shown), "{text}");
        assert_eq!(T::read(shown).as_ref(), Some(value), "{shown}");
    }
}

fn refuses<T: Takes>(texts: &[&str])
where
    T::Value: Debug,
{
    for text in texts {
        let read = T::read(text);
        assert!(read.is_none(), "{text:?} is {read:?}");
    }
}

#[test]
fn switches() {
    reads::<Switch>(&[("true", true, "true"), ("False", false, "false")]);
    refuses::<Switch>(&["yes", "1", "on", "t", ""]);
    assert_eq!(Maybe::<Switch>::read("true"), Some(Some(true)));
    assert_eq!(Maybe::<Switch>::show(&None), None);
}

#[test]
fn numbers_are_digits_alone() {
    reads::<Port>(&[
        ("0", 0, "0"),
        ("65535", 65535, "65535"),
        ("00080", 80, "80"),
    ]);
    refuses::<Port>(&["65536", "-1", "+80", "8.0", "0x50", "8_0", "", "http", "٣"]);
    reads::<Count>(&[("1", 1, "1"), ("4294967295", 4_294_967_295, "4294967295")]);
    refuses::<Count>(&["0", "4294967296", "99999999999999999999999"]);
    reads::<Workers>(&[("1024", 1024, "1024")]);
    refuses::<Workers>(&["0", "1025"]);
}

#[test]
fn what_there_may_be_none_of_is_digits_too() {
    reads::<Whole>(&[("0", 0, "0"), ("4294967295", u32::MAX, "4294967295")]);
    refuses::<Whole>(&["-1", "4294967296", "3.0", "off", ""]);
    reads::<Threshold>(&[
        ("5", NonZero::new(5), "5"),
        ("0", None, "off"),
        ("Off", None, "off"),
    ]);
    refuses::<Threshold>(&["-1", "4294967296", "no", ""]);
}

#[test]
fn numbers_with_decimals_are_exact() {
    let thousandths = Thousandths::of;
    reads::<Ratio>(&[
        ("0.1", thousandths(100), "0.1"),
        ("0.001", thousandths(1), "0.001"),
        ("1", thousandths(1000), "1"),
        ("1.000000", thousandths(1000), "1"),
        ("0.300", thousandths(300), "0.3"),
    ]);
    refuses::<Ratio>(&[
        "0", "0.0", "1.001", "0.0001", "-0.1", ".5x", "1.", "1e-1", "50%", "",
    ]);
    reads::<Multiplier>(&[
        ("1", thousandths(1000), "1"),
        ("1.6", thousandths(1600), "1.6"),
        ("100.0", thousandths(100_000), "100"),
    ]);
    refuses::<Multiplier>(&["0.999", "100.001", "0", "inf", "NaN"]);
    reads::<Tokens>(&[
        ("500", thousandths(500_000), "500"),
        ("0.5", thousandths(500), "0.5"),
    ]);
    refuses::<Tokens>(&["0", "1000.001", "99999999999999999999999"]);
}

#[test]
fn balances_have_the_names_that_grpc_gives_them() {
    reads::<BalanceName>(&[
        ("round_robin", Balance::RoundRobin, "round_robin"),
        ("PICK_FIRST", Balance::PickFirst, "pick_first"),
        ("least_loaded", Balance::LeastLoaded, "least_loaded"),
    ]);
    refuses::<BalanceName>(&["random", "round-robin", ""]);
}

#[test]
fn sizes_are_bytes_or_have_a_binary_unit() {
    reads::<Size>(&[
        ("1", 1, "1"),
        ("4194304", 4 << 20, "4MiB"),
        ("4MiB", 4 << 20, "4MiB"),
        ("4Mi", 4 << 20, "4MiB"),
        ("1536KiB", 1536 << 10, "1536KiB"),
        ("3Gi", 3 << 30, "3GiB"),
        ("4294967295", 4_294_967_295, "4294967295"),
    ]);
    refuses::<Size>(&[
        "0",
        "0MiB",
        "4GiB",
        "4294967296",
        "4MB",
        "4M",
        "4 MiB",
        "4mib",
        "1.5MiB",
        "MiB",
        "-1",
        "",
        "18446744073709551615GiB",
        "1MiBKiB",
    ]);
}

#[test]
fn times_have_units_or_are_in_seconds() {
    let ms = Duration::from_millis;
    reads::<Time>(&[
        ("0", ms(0), "0s"),
        ("5", ms(5_000), "5s"),
        ("30.0", ms(30_000), "30s"),
        ("2.5", ms(2_500), "2500ms"),
        ("0.000000001", Duration::from_nanos(1), "1ns"),
        ("250ms", ms(250), "250ms"),
        ("1.5us", Duration::from_nanos(1_500), "1500ns"),
        ("1m30s", ms(90_000), "90s"),
        ("1.5h", ms(5_400_000), "90m"),
        ("120m", ms(7_200_000), "2h"),
        ("8760h", ms(31_536_000_000), "8760h"),
    ]);
    refuses::<Time>(&[
        "",
        "s",
        "ms",
        ".5",
        "5.",
        "5.s",
        "-5s",
        "+5s",
        "5 s",
        "5S",
        "1e3",
        "5min",
        "1d",
        "s5",
        "1m30",
        "8760h1ns",
        "0.1ns",
        "0.0000000001",
        "inf",
        "NaN",
        "99999999999999999999",
        "5µs",
        "18446744073709551615h",
        "1.99999999999999999999999999999s",
        "1..5s",
    ]);
    reads::<Timeout>(&[("1ns", Duration::from_nanos(1), "1ns")]);
    refuses::<Timeout>(&["0", "0s", "0.0"]);
}

#[test]
fn limits_can_be_off() {
    reads::<OrOff<Count>>(&[
        ("off", None, "off"),
        ("OFF", None, "off"),
        ("7", Some(7), "7"),
    ]);
    refuses::<OrOff<Count>>(&["0", "none", "", "-1"]);
    refuses::<OrOff<Timeout>>(&["0"]);
}

#[test]
fn hosts_are_addresses_or_localhost() {
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    reads::<Host>(&[
        ("0.0.0.0", ip("0.0.0.0"), "0.0.0.0"),
        ("[::]", ip("::"), "::"),
        ("::1", ip("::1"), "::1"),
        ("localhost", ip("127.0.0.1"), "127.0.0.1"),
    ]);
    refuses::<Host>(&[
        "",
        "items",
        "127.0.0.1:50051",
        "[::]:50051",
        "[127.0.0.1]",
        "[::",
        "::]",
        "[]",
        "010.0.0.1",
        "127.1",
        "fe80::1%eth0",
        "*",
    ]);
}

#[test]
fn files_have_a_path() {
    reads::<FilePath>(&[
        (
            "/etc/tls/tls.crt",
            "/etc/tls/tls.crt".into(),
            "/etc/tls/tls.crt",
        ),
        ("dev.crt", "dev.crt".into(), "dev.crt"),
    ]);
    refuses::<FilePath>(&["", "/a\0b"]);
}

#[test]
fn clients_have_to_have_a_certificate_or_not() {
    let (required, optional) = (ClientAuth::read("Required"), ClientAuth::read("optional"));
    assert!(required.is_some() && optional.is_some() && required != optional);
    assert_eq!(
        ClientAuth::show(&required.unwrap()).as_deref(),
        Some("required")
    );
    assert_eq!(
        ClientAuth::show(&optional.unwrap()).as_deref(),
        Some("optional")
    );
    refuses::<ClientAuth>(&["", "true", "none", "require"]);
}

#[test]
fn sockets_have_an_absolute_path_that_fits() {
    let longest = format!("/{}", "x".repeat(106));
    reads::<SocketPath>(&[
        ("/run/a.sock", "/run/a.sock".into(), "/run/a.sock"),
        ("/0123", "/0123".into(), "/0123"),
        (&longest, longest.clone().into(), &longest),
    ]);
    let longer = format!("{longest}x");
    refuses::<SocketPath>(&["", "a.sock", "unix:/a.sock", "@abstract", "/a\0b", &longer]);
}
