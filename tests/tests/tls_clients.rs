//! mTLS: which clients are let in, and what their calls know of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod authority;
mod common;

use std::net::IpAddr;

use apibase::{ClientCertificates, Code, Context, Tls};
use authority::{Authority, Issued, connect, named, self_signed};
use common::{
    Answer, EchoReply, RawClient, Running, Scripted, ask, frame, in_process, post, reply, soon,
};
use rcgen::{CertificateParams, DnType, DnValue, SanType, date_time_ymd};
use rustls::{HandshakeKind, version};

/// A servicer that answers with what it knows of its caller.
fn who() -> Scripted {
    Scripted::new().on_echo(|ctx, _| async move { Ok(reply(address(&ctx), known(&ctx))) })
}

/// All that a context has of its caller's certificate.
fn known(ctx: &Context) -> String {
    let Some(certificate) = ctx.peer_certificate() else {
        return "nobody".to_owned();
    };
    let (dns, uris) = (certificate.dns_names(), certificate.uris());
    let (emails, ips) = (certificate.emails(), certificate.ip_addresses());
    let id = certificate.spiffe_id().map(ToString::to_string);
    let subject = certificate.subject();
    format!("{subject} {dns:?} {uris:?} {emails:?} {ips:?} {id:?}")
}

/// Where the certificate is, in memory.
fn address(ctx: &Context) -> u64 {
    let address = ctx
        .peer_certificate()
        .map_or(0, |certificate| std::ptr::from_ref(certificate).addr());
    address as u64
}

/// Who a call over this connection is from.
async fn asked(client: &mut RawClient) -> EchoReply {
    let answer: Answer = client.call(post("Echo"), [frame(&ask(""))]).await;
    assert_eq!(answer.code(), Code::Ok, "{answer:?}");
    answer.messages::<EchoReply>().remove(0)
}

fn text(reply: &EchoReply) -> &str {
    std::str::from_utf8(&reply.payload).unwrap()
}

/// A server that takes clients of this CA, and one of its own that trusts them.
async fn server(authority: &Authority, wanted: Option<ClientCertificates>) -> Running {
    let Issued { chain, key } = authority.server();
    let mut tls = Tls::from_pem(chain, key).client_ca_pem(authority.pem());
    if let Some(wanted) = wanted {
        tls = tls.client_certificates(wanted);
    }
    Running::with(who(), |server| server.tls(tls)).await
}

fn items(params: &mut CertificateParams) {
    params.distinguished_name = named("items");
    let company = DnValue::Utf8String("Shop, Inc.".to_owned());
    params
        .distinguished_name
        .push(DnType::OrganizationName, company);
    params.subject_alt_names = vec![
        SanType::DnsName("items.shop".try_into().unwrap()),
        SanType::URI("spiffe://shop.example/ns/shop/sa/items".try_into().unwrap()),
        SanType::Rfc822Name("items@shop.example".try_into().unwrap()),
        SanType::IpAddress(IpAddr::from([10, 0, 0, 7])),
    ];
}

const ITEMS: &str = r#"O=Shop\, Inc.,CN=items ["items.shop"] ["spiffe://shop.example/ns/shop/sa/items"] ["items@shop.example"] [10.0.0.7] Some("spiffe://shop.example/ns/shop/sa/items")"#;

#[tokio::test]
async fn a_call_knows_who_its_client_is() {
    let authority = Authority::new("CA");
    let server = server(&authority, None).await;
    let mut client = authority.client().showing(&authority.issue(items));
    for version in [&version::TLS13, &version::TLS12] {
        client.version = version;
        let mut raw = client.raw(server.addr).await;
        let reply = asked(&mut raw).await;
        assert_eq!(text(&reply), ITEMS);
        assert_eq!(
            asked(&mut raw).await,
            reply,
            "its calls share one certificate"
        );
    }
}

#[tokio::test]
async fn the_certificate_itself_is_there_too_and_stays_with_what_is_detached() {
    let authority = Authority::new("CA");
    let own = authority.issue(items);
    let (chain, der) = (authority.server(), own.der());
    let scripted = Scripted::new().on_echo(move |ctx, _| {
        let detached = ctx.detach();
        let shown = detached.peer_certificate().unwrap().der().to_vec();
        assert!(!format!("{detached:?}").contains("shop.example"));
        async move { Ok(reply(0, shown)) }
    });
    let tls = Tls::from_pem(chain.chain, chain.key).client_ca_pem(authority.pem());
    let server = Running::with(scripted, |server| server.tls(tls)).await;
    let client = authority.client().showing(&own);
    let reply = asked(&mut client.raw(server.addr).await).await;
    assert_eq!(reply.payload, der.as_ref());
}

#[tokio::test]
async fn two_uris_are_no_spiffe_id() {
    let authority = Authority::new("CA");
    let server = server(&authority, None).await;
    let own = authority.issue(|params| {
        items(params);
        let other = SanType::URI("spiffe://shop.example/other".try_into().unwrap());
        params.subject_alt_names.push(other);
    });
    let client = authority.client().showing(&own);
    let reply = asked(&mut client.raw(server.addr).await).await;
    assert!(text(&reply).ends_with("None"), "{}", text(&reply));
}

#[tokio::test]
async fn who_has_no_certificate_is_refused_where_one_is_required() {
    let authority = Authority::new("CA");
    for wanted in [None, Some(ClientCertificates::Required)] {
        let server = server(&authority, wanted).await;
        let mut client = authority.client();
        for version in [&version::TLS13, &version::TLS12] {
            client.version = version;
            refuses(&client.refused(server.addr).await);
        }
        let good = client.showing(&authority.issue(items));
        assert_eq!(text(&asked(&mut good.raw(server.addr).await).await), ITEMS);
    }
}

#[tokio::test]
async fn who_has_none_is_nobody_where_one_is_optional() {
    let authority = Authority::new("CA");
    let server = server(&authority, Some(ClientCertificates::Optional)).await;
    let client = authority.client();
    let reply = asked(&mut client.raw(server.addr).await).await;
    assert_eq!(text(&reply), "nobody");
    let client = client.showing(&authority.issue(items));
    assert_eq!(
        text(&asked(&mut client.raw(server.addr).await).await),
        ITEMS
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_good_is_refused_even_where_none_is_required() {
    let authority = Authority::new("CA");
    let other = Authority::new("CA").issue(items);
    let expired = authority.issue(|params| {
        items(params);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let to_come = authority.issue(|params| {
        items(params);
        params.not_before = date_time_ymd(2200, 1, 1);
    });
    for wanted in [ClientCertificates::Required, ClientCertificates::Optional] {
        let server = server(&authority, Some(wanted)).await;
        for bad in [&other, &expired, &to_come] {
            let mut client = authority.client().showing(bad);
            for version in [&version::TLS13, &version::TLS12] {
                client.version = version;
                refuses(&client.refused(server.addr).await);
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_that_signed_itself_is_taken_where_it_is_the_ca() {
    let (own, other) = (self_signed(items), self_signed(items));
    let server_own = self_signed(|_| {});
    let tls = Tls::from_pem(server_own.chain.as_str(), server_own.key.as_str());
    let tls = tls.client_ca_pem(own.chain.as_str());
    let server = Running::with(who(), |server| server.tls(tls)).await;
    let mut client = Authority::new("CA").client();
    client.ca = server_own.chain;
    let known = client.clone().showing(&own);
    assert_eq!(text(&asked(&mut known.raw(server.addr).await).await), ITEMS);
    refuses(&client.showing(&other).refused(server.addr).await);
}

/// An alert of TLS, or what is left of it where the connection was gone first.
fn refuses(told: &str) {
    let is_told = ["alert", "reset", "Broken pipe", "closed", "eof"];
    assert!(is_told.iter().any(|word| told.contains(word)), "{told}");
}

#[tokio::test]
async fn who_is_not_asked_stays_nobody() {
    let authority = Authority::new("CA");
    let Issued { chain, key } = authority.server();
    let tls = Tls::from_pem(chain, key);
    let server = Running::with(who(), |server| server.tls(tls)).await;
    let client = authority.client().showing(&authority.issue(items));
    let reply = asked(&mut client.raw(server.addr).await).await;
    assert_eq!(text(&reply), "nobody");
}

#[tokio::test]
async fn a_mounted_service_and_plaintext_know_nobody() {
    let answer = in_process(who())
        .echo(&Context::background(), ask(""))
        .await;
    assert_eq!(text(&answer.unwrap()), "nobody");
    let server = Running::start(who()).await;
    let reply = asked(&mut server.raw().await).await;
    assert_eq!(text(&reply), "nobody");
}

#[tokio::test]
async fn every_connection_shows_its_certificate_anew() {
    let authority = Authority::new("CA");
    let server = server(&authority, None).await;
    let client = authority.client().showing(&authority.issue(items));
    // One that could resume a session: its configuration remembers them.
    let config = client.config();
    for _ in 0..2 {
        let stream = connect(config.clone(), server.addr).await.unwrap();
        let mut raw = RawClient::over(stream).await;
        assert_eq!(text(&asked(&mut raw).await), ITEMS);
    }
    let mut stream = connect(config, server.addr).await.unwrap();
    assert_eq!(
        stream.get_mut().1.handshake_kind(),
        Some(HandshakeKind::Full)
    );
    soon(server.stop()).await.unwrap();
}
