//! Certificates, keys and CAs that change while a server runs.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod authority;
mod common;

use std::net::SocketAddr;
use std::time::Duration;

use apibase::Tls;
use authority::{Authority, Client, Issued, Mounted};
use common::{Log, Running, Scripted, log, soon};
use rcgen::date_time_ymd;
use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;

/// How often the files are looked at here.
const LOOKS: Duration = Duration::from_millis(10);

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

fn tls(files: &Mounted) -> Tls {
    Tls::from_files(files.path("tls.crt"), files.path("tls.key")).reload_interval(LOOKS)
}

async fn serve(tls: Tls) -> Running {
    Running::with(Scripted::new(), |server| server.tls(tls).grace(LONG)).await
}

/// Waits until new connections are shown this certificate.
async fn shows(client: &Client, addr: SocketAddr, certificate: &CertificateDer<'_>) {
    let shown = async {
        while client.shown(addr).await != *certificate {
            tokio::time::sleep(LOOKS).await;
        }
    };
    soon(shown).await;
}

/// Waits until the log has so many lines with this.
async fn told(log: &Log, what: &str, times: usize) -> String {
    let telling = async {
        loop {
            let mut lines = log.own_lines();
            lines.retain(|line| line.contains(what));
            if lines.len() >= times {
                return lines.remove(times - 1);
            }
            tokio::time::sleep(LOOKS).await;
        }
    };
    soon(telling).await
}

/// How many lines of the log have this.
fn count(log: &Log, what: &str) -> usize {
    let lines = log.own_lines();
    lines.iter().filter(|line| line.contains(what)).count()
}

/// Lets the server look many times more.
async fn many_looks() {
    tokio::time::sleep(LOOKS * 30).await;
}

const BROKEN: &str = "serving on with what was good";

#[tokio::test]
async fn a_new_certificate_is_shown_to_who_comes_and_calls_go_on() {
    let log = log();
    let authority = Authority::new("CA");
    let (old, new) = (authority.server(), authority.server());
    let mut files = Mounted::new(&old);
    let server = serve(tls(&files)).await;
    let client = authority.client();
    let mut before = client.raw(server.addr).await;
    before.lives().await;
    assert_eq!(client.shown(server.addr).await, old.der());

    files.swap(&[("tls.crt", &new.chain), ("tls.key", &new.key)]);
    shows(&client, server.addr, &new.der()).await;
    before.lives().await;
    client.raw(server.addr).await.lives().await;
    let line = told(&log, "the certificate was reloaded", 1).await;
    assert!(line.contains("INFO") && line.contains("tls.crt"), "{line}");
    assert_eq!(count(&log, "WARN"), 0, "{:#?}", log.own_lines());
    drop(before);
    soon(server.stop()).await.unwrap();
}

#[tokio::test]
async fn a_half_swapped_pair_keeps_the_old_one_until_it_is_whole() {
    let log = log();
    let authority = Authority::new("CA");
    let (old, new) = (authority.server(), authority.server());
    let files = Mounted::new(&old);
    let server = serve(tls(&files)).await;
    let client = authority.client();

    files.replace("tls.key", &new.key);
    let line = told(&log, BROKEN, 1).await;
    assert!(line.contains("WARN"), "{line}");
    assert!(
        line.contains("tls.key") && line.contains("tls.crt"),
        "{line}"
    );
    assert!(line.contains("it is not that of the certificate"), "{line}");
    many_looks().await;
    assert_eq!(count(&log, BROKEN), 1, "it is told once");
    assert_eq!(client.shown(server.addr).await, old.der());

    files.replace("tls.crt", &new.chain);
    shows(&client, server.addr, &new.der()).await;
    assert_eq!(count(&log, "the certificate was reloaded"), 1);
}

#[tokio::test]
async fn a_broken_certificate_keeps_the_old_one() {
    let log = log();
    let authority = Authority::new("CA");
    let (old, new) = (authority.server(), authority.server());
    let mut files = Mounted::new(&old);
    let server = serve(tls(&files)).await;
    let client = authority.client();
    let cut = &new.chain[..new.chain.len() / 2];
    let lost_breaks = new.key.replace('\n', "");
    for (index, (chain, key, why)) in [
        (cut, new.key.as_str(), "cut off"),
        ("", &new.key, "no certificate"),
        (&new.chain, "", "no private key"),
        (&new.chain, &lost_breaks, "line breaks"),
        (&new.key, &new.chain, "swapped"),
    ]
    .into_iter()
    .enumerate()
    {
        files.swap(&[("tls.crt", chain), ("tls.key", key)]);
        let line = told(&log, BROKEN, index + 1).await;
        assert!(line.contains("WARN") && line.contains(why), "{line}");
        assert!(!line.contains(&new.key[40..60]), "{line}");
        assert_eq!(client.shown(server.addr).await, old.der(), "{why}");
    }
    std::fs::remove_file(files.path("..data")).unwrap();
    let line = told(&log, BROKEN, 6).await;
    assert!(line.contains("can't be read: No such file"), "{line}");
    client.raw(server.addr).await.lives().await;

    files.swap(&[("tls.crt", &new.chain), ("tls.key", &new.key)]);
    shows(&client, server.addr, &new.der()).await;
    told(&log, "the certificate was reloaded", 1).await;
}

#[tokio::test]
async fn new_cas_count_for_who_comes() {
    let log = log();
    let (authority, first, second) = (
        Authority::new("CA"),
        Authority::new("first"),
        Authority::new("second"),
    );
    let own = authority.server();
    let mut files = Mounted::new(&own);
    let swap = |files: &mut Mounted, ca: &str| {
        files.swap(&[
            ("tls.crt", &own.chain),
            ("tls.key", &own.key),
            ("ca.crt", ca),
        ]);
    };
    swap(&mut files, &first.pem());
    let server = serve(tls(&files).client_ca_file(files.path("ca.crt"))).await;
    let of = |ca: &Authority| authority.client().showing(&ca.issue(|_| {}));
    let (of_first, of_second) = (of(&first), of(&second));
    let mut before = of_first.raw(server.addr).await;
    before.lives().await;
    of_second.refused(server.addr).await;

    swap(&mut files, &[first.pem(), second.pem()].concat());
    told(&log, "the CAs of client certificates were reloaded", 1).await;
    of_first.raw(server.addr).await.lives().await;
    of_second.raw(server.addr).await.lives().await;

    swap(&mut files, &second.pem());
    told(&log, "the CAs of client certificates were reloaded", 2).await;
    of_first.refused(server.addr).await;
    of_second.raw(server.addr).await.lives().await;
    before.lives().await;

    swap(&mut files, "");
    let line = told(&log, BROKEN, 1).await;
    assert!(line.contains("WARN") && line.contains("ca.crt"), "{line}");
    assert!(line.contains("no certificate"), "{line}");
    of_first.refused(server.addr).await;
    of_second.raw(server.addr).await.lives().await;
    assert_eq!(count(&log, "the certificate was reloaded"), 0);
}

#[tokio::test]
async fn a_broken_ca_does_not_keep_a_new_certificate_out() {
    let log = log();
    let authority = Authority::new("CA");
    let (old, new) = (authority.server(), authority.server());
    let mut files = Mounted::new(&old);
    files.swap(&[
        ("tls.crt", &old.chain),
        ("tls.key", &old.key),
        ("ca.crt", &authority.pem()),
    ]);
    let server = serve(tls(&files).client_ca_file(files.path("ca.crt"))).await;
    files.swap(&[
        ("tls.crt", &new.chain),
        ("tls.key", &new.key),
        ("ca.crt", "broken"),
    ]);
    let client = authority.client().showing(&authority.issue(|_| {}));
    shows(&client, server.addr, &new.der()).await;
    client.raw(server.addr).await.lives().await;
    assert!(told(&log, BROKEN, 1).await.contains("ca.crt"));
}

fn ends(authority: &Authority, in_hours: i64) -> Issued {
    let end = OffsetDateTime::now_utc() + time::Duration::hours(in_hours);
    authority.issue(|params| params.not_after = end)
}

#[tokio::test]
async fn the_end_of_a_certificate_is_told_at_the_start_and_when_it_is_reloaded() {
    let log = log();
    let authority = Authority::new("CA");
    let expired = authority.issue(|params| params.not_after = date_time_ymd(2020, 1, 1));
    let mut files = Mounted::new(&expired);
    let _server = serve(tls(&files)).await;
    let line = told(&log, "the certificate has expired", 1).await;
    assert!(line.contains("WARN") && line.contains("2020"), "{line}");
    assert!(
        line.contains("tls.crt") && line.contains("CN=server"),
        "{line}"
    );

    for (issued, what, times) in [
        (ends(&authority, 23), "the certificate expires soon", 1),
        (ends(&authority, 22), "the certificate expires soon", 2),
        (expired, "the certificate has expired", 2),
        (ends(&authority, 25), "the certificate was reloaded", 4),
    ] {
        files.swap(&[("tls.crt", &issued.chain), ("tls.key", &issued.key)]);
        told(&log, what, times).await;
    }
    many_looks().await;
    assert_eq!(count(&log, "WARN"), 4, "{:#?}", log.own_lines());
}

#[tokio::test]
async fn a_certificate_that_nobody_replaces_is_told_to_have_ended() {
    let log = log();
    let end = OffsetDateTime::now_utc() + time::Duration::seconds(3);
    let own = Authority::new("CA").issue(|params| params.not_after = end);
    let tls = Tls::from_pem(own.chain, own.key).reload_interval(LOOKS);
    let _server = serve(tls).await;
    told(&log, "the certificate expires soon", 1).await;
    let line = told(&log, "the certificate has expired", 1).await;
    assert!(
        line.contains("WARN") && line.contains("from memory"),
        "{line}"
    );
    many_looks().await;
    assert_eq!(count(&log, "WARN"), 2, "{:#?}", log.own_lines());
}

#[tokio::test]
async fn who_looks_at_the_files_ends_with_the_server() {
    let authority = Authority::new("CA");
    let files = Mounted::new(&authority.server());
    for interval in [LONG, Duration::ZERO] {
        let server = serve(tls(&files).reload_interval(interval)).await;
        authority.client().raw(server.addr).await.lives().await;
        soon(server.stop()).await.unwrap();
    }
}
